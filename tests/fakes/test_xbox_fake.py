"""The fake console, tried with a small client that is not ours."""

from collections.abc import AsyncIterator

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
import pytest

from tests.fakes.xbox import GAME, HOME, PLAYER, FakeConsole, FakeMedia
from tests.fakes.xbox_crypto import Curve
from tests.fakes.xbox_script_client import ScriptClient, focused, title_ids
from tests.fakes.xbox_wire import Fields

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def console() -> AsyncIterator[FakeConsole]:
    async with FakeConsole(accounts={"123": "t" * 2500}) as console:
        yield console


@pytest.fixture
async def client(console: FakeConsole) -> AsyncIterator[ScriptClient]:
    async with ScriptClient((console.address, console.port)) as client:
        client.agree(console.credentials.key.public_key())
        yield client


def pad(buttons: int) -> Fields:
    zeros = dict.fromkeys(
        (
            "left_trigger",
            "right_trigger",
            "left_thumbstick_x",
            "left_thumbstick_y",
            "right_thumbstick_x",
            "right_thumbstick_y",
        ),
        0.0,
    )
    return {"timestamp": 0, "buttons": buttons, **zeros}


@pytest.mark.parametrize("curve", ["P-256", "P-384", "P-521"])
async def test_from_discovery_to_a_button(curve: Curve) -> None:
    async with (
        FakeConsole("Büro", curve=curve) as console,
        ScriptClient((console.address, console.port), curve=curve) as client,
    ):
        flags, name, uuid, der = await client.discover()
        assert (flags, name, uuid) == (6, "Büro", console.console_uuid)
        certificate = x509.load_der_x509_certificate(der)
        assert certificate.subject.rfc4514_string() == f"CN={console.live_id}"
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        (channel,) = await client.enter(key, "input")
        client.send("gamepad", pad(0x10), channel, need_ack=False)
        client.send("gamepad", pad(0), channel, need_ack=False)
        await console.wait_for("gamepad", buttons=0)
        assert [press.data["buttons"] for press in console.presses] == [0x10, 0]
        assert not console.seen("malformed")


async def test_status_and_titles(console: FakeConsole, client: ScriptClient) -> None:
    assert await client.connect() == 0
    status = await client.join()
    assert focused(status) == HOME.title_id
    assert (status["build_number"], status["locale"]) == (19041, "en-US")
    console.launch(GAME)
    status = await client.expect("console_status")
    assert focused(status) == GAME.title_id
    assert HOME.title_id not in title_ids(status)


async def test_media(console: FakeConsole, client: ScriptClient) -> None:
    console.set_media(FakeMedia(position=10))
    (channel,) = await client.enter(console.credentials.key.public_key(), "media")
    state = await client.expect("media_state")
    assert 10 <= int(str(state["position"])) / 1e7 < 12
    command: Fields = {
        "request_id": 1,
        "title_id": PLAYER.title_id,
        "command": 4,
        "seek_position": None,
    }
    await client.deliver("media_command", command, channel)
    assert (await client.expect("media_command_result"))["result"] == 0
    assert (await client.expect("media_state"))["playback_status"] == 4
    console.set_media(None)
    await client.expect("media_controller_removed", title_id=PLAYER.title_id)


async def test_power(console: FakeConsole, client: ScriptClient) -> None:
    await client.enter(console.credentials.key.public_key())
    await client.deliver("power_off", {"liveid": console.live_id})
    assert (await client.expect("console_status"))["active_titles"] == []
    assert (await client.expect("disconnect"))["reason"] == 2
    assert not console.is_on
    client.wake("FD99")
    client.wake(console.live_id)
    await console.wait_for("state", value="on")
    assert [e.data["right"] for e in console.seen("power_on")] == [False, True]
