"""Who the fake console lets in, and when it is there at all."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_crypto import console_key
from tests.fakes.xbox_script_client import ScriptClient, meeting
from tests.fakes.xbox_wire import discovery_request

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "t" * 2500


@pytest.fixture
async def console() -> AsyncIterator[FakeConsole]:
    async with FakeConsole(accounts={"123": TOKEN}) as console:
        yield console


@pytest.fixture
async def client(console: FakeConsole) -> AsyncIterator[ScriptClient]:
    async with ScriptClient((console.address, console.port)) as client:
        client.agree(console.credentials.key.public_key())
        yield client


# --- discovery and power ---


async def test_discovery_versions(console: FakeConsole, client: ScriptClient) -> None:
    client.send_raw(discovery_request(minimum=3, maximum=4))
    client.send_raw(discovery_request(minimum=0, maximum=1))
    client.send_raw(discovery_request(client_type=99, minimum=2))
    await console.wait_for("discovery_request", client_type=99)
    await client.until(lambda: client.found or None)
    assert len(client.found) == 1


async def test_certificate_pending(console: FakeConsole, client: ScriptClient) -> None:
    console.flags = 14
    flags, _, _, certificate = await client.discover()
    assert (flags, certificate) == (14, b"")


async def test_standby(console: FakeConsole, client: ScriptClient) -> None:
    console.turn_off()
    console.wake_packets, console.boot_delay = 2, 0.02
    client.send_raw(discovery_request())
    await console.wait_for("dropped", reason="not on")
    client.wake("FD99")
    client.wake(console.live_id)
    await console.wait_for("power_on", right=True)
    assert console.power.state == "standby"
    client.wake(console.live_id)
    await console.wait_for("state", value="booting")
    client.send_raw(discovery_request())
    await console.wait_for("dropped", reason="not on")
    assert not client.found
    await console.wait_for("state", value="on")
    await client.discover()


async def test_energy_saving(console: FakeConsole, client: ScriptClient) -> None:
    console.energy_saving = True
    console.press_power_button()
    client.wake(console.live_id)
    await console.wait_for("power_on")
    assert not console.is_on
    console.press_power_button()
    assert console.is_on


async def test_unplugged(client: ScriptClient, console: FakeConsole) -> None:
    await client.connect()
    console.unplug()
    client.wake(console.live_id)
    console.turn_on()
    assert console.power.state == "unplugged"
    assert not console.participants
    console.plug_in(is_on=False)
    assert console.power.state == "standby"
    client.wake(console.live_id)
    await console.wait_for("state", value="on")
    assert len(console.seen("power_on")) == 1
    assert await client.connect() == 0


async def test_restart(client: ScriptClient, console: FakeConsole) -> None:
    before = (await client.discover())[3]
    await client.connect()
    console.restart()
    assert not console.participants
    after = (await client.discover())[3]
    assert before != after
    for request in client.connect_requests():
        client.send_raw(request)
    await console.wait_for("dropped", reason="wrong MAC")


async def test_another_address() -> None:
    async with meeting() as (console, client, _):
        old = console.port
        await console.change_port()
        assert console.port != old
        client.console = (console.address, console.port)
        client.heartbeat()
        await console.wait_for("heartbeat")
        await console.change_address("127.0.0.9")
        client.console = ("127.0.0.9", console.port)
        assert (await client.discover())[1] == console.name


async def test_out_of_reach() -> None:
    async with meeting() as (console, client, _):
        console.disappear()
        client.heartbeat()
        console.launch(console.titles[0])
        await asyncio.sleep(0)
        console.reappear()
        client.heartbeat()
        await console.wait_for("heartbeat")
        assert len(console.seen("heartbeat")) == 1
        assert console.participant.unacked


async def test_port_in_use(console: FakeConsole) -> None:
    other = FakeConsole(port=console.port)
    with pytest.raises(OSError, match="in use"):
        await other.start()
    await other.stop()


# --- who may connect ---


async def test_token_in_pieces(console: FakeConsole, client: ScriptClient) -> None:
    requests = client.connect_requests("123", TOKEN)
    assert len(requests) == 3
    for request in (requests[2], requests[0], requests[0], requests[1]):
        client.send_raw(request)
    await client.until(lambda: client.answers or None)
    assert [answer[0] for answer in client.answers] == [0]
    assert console.participant.is_authenticated
    event = await console.wait_for("connected", anonymous=False)
    assert TOKEN[:20] not in repr(console.log)
    assert event.data["participant"] == client.answers[0][2]


@pytest.mark.parametrize(
    ("attributes", "user", "token", "result"),
    [
        ({}, "123", "wrong", 6),
        ({}, "999", TOKEN, 6),
        ({"flags": 2}, "", "", 3),
        ({"flags": 4}, "123", TOKEN, 7),
        ({"signed_in": False}, "123", TOKEN, 9),
        ({"smartglass_enabled": False}, "", "", 5),
        ({"max_clients": 0}, "", "", 4),
        ({"flags": 1}, "123", TOKEN, 0),
    ],
)
async def test_verdicts(
    console: FakeConsole,
    client: ScriptClient,
    attributes: dict[str, object],
    user: str,
    token: str,
    result: int,
) -> None:
    for name, value in attributes.items():
        setattr(console, name, value)
    assert await client.connect(user, token) == result
    assert len(console.participants) == (result == 0)


async def test_refusals(console: FakeConsole, client: ScriptClient) -> None:
    console.refuse(9)
    assert [await client.connect(), await client.connect()] == [9, 9]
    console.refuse(77, times=1)
    assert [await client.connect(), await client.connect()] == [77, 0]
    console.refuse(5)
    console.refuse(None)
    assert await client.connect() == 0


async def test_sign_in_takes_a_while(
    console: FakeConsole, client: ScriptClient
) -> None:
    console.sign_in_delay = 0.02
    client.repeat_after = 0.01
    assert await client.connect() == 0
    results = [answer[0] for answer in client.answers]
    assert results[0] == 1
    assert len(console.participants) == 1


async def test_the_same_request_again(
    console: FakeConsole, client: ScriptClient
) -> None:
    (request,) = client.connect_requests()
    for _ in range(3):
        client.send_raw(request)
    await client.until(lambda: client.answers if len(client.answers) == 3 else None)
    assert len({answer[2] for answer in client.answers}) == 1
    assert len(set(client.datagrams)) == 3  # an IV of its own each
    assert len(console.participants) == 1


async def test_a_new_key_replaces(console: FakeConsole, client: ScriptClient) -> None:
    await client.connect()
    first = client.participant
    client.key = console_key("P-256", "another")
    client.agree(console.credentials.key.public_key())
    console.max_clients = 1
    assert await client.connect() == 0
    assert client.participant != first
    await console.wait_for("left", participant=first, by="replaced")
    async with ScriptClient(client.console) as other:
        other.agree(console.credentials.key.public_key())
        assert await other.connect() == 4


async def test_wrong_requests(console: FakeConsole, client: ScriptClient) -> None:
    (request,) = client.connect_requests()
    off_curve = bytearray(request)
    off_curve[60] ^= 1
    client.send_raw(bytes(off_curve))
    await console.wait_for("dropped", reason="no point of the curve")
    client.send_raw(request[:-1] + bytes([request[-1] ^ 1]))
    await console.wait_for("dropped", reason="wrong MAC")
    client.send_raw(request[:-1])
    await console.wait_for("dropped")
    other_curve = bytearray(request)
    other_curve[25] = 1
    client.send_raw(bytes(other_curve))
    await console.wait_for("dropped", reason=lambda r: "another curve" in str(r))
    assert client.keys is not None
    point = request[26:90]
    wrong = client.keys.connect_request(bytes(16), point, "1", "x", (5, 0, 2))
    client.send_raw(wrong)
    await console.wait_for("dropped", reason="a request outside of its group")
    client.send_raw(b"")
    client.send_raw(b"\xdd\x01" + bytes(30))
    await console.wait_for("dropped", reason="no packet for a console")
    console.mute_connects = True
    client.send_raw(request)
    await console.wait_for("connect_request")
    assert not client.answers
