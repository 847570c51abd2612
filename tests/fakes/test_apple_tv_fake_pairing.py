"""Pairing and verification with the fake Apple TV, without its sockets."""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR, GCM
import pytest

from tests.fakes.apple_tv_crypto import (
    ErrorCode,
    Tag,
    WireError,
    tlv_decode,
    tlv_encode,
)
from tests.fakes.apple_tv_events import EventLog
from tests.fakes.apple_tv_hap import Accessory, PairingDesk, Refusal
from tests.fakes.apple_tv_legacy import LegacyAccessory
from tests.fakes.apple_tv_opack import unpack_dict
from tests.fakes.apple_tv_script_client import (
    Controller,
    PairingError,
    SrpClient,
    checked,
)
from tests.fakes.apple_tv_srp import LEGACY


@pytest.fixture
async def desk() -> PairingDesk:
    desk = PairingDesk(EventLog())
    desk.pin = "0042"
    desk.facts = {"name": "Living Room"}
    return desk


@pytest.fixture
def accessory(desk: PairingDesk) -> Accessory:
    return desk.accessory("companion")


@pytest.fixture
def controller() -> Controller:
    return Controller()


def paired(desk: PairingDesk, controller: Controller) -> Accessory:
    controller.pair(desk.accessory("companion").setup, desk.pin)
    return desk.accessory("companion")


def shown(desk: PairingDesk) -> str | None:
    return desk.shown_pin


async def test_pair_and_verify(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    m2 = accessory.setup(controller.setup_start())
    assert m2 is not None
    assert tlv_decode(m2)[Tag.UNKNOWN_1B] == b"\1"
    assert shown(desk) == "0042"
    srp, m3 = controller.prove(m2, "0042")
    m4 = accessory.setup(m3)
    assert m4 is not None
    m6 = accessory.setup(controller.exchange(srp, m4))
    assert m6 is not None
    facts = controller.finish(srp, m6)
    assert unpack_dict(facts[Tag.NAME]) == {"name": "Living Room"}
    assert shown(desk) is None
    assert controller.device_key == desk.public_key
    known = desk.pairings["companion"][controller.identifier]
    assert (known.name, known.public_key) == ("Script", controller.public)
    again = desk.accessory("companion")
    secret = controller.verify(again.verify)
    assert again.shared_secret == secret
    assert again.controller == known


async def test_other_protocols_know_nobody(
    desk: PairingDesk, controller: Controller
) -> None:
    paired(desk, controller)
    with pytest.raises(PairingError) as caught:
        controller.verify(desk.accessory("airplay").verify)
    assert caught.value.code == ErrorCode.AUTHENTICATION
    desk.unpair("airplay")
    controller.verify(desk.accessory("companion").verify)
    desk.unpair()
    with pytest.raises(PairingError):
        controller.verify(desk.accessory("companion").verify)


async def test_wrong_pin_backs_off(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    now = 100.0
    desk.clock = lambda: now
    desk.back_off = 16.0
    codes: list[tuple[int, int | None]] = []

    def attempt(pin: str) -> None:
        with pytest.raises(PairingError) as caught:
            controller.pair(accessory.setup, pin)
        codes.append((caught.value.code, caught.value.delay))

    attempt("9999")
    now += 0.5
    attempt("0042")
    now += 16
    attempt("9999")
    attempt("0042")
    now += 32
    attempt("9999")
    attempt("0042")
    now += 64
    attempt("9999")
    attempt("0042")
    assert codes == [
        (2, None),
        (3, 16),
        (2, None),
        (3, 32),
        (2, None),
        (3, 64),
        (2, None),
        (3, 64),
    ]
    desk.restart()
    controller.pair(accessory.setup, "0042")


async def test_max_tries(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    desk.max_tries = 2
    codes = []
    for _ in range(3):
        with pytest.raises(PairingError) as caught:
            controller.pair(accessory.setup, "9999")
        codes.append(caught.value.code)
    assert codes == [2, 2, ErrorCode.MAX_TRIES]


async def test_stuck(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    desk.is_stuck = True
    m2 = accessory.setup(controller.setup_start())
    assert m2 is not None
    assert shown(desk) is None
    desk.pin = "none"  # nobody can guess it
    with pytest.raises(PairingError):
        controller.pair(accessory.setup, "none")
    desk.restart()
    controller.pair(accessory.setup, "none")


async def test_one_at_a_time(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    accessory.setup(controller.setup_start())
    other = desk.accessory("airplay")
    assert not other.start_pin("Script")
    with pytest.raises(PairingError) as caught:
        controller.pair(other.setup, "0042")
    assert caught.value.code == ErrorCode.BUSY
    accessory.close()
    assert shown(desk) is None
    assert other.start_pin("Script")
    controller.pair(other.setup, "0042")
    assert len(desk.pairings["airplay"]) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"is_busy": True}, ErrorCode.BUSY),
        ({"is_unavailable": True}, ErrorCode.UNAVAILABLE),
        ({"is_pairing_allowed": False}, ErrorCode.UNAVAILABLE),
        ({"max_pairings": 0}, ErrorCode.MAX_PEERS),
        ({"errors": {("setup", 4): 1}}, ErrorCode.UNKNOWN),
        ({"errors": {("setup", 6): 77}}, 77),
    ],
)
async def test_refusals(
    desk: PairingDesk,
    accessory: Accessory,
    controller: Controller,
    changes: dict[str, object],
    code: int,
) -> None:
    for name, value in changes.items():
        setattr(desk, name, value)
    with pytest.raises(PairingError) as caught:
        controller.pair(accessory.setup, "0042")
    assert caught.value.code == code


async def test_impostor(desk: PairingDesk, controller: Controller) -> None:
    desk.wrong_signature = {"setup"}
    with pytest.raises(InvalidSignature):
        paired(desk, controller)
    desk.wrong_signature = set()
    desk.wrong_proof = True
    with pytest.raises(AssertionError, match="proof"):
        paired(desk, controller)
    desk.restart()
    desk.wrong_proof = False
    again = paired(desk, controller)
    desk.wrong_signature = {"verify"}
    with pytest.raises(InvalidSignature):
        controller.verify(again.verify)
    desk.wrong_signature = set()
    desk.wrong_identifier = {"verify"}
    with pytest.raises(AssertionError, match="another device"):
        controller.verify(again.verify)
    desk.wrong_identifier = set()
    desk.undecryptable = {("verify", 2)}
    with pytest.raises(WireError):
        controller.verify(again.verify)
    desk.undecryptable = set()
    desk.new_identity()
    with pytest.raises(AssertionError, match="another device"):
        controller.verify(again.verify)


async def test_silence_and_rubbish(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    desk.silent = {("setup", 2)}
    assert accessory.setup(controller.setup_start()) is None
    desk.silent = {("setup", 4)}
    desk.errors = {("setup", 4): 2}
    m2 = accessory.setup(controller.setup_start())
    assert m2 is not None
    assert accessory.setup(controller.prove(m2, "0042")[1]) is None
    desk.silent, desk.errors, desk.garbled = set(), {}, {("setup", 2)}
    garbled = accessory.setup(controller.setup_start())
    assert garbled is not None
    with pytest.raises(WireError):
        tlv_decode(garbled)
    desk.garbled, desk.wrong_state = set(), {("setup", 2)}
    wrong = accessory.setup(controller.setup_start())
    assert wrong is not None
    assert tlv_decode(wrong)[Tag.STATE] == b"\4"


async def test_out_of_order(
    desk: PairingDesk, accessory: Accessory, controller: Controller
) -> None:
    for state in (b"\3", b"\5", b"\7", b""):
        data = accessory.setup(tlv_encode([(Tag.STATE, state)]))
        assert data is not None
        with pytest.raises(PairingError) as caught:
            checked(data)
        assert caught.value.code == ErrorCode.UNKNOWN
    data = accessory.verify(tlv_encode([(Tag.STATE, b"\3")]))
    assert data is not None
    with pytest.raises(PairingError):
        checked(data)
    broken = accessory.setup(b"\6")
    assert broken is not None
    assert tlv_decode(broken)[Tag.ERROR] == b"\2"


async def test_bad_exchange(accessory: Accessory, controller: Controller) -> None:
    m2 = accessory.setup(controller.setup_start())
    assert m2 is not None
    srp, m3 = controller.prove(m2, "0042")
    m4 = accessory.setup(m3)
    assert m4 is not None
    m5 = controller.exchange(srp, m4)
    data = accessory.setup(m5[:-1] + bytes((m5[-1] ^ 1,)))
    assert data is not None
    assert tlv_decode(data)[Tag.ERROR] == b"\2"


async def test_imposing_controller(desk: PairingDesk, controller: Controller) -> None:
    again = paired(desk, controller)
    thief = Controller()
    thief.device_id, thief.device_key = controller.device_id, controller.device_key
    with pytest.raises(PairingError):
        thief.verify(again.verify)
    assert again.shared_secret is None


async def test_transient(desk: PairingDesk, controller: Controller) -> None:
    accessory = desk.accessory("airplay")
    m2 = accessory.setup(controller.setup_start(transient=True))
    assert m2 is not None
    assert shown(desk) is None
    srp, m3 = controller.prove(m2, "3939")
    m4 = accessory.setup(m3)
    assert m4 is not None
    assert checked(m4)[Tag.PROOF] == srp.expected
    assert accessory.is_transient
    assert accessory.shared_secret == srp.key
    m6 = accessory.setup(controller.exchange(srp, m4))
    assert m6 is not None
    with pytest.raises(PairingError):
        checked(m6)


async def test_no_pin_for_the_nameless(
    desk: PairingDesk, controller: Controller
) -> None:
    desk.needs_client_name = True
    accessory = desk.accessory("airplay")
    assert not accessory.start_pin()
    desk.pin = "none"  # nobody can guess it
    with pytest.raises(PairingError):
        controller.pair(accessory.setup, "none")
    desk.pin = "0042"
    assert accessory.start_pin("Script")
    controller.pair(accessory.setup, "0042")


# AirPlay 1


class LegacyScript:
    """The controller's side of AirPlay 1."""

    def __init__(self) -> None:
        self.controller = Controller()
        self.user = "75FBEEC773CFC563"
        self.device_key = b""

    def pair(self, accessory: LegacyAccessory, pin: str) -> None:
        answer = accessory.setup({"method": "pin", "user": self.user})
        srp = SrpClient(LEGACY, self.user)
        proof = srp.prove(pin, answer["salt"], answer["pk"])
        answer = accessory.setup({"pk": srp.public, "proof": proof})
        assert answer["proof"] == srp.expected
        key = derive("Pair-Setup-AES-Key", srp.key)
        start = int.from_bytes(derive("Pair-Setup-AES-IV", srp.key))
        ivs = [((start + n) % (1 << 128)).to_bytes(16) for n in (1, 2)]
        sealed = Cipher(AES(key), GCM(ivs[0])).encryptor()
        public = sealed.update(self.controller.public) + sealed.finalize()
        answer = accessory.setup({"epk": public, "authTag": sealed.tag})
        opened = Cipher(AES(key), GCM(ivs[1], answer["authTag"])).decryptor()
        self.device_key = opened.update(answer["epk"]) + opened.finalize()

    def verify(self, accessory: LegacyAccessory) -> None:
        private = X25519PrivateKey.generate()
        ours = private.public_key().public_bytes_raw()
        answer = accessory.verify(b"\1\0\0\0" + ours + self.controller.public)
        assert answer is not None
        theirs = answer[:32]
        shared = private.exchange(X25519PublicKey.from_public_bytes(theirs))
        stream = Cipher(
            AES(derive("Pair-Verify-AES-Key", shared)),
            CTR(derive("Pair-Verify-AES-IV", shared)),
        ).encryptor()
        signature = stream.update(answer[32:])
        public = Ed25519PublicKey.from_public_bytes(self.device_key)
        public.verify(signature, theirs + ours)
        sealed = stream.update(self.controller.key.sign(ours + theirs))
        assert accessory.verify(bytes(4) + sealed) == b""


def derive(salt: str, secret: bytes) -> bytes:
    return hashlib.sha512(salt.encode() + secret).digest()[:16]


async def test_legacy(desk: PairingDesk) -> None:
    script = LegacyScript()
    accessory = LegacyAccessory(desk)
    assert accessory.start_pin()
    script.pair(accessory, "0042")
    assert shown(desk) is None
    script.verify(accessory)
    assert accessory.is_verified
    desk.unpair()
    with pytest.raises(Refusal):
        script.verify(LegacyAccessory(desk))


async def test_legacy_refusals(desk: PairingDesk) -> None:
    script = LegacyScript()
    accessory = LegacyAccessory(desk)
    with pytest.raises(Refusal) as caught:
        script.pair(accessory, "9999")
    assert caught.value.code == ErrorCode.AUTHENTICATION
    desk.wrong_proof = True
    with pytest.raises(AssertionError):
        script.pair(accessory, "0042")
    desk.wrong_proof = False
    for body in ({"user": "x"}, {"epk": b""}, {"proof": b""}):
        with pytest.raises(Refusal):
            accessory.setup(body)
    for data in (b"", bytes(68), b"\1\0\0\0" + bytes(64)):
        with pytest.raises(Refusal):
            accessory.verify(data)
    desk.errors = {("setup", 2): 7}
    with pytest.raises(Refusal) as caught:
        script.pair(accessory, "0042")
    assert caught.value.code == ErrorCode.BUSY


async def test_legacy_bad_exchange(desk: PairingDesk) -> None:
    accessory = LegacyAccessory(desk)
    answer = accessory.setup({"method": "pin", "user": "0" * 16})
    srp = SrpClient(LEGACY, "0" * 16)
    proof = srp.prove("0042", answer["salt"], answer["pk"])
    accessory.setup({"pk": srp.public, "proof": proof})
    with pytest.raises(Refusal):
        accessory.setup({"epk": bytes(32), "authTag": bytes(16)})
    answer = accessory.setup({"method": "pin", "user": "0" * 16})
    with pytest.raises(Refusal):
        accessory.setup({"pk": srp.public, "proof": 5})


async def test_legacy_impostor(desk: PairingDesk) -> None:
    script = LegacyScript()
    desk.undecryptable = {("setup", 6)}
    script.pair(LegacyAccessory(desk), "0042")
    with pytest.raises(InvalidSignature):
        script.verify(LegacyAccessory(desk))
