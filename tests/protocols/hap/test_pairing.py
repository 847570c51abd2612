"""Tests of pairing: on the vectors, and with a whole accessory that misbehaves."""

from collections.abc import Callable
import contextlib
from copy import deepcopy
from functools import cache

from hypothesis import given, settings, strategies as st
import pytest

from . import vectors
from custom_components.rumpus.protocols.errors import ProtocolError, RumpusError
from custom_components.rumpus.protocols.hap import crypto, errors, procedures, tlv8
from custom_components.rumpus.protocols.hap.credentials import (
    HapCredentials,
    parse_credentials,
)
from custom_components.rumpus.protocols.hap.pair_setup import (
    MAX_DEVICE_ID,
    MAX_PIN,
    PairSetup,
    TransientPairing,
    pin_text,
)
from custom_components.rumpus.protocols.hap.pair_verify import PairVerify
from custom_components.rumpus.protocols.hap.tlv8 import Tag
from tests.fakes.apple_tv_events import EventLog
from tests.fakes.apple_tv_hap import Accessory, PairingDesk, Step

SETUP, VERIFY = vectors.SETUP, vectors.VERIFY
PIN = "0042"


def golden_setup(*, name: str | None = "pyatv") -> PairSetup:
    """Return the pairing of the vectors."""
    return PairSetup(
        name=name,
        client_id=SETUP["controller_id"],
        seed=SETUP["controller_seed"],
        srp_secret=SETUP["controller_seed"],
    )


def golden_credentials() -> HapCredentials:
    credentials = parse_credentials(vectors.CREDENTIALS)
    assert isinstance(credentials, HapCredentials)
    return credentials


def golden_m6(**changes: bytes) -> bytes:
    """Return M6 of the vectors, with other values in it; an empty one leaves it out."""
    inner = tlv8.decode(SETUP["m6_inner"])
    inner.update({Tag[name]: value for name, value in changes.items()})
    sealed = crypto.seal(SETUP["key"], "PS-Msg06", tlv8.encode(inner.items()))
    return tlv8.encode([(Tag.STATE, b"\x06"), (Tag.ENCRYPTED_DATA, sealed)])


@cache
def _proved() -> PairSetup:
    setup = golden_setup()
    setup.answer_salt(SETUP["m2"])
    setup.prove(vectors.PIN)
    return setup


def proved() -> PairSetup:
    """Return the pairing of the vectors, waiting for M4: calculated once, it takes long."""
    return deepcopy(_proved())


def proven() -> PairSetup:
    """Return the pairing of the vectors, waiting for M6."""
    setup = proved()
    setup.verify_proof(SETUP["m4"])
    return setup


class Device:
    """An accessory without a network."""

    def __init__(self, protocol: str = "companion") -> None:
        self.log = EventLog()
        self.desk = PairingDesk(self.log)
        self.desk.pin = PIN
        self.steps: list[int] = []
        self.accessory = self.connect()

    def connect(self) -> Accessory:
        self.accessory = self.desk.accessory("airplay")
        return self.accessory

    async def setup(self, data: bytes, step: int) -> bytes:
        self.steps.append(step)
        answer = self.accessory.setup(data)
        assert answer is not None
        return answer

    async def verify(self, data: bytes, step: int) -> bytes:
        self.steps.append(step)
        answer = self.accessory.verify(data)
        assert answer is not None
        return answer

    async def pair(self, pin: str = PIN) -> HapCredentials:
        self.connect()
        pairing = procedures.Pairing(self.setup, name="Küche 🛋")
        await pairing.begin()
        return await pairing.finish(pin)


# Pairing with a PIN.


def test_golden_setup() -> None:
    setup = golden_setup()
    assert setup.start() == SETUP["m1"]
    setup.answer_salt(SETUP["m2"])
    assert setup.prove(vectors.PIN) == SETUP["m3"]
    m5 = tlv8.decode(setup.verify_proof(SETUP["m4"]))
    assert m5 == {Tag.STATE: b"\x05", Tag.ENCRYPTED_DATA: SETUP["m5_encrypted"]}
    credentials = setup.finish(
        tlv8.encode([(Tag.STATE, b"\x06"), (Tag.ENCRYPTED_DATA, SETUP["m6_encrypted"])])
    )
    assert str(credentials) == vectors.CREDENTIALS


def test_setup_without_a_name() -> None:
    setup = golden_setup(name=None)
    setup.answer_salt(SETUP["m2"])
    setup.prove(vectors.PIN)
    m5 = tlv8.decode(setup.verify_proof(SETUP["m4"]))
    inner = crypto.unseal(SETUP["key"], "PS-Msg05", m5[Tag.ENCRYPTED_DATA])
    assert inner == SETUP["m5_inner"][: len(inner)]
    assert Tag.NAME not in tlv8.decode(inner)


async def test_pairing() -> None:
    device = Device()
    credentials = await device.pair()
    assert device.steps == [1, 3, 5]
    assert credentials.ltpk == device.desk.public_key
    assert credentials.device_id == device.desk.identifier
    known = device.desk.pairings["airplay"][credentials.client_id]
    assert known.name == "Küche 🛋"
    assert len(credentials.client_id) == 36
    assert (await device.pair()).client_id != credentials.client_id


@pytest.mark.parametrize("pin", ["42", " 0042 ", "042"])
async def test_a_pin_may_lack_its_zeros(pin: str) -> None:
    await Device().pair(pin)


@pytest.mark.parametrize("pin", ["", "12a4", "1" * (MAX_PIN + 1), "\u0664\u0662", "-1"])
async def test_max_pin(pin: str) -> None:
    """What can be no PIN is not tried, so the right one may follow."""
    device = Device()
    pairing = procedures.Pairing(device.setup, name=None)
    await pairing.begin()
    with pytest.raises(errors.WrongPinError):
        await pairing.finish(pin)
    assert device.steps == [1]
    await pairing.finish(PIN)


@pytest.mark.parametrize("pin", ["1111", PIN])
async def test_a_secret_is_good_for_one_pin(pin: str) -> None:
    """What M2 and M3 say about two PINs would say more than about one each."""
    device = Device()
    pairing = procedures.Pairing(device.setup, name=None)
    await pairing.begin()
    with contextlib.suppress(errors.WrongPinError):
        await pairing.finish(pin)
    count = len(device.steps)
    with pytest.raises(errors.PairingError, match="already"):
        await pairing.finish(PIN)
    assert len(device.steps) == count


def test_pin_text() -> None:
    assert pin_text("7") == "0007"
    assert pin_text("12345678") == "12345678"


async def test_wrong_pin() -> None:
    device = Device()
    with pytest.raises(errors.WrongPinError):
        await device.pair("1111")
    await device.pair()


async def test_backoff_tells_the_remaining_time() -> None:
    device = Device()
    now = 100.0
    device.desk.clock = lambda: now
    device.desk.back_off = 16
    with pytest.raises(errors.WrongPinError):
        await device.pair("1111")
    now += 6
    with pytest.raises(errors.BackoffError) as caught:
        await device.pair()
    assert caught.value.retry_after == 10
    now += 10
    await device.pair()


def _busy(desk: PairingDesk) -> None:
    desk.is_busy = True


def _full(desk: PairingDesk) -> None:
    desk.max_pairings = 0


def _tries(desk: PairingDesk) -> None:
    desk.max_tries = 0


def _unavailable(desk: PairingDesk) -> None:
    desk.is_unavailable = True


@pytest.mark.parametrize(
    ("switch", "error"),
    [
        (_busy, errors.PairingBusyError),
        (_full, errors.DeviceFullError),
        (_tries, errors.TooManyTriesError),
        (_unavailable, errors.PairingUnavailableError),
    ],
)
async def test_refusals(
    switch: Callable[[PairingDesk], None], error: type[errors.PairingError]
) -> None:
    device = Device()
    switch(device.desk)
    with pytest.raises(error):
        await device.pair()


@pytest.mark.parametrize("state", [2, 4, 6])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1, errors.PairingRefusedError),
        (3, errors.BackoffError),
        (7, errors.PairingBusyError),
        (77, errors.PairingRefusedError),
    ],
)
async def test_an_error_at_any_step(
    state: int, code: int, error: type[errors.PairingError]
) -> None:
    device = Device()
    device.desk.errors["setup", state] = code
    with pytest.raises(error):
        await device.pair()


async def test_a_forged_proof() -> None:
    device = Device()
    device.desk.wrong_proof = True
    with pytest.raises(errors.IdentityError):
        await device.pair()
    assert device.steps == [1, 3], "our identity stays with us"


@pytest.mark.parametrize("switch", ["wrong_signature", "wrong_identifier"])
async def test_a_forged_identity(switch: str) -> None:
    device = Device()
    getattr(device.desk, switch).add("setup")
    if switch == "wrong_identifier":  # which is what the device calls itself, then
        assert (await device.pair()).device_id != device.desk.identifier
        return
    with pytest.raises(errors.IdentityError):
        await device.pair()


@pytest.mark.parametrize("state", [2, 4, 6])
@pytest.mark.parametrize("switch", ["garbled", "wrong_state"])
async def test_nonsense_at_any_step(switch: str, state: int) -> None:
    device = Device()
    step: Step = ("setup", state)
    getattr(device.desk, switch).add(step)
    with pytest.raises(ProtocolError):
        await device.pair()


async def test_an_identity_that_cannot_be_decrypted() -> None:
    device = Device()
    device.desk.undecryptable.add(("setup", 6))
    with pytest.raises(errors.DecryptionError):
        await device.pair()


@pytest.mark.parametrize("tag", ["IDENTIFIER", "PUBLIC_KEY", "SIGNATURE"])
def test_m6_without_a_part(tag: str) -> None:
    with pytest.raises(ProtocolError, match=tag):
        proven().finish(golden_m6(**{tag: b""}))


def test_m6_with_the_key_of_another() -> None:
    with pytest.raises(errors.IdentityError):
        proven().finish(golden_m6(PUBLIC_KEY=SETUP["controller_public"]))
    assert proven().finish(golden_m6(NAME=b"\xff not OPACK"))


def test_max_device_id() -> None:
    with pytest.raises(errors.IdentityError):
        proven().finish(golden_m6(IDENTIFIER=b"1" * MAX_DEVICE_ID))
    with pytest.raises(errors.IdentityError, match="too long"):
        proven().finish(golden_m6(IDENTIFIER=b"1" * (MAX_DEVICE_ID + 1)))


@pytest.mark.parametrize("tag", [Tag.SALT, Tag.PUBLIC_KEY, Tag.STATE])
def test_m2_without_a_part(tag: Tag) -> None:
    items = tlv8.decode(SETUP["m2"])
    del items[tag]
    with pytest.raises(ProtocolError):
        golden_setup().answer_salt(tlv8.encode(items.items()))


def test_m4_without_a_proof() -> None:
    for proof in (b"", bytes(63)):
        setup = proved()
        with pytest.raises(ProtocolError):
            setup.verify_proof(tlv8.encode([(Tag.STATE, b"\x04"), (Tag.PROOF, proof)]))


def _m4() -> tuple[Callable[[bytes], object], bytes]:
    return proved().verify_proof, SETUP["m4"]


def _m6() -> tuple[Callable[[bytes], object], bytes]:
    return proven().finish, golden_m6()


def _verify_m2() -> tuple[Callable[[bytes], object], bytes]:
    verify = PairVerify(golden_credentials(), private_key=VERIFY["controller_private"])
    return verify.answer, VERIFY["m2"]


def _verify_m4() -> tuple[Callable[[bytes], object], bytes]:
    verify = PairVerify(golden_credentials(), private_key=VERIFY["controller_private"])
    verify.answer(VERIFY["m2"])
    return verify.finish, VERIFY["m4"]


MESSAGES = pytest.mark.parametrize("step", [_m4, _m6, _verify_m2, _verify_m4])


@MESSAGES
@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_damaged_message_is_accepted(
    step: Callable[[], tuple[Callable[[bytes], object], bytes]], data: st.DataObject
) -> None:
    take, message = step()
    damaged = bytearray(message)
    place = data.draw(st.integers(0, len(message) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RumpusError):
        take(bytes(damaged))


@MESSAGES
@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=100) | st.dictionaries(st.sampled_from(Tag), st.binary()))
def test_no_other_message_is_accepted(
    step: Callable[[], tuple[Callable[[bytes], object], bytes]],
    data: bytes | dict[Tag, bytes],
) -> None:
    take, message = step()
    if isinstance(data, dict):
        data = tlv8.encode(data.items())
    if data != message:
        with pytest.raises(RumpusError):
            take(data)


# Verification.


def test_golden_verify() -> None:
    verify = PairVerify(golden_credentials(), private_key=VERIFY["controller_private"])
    assert verify.start() == VERIFY["m1"]
    assert verify.answer(VERIFY["m2"]) == VERIFY["m3"]
    assert verify.finish(VERIFY["m4"]) == VERIFY["shared"]


async def test_verify() -> None:
    device = Device()
    credentials = await device.pair()
    device.steps.clear()
    secrets = set()
    for _ in range(2):
        secret = await procedures.verify(credentials, device.verify)
        assert secret == device.connect().shared_secret or len(secret) == 32
        secrets.add(secret)
    assert device.steps == [1, 3, 1, 3]
    assert len(secrets) == 2, "every connection has keys of its own"


async def test_verify_agrees_on_a_secret() -> None:
    device = Device()
    credentials = await device.pair()
    device.connect()
    secret = await procedures.verify(credentials, device.verify)
    assert secret == device.accessory.shared_secret


async def test_verify_when_unpaired() -> None:
    device = Device()
    credentials = await device.pair()
    device.desk.unpair()
    with pytest.raises(errors.CredentialsRefusedError):
        await procedures.verify(credentials, device.verify)


@pytest.mark.parametrize("switch", ["wrong_signature", "wrong_identifier"])
async def test_verify_of_another_device(switch: str) -> None:
    device = Device()
    credentials = await device.pair()
    device.steps.clear()
    getattr(device.desk, switch).add("verify")
    with pytest.raises(errors.IdentityError):
        await procedures.verify(credentials, device.verify)
    assert device.steps == [1], "the wrong device learns nothing"


@pytest.mark.parametrize("state", [2, 4])
@pytest.mark.parametrize("switch", ["garbled", "wrong_state"])
async def test_verify_with_nonsense(switch: str, state: int) -> None:
    device = Device()
    credentials = await device.pair()
    step: Step = ("verify", state)
    getattr(device.desk, switch).add(step)
    with pytest.raises(ProtocolError):
        await procedures.verify(credentials, device.verify)


@pytest.mark.parametrize("state", [2, 4])
async def test_verify_of_a_busy_device(state: int) -> None:
    device = Device()
    credentials = await device.pair()
    device.desk.errors["verify", state] = 7
    with pytest.raises(errors.VerificationUnavailableError):
        await procedures.verify(credentials, device.verify)


async def test_verify_that_cannot_be_decrypted() -> None:
    device = Device()
    credentials = await device.pair()
    device.desk.undecryptable.add(("verify", 2))
    with pytest.raises(errors.DecryptionError):
        await procedures.verify(credentials, device.verify)


@pytest.mark.parametrize("tag", [Tag.PUBLIC_KEY, Tag.ENCRYPTED_DATA, Tag.STATE])
def test_verify_without_a_part(tag: Tag) -> None:
    items = tlv8.decode(VERIFY["m2"])
    del items[tag]
    with pytest.raises(ProtocolError):
        PairVerify(golden_credentials()).answer(tlv8.encode(items.items()))


# Pairing without a PIN.


def test_golden_transient_start() -> None:
    assert TransientPairing().start() == vectors.TLV8[1][0]


async def test_transient() -> None:
    device = Device()
    secret = await procedures.transient(device.setup)
    assert device.steps == [1, 3]
    assert secret == device.accessory.shared_secret
    assert len(secret) == 64
    assert device.accessory.is_transient


def test_golden_transient_secret() -> None:
    """The vectors have another PIN, so only the numbers of the device can be used."""
    pairing = TransientPairing(srp_secret=SETUP["controller_seed"])
    m3 = tlv8.decode(pairing.prove(SETUP["m2"]))
    assert m3[Tag.PUBLIC_KEY] == tlv8.decode(SETUP["m3"])[Tag.PUBLIC_KEY]
    with pytest.raises(errors.IdentityError):
        pairing.finish(SETUP["m4"])


@pytest.mark.parametrize("state", [2, 4])
@pytest.mark.parametrize(
    ("code", "error"),
    [
        (2, errors.CredentialsRefusedError),
        (6, errors.VerificationUnavailableError),
    ],
)
async def test_transient_refused(state: int, code: int, error: type[Exception]) -> None:
    device = Device()
    device.desk.errors["setup", state] = code
    with pytest.raises(error):
        await procedures.transient(device.setup)


async def test_transient_with_a_forged_proof() -> None:
    device = Device()
    device.desk.wrong_proof = True
    with pytest.raises(errors.IdentityError):
        await procedures.transient(device.setup)
