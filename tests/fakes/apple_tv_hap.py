"""The accessory's side of pairing, for all protocols of the fake Apple TV.

The Apple TV reference, part A, sections 2.4 to 2.6. A connection asks the desk of its
device for an `Accessory`, hands it the TLV8 bytes that came, and sends what it returns::

    accessory = core.desk.accessory("companion")
    answer = accessory.setup(data)  # or .verify(data); None: answer nothing
    if accessory.shared_secret is not None: ...  # encrypt from here on
    accessory.close()  # when the connection is lost

`setup` covers pairing with a PIN (M1 to M6) and transient pairing (M1 to M4). After
`verify` or a transient pairing ended well, `shared_secret` is what keys are derived from.
"""

from collections.abc import Callable
from dataclasses import dataclass
import math
import secrets
import time
from typing import TYPE_CHECKING, Literal
import uuid

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from tests.fakes.apple_tv_crypto import (
    ErrorCode,
    Tag,
    WireError,
    hkdf,
    seal,
    tlv_decode,
    tlv_encode,
    unseal,
)
from tests.fakes.apple_tv_opack import OpackValue, pack, unpack_dict
from tests.fakes.apple_tv_srp import HAP, SrpServer

if TYPE_CHECKING:
    from tests.fakes.apple_tv_events import EventLog

type Protocol = Literal["companion", "airplay", "mrp"]
type Procedure = Literal["setup", "verify"]
#: A message of ours: M2, M4, M6 of a setup; M2, M4 of a verification.
type Step = tuple[Procedure, int]

type _Items = dict[int, bytes]
type _Answer = list[tuple[int, bytes]]
type _Steps = dict[int, Callable[[_Items], _Answer]]

TRANSIENT_FLAG = 0x10
TRANSIENT_PIN = "3939"
MAX_BACK_OFF = 64.0


@dataclass(frozen=True, slots=True)
class Controller:
    """Somebody who is paired."""

    identifier: bytes
    public_key: bytes
    name: str | None = None


class Refusal(Exception):
    """An Error item is the answer."""

    def __init__(self, code: int, retry_delay: int | None = None) -> None:
        """Remember the code, and the seconds to wait."""
        super().__init__(code)
        self.code = code
        self.retry_delay = retry_delay


class PairingDesk:
    """Whom the device knows, and how it treats those who want to be known.

    Attributes are switches that may be changed at any time.
    """

    # What real devices do.
    max_pairings: int | None = None  # further ones get Error 4
    max_tries: int | None = None  # wrong PINs until Error 5, for good
    back_off = 0.0  # seconds after the first wrong PIN; doubles up to 64
    is_busy = False  # Error 7, as if somebody else were pairing
    is_unavailable = False  # Error 6
    is_stuck = False  # no PIN, and no PIN is right, until it is restarted
    is_pairing_allowed = True  # else Error 6: "only this home" and the like
    # Bad behaviour; a step is a message of ours, such as ("setup", 4).
    wrong_signature: set[Procedure]  # in M6, in M2 of a verification
    wrong_identifier: set[Procedure]
    wrong_proof = False  # in M4 of a setup
    wrong_state: set[Step]  # another number in the State item
    errors: dict[Step, int]  # an Error item instead
    silent: set[Step]  # no answer
    garbled: set[Step]  # bytes that are no TLV8
    undecryptable: set[Step]  # EncryptedData under another key

    def __init__(self, events: EventLog) -> None:
        """Make an identity; nobody is paired."""
        self.wrong_signature = set()
        self.wrong_identifier = set()
        self.wrong_state = set()
        self.errors = {}
        self.silent = set()
        self.garbled = set()
        self.undecryptable = set()
        self._events = events
        self.clock: Callable[[], float] = time.monotonic
        self.pin = "1234"  # what is shown when somebody pairs
        self.shown_pin: str | None = None
        self.needs_client_name = False  # tvOS 27: no PIN for the nameless
        self.facts: dict[str, OpackValue] = {}  # what M6 tells to Companion
        self.pairings: dict[Protocol, dict[bytes, Controller]] = {
            "companion": {},
            "airplay": {},
            "mrp": {},
        }
        self.tries = 0
        self._locked_until = 0.0
        self._holder: Holder | None = None
        self.new_identity()

    def new_identity(self) -> None:
        """Be another device, as after it was erased; pairings are gone."""
        self.identifier = str(uuid.uuid4()).upper().encode()
        self.key = Ed25519PrivateKey.generate()
        self.unpair()

    @property
    def public_key(self) -> bytes:
        """The long-term public key, as in the TXT entry `pk`."""
        return self.key.public_key().public_bytes_raw()

    def accessory(self, protocol: Protocol) -> Accessory:
        """Return the state of a new connection."""
        return Accessory(self, protocol)

    def unpair(self, protocol: Protocol | None = None) -> None:
        """Forget who was paired, as the device's settings can."""
        for name, known in self.pairings.items():
            if protocol in (None, name):
                known.clear()

    def restart(self) -> None:
        """Forget failures and the PIN on the screen."""
        self.is_stuck = False
        self.tries = 0
        self._locked_until = 0.0
        self._holder = None
        self.shown_pin = None

    def emit(self, kind: str, **data: object) -> None:
        """Tell what happened."""
        self._events.emit(kind, **data)

    # The following are for Accessory.

    def show_pin(self, holder: Holder) -> str:
        """Show the PIN, return the one that counts."""
        self._holder = holder
        is_airplay = holder.protocol == "airplay"
        is_nameless = is_airplay and not holder.client_name
        if self.is_stuck or (self.needs_client_name and is_nameless):
            self.shown_pin = None
            self.emit("pin_not_shown", protocol=holder.protocol)
            return f"{secrets.randbelow(10000):04}"
        if self.shown_pin is None:
            self.shown_pin = self.pin
            self.emit("pin_shown", protocol=holder.protocol, pin=self.pin)
        return self.shown_pin

    def release(self, holder: Holder) -> None:
        """Take the PIN off the screen if it is this one's."""
        if self._holder is not holder:
            return
        self._holder = None
        if self.shown_pin is not None:
            self.shown_pin = None
            self.emit("pin_hidden", protocol=holder.protocol)

    def admit(self, holder: Holder) -> None:
        """Let somebody begin to pair. Raises Refusal."""
        known = self.pairings[holder.protocol]
        if self.is_unavailable or not self.is_pairing_allowed:
            raise Refusal(ErrorCode.UNAVAILABLE)
        if self.is_busy or self._holder not in (None, holder):
            raise Refusal(ErrorCode.BUSY)
        if self.max_pairings is not None and len(known) >= self.max_pairings:
            raise Refusal(ErrorCode.MAX_PEERS)
        if self.max_tries is not None and self.tries >= self.max_tries:
            raise Refusal(ErrorCode.MAX_TRIES)
        remaining = self._locked_until - self.clock()
        if remaining > 0:
            raise Refusal(ErrorCode.BACK_OFF, math.ceil(remaining))

    def signing_key(self, procedure: Procedure) -> Ed25519PrivateKey:
        """Return our key, or another one if a test wants that."""
        if procedure in self.wrong_signature:
            return Ed25519PrivateKey.generate()
        return self.key

    def failed(self) -> None:
        """Count a wrong PIN."""
        self.tries += 1
        if self.back_off > 0:
            delay = min(self.back_off * 2 ** (self.tries - 1), MAX_BACK_OFF)
            self._locked_until = self.clock() + delay

    def paired(self, protocol: Protocol, controller: Controller) -> None:
        """Remember somebody."""
        self.tries = 0
        self.pairings[protocol][controller.identifier] = controller


class Holder:
    """Somebody for whom a PIN may be on the screen: one connection."""

    def __init__(self, desk: PairingDesk, protocol: Protocol) -> None:
        """Begin with nothing."""
        self.desk = desk
        self.protocol: Protocol = protocol
        self.controller: Controller | None = None  # verified, or just paired
        self.client_name: str | None = None  # X-Apple-Client-Name

    def start_pin(self, client_name: str | None = None) -> bool:
        """Show a PIN before M1, as AirPlay asks; return whether it is on the screen.

        `client_name` is the request's X-Apple-Client-Name.
        """
        self.client_name = client_name or self.client_name
        try:
            self.desk.admit(self)
        except Refusal:
            return False
        self.desk.show_pin(self)
        return self.desk.shown_pin is not None

    def close(self) -> None:
        """The connection is gone."""
        self.desk.release(self)


class Accessory(Holder):
    """Pairing and verification on one connection."""

    def __init__(self, desk: PairingDesk, protocol: Protocol) -> None:
        """Begin with nothing."""
        super().__init__(desk, protocol)
        self.shared_secret: bytes | None = None
        self.is_transient = False
        self._srp: SrpServer | None = None
        self._transient = False
        self._ours: bytes | None = None  # X25519 public keys of a verification
        self._theirs = b""
        self._secret = b""
        self._expected: dict[Procedure, int] = {"setup": 1, "verify": 1}

    def setup(self, data: bytes) -> bytes | None:
        """Take M1, M3 or M5, return M2, M4 or M6; None for no answer."""
        return self._run("setup", data, {1: self._salt, 3: self._prove, 5: self._pair})

    def verify(self, data: bytes) -> bytes | None:
        """Take M1 or M3, return M2 or M4; None for no answer."""
        return self._run("verify", data, {1: self._identify, 3: self._check})

    def _run(self, procedure: Procedure, data: bytes, steps: _Steps) -> bytes | None:
        desk = self.desk
        state = 0
        try:
            items = tlv_decode(data)
            state = int.from_bytes(items.get(Tag.STATE, b"\0"), "little")
            self._tell(f"{procedure}_m{state}")
            answer = self._answer(procedure, state, items, steps)
        except (Refusal, WireError, LookupError, ValueError) as error:
            return self._refused(procedure, state, error)
        step: Step = (procedure, state + 1)
        if step in desk.silent:
            return None
        if step in desk.garbled:
            return b"\x06\xff\x01"
        number = state + (3 if step in desk.wrong_state else 1)
        return tlv_encode([(Tag.STATE, bytes((number,))), *answer])

    def _answer(
        self, procedure: Procedure, state: int, items: _Items, steps: _Steps
    ) -> _Answer:
        if state not in steps or state not in (1, self._expected[procedure]):
            raise Refusal(ErrorCode.UNKNOWN)
        error = self.desk.errors.get((procedure, state + 1))
        if error is not None:
            raise Refusal(error)
        self._expected[procedure] = state + 2
        return steps[state](items)

    def _tell(self, kind: str, **data: object) -> None:
        self.desk.emit(kind, protocol=self.protocol, **data)

    def _refused(
        self, procedure: Procedure, state: int, error: Exception
    ) -> bytes | None:
        code, delay = int(ErrorCode.AUTHENTICATION), None
        if isinstance(error, Refusal):
            code, delay = error.code, error.retry_delay
        self._tell(f"{procedure}_refused", state=state + 1, code=code, why=str(error))
        self._expected[procedure] = 1
        if procedure == "setup":
            self._srp = None
            self.desk.release(self)
        if (procedure, state + 1) in self.desk.silent:
            return None
        items = [(Tag.STATE, bytes((state + 1,))), (Tag.ERROR, bytes((code,)))]
        if delay is not None:
            items.append((Tag.RETRY_DELAY, delay.to_bytes(1 + (delay > 255), "little")))
        return tlv_encode(items)

    # Setup

    def _salt(self, items: _Items) -> _Answer:
        flags = int.from_bytes(items.get(Tag.FLAGS, b""), "little")
        self._transient = bool(flags & TRANSIENT_FLAG) and self.protocol == "airplay"
        if self._transient:
            pin = TRANSIENT_PIN
        else:
            self.desk.admit(self)
            pin = self.desk.show_pin(self)
        self._srp = SrpServer(HAP, "Pair-Setup", pin)
        answer: _Answer = [
            (Tag.SALT, self._srp.salt),
            (Tag.PUBLIC_KEY, self._srp.public),
        ]
        if self.protocol == "companion":
            answer.append((Tag.UNKNOWN_1B, b"\x01"))
        return answer

    def _prove(self, items: _Items) -> _Answer:
        if self._srp is None:
            raise Refusal(ErrorCode.UNKNOWN)
        try:
            proof = self._srp.check(items[Tag.PUBLIC_KEY], items[Tag.PROOF])
        except WireError:
            self.desk.failed()
            raise
        if self.desk.wrong_proof:
            proof = bytes((proof[0] ^ 1,)) + proof[1:]
        if self._transient:
            self.is_transient = True
            self.shared_secret = self._srp.key
            self._tell("transient")
        return [(Tag.PROOF, proof)]

    def _pair(self, items: _Items) -> _Answer:
        if self._srp is None or self._srp.key is None or self._transient:
            raise Refusal(ErrorCode.UNKNOWN)
        secret = self._srp.key
        key = hkdf(secret, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
        inner = tlv_decode(unseal(key, "PS-Msg05", items[Tag.ENCRYPTED_DATA]))
        prefix = hkdf(
            secret, "Pair-Setup-Controller-Sign-Salt", "Pair-Setup-Controller-Sign-Info"
        )
        identifier, public = inner[Tag.IDENTIFIER], inner[Tag.PUBLIC_KEY]
        check_signature(public, inner[Tag.SIGNATURE], prefix + identifier + public)
        name = None
        if Tag.NAME in inner:
            told = unpack_dict(inner[Tag.NAME]).get("name")
            name = told if isinstance(told, str) else None
        self.controller = Controller(identifier, public, name)
        self.desk.paired(self.protocol, self.controller)
        self._tell("paired", identifier=identifier.decode(), name=name)
        self._srp = None
        self.desk.release(self)
        prefix = hkdf(
            secret, "Pair-Setup-Accessory-Sign-Salt", "Pair-Setup-Accessory-Sign-Info"
        )
        answer = self._identity("setup", prefix, self.desk.public_key)
        answer.append((Tag.PUBLIC_KEY, self.desk.public_key))
        if self.protocol == "companion" and self.desk.facts:
            answer.append((Tag.NAME, pack(self.desk.facts)))
        return [self._sealed(("setup", 6), key, "PS-Msg06", answer)]

    # Verification

    def _identify(self, items: _Items) -> _Answer:
        self._theirs = items[Tag.PUBLIC_KEY]
        private = X25519PrivateKey.generate()
        self._ours = private.public_key().public_bytes_raw()
        self._secret = private.exchange(X25519PublicKey.from_public_bytes(self._theirs))
        key = self._verify_key()
        answer = self._identity("verify", self._ours, self._theirs)
        sealed = self._sealed(("verify", 2), key, "PV-Msg02", answer)
        return [(Tag.PUBLIC_KEY, self._ours), sealed]

    def _check(self, items: _Items) -> _Answer:
        if self._ours is None:
            raise Refusal(ErrorCode.UNKNOWN)
        plain = unseal(self._verify_key(), "PV-Msg03", items[Tag.ENCRYPTED_DATA])
        inner = tlv_decode(plain)
        identifier = inner[Tag.IDENTIFIER]
        controller = self.desk.pairings[self.protocol].get(identifier)
        if controller is None:
            raise WireError("nobody who is paired")
        message = self._theirs + identifier + self._ours
        check_signature(controller.public_key, inner[Tag.SIGNATURE], message)
        self.controller = controller
        self.shared_secret = self._secret
        self._tell("verified", identifier=identifier.decode(errors="replace"))
        return []

    def _verify_key(self) -> bytes:
        return hkdf(
            self._secret, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info"
        )

    def _identity(self, procedure: Procedure, before: bytes, after: bytes) -> _Answer:
        desk = self.desk
        identifier = desk.identifier
        if procedure in desk.wrong_identifier:
            identifier = str(uuid.uuid4()).upper().encode()
        signature = desk.signing_key(procedure).sign(before + identifier + after)
        return [(Tag.IDENTIFIER, identifier), (Tag.SIGNATURE, signature)]

    def _sealed(
        self, step: Step, key: bytes, nonce: str, items: _Answer
    ) -> tuple[int, bytes]:
        if step in self.desk.undecryptable:
            key = secrets.token_bytes(32)
        return (Tag.ENCRYPTED_DATA, seal(key, nonce, tlv_encode(items)))


def check_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Raise WireError when a signature is not of the key's owner."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature as error:
        raise WireError("the signature is wrong") from error
