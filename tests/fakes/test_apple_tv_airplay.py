"""The AirPlay server of the fake Apple TV, tried with a client that is not ours."""

from collections.abc import AsyncIterator
import hashlib
import re

import pytest

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_crypto import tlv_decode
from tests.fakes.apple_tv_frames import DataFrame, pack
from tests.fakes.apple_tv_rtsp import PlistDict, write_plist
from tests.fakes.apple_tv_script_airplay import AirPlayScript, Stream, answer_event
from tests.fakes.apple_tv_script_client import Controller, PairingError, SrpClient
from tests.fakes.apple_tv_srp import LEGACY

pytestmark = pytest.mark.usefixtures("socket_enabled")

URI = "rtsp://127.0.0.1/1"
REMOTE = {"isRemoteControlOnly": True}


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv(os="tvos_18") as device:
        yield device


@pytest.fixture
async def pod() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv("Kitchen", "homepod", "tvos_18") as device:
        yield device


@pytest.fixture
async def script(device: FakeAppleTv) -> AsyncIterator[AirPlayScript]:
    async with await AirPlayScript.connect(device) as script:
        yield script


@pytest.fixture
async def verified(script: AirPlayScript) -> AirPlayScript:
    controller = Controller()
    await script.pair(controller)
    await script.verify(controller)
    return script


@pytest.fixture
async def on_pod(pod: FakeAppleTv) -> AsyncIterator[AirPlayScript]:
    async with await AirPlayScript.connect(pod) as script:
        yield script


def hello() -> pb.ProtocolMessage:
    message = pb.ProtocolMessage(type=pb.MESSAGE_TYPE_DEVICE_INFO, identifier="A")
    message.device_info.name = "Script"
    return message


async def test_information_before_pairing(
    device: FakeAppleTv, script: AirPlayScript
) -> None:
    told = await script.ask("GET", "/info")
    assert (told.status, told.headers["cseq"]) == (200, "0")
    assert told.plist["name"] == device.name
    assert told.plist["pk"] == device.desk.public_key
    told = await script.ask("OPTIONS", "*")
    assert (told.status, told.headers["cseq"]) == (200, "1")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/server-info", 404),
        ("POST", "/play", 404),
        ("BREW", "/pot", 501),
        ("FLUSH", URI, 501),
        ("SETUP", URI, 470),
        ("RECORD", URI, 470),
        ("TEARDOWN", URI, 470),
        ("POST", "/feedback", 470),
    ],
)
async def test_refused_before_pairing(
    device: FakeAppleTv, script: AirPlayScript, method: str, path: str, status: int
) -> None:
    assert (await script.ask(method, path)).status == status
    assert device.seen("airplay_refused", status=status)


async def test_pair_and_verify(device: FakeAppleTv, verified: AirPlayScript) -> None:
    await device.wait_for("paired", protocol="airplay", name="Script")
    await device.wait_for("airplay_encrypted", transient=False)
    assert (await verified.ask("GET", "/info")).status == 200
    assert device.shown_pin is None


@pytest.mark.parametrize("path", ["/pair-setup", "/pair-verify", "/pair-pin-start"])
async def test_kinds_of_pairing(script: AirPlayScript, path: str) -> None:
    assert (await script.pair_step(path, b"", "6")).status == 501


async def test_a_pin_has_to_be_asked_for(
    device: FakeAppleTv, script: AirPlayScript
) -> None:
    start = Controller().setup_start()
    assert (await script.pair_step("/pair-setup", start)).status == 470
    device.airplay.switches.pin_timeout = 0.0
    assert (await script.pair_step("/pair-pin-start", b"")).status == 200
    assert (await script.pair_step("/pair-setup", start)).status == 470
    device.airplay.switches.pin_timeout = 60.0
    assert (await script.pair_step("/pair-setup", start)).status == 200


async def test_wrong_pin(script: AirPlayScript) -> None:
    with pytest.raises(PairingError):
        await script.pair(Controller(), "9999")


async def test_no_pin_for_the_nameless() -> None:
    async with (
        FakeAppleTv(os="tvos_27") as device,
        await AirPlayScript.connect(device) as script,
    ):
        await script.pair_step("/pair-pin-start", b"")
        await device.wait_for("pin_not_shown")
        assert device.shown_pin is None
        name = {"X_Apple_Client_Name": "Script"}
        await script.pair_step("/pair-pin-start", b"", **name)
        start = Controller().setup_start()
        told = await script.pair_step("/pair-setup", start, **name)
        assert tlv_decode(told.body)[6] == b"\2"
        assert device.shown_pin == "1234"


async def test_silent_step(device: FakeAppleTv, script: AirPlayScript) -> None:
    device.desk.silent.add(("verify", 2))
    _, m1 = Controller().verify_start()
    script.send("POST", "/pair-verify", m1, "HTTP/1.1", X_Apple_HKP="3")
    await device.wait_for("verify_m1")
    assert (await script.ask("GET", "/info")).status == 200


async def test_transient(pod: FakeAppleTv, on_pod: AirPlayScript) -> None:
    assert (await on_pod.transient()).status == 200
    await pod.wait_for("airplay_encrypted", transient=True)
    _, data = await on_pod.session()
    data.send(hello())
    answer = await data.until(pb.MESSAGE_TYPE_DEVICE_INFO)
    assert answer.identifier == "A"
    assert answer.device_info.name == "Kitchen"


async def test_no_transient_on_a_tv(script: AirPlayScript) -> None:
    assert (await script.transient()).status == 470


async def test_only_this_home(pod: FakeAppleTv, on_pod: AirPlayScript) -> None:
    pod.acl = 1
    assert (await on_pod.transient()).status == 470
    assert (await on_pod.pair_step("/pair-pin-start", b"", "4")).status == 470
    assert (await on_pod.ask("GET", "/info")).status == 200


async def test_password(pod: FakeAppleTv, on_pod: AirPlayScript) -> None:
    pod.password = "secret"
    told = await on_pod.transient()
    assert told.status == 401
    found = re.findall(r'(\w+)="([^"]*)"', told.headers["www-authenticate"])
    challenge = dict(found)

    def digest(method: str, password: str) -> str:
        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        who = md5(f"me:{challenge['realm']}:{password}")
        answer = md5(f"{who}:{challenge['nonce']}:{md5(f'{method}:/x')}")
        return (
            f'Digest username="me", realm="{challenge["realm"]}", '
            f'nonce="{challenge["nonce"]}", uri="/x", response="{answer}"'
        )

    told = await on_pod.transient(Authorization=digest("POST", "wrong"))
    assert told.status == 401
    told = await on_pod.transient(Authorization=digest("POST", "secret"))
    assert told.status == 200
    for method in ("SETUP", "RECORD", "TEARDOWN"):
        assert (await on_pod.ask(method, URI, REMOTE)).status == 401
    right = digest("SETUP", "secret")
    told = await on_pod.ask("SETUP", URI, REMOTE, Authorization=right)
    assert told.status == 200


async def test_legacy_pairing() -> None:
    async with (
        FakeAppleTv(os="tvos_14", airplay_pairing="legacy") as device,
        await AirPlayScript.connect(device) as script,
    ):
        start = Controller().setup_start()
        assert (await script.pair_step("/pair-setup", start)).status == 404
        assert (await script.ask("POST", "/pair-verify", b"?")).status == 470
        assert (await script.ask("POST", "/pair-pin-start")).status == 200
        assert device.shown_pin == "1234"
        user = "366B4165DD64AD3A"
        path = "/pair-setup-pin"
        told = await script.ask("POST", path, {"method": "pin", "user": user})
        srp = SrpClient(LEGACY, user)
        public, salt = told.plist["pk"], told.plist["salt"]
        assert isinstance(public, bytes)
        assert isinstance(salt, bytes)
        proof = srp.prove("0000", salt, public)
        body = {"pk": srp.public, "proof": proof}
        assert (await script.ask("POST", path, body)).status == 470
        device.desk.silent.add(("verify", 2))
        script.send("POST", "/pair-verify", b"\1\0\0\0" + bytes([9] * 64))
        assert (await script.ask("GET", "/info")).headers["cseq"] != "0"
        assert (await script.ask("POST", "/feedback")).status == 470


async def test_legacy_is_not_for_new_devices(script: AirPlayScript) -> None:
    assert (await script.ask("POST", "/pair-setup-pin", {})).status == 404
    assert (await script.ask("POST", "/pair-verify", b"?")).status == 501


async def test_without_pairing() -> None:
    async with (
        FakeAppleTv(os="tvos_14", airplay_pairing="none") as device,
        await AirPlayScript.connect(device) as script,
    ):
        # Without keys there is nothing that its channels could be encrypted with.
        assert (await script.ask("SETUP", URI, REMOTE)).status == 501


async def test_order_of_a_session(verified: AirPlayScript) -> None:
    for method, path in (
        ("RECORD", URI),
        ("TEARDOWN", URI),
        ("POST", "/feedback"),
    ):
        assert (await verified.ask(method, path)).status == 455
    streams: PlistDict = {"streams": [{"type": 130, "seed": 1}]}
    assert (await verified.ask("SETUP", URI, streams)).status == 455
    assert (await verified.ask("SETUP", URI, {"timingProtocol": "NTP"})).status == 501
    assert (await verified.ask("SETUP", URI, REMOTE)).status == 200
    assert (await verified.ask("SETUP", URI, streams)).status == 501
    assert (await verified.ask("RECORD", URI)).status == 200
    assert (await verified.ask("SETUP", URI, {"streams": "?"})).status == 400
    other: PlistDict = {"streams": [{"type": 96, "seed": 1}]}
    assert (await verified.ask("SETUP", URI, other)).status == 501
    assert (await verified.ask("SETUP", URI, streams)).status == 200


async def test_session(device: FakeAppleTv, verified: AirPlayScript) -> None:
    events, data = await verified.session()
    await device.wait_for("event_answered", status=200)
    data.send(hello())
    await data.until(pb.MESSAGE_TYPE_DEVICE_INFO)
    await data.replied(7)
    told = await verified.ask("POST", "/feedback")
    assert told.plist == {"streams": []}
    (session,) = device.airplay.sessions
    session.send_update_info()
    told = await events.told()
    assert told.line == "POST /command RTSP/1.0"
    assert told.plist["type"] == "updateInfo"
    answer_event(events, told)
    await device.wait_for("event_answered", cseq=1)
    assert session.data is not None
    assert session.data.replies == 1
    assert (await verified.ask("TEARDOWN", URI)).status == 200
    await device.wait_for("session_ended", reason="teardown")
    assert await events.ended()
    assert await data.stream.ended()
    assert not device.airplay.sessions
    assert not device.mrp.sessions
    session.send_update_info()
    session.end("again")
    assert len(device.seen("session_ended")) == 1


async def test_events_after_both(device: FakeAppleTv, verified: AirPlayScript) -> None:
    device.airplay.switches.sends_update_info = False
    events = await verified.setup_events()
    await device.wait_for("event_channel")
    assert (await verified.ask("RECORD", URI)).status == 200
    device.airplay.sessions[0].send_update_info()
    assert (await events.told()).plist["type"] == "updateInfo"


@pytest.mark.parametrize("cseq", ["7", "?"])
async def test_answers_to_nothing(
    device: FakeAppleTv, verified: AirPlayScript, cseq: str
) -> None:
    events, _ = await verified.session()
    device.airplay.sessions[0].send_update_info()
    answer_event(events, await events.told(), cseq)
    await device.wait_for("session_ended", reason="event malformed")


async def test_unanswered_event(device: FakeAppleTv, verified: AirPlayScript) -> None:
    await verified.session()
    device.airplay.switches.event_timeout = 0.01
    device.airplay.sessions[0].send_update_info()
    await device.wait_for("session_ended", reason="no answer to an event")
    assert await verified.control.ended()


async def test_no_feedback(device: FakeAppleTv, verified: AirPlayScript) -> None:
    device.airplay.switches.feedback_timeout = 0.01
    assert (await verified.ask("SETUP", URI, REMOTE)).status == 200
    await device.wait_for("session_ended", reason="no feedback")
    assert await verified.control.ended()


@pytest.mark.parametrize("channel", ["event", "data", "control"])
async def test_one_lost_ends_all(
    device: FakeAppleTv, verified: AirPlayScript, channel: str
) -> None:
    events, data = await verified.session()
    streams = {"event": events, "data": data.stream, "control": verified.control}
    await streams.pop(channel).close()
    await device.wait_for("session_ended", reason=f"{channel} lost")
    for stream in streams.values():
        assert await stream.ended()


async def test_one_client_per_channel(
    device: FakeAppleTv, verified: AirPlayScript
) -> None:
    _, data = await verified.session()
    (session,) = device.airplay.sessions
    assert session.data is not None
    assert session.events is not None
    for channel in (session.events, session.data.channel):
        other = await Stream.open(device.address, channel.port)
        assert await other.ended()
        await other.close()
    data.send(hello())
    await data.until(pb.MESSAGE_TYPE_DEVICE_INFO)


async def test_late_ports(device: FakeAppleTv, verified: AirPlayScript) -> None:
    device.airplay.switches.event_port_delay = 60.0
    told = await verified.ask("SETUP", URI, REMOTE)
    port = told.plist["eventPort"]
    assert isinstance(port, int)
    with pytest.raises(ConnectionRefusedError):
        await Stream.open(device.address, port)


async def test_messages_together_and_bare(
    device: FakeAppleTv, verified: AirPlayScript
) -> None:
    _, data = await verified.session()
    ping = pb.ProtocolMessage(type=pb.MESSAGE_TYPE_GENERIC, identifier="B")
    data.send(hello(), ping)
    assert (await data.until(pb.MESSAGE_TYPE_UNKNOWN)).identifier == "B"
    configure = pb.ProtocolMessage(
        type=pb.MESSAGE_TYPE_CONFIGURE_CONNECTION, identifier="C"
    )
    data.send(configure, bare=True)
    assert (await data.until(pb.MESSAGE_TYPE_UNKNOWN)).identifier == "C"
    (session,) = device.mrp.sessions
    generic, notification = pb.MESSAGE_TYPE_GENERIC, pb.MESSAGE_TYPE_NOTIFICATION
    session.send(*(pb.ProtocolMessage(type=kind) for kind in (generic, notification)))
    await data.until(notification)
    session.send(pb.ProtocolMessage(type=generic), bare=True)
    await data.until(generic)


async def test_split(device: FakeAppleTv, verified: AirPlayScript) -> None:
    device.split(1)
    _, data = await verified.session()
    data.send(hello())
    assert (await data.until(pb.MESSAGE_TYPE_DEVICE_INFO)).identifier == "A"


async def test_slow(device: FakeAppleTv, script: AirPlayScript) -> None:
    device.airplay.wire.delay = 0.01
    assert (await script.ask("GET", "/info")).status == 200
    device.airplay.controls.copy().pop().link.close()
    assert await script.control.ended()


@pytest.mark.parametrize(
    "data",
    [
        b"\x05\x00" + bytes(21),
        DataFrame("what", "comm", 1).encode(),
        DataFrame("rply", "", 1).encode(),
        DataFrame("sync", "comm", 1, b"?").encode(),
        DataFrame("sync", "comm", 1, write_plist({"params": {}})).encode(),
        DataFrame("sync", "comm", 1, pack([b"\x7f"])[:-1]).encode(),
        bytes(3) + b"\x10" + b"sync".ljust(28, b"\0"),
        (32).to_bytes(4) + b"\xff".ljust(28, b"\0"),
    ],
)
async def test_bad_frames(
    device: FakeAppleTv, verified: AirPlayScript, data: bytes
) -> None:
    _, channel = await verified.session()
    if data.startswith(b"\x05"):
        channel.stream.write_plain(data)
    else:
        channel.stream.write(data)
    await device.wait_for("session_ended", reason="data malformed")


async def test_undecryptable(device: FakeAppleTv, verified: AirPlayScript) -> None:
    verified.control.write_plain(b"\x05\x00" + bytes(21))
    await device.wait_for("airplay_malformed")
    assert await verified.control.ended()


@pytest.mark.parametrize(
    "data",
    [
        b"GET /info\r\n\r\n",
        b"GET /info GOPHER/1\r\n\r\n",
        b"GET /info RTSP/1.0\r\nnonsense\r\n\r\n",
        b"GET /info RTSP/1.0\r\nContent-Length: -1\r\n\r\n",
        b"GET /info RTSP/1.0\r\nContent-Length: 99999999\r\n\r\n",
        b"x" * 20000,
    ],
)
async def test_bad_requests(
    device: FakeAppleTv, script: AirPlayScript, data: bytes
) -> None:
    script.control.write(data)
    await device.wait_for("airplay_malformed")
    assert await script.control.ended()


async def test_switches(device: FakeAppleTv, script: AirPlayScript) -> None:
    switches = device.airplay.switches
    switches.refuse["/info"] = 500
    assert (await script.ask("GET", "/info")).status == 500
    switches.refuse.clear()
    switches.mute.add("/info")
    script.send("GET", "/info")
    switches.wrong_cseq = True
    await device.wait_for("airplay_request", path="/info")
    switches.mute.clear()
    switches.stray_answers = 2
    numbers = [(await script.ask("GET", "/info")).headers["cseq"]]
    numbers += [(await script.control.told()).headers["cseq"] for _ in range(2)]
    assert numbers == ["9000", "9001", "8999"]


async def test_mischief(device: FakeAppleTv, verified: AirPlayScript) -> None:
    events, data = await verified.session()
    (session,) = device.airplay.sessions
    assert session.events is not None
    assert session.data is not None
    session.data.mute_replies = True
    data.send(hello())
    await data.until(pb.MESSAGE_TYPE_DEVICE_INFO)
    assert not data.replies
    for channel in (session.events, session.data.channel):
        channel.corrupt()
    (control,) = device.airplay.controls
    control.corrupt()
    for stream in (events, data.stream, verified.control):
        with pytest.raises(Exception, match="decrypt"):
            await stream.more()


async def test_vanish_and_drop(device: FakeAppleTv, verified: AirPlayScript) -> None:
    events, _ = await verified.session()
    device.vanish()
    assert device.airplay.silent
    verified.send("POST", "/feedback")
    device.come_back()
    assert await verified.control.ended()
    assert await events.ended()
    device.airplay.silent = True
    assert device.airplay.wire.silent


async def test_deep_sleep(device: FakeAppleTv, verified: AirPlayScript) -> None:
    device.power.knocks_wake = False
    device.sleep()
    assert await verified.control.ended()
    knock = await Stream.open(device.address, device.airplay_port)
    assert await knock.ended()
    await knock.close()
    await device.wait_for("knocked")


async def test_restart_in_a_session(
    device: FakeAppleTv, verified: AirPlayScript
) -> None:
    events, _ = await verified.session()
    port = device.airplay_port
    await device.restart()
    assert device.airplay_port == port
    assert await events.ended()
    async with await AirPlayScript.connect(device) as again:
        assert (await again.ask("GET", "/info")).status == 200
