"""Tests of pairing and verification, with a whole fake device."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from .fixtures import IDENTITY, PIN, SOON, introduce
from .scripted import Ends, Peer, serve
from custom_components.rumpus.protocols import plists
from custom_components.rumpus.protocols.airplay.connection import AirPlayConnection
from custom_components.rumpus.protocols.airplay.errors import (
    PasswordRequiredError,
    RequestFailedError,
)
from custom_components.rumpus.protocols.airplay.features import (
    AirPlayFlags,
    StatusFlags,
)
from custom_components.rumpus.protocols.airplay.info import (
    MAX_FORMATS,
    MAX_TEXT,
    AirPlayInfo,
    get_info,
)
from custom_components.rumpus.protocols.airplay.pairing import (
    MAX_NAME,
    AirPlayPairing,
    verify,
)
from custom_components.rumpus.protocols.airplay.timing import Timing
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.hap import errors, tlv8
from custom_components.rumpus.protocols.hap.credentials import (
    Credentials,
    HapCredentials,
    LegacyCredentials,
    TransientCredentials,
)
from tests.fakes.apple_tv import FakeAppleTv

pytestmark = pytest.mark.usefixtures("socket_enabled")

BOTH = pytest.mark.parametrize("legacy", [False, True])
DEVICES: dict[bool, Callable[[], FakeAppleTv]] = {
    False: lambda: FakeAppleTv(pin=PIN),
    True: lambda: FakeAppleTv(pin=PIN, airplay_pairing="legacy"),
}


def pairing_with(
    device: FakeAppleTv, *, legacy: bool = False, timing: Timing | None = None
) -> AirPlayPairing:
    return AirPlayPairing(
        device.address, device.ports["airplay"], IDENTITY, legacy=legacy, timing=timing
    )


async def pair(
    device: FakeAppleTv, pin: str = PIN, *, legacy: bool = False
) -> Credentials:
    """Pair, and leave no connection behind."""
    pairing = pairing_with(device, legacy=legacy)
    try:
        await pairing.begin()
        return await pairing.finish(pin)
    finally:
        await pairing.close()


async def connect(
    device: FakeAppleTv, timing: Timing | None = None
) -> AirPlayConnection:
    return await AirPlayConnection.connect(
        device.address, device.ports["airplay"], timing=timing
    )


# Pairing with a PIN.


@BOTH
async def test_pair(legacy: bool) -> None:
    async with DEVICES[legacy]() as device:
        pairing = pairing_with(device, legacy=legacy)
        await pairing.begin()
        await device.wait_for("pin_shown", pin=PIN)
        credentials = await pairing.finish(PIN)
        await device.wait_for("pin_hidden")
        await pairing.close()
        event = await device.wait_for("pair_pin_start")
        assert event.data["client_name"] == IDENTITY.name
        assert isinstance(credentials, LegacyCredentials if legacy else HapCredentials)
        assert credentials.ltpk == device.desk.public_key
        (known,) = device.desk.pairings["airplay"].values()
        assert known.identifier == credentials.client_id
        assert known.name == (None if legacy else IDENTITY.name)


@BOTH
async def test_wrong_pin(legacy: bool) -> None:
    async with DEVICES[legacy]() as device:
        with pytest.raises(errors.WrongPinError):
            await pair(device, "1234", legacy=legacy)
        await device.wait_for("pin_hidden")
        await pair(device, legacy=legacy)


@BOTH
async def test_what_is_no_pin_is_not_tried(legacy: bool) -> None:
    async with DEVICES[legacy]() as device:
        pairing = pairing_with(device, legacy=legacy)
        await pairing.begin()
        with pytest.raises(errors.WrongPinError):
            await pairing.finish("pin?")
        await pairing.finish("42")
        await pairing.close()


@BOTH
async def test_a_device_that_does_not_know_the_pin(legacy: bool) -> None:
    async with DEVICES[legacy]() as device:
        device.desk.wrong_proof = True
        with pytest.raises(errors.IdentityError):
            await pair(device, legacy=legacy)
        assert device.desk.pairings["airplay"] == {}


async def test_backoff() -> None:
    async with FakeAppleTv(pin=PIN) as device:
        device.desk.back_off = 8
        with pytest.raises(errors.WrongPinError):
            await pair(device, "1111")
        with pytest.raises(errors.BackoffError) as caught:
            await pair(device)
        assert caught.value.retry_after is not None
        assert 0 < caught.value.retry_after <= 8


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (4, errors.DeviceFullError),
        (5, errors.TooManyTriesError),
        (6, errors.PairingUnavailableError),
        (7, errors.PairingBusyError),
        (42, errors.PairingRefusedError),
    ],
)
async def test_refusals(code: int, error: type[errors.PairingError]) -> None:
    async with FakeAppleTv(pin=PIN) as device:
        device.desk.errors["setup", 2] = code
        pairing = pairing_with(device)
        with pytest.raises(error):
            await pairing.begin()
        with pytest.raises(DisconnectedError, match="begun"):
            await pairing.finish(PIN)
        await pairing.close()


@pytest.mark.parametrize("switch", ["wrong_signature", "undecryptable", "garbled"])
async def test_forged_identity(switch: str) -> None:
    async with FakeAppleTv(pin=PIN) as device:
        step = "setup" if switch == "wrong_signature" else ("setup", 6)
        getattr(device.desk, switch).add(step)
        with pytest.raises((errors.IdentityError, ProtocolError)):
            await pair(device)


async def test_a_legacy_key_that_cannot_be_decrypted() -> None:
    async with DEVICES[True]() as device:
        pairing = pairing_with(device, legacy=True)
        await pairing.begin()
        (control,) = device.airplay.controls
        control.legacy._exchange = lambda body: {"epk": bytes(32), "authTag": bytes(16)}  # type: ignore[method-assign]
        with pytest.raises(errors.DecryptionError):
            await pairing.finish(PIN)
        await pairing.close()


async def test_closed_while_it_finishes() -> None:
    async with FakeAppleTv(pin=PIN) as device:
        device.desk.silent.add(("setup", 4))
        pairing = pairing_with(device)
        await pairing.begin()
        task = asyncio.create_task(pairing.finish(PIN))
        await device.wait_for("setup_m3")
        await pairing.close()
        with pytest.raises(DisconnectedError):
            await task
        with pytest.raises(DisconnectedError, match="begun"):
            await pairing.finish(PIN)


async def test_closed_between_two_steps() -> None:
    async with FakeAppleTv(pin=PIN) as device:
        pairing = pairing_with(device)
        await pairing.begin()
        steps = pairing._steps
        await pairing.close()
        assert steps is not None
        with pytest.raises(DisconnectedError):
            await steps.finish(PIN)


async def test_closed_while_it_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is there too late is not left open, nor does a PIN appear."""
    reached, gate = asyncio.Event(), asyncio.Event()
    made: list[AirPlayConnection] = []

    async def connect_late(
        address: str, port: int, *, timing: Timing | None
    ) -> AirPlayConnection:
        connection = AirPlayConnection(timing=timing)
        await connection._wire.connect(address, port, 5)
        made.append(connection)
        reached.set()
        await gate.wait()
        return connection

    monkeypatch.setattr(AirPlayConnection, "connect", connect_late)
    async with FakeAppleTv() as device:
        pairing = pairing_with(device)
        task = asyncio.create_task(pairing.begin())
        await reached.wait()
        await pairing.close()
        gate.set()
        with pytest.raises(DisconnectedError, match="closed"):
            await task
        assert not made[0].is_connected
        assert not device.seen("pin_shown")


async def test_closed_while_it_begins() -> None:
    async with FakeAppleTv() as device:
        device.desk.silent.add(("setup", 2))
        pairing = pairing_with(device)
        first = asyncio.create_task(pairing.begin())
        await device.wait_for("setup_m1")
        device.desk.silent.clear()
        second = asyncio.create_task(pairing.begin())
        with pytest.raises(DisconnectedError):
            await first
        await second
        assert await pairing.finish(device.desk.pin)
        await pairing.close()


@BOTH
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (470, errors.PairingUnavailableError),
        (401, PasswordRequiredError),
        (404, UnsupportedError),
        (500, RequestFailedError),
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
async def test_statuses_before_the_pin(
    legacy: bool, status: int, error: type[Exception], is_late: bool
) -> None:
    async with DEVICES[legacy]() as device:
        path = "/pair-pin-start"
        if is_late:
            path = "/pair-setup-pin" if legacy else "/pair-setup"
        device.airplay.switches.refuse[path] = status
        pairing = pairing_with(device, legacy=legacy)
        with pytest.raises(error):
            await pairing.begin()
        await pairing.close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (470, errors.WrongPinError),
        (401, errors.WrongPinError),
        (500, RequestFailedError),
    ],
)
async def test_statuses_after_the_pin(status: int, error: type[Exception]) -> None:
    async with FakeAppleTv(pin=PIN) as device:
        pairing = pairing_with(device)
        await pairing.begin()
        device.airplay.switches.refuse["/pair-setup"] = status
        with pytest.raises(error):
            await pairing.finish(PIN)
        await pairing.close()


async def test_a_status_with_a_reason() -> None:
    async def script(peer: Peer) -> None:
        peer.answer(await peer.request())
        body = tlv8.encode([(6, b"\2"), (7, b"\3"), (8, b"\x20")])
        peer.answer(await peer.request(), "503 Busy", body)

    async with serve(script) as port:
        pairing = AirPlayPairing("127.0.0.1", port, IDENTITY)
        with pytest.raises(errors.BackoffError) as caught:
            await pairing.begin()
        assert caught.value.retry_after == 32
        await pairing.close()


async def test_a_status_with_other_text() -> None:
    async def script(peer: Peer) -> None:
        peer.answer(await peer.request(), "503 Busy", b"<html>")

    async with serve(script) as port:
        pairing = AirPlayPairing("127.0.0.1", port, IDENTITY)
        with pytest.raises(RequestFailedError):
            await pairing.begin()
        await pairing.close()


@pytest.mark.parametrize("step", [2, 4, 6])
async def test_no_answer(step: int) -> None:
    async with FakeAppleTv(pin=PIN) as device:
        device.desk.silent.add(("setup", step))
        timing = Timing(request=SOON)
        pairing = pairing_with(device, timing=timing)
        with pytest.raises(PeerTimeoutError):
            await pairing.begin()
            await pairing.finish(PIN)
        await pairing.close()


async def test_nobody_is_there() -> None:
    async with FakeAppleTv() as device:
        pass
    pairing = pairing_with(device)
    with pytest.raises(DisconnectedError):
        await pairing.begin()
    with pytest.raises(DisconnectedError, match="begun"):
        await pairing.finish(PIN)
    await pairing.close()


async def test_beginning_again_takes_another_connection() -> None:
    async with FakeAppleTv(pin=PIN) as device:
        pairing = pairing_with(device)
        await pairing.begin()
        await pairing.begin()
        await pairing.finish(PIN)
        await pairing.close()
        assert len(device.events.seen("pair_pin_start")) == 2


async def test_max_name() -> None:
    identity = replace(IDENTITY, name="A\r\nB: " + "x" * 100)
    async with FakeAppleTv("Den", os="tvos_26", pin=PIN) as device:
        device.desk.needs_client_name = True
        pairing = AirPlayPairing(device.address, device.ports["airplay"], identity)
        await pairing.begin()
        event = await device.wait_for("pair_pin_start")
        name = event.data["client_name"]
        assert isinstance(name, str)
        assert name == ("AB: " + "x" * 100)[:MAX_NAME]
        await pairing.finish(PIN)
        await pairing.close()


async def test_cancelled() -> None:
    async with FakeAppleTv(pin=PIN) as device:
        device.desk.silent.add(("setup", 2))
        pairing = pairing_with(device)
        task = asyncio.create_task(pairing.begin())
        await device.wait_for("setup_m1")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await device.wait_for("pin_hidden")
        await pairing.close()


# Verification.


async def test_verify() -> None:
    async with FakeAppleTv(pin=PIN) as device:
        credentials = await pair(device)
        connection = await connect(device)
        keys = await verify(connection, credentials, name=IDENTITY.name)
        assert keys is not None
        (control,) = device.airplay.controls
        assert control.secret == keys.secret
        info = await get_info(connection)
        assert info.name == device.name
        await connection.close()


async def test_verify_without_pin() -> None:
    async with FakeAppleTv(kind="homepod") as device:
        connection = await connect(device)
        keys = await verify(connection, TransientCredentials(), name=IDENTITY.name)
        assert keys is not None
        assert len(keys.secret) == 64
        assert (await connection.request("GET", "/info")).status == 200
        await connection.close()
        await device.wait_for("airplay_encrypted", transient=True)


@pytest.mark.parametrize("is_known", [False, True])
async def test_verify_legacy(is_known: bool) -> None:
    async with DEVICES[True]() as device:
        credentials = await pair(device, legacy=True)
        assert isinstance(credentials, LegacyCredentials)
        if not is_known:
            credentials = replace(credentials, ltpk=b"")
        connection = await connect(device)
        assert await verify(connection, credentials, name=IDENTITY.name) is None
        await device.wait_for("verified")
        assert (await connection.request("GET", "/info")).status == 200
        await connection.close()


@BOTH
async def test_verify_when_unpaired(legacy: bool) -> None:
    async with DEVICES[legacy]() as device:
        credentials = await pair(device, legacy=legacy)
        device.desk.unpair()
        connection = await connect(device)
        with pytest.raises(errors.CredentialsRefusedError):
            await verify(connection, credentials, name=IDENTITY.name)
        await connection.close()


@BOTH
async def test_verify_another_device(legacy: bool) -> None:
    async with DEVICES[legacy]() as device:
        credentials = await pair(device, legacy=legacy)
        device.desk.wrong_signature.add("verify")
        connection = await connect(device)
        with pytest.raises(errors.IdentityError):
            await verify(connection, credentials, name=IDENTITY.name)
        await connection.close()


async def test_verify_busy() -> None:
    async with FakeAppleTv() as device:
        device.desk.errors["verify", 2] = 7
        connection = await connect(device)
        with pytest.raises(errors.VerificationUnavailableError):
            await verify(connection, introduce(device), name=IDENTITY.name)
        await connection.close()


async def test_verify_refused_with_a_reason() -> None:
    async def script(peer: Peer) -> None:
        body = tlv8.encode([(6, b"\2"), (7, b"\6")])
        peer.answer(await peer.request(), "470 No", body)

    async with FakeAppleTv() as device, serve(script) as port:
        connection = await AirPlayConnection.connect("127.0.0.1", port)
        with pytest.raises(errors.VerificationUnavailableError):
            await verify(connection, introduce(device), name=IDENTITY.name)
        await connection.close()


@pytest.mark.parametrize("step", [2, 4])
async def test_verify_without_answer(step: int) -> None:
    async with FakeAppleTv() as device:
        device.desk.silent.add(("verify", step))
        timing = Timing(first_request=SOON, request=SOON)
        connection = await connect(device, timing)
        connection.closed = ends = Ends()
        with pytest.raises(PeerTimeoutError):
            await verify(connection, introduce(device), name=IDENTITY.name)
        assert isinstance(await ends.wait(), PeerTimeoutError)
        await connection.close()


async def test_verify_only_this_home() -> None:
    async with FakeAppleTv(kind="homepod", acl=1) as device:
        connection = await connect(device)
        with pytest.raises(errors.CredentialsRefusedError):
            await verify(connection, TransientCredentials(), name=IDENTITY.name)
        await connection.close()


async def test_verify_with_a_password() -> None:
    async with FakeAppleTv(kind="homepod", password="secret") as device:
        connection = await connect(device)
        with pytest.raises(PasswordRequiredError):
            await verify(connection, TransientCredentials(), name=IDENTITY.name)
        await connection.close()


async def test_verify_transient_with_a_device_that_pairs() -> None:
    async with FakeAppleTv() as device:
        connection = await connect(device)
        with pytest.raises(errors.CredentialsRefusedError):
            await verify(connection, TransientCredentials(), name=IDENTITY.name)
        await connection.close()


# What a device tells about itself.


async def test_info() -> None:
    async with FakeAppleTv("Küche") as device:
        connection = await connect(device)
        info = await get_info(connection)
        await connection.close()
    assert (info.name, info.model) == ("Küche", device.model)
    assert info.device_id == info.mac == device.device_id
    assert info.pairing_id == device.pi
    assert info.os_build == device.build
    assert info.public_key == device.desk.public_key
    assert AirPlayFlags.UNIFIED_MEDIA_CONTROL in info.features
    assert StatusFlags.ONE_TIME_PAIRING_REQUIRED in info.status
    assert (info.initial_volume, info.volume_control_type) == (-20, 3)


@pytest.mark.parametrize("status", [404, 401, 470, 500])
async def test_info_of_a_device_that_tells_nothing(status: int) -> None:
    async with FakeAppleTv() as device:
        device.airplay.switches.refuse["/info"] = status
        connection = await connect(device)
        assert await get_info(connection) == AirPlayInfo()
        await connection.close()


async def test_info_that_is_none() -> None:
    async def script(peer: Peer) -> None:
        peer.answer(await peer.request(), body=b"no property list")

    async with serve(script) as port:
        connection = await AirPlayConnection.connect("127.0.0.1", port)
        assert await get_info(connection) == AirPlayInfo()
        await connection.close()


def test_info_of_other_types() -> None:
    body: plists.PlistDict = {
        "name": 1,
        "features": -1,
        "statusFlags": "0x4",
        "initialVolume": True,
        "supportedFormats": {"audioStream": 7, "other": "text"},
        "pk": bytes(33),
    }
    assert AirPlayInfo.from_plist(body) == AirPlayInfo(
        features=AirPlayFlags(2**64 - 1),
        supported_formats=(("audioStream", 7),),
    )


def test_max_text_and_formats() -> None:
    formats: plists.PlistDict = {f"format {number}": number for number in range(100)}
    body: plists.PlistDict = {"name": "x" * 1000, "supportedFormats": formats}
    info = AirPlayInfo.from_plist(body)
    assert info.name is not None
    assert len(info.name) == MAX_TEXT
    assert len(info.supported_formats) == MAX_FORMATS
