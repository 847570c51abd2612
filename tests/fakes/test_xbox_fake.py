"""The fake console's sessions, tried with a small client that is not ours."""

import asyncio
import random

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
import pytest

from tests.fakes.xbox import GAME, HOME, FakeConsole, FakeMedia, FakeTitle, Faults
from tests.fakes.xbox_crypto import Curve
from tests.fakes.xbox_network import Direction
from tests.fakes.xbox_script_client import (
    JOIN,
    ScriptClient,
    focused,
    meeting,
    title_ids,
)
from tests.fakes.xbox_wire import (
    ACK_CHANNEL,
    TYPES,
    Fields,
    Header,
    encode,
    number_of,
    numbers_of,
    split_message,
)
from tests.protocols import virtual_time

pytestmark = pytest.mark.usefixtures("socket_enabled")


def pad(buttons: int) -> Fields:
    """Return the fields of a Gamepad."""
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
        assert console.presses[0].at <= console.presses[1].at
        assert not console.seen("malformed")


async def test_status_and_titles() -> None:
    async with meeting(joins=False) as (console, client, _):
        await client.connect()
        status = await client.join()
        assert focused(status) == HOME.title_id
        assert (status["build_number"], status["locale"]) == (19041, "en-US")
        console.launch(GAME)
        status = await client.expect("console_status")
        assert focused(status) == GAME.title_id
        assert HOME.title_id not in title_ids(status)
        console.set_titles([FakeTitle(1, "A!B", location=77)])
        assert title_ids(await client.expect("console_status")) == [1]
        console.set_pairing(1)
        await client.expect("paired_identity_state_changed", state=1)
        console.set_surface(2, 1280, 720)
        await client.expect("active_surface_change", render_width=1280)
        with pytest.raises(TimeoutError, match="happened"):
            await console.wait_for("gamepad", timeout=0)


async def test_power_off() -> None:
    async with meeting() as (console, client, _):
        await client.deliver("power_off", {"liveid": "FD99"})
        await console.wait_for("power_off", right=False)
        console.is_updating = True
        await client.deliver("power_off", {"liveid": console.live_id})
        assert not console.seen("state")
        console.is_updating = False
        await client.deliver("power_off", {"liveid": console.live_id})
        assert (await client.expect("console_status"))["active_titles"] == []
        assert (await client.expect("disconnect"))["reason"] == 2
        assert not console.is_on
        assert not console.participants


async def test_nothing_before_join() -> None:
    async with meeting(joins=False) as (console, client, _):
        await client.connect()
        client.send("power_off", {"liveid": console.live_id})
        await console.wait_for("dropped", reason="power_off before local_join")
        assert console.is_on
        assert not client.processed
        await client.deliver("local_join", JOIN)
        assert (await console.wait_for("joined")).data["display_name"] == "Script"


async def test_acks_and_duplicates() -> None:
    async with meeting() as (console, client, _):
        client.datagrams.clear()
        _, data = client.sealed("unsnap", {"unk": "02"})
        for _ in range(3):
            client.send_raw(data)
        await client.until(lambda: True if len(client.datagrams) == 3 else None)
        assert len(console.seen("unsnap")) == 1
        assert len(console.seen("duplicate", name="unsnap")) == 2
        assert client.keys is not None
        header, _ = client.keys.open(client.datagrams[0])
        assert (header.channel, header.need_ack) == (ACK_CHANNEL, False)
        assert (header.source, header.target) == (0, client.participant)


async def test_watermark() -> None:
    async with meeting(joins=False) as (console, client, _):
        await client.connect()
        client.acks = False  # they would take numbers of their own
        for sequence in (0, 1, 4, 3, 2, 5):
            _, data = client.sealed("local_join", JOIN, sequence=sequence)
            client.send_raw(data)
            await client.until_acked(sequence)
        assert console.participant.watermark == 5
        assert len(console.seen("joined")) == 6
        assert [numbers_of(f, "processed_list") for f in acks(client)] == [
            [0],
            [1],
            [4],
            [3],
            [2],
            [5],
        ]
        assert [f["low_watermark"] for f in acks(client)] == [0, 0, 1, 1, 1, 4]


def acks(client: ScriptClient) -> list[Fields]:
    """Return all Acks that came, in order."""
    return [fields for name, _, fields in client.everything if name == "ack"]


async def test_rejections() -> None:
    async with meeting() as (console, client, _):
        console.reject("unsnap")
        assert not await client.deliver("unsnap", {"unk": "02"})
        await console.wait_for("rejected", name="unsnap")
        assert await client.deliver("unsnap", {"unk": "02"})
        assert len(console.seen("unsnap")) == 1
        console.reject(times=2)
        assert not await client.deliver("unsnap", {"unk": "02"})
        assert not await client.deliver("power_off", {"liveid": console.live_id})
        console.mute_acks = True
        client.heartbeat()
        await console.wait_for("heartbeat")
        assert client.names() == []


async def test_lost_acks_and_silence_on_demand() -> None:
    async with meeting() as (console, client, _):
        console.acks_to_lose = 2
        client.repeat_after = 0.01
        console.logs_sent = True
        await client.deliver("unsnap", {"unk": "02"})
        assert len(console.seen("unsnap")) == 1
        assert len(console.seen("duplicate")) >= 2
        assert console.seen("sent", name="ack")
        console.acks_power_off = False
        client.send("power_off", {"liveid": console.live_id})
        await client.expect("disconnect")
        console.restart()
        console.mute_status = True
        console.connect_answers_to_lose = 2
        client.agree(console.credentials.key.public_key())
        assert await client.connect() == 0
        assert client.participant == 31
        await client.deliver("local_join", JOIN)
        await console.wait_for("joined", participant=31)
        assert len(console.seen("connected")) == 2


async def test_channels() -> None:
    async with meeting("input", "media") as (console, client, numbers):
        assert numbers[1] == numbers[0] + 1
        again = await client.request_channel("input")
        assert again["result"] == 0x80080001
        unknown = await client.request_channel("", service_uuid="1" * 32)
        assert unknown["result"] == 0x80000012
        console.refuse_channel("tv", 0x80000005)
        assert (await client.request_channel("tv"))["result"] == 0x80000005
        console.refuse_channel("tv", 0)
        console.answer_delay = 0.01
        await client.open("tv")
        console.mute_channel("text")
        await client.deliver(
            "start_channel_request",
            {
                "channel_request_id": 99,
                "title_id": 0,
                "service": "7af3e6a2-488b-40cb-a931-79c04b7da3a0",
                "activity_id": 0,
            },
        )
        client.send("stop_channel", {"target_channel_id": numbers[0]})
        await console.wait_for("channel_closed", service="input")
        client.send("stop_channel", {"target_channel_id": numbers[0]})
        await console.wait_for("malformed", name="stop_channel")
        client.send("gamepad", pad(1), numbers[0])
        await console.wait_for("unknown_channel", channel=numbers[0])
        client.send("gamepad", pad(1), numbers[1])
        await console.wait_for("malformed", reason="not on this channel")
        client.send("gamepad", pad(1))
        await console.wait_for("malformed", reason="not on the core channel")
        assert "start_channel_response" not in client.names()


async def test_strange_messages() -> None:
    async with meeting("media") as (console, client, (channel,)):
        client.send(0x7FE, b"\1")
        client.send("power_off", b"\0\xff")
        await console.wait_for("malformed", name="power_off")
        client.send("json", {"text": "{}"}, channel)
        await console.wait_for("json_error")
        client.send("json", {"text": "["}, channel)
        await console.wait_for("json_error")
        assert len(client.rejected) == 0
        sequence, data = client.sealed("unsnap", {"unk": "00"}, target=5)
        client.send_raw(data)
        await console.wait_for("dropped", reason="for another participant")
        assert sequence not in client.processed
        _, data = client.sealed("unsnap", {"unk": "00"}, source=5)
        client.send_raw(data)
        await console.wait_for("dropped", reason="an unknown participant")
        _, data = client.sealed("unsnap", {"unk": "00"})
        client.send_raw(data[:-1] + bytes([data[-1] ^ 1]))
        await console.wait_for("dropped", reason="wrong MAC")
        assert not console.seen("unsnap")


@pytest.mark.parametrize("channel", [0, 1, 2, 3, 4, 5, 6])
async def test_any_bytes(channel: int) -> None:
    """Whatever a client sends, the console itself does not fail; `stop` would tell."""
    noise = random.Random(channel)
    beat: Fields = {"low_watermark": 0, "processed_list": [], "rejected_list": []}
    async with meeting("input", "media", "text", "tv", "broadcast") as meet:
        console, client, opened = meet
        numbers = [0, *opened, await client.open("title", GAME.title_id)]
        console.set_media(FakeMedia())
        console.open_text("Search")
        for message_type in (*TYPES.values(), 0x7FE):
            if message_type in (TYPES["disconnect"], TYPES["power_off"]):
                continue
            for size in (1, 16, 30):
                data = noise.randbytes(size)
                client.send(message_type, data, numbers[channel], need_ack=False)
                client.send(message_type, bytes(size), numbers[channel])
            await client.deliver("ack", beat)
        for size in range(80):
            kind = noise.choice((0xDD00, 0xDD02, 0xCC00, 0xD00D))
            client.send_raw(kind.to_bytes(2) + noise.randbytes(size))
        await client.deliver("ack", beat)


async def test_its_own_failures_are_told() -> None:
    console = FakeConsole()
    console.wake_packets = "many"  # type: ignore[assignment]
    await console.start()
    console.turn_off()
    async with ScriptClient((console.address, console.port)) as client:
        client.wake(console.live_id)
        await console.wait_for("power_on")
        with pytest.raises(ExceptionGroup, match="the fake console failed"):
            await console.stop()


async def test_fragments_of_a_client() -> None:
    async with meeting() as (console, client, _):
        assert client.keys is not None
        plaintext = encode("title_launch", {"location": 0, "uri": "x" * 3000})
        for number, piece in reversed(list(enumerate(split_message(plaintext, 100)))):
            header = Header(
                100 + number,
                0,
                client.participant,
                TYPES["title_launch"],
                need_ack=True,
                is_fragment=True,
            )
            client.send_raw(client.keys.seal(header, piece))
        event = await console.wait_for("title_launch", honoured=False)
        assert event.data["uri"] == "x" * 3000
        header = Header(200, 0, client.participant, 1, is_fragment=True)
        client.send_raw(client.keys.seal(header, split_message(b"x", 300)[0]))
        await console.wait_for("malformed")


async def test_titles_are_launched_when_told() -> None:
    async with meeting() as (console, client, _):
        console.honours_launch = True
        for uri, title_id in (
            ("ms-xbl-4AE8F9B2://default/", 0x4AE8F9B2),
            ("ms-xbl-0000ABCD://default/", 0xABCD),
        ):
            await client.deliver("title_launch", {"location": 1, "uri": uri})
            assert focused(await client.expect("console_status")) == title_id
        await client.deliver("title_launch", {"location": 0, "uri": "https://x"})
        assert "console_status" not in client.names()


async def test_heartbeat_and_silence() -> None:
    async with meeting() as (console, client, _):
        beat = client.heartbeat()
        await client.until_acked(beat)
        console.idle_timeout = 0.02
        client.heartbeat()
        await console.wait_for("left", by="silence")
        assert not console.participants
        sent = len(client.datagrams)
        client.heartbeat()
        await console.wait_for("dropped", reason="an unknown participant")
        assert len(client.datagrams) == sent


async def test_repetition() -> None:
    async with meeting() as (console, client, _):
        console.retransmit = (0.01, 0.01, 0.01)
        client.acks = False
        client.datagrams.clear()
        (number,) = console.participant.send("unsnap", {"unk": "01"})
        await console.wait_for("left", by="no_ack")
        resent = console.seen("resent", sequence=number)
        assert [event.data["attempt"] for event in resent] == [2, 3]
        assert (await client.expect("disconnect"))["reason"] == 1
        assert len(client.datagrams) == 4
        assert len(set(client.datagrams)) == 2


async def test_repeats_until_acked() -> None:
    async with meeting() as (console, client, _):
        console.retransmit = (0.005,) * 20
        client.acks = False
        (number,) = console.participant.send("unsnap", {"unk": "01"})
        await console.wait_for("resent", sequence=number)
        client.acks = True
        await console.wait_for("acked", sequence=number, accepted=True)
        assert console.participant.unacked == []
        assert client.names().count("unsnap") == 1


async def test_leaving() -> None:
    async with meeting() as (console, client, _):
        client.send("disconnect", {"reason": 4, "error_code": 0}, need_ack=False)
        event = await console.wait_for("left", by="client")
        assert event.data["reason"] == "reason 4"
        with pytest.raises(LookupError):
            _ = console.participant


async def test_told_to_leave() -> None:
    async with meeting() as (console, client, _):
        console.disconnect_clients(reason=99)
        assert (await client.expect("disconnect"))["reason"] == 99


async def test_roaming() -> None:
    async with meeting() as (console, client, _):
        await client.move()
        beat = client.heartbeat()
        await client.until_acked(beat)
        await console.wait_for("roamed")


async def test_several_clients() -> None:
    async with (
        meeting("input") as (console, one, (first,)),
        ScriptClient(one.console) as two,
    ):
        (second,) = await two.enter(console.credentials.key.public_key(), "input")
        assert first != second
        assert len(console.participants) == 2
        console.launch(GAME)
        await one.expect("console_status")
        await two.expect("console_status")
        two.send("gamepad", pad(4), second)
        event = await console.wait_for("gamepad")
        assert event.data["participant"] == two.participant


# --- a bad network ---


@pytest.mark.parametrize(
    "faults",
    [
        Faults(loss=0.3),
        Faults(duplicate=0.5),
        Faults(reorder=0.5),
        Faults(delay=0.005),
        Faults(loss=0.15, duplicate=0.2, reorder=0.2, delay=0.002, seed=7),
    ],
)
def test_bad_network(faults: Faults) -> None:
    async def scenario() -> None:
        async with meeting(of=FakeConsole(faults=faults)) as (console, client, _):
            console.retransmit = (0.1,) * 30
            for number in range(20):
                uri = f"ms-xbl-{number}"
                await client.deliver("title_launch", {"location": 0, "uri": uri})
                console.launch(FakeTitle(number, "A!B"))
            launched = [e.data["uri"] for e in console.seen("title_launch")]
            assert launched == [f"ms-xbl-{number}" for number in range(20)]
            found = {focused(await client.expect("console_status")) for _ in range(20)}
            assert found == set(range(20))

    virtual_time.run(scenario())


async def test_faults_are_the_same_each_time() -> None:
    def count(seed: int) -> list[int]:
        network_in: list[int] = []
        direction = Direction(lambda data, _: network_in.append(data[0]), "in")
        direction.set_faults(Faults(loss=0.4, duplicate=0.3, reorder=0.3, seed=seed))
        for number in range(50):
            direction.pass_on(bytes([number]), ("", 0))
        direction.stop()
        return network_in

    assert count(3) == count(3) != count(4)
    async with meeting() as (console, _, _):
        console.faults = Faults(loss=1)
        assert console.faults.loss == 1
        console.launch(GAME)
        console.faults = Faults(delay=60, reorder=1)
        console.launch(HOME)
        await asyncio.sleep(0)


# --- mischief ---


async def test_mischief() -> None:
    async with meeting("media", "tv") as (console, client, _):
        mischief = console.mischief
        mischief.wrong_mac()
        mischief.for_other_participant()
        mischief.garbage()
        mischief.truncated()
        mischief.not_utf8()
        mischief.huge_ack()
        mischief.ack_unknown()
        mischief.unknown_type()
        mischief.unknown_channel()
        mischief.endless_fragments(3)
        mischief.json_text("[")
        mischief.send("media_state", b"\1", "media")
        mischief.discovery_to("127.0.0.1", client.port)
        await client.expect("0x7fe")
        await client.until(lambda: client.found or None)
        assert "console_status" not in client.names()
        for send in (mischief.reversed_status, mischief.doubled_status):
            assert len(send()) > 1
            assert focused(await client.expect("console_status")) == HOME.title_id
        console.retransmit = (0.01, 1.0)
        numbers = mischief.gapped_status()
        await console.wait_for("resent", sequence=numbers[1])
        status = await client.expect("console_status")
        assert number_of(status, "build_number") == 19041
