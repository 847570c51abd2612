"""The fake KDE Connect device's links and pairing, tried against another one."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
import sys

from cryptography.hazmat.primitives.asymmetric import ec
import pytest

from tests import ports
from tests.fakes.kdeconnect import FakeDevice, LinkFailedError, Misbehave
from tests.fakes.kdeconnect_pairs import devices, link, pair
from tests.fakes.kdeconnect_state import read_state, write_state
from tests.fakes.kdeconnect_tls import FakeCredentials, KeyType, verification_key
from tests.fakes.kdeconnect_wire import WireError, decode_packet

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def pair_of_devices() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that do not know each other."""
    async with devices() as both:
        yield both


@pytest.fixture
def phone(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A phone."""
    return pair_of_devices[0]


@pytest.fixture
def computer(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A computer that accepts pairing."""
    return pair_of_devices[1]


# --- links and pairing ---


@pytest.mark.parametrize("protocols", [(8, 8), (7, 7), (7, 8), (8, 7)])
@pytest.mark.parametrize("phone_calls", [False, True])
@pytest.mark.parametrize("key_type", ["ec", "kde22"])
async def test_pair_and_talk(
    protocols: tuple[int, int], phone_calls: bool, key_type: KeyType
) -> None:
    """All versions find each other in both directions, pair, and talk."""
    async with devices(*protocols, key_type) as (phone, computer):
        await (link(computer, phone) if phone_calls else link(phone, computer))
        await phone.request_pairing()
        await phone.wait_for("paired")
        await computer.wait_for("paired")
        assert phone.verification_key == computer.verification_key
        assert (await computer.wait_packet("battery"))["currentCharge"] == 80
        await phone.battery.set(42, charging=True)
        await computer.wait_packet(
            "battery",
            predicate=lambda b: (b["currentCharge"], b["isCharging"]) == (42, True),
        )
        assert await computer.ping.send("hello") == 1
        assert (await phone.wait_for("ping")).data == {"message": "hello"}


def test_verification_keys() -> None:
    """The keys of the reference, section 15.1."""
    one, two = (
        FakeCredentials.generate(
            private_key=ec.derive_private_key(number, ec.SECP256R1())
        ).certificate_der
        for number in (1, 2)
    )
    assert verification_key(one, two, None) == "FD56D37D"
    assert verification_key(two, one, None) == "FD56D37D"
    assert verification_key(one, two, 1) == "9E5D6F5C"
    assert verification_key(two, one, 1700000000) == "6AFF7406"


async def test_ask_and_accept(phone: FakeDevice, computer: FakeDevice) -> None:
    """The phone's user accepts what the computer asks for."""
    await link(phone, computer)
    await computer.request_pairing()
    asked = await phone.wait_for("pairing_requested")
    assert asked.data["verification_key"] == computer.verification_key
    await phone.accept_pairing()
    await computer.wait_for("paired")
    with pytest.raises(RuntimeError, match="nothing to accept"):
        await phone.accept_pairing()


async def test_refuse_and_cancel(phone: FakeDevice, computer: FakeDevice) -> None:
    """A refusal and a cancellation end a request on both sides."""
    await link(phone, computer)
    computer.accept = "reject"
    await phone.request_pairing()
    failed = await phone.wait_for("pairing_failed")
    assert failed.data["reason"] == "refused by the other side"
    await computer.wait_for("pairing_failed")
    computer.accept = "ask"
    await phone.request_pairing()
    await computer.wait_for("pairing_requested")
    await phone.cancel_pairing()
    failed = await computer.wait_for("pairing_failed")
    assert failed.data["reason"] == "refused by the other side"


async def test_request_unanswered(phone: FakeDevice, computer: FakeDevice) -> None:
    """A request that nobody answers ends by time."""
    await link(phone, computer)
    computer.accept = "ignore"
    phone.pairing_timeout = 0.05
    await phone.request_pairing()
    assert (await phone.wait_for("pairing_failed")).data["reason"] == "timeout"
    failed = await computer.wait_for("pairing_failed")
    assert failed.data["reason"] == "refused by the other side"


async def test_requests_that_cross(phone: FakeDevice, computer: FakeDevice) -> None:
    """Two requests at once are two acceptances."""
    await link(phone, computer)
    await phone.request_pairing()
    await computer.request_pairing()
    await phone.wait_for("paired")
    await computer.wait_for("paired")


async def test_link_lost_while_pairing(phone: FakeDevice, computer: FakeDevice) -> None:
    """The end of the link ends the request."""
    await link(phone, computer)
    computer.accept = "ask"
    await phone.request_pairing()
    await computer.wait_for("pairing_requested")
    phone.drop_link(reset=True)
    assert (await computer.wait_for("pairing_failed")).data["reason"] == "link lost"
    await computer.wait_for("link_down")


async def test_unpair_and_forget(phone: FakeDevice, computer: FakeDevice) -> None:
    """Unpairing is told, forgetting is not; a forgetful device asks again."""
    await pair(phone, computer)
    await phone.unpair()
    await computer.wait_for("unpaired")
    assert not computer.paired
    await phone.request_pairing()
    await computer.wait_for("paired")
    await phone.wait_for("paired")
    phone.forget()
    await phone.request_pairing()
    await computer.wait_for("unpaired")
    await computer.wait_for("paired")


async def test_unpaired_talk(phone: FakeDevice, computer: FakeDevice) -> None:
    """Without a pairing everything is dropped and answered by a refusal."""
    await link(phone, computer)
    await phone.send("ping")
    assert (await computer.wait_for("dropped")).data["type"] == "kdeconnect.ping"
    assert (await phone.wait_packet("pair"))["pair"] is False


async def test_clock_and_timestamp(phone: FakeDevice, computer: FakeDevice) -> None:
    """A request of another time, or of none, gets no answer."""
    await link(phone, computer)
    phone.clock_offset = 1900
    await phone.request_pairing()
    failed = await computer.wait_for("pairing_failed")
    assert failed.data["reason"] == "clocks differ"
    await phone.cancel_pairing()
    await phone.send_pair(pair=True)
    malformed = await computer.wait_for("malformed")
    assert malformed.data["reason"] == "request without a timestamp"
    phone.clock_offset = 1700
    await phone.request_pairing()
    await computer.wait_for("paired")


async def test_accept_like_ios(phone: FakeDevice, computer: FakeDevice) -> None:
    """An acceptance with a timestamp does not change the key."""
    computer.misbehave = Misbehave.ACCEPT_WITH_TIMESTAMP
    computer.clock_offset = 100
    await pair(phone, computer)
    body = await phone.wait_packet("pair")
    assert isinstance(body["timestamp"], int)


async def test_link_replaced(phone: FakeDevice, computer: FakeDevice) -> None:
    """A second link takes over without an end or a greeting."""
    await pair(phone, computer)
    greetings = computer.events.seen("packet")
    await phone.call("127.0.0.1", computer.tcp_port, computer.device_id, 8)
    await computer.wait_for("link_replaced")
    await phone.ping.send()
    await computer.wait_for("ping")
    assert computer.events.seen("link_down") == 0
    battery = [p for p in computer.received if p.type == "kdeconnect.battery"]
    assert len(battery) == 1
    assert greetings


async def test_restart(phone: FakeDevice, computer: FakeDevice) -> None:
    """A device that comes back is found at its old UDP port and greeted."""
    await pair(phone, computer)
    address = phone.udp_address
    await phone.stop()
    await computer.wait_for("link_down")
    await phone.start()
    assert phone.udp_address == address
    computer.announce(*address)
    await computer.wait_for("link_up")
    await computer.wait_packet("battery")
    await computer.wait_packet("battery")
    assert phone.peer().is_paired


async def test_silence(phone: FakeDevice, computer: FakeDevice) -> None:
    """A sleeping phone neither hears nor speaks, and the link stays."""
    await pair(phone, computer)
    await phone.wait_packet("pair")
    phone.silence()
    await computer.ping.send("in its sleep")
    await phone.ping.send("lost")
    phone.silence(on=False)
    assert (await phone.wait_for("ping")).data["message"] == "in its sleep"
    await phone.ping.send("awake")
    assert (await computer.wait_for("ping")).data["message"] == "awake"


async def test_udp_rules(phone: FakeDevice, computer: FakeDevice) -> None:
    """Rubbish, repetitions, ourselves and strange ports are not answered."""
    computer.udp_rate_limit = 60
    host, port = computer.udp_address
    computer.answers_udp = False
    phone.send_datagram(b"\xff\x00", host, port)
    phone.identity_overrides["udp"] = {"deviceName": "().,"}
    phone.announce(host, port)
    computer.announce(host, port)
    phone.identity_overrides["udp"] = {"tcpPort": 22}
    phone.announce(host, port)
    await computer.wait_for("udp_identity")
    phone.announce(host, port)
    async with FakeDevice("phone") as last:
        last.announce(host, port)
        heard = await computer.wait_for("udp_identity")
    assert heard.device_id == last.device_id
    assert computer.events.seen("udp_identity") == 2
    assert phone.events.seen("link_failed") == 0


async def test_other_direction(phone: FakeDevice, computer: FakeDevice) -> None:
    """Who cannot call asks to be called."""
    computer.peer_udp_port = phone.udp_port
    phone.identity_overrides["udp"] = {"tcpPort": 1764}
    phone.announce(*computer.udp_address)
    await computer.wait_for("link_up")
    await phone.wait_for("link_up")
    assert phone.events.seen("udp_identity") == 1


# --- misbehaviour ---


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        (Misbehave.WRONG_COMMON_NAME, "another device's"),
        (Misbehave.SWAPPED_ID, "another device's|id changed"),
        (Misbehave.CHANGED_VERSION, "version changed"),
        (Misbehave.OTHER_SECOND_PACKET, "instead of an identity"),
        (Misbehave.BIG_SECOND_IDENTITY, "line too long"),
        (Misbehave.BIG_IDENTITY, "identity too long"),
        (Misbehave.TRAILING_DATA, "data after the clear identity"),
        (Misbehave.HALF_OPEN, "too long"),
        (Misbehave.NO_TLS, "too long"),
        (Misbehave.WRONG_TLS_ROLE, "handshake failed|data after the clear identity"),
    ],
)
async def test_bad_caller(
    phone: FakeDevice, computer: FakeDevice, misbehave: Misbehave, reason: str
) -> None:
    """The called side notices what a caller does wrong."""
    phone.misbehave = misbehave
    computer.caller_timeout = 0.3
    with pytest.raises((LinkFailedError, OSError)):
        await asyncio.gather(
            phone.call("127.0.0.1", computer.tcp_port, computer.device_id, 8),
            _reason(computer, reason),
        )
        await phone.wait_for("link_down")
        raise LinkFailedError("up, then closed")
    assert computer.events.seen("link_up") == 0


async def _reason(device: FakeDevice, pattern: str) -> None:
    event = await device.wait_for("link_failed")
    assert any(part in str(event.data["reason"]) for part in pattern.split("|")), event


@pytest.mark.parametrize(
    ("misbehave", "reason"),
    [
        (Misbehave.NO_CERTIFICATE, "no certificate|handshake"),
        (Misbehave.EXPIRED_CERTIFICATE, "handshake failed"),
        (Misbehave.WRONG_COMMON_NAME, "another device's"),
        (Misbehave.SWAPPED_ID, "id changed"),
    ],
)
async def test_bad_called(
    phone: FakeDevice, computer: FakeDevice, misbehave: Misbehave, reason: str
) -> None:
    """The caller notices what the called does wrong."""
    phone.misbehave = misbehave
    phone.announce(*computer.udp_address)
    await _reason(computer, reason)
    assert computer.events.seen("link_up") == 0


async def test_no_second_identity(phone: FakeDevice, computer: FakeDevice) -> None:
    """A link without the second identity is none, for as long as it lasts."""
    phone.misbehave = Misbehave.NO_SECOND_IDENTITY
    computer.second_identity_timeout = 0.1
    phone.announce(*computer.udp_address)
    await _reason(computer, "no second identity came")
    failed = await phone.wait_for("link_failed")
    assert failed.data["reason"] == "closed while waiting for our second identity"
    assert computer.events.seen("link_up") == 0


async def test_wrong_target(phone: FakeDevice, computer: FakeDevice) -> None:
    """A call that was meant for somebody else is ignored, then closed."""
    computer.caller_timeout = 0.2
    for target_id, version in ((phone.other_id, 8), (computer.device_id, 7)):
        with pytest.raises(LinkFailedError):
            await phone.call("127.0.0.1", computer.tcp_port, target_id, version)
        await _reason(computer, "too long")
    computer.caller_timeout = None
    with pytest.raises(LinkFailedError):
        await phone.call("127.0.0.1", computer.tcp_port, phone.other_id, 8)
    await _reason(computer, "meant for another device")


async def test_other_certificate(phone: FakeDevice, computer: FakeDevice) -> None:
    """A certificate that is not the pinned one is refused, the pin stays."""
    await pair(phone, computer)
    await phone.close_link()
    await computer.wait_for("link_down")
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    phone.announce(*computer.udp_address)
    await _reason(computer, "not the pinned")
    assert computer.paired[phone.device_id] == phone.certificate_der
    phone.misbehave = Misbehave.NOTHING
    phone.announce(*computer.udp_address)
    await computer.wait_for("link_up")


async def test_other_certificate_unpaired(
    phone: FakeDevice, computer: FakeDevice
) -> None:
    """The link that is up wins against one with another certificate."""
    await link(phone, computer)
    phone.misbehave = Misbehave.OTHER_CERTIFICATE
    phone.announce(*computer.udp_address)
    await _reason(computer, "another certificate than on the link")
    assert computer.events.seen("link_down") == 0


async def test_downgrade(phone: FakeDevice, computer: FakeDevice) -> None:
    """A paired device cannot come back with an older version."""
    await pair(phone, computer)
    phone.drop_link()
    await computer.wait_for("link_down")
    phone.protocol = 7
    phone.announce(*computer.udp_address)
    with pytest.raises(LinkFailedError, match="closed by the other side"):
        await phone.call("127.0.0.1", computer.tcp_port, computer.device_id, 8)
    await _reason(computer, "version went down")
    assert computer.events.seen("udp_identity") == 1


async def test_mischief(phone: FakeDevice, computer: FakeDevice) -> None:
    """Wrong lines are noticed and do not end a computer's link."""
    await pair(phone, computer)
    await phone.mischief.not_utf8()
    await phone.mischief.nesting_bomb()
    await phone.mischief.invalid_json()
    for _ in range(7):
        await computer.wait_for("malformed")
    await phone.mischief.unknown_type()
    unlisted = await computer.wait_for("unlisted")
    assert unlisted.data["type"] == "kdeconnect.nobody.knows"
    assert await phone.mischief.flood(50) == 50
    assert await phone.mischief.flood(2, per_second=1000) == 2
    for _ in range(52):
        await computer.wait_for("ping")
    assert await phone.mischief.long_line(0.5, end=True) == 512 * 1024
    assert len(str((await computer.wait_for("ping")).data["message"])) == 512 * 1024
    await phone.mischief.half_packet("silence")
    await phone.mischief.half_packet("close")
    await computer.wait_for("link_down")
    assert await phone.mischief.flood(5) == 0


async def test_phone_drops_malformed(phone: FakeDevice, computer: FakeDevice) -> None:
    """Android ends a link on which something wrong comes."""
    await pair(phone, computer)
    await computer.mischief.invalid_json()
    await phone.wait_for("malformed")
    await computer.wait_for("link_down")


# --- wire, state, program ---


@pytest.mark.parametrize(
    "line",
    [
        b"\xff",
        b"[]",
        b'{"type":1,"body":{}}',
        b'{"type":"kdeconnect.share.request","body":{},"payloadSize":3}',
        b'{"type":"kdeconnect.share.request","body":{},"payloadTransferInfo":{"port":3}}',
    ],
)
def test_strict_packets(line: bytes) -> None:
    """What a strict program refuses is refused."""
    with pytest.raises(WireError):
        decode_packet(line)


async def test_state_file(
    phone: FakeDevice, computer: FakeDevice, tmp_path: Path
) -> None:
    """A saved device comes back as the same, and is paired."""
    path = tmp_path / "state.json"
    assert read_state(path) is None
    await pair(phone, computer)
    write_state(phone, path)
    assert path.stat().st_mode & 0o777 == 0o600
    state = read_state(path)
    assert state is not None
    assert state.credentials.certificate_der == phone.certificate_der
    assert state.paired == {computer.device_id: computer.certificate_der}
    assert state.versions == {computer.device_id: 8}


async def test_program(computer: FakeDevice, tmp_path: Path) -> None:
    """The program announces itself, pairs, reports and ends on SIGTERM."""
    host, port = computer.udp_address
    state = tmp_path / "phone.json"
    arguments = ["--bind", host, "--udp-port", "0", "--announce", f"{host}:{port}"]
    arguments += ["--tcp-port", str(ports.share().free_tcp_port())]
    arguments += ["--auto-accept", "--demo", "--state-file", str(state)]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.kdeconnect",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None

        async def until(event: str) -> dict[str, object]:
            assert process.stdout is not None
            async with asyncio.timeout(20):
                while True:
                    said: dict[str, object] = json.loads(
                        await process.stdout.readline()
                    )
                    if said["event"] == event:
                        return said

        ready = await until("ready")
        await computer.wait_for("link_up")
        await computer.request_pairing()
        paired = await until("paired")
        assert paired["device"] == computer.device_id
        assert paired["verification_key"] == computer.verification_key
        await computer.wait_for("paired")
        assert await computer.ping.send("hello") == 1
        assert (await until("ping"))["message"] == "hello"
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
    saved = read_state(state)
    assert saved is not None
    assert saved.credentials.device_id == ready["id"]
    assert computer.device_id in saved.paired
