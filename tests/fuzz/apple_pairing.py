"""What a device says while it is paired with or verified, and what credentials are."""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from .mutation import Mutator
from custom_components.rumpus.protocols import plists
from custom_components.rumpus.protocols.airplay.legacy import LegacySetup, LegacyVerify
from custom_components.rumpus.protocols.errors import RumpusError
from custom_components.rumpus.protocols.hap import crypto, tlv8
from custom_components.rumpus.protocols.hap.credentials import (
    HapCredentials,
    LegacyCredentials,
    parse_credentials,
)
from custom_components.rumpus.protocols.hap.pair_setup import (
    PairSetup,
    TransientPairing,
)
from custom_components.rumpus.protocols.hap.pair_verify import PairVerify
from custom_components.rumpus.protocols.hap.tlv8 import Tag
from tests.protocols.airplay.vectors import LEGACY, LEGACY_PIN
from tests.protocols.hap.vectors import CREDENTIALS, PIN, SETUP, TLV8, VERIFY

OURS: Final = LegacyCredentials(LEGACY["client_id"], LEGACY["seed"])
M6: Final = tlv8.encode(
    [(Tag.STATE, b"\x06"), (Tag.ENCRYPTED_DATA, SETUP["m6_encrypted"])]
)
REFUSALS: Final = tuple(
    tlv8.encode(
        [(Tag.STATE, b"\x02"), (Tag.ERROR, bytes((code,))), (Tag.RETRY_DELAY, b"9")]
    )
    for code in range(10)
)


class PairingTargets:
    """Decoders of pairings of all kinds."""

    def __init__(self, mutator: Mutator) -> None:
        """Bring pairings to where each of their messages is expected."""
        self._mutator = mutator
        self._chance = mutator.chance
        self._setup = self._new_setup()
        self._setup.answer_salt(SETUP["m2"])
        self._setup.prove(PIN)
        self._setup.verify_proof(SETUP["m4"])
        self._transient = TransientPairing(srp_secret=SETUP["controller_seed"])
        self._transient.prove(SETUP["m2"])
        self._legacy = LegacySetup(OURS, srp_secret=OURS.seed)
        self._legacy.prove(LEGACY_PIN, LEGACY["answer_1"])
        self._legacy.exchange_keys({"proof": LEGACY["answer_2"]})
        credentials = parse_credentials(CREDENTIALS)
        if not isinstance(credentials, HapCredentials):
            raise TypeError("other credentials were expected")
        self._credentials = credentials
        self._tlv = [
            *(data for data, _ in TLV8),
            *REFUSALS,
            *(SETUP[name] for name in ("m1", "m2", "m3", "m4", "m6_inner")),
            *(VERIFY[name] for name in ("m1", "m2", "m2_inner", "m4")),
            M6,
        ]
        self._plists = [
            plists.dumps({"pk": LEGACY["answer_1"]["pk"], "salt": b"salt"}),
            plists.dumps({"proof": LEGACY["answer_2"]}),
            plists.dumps(dict(LEGACY["answer_3"])),
        ]
        self._texts = [CREDENTIALS.encode(), str(OURS).encode(), b"transient", b""]
        self._steps: tuple[Callable[[bytes], object], ...] = (
            lambda data: self._new_setup().answer_salt(data),
            self._setup.verify_proof,
            self._setup.finish,
            self._transient.finish,
            lambda data: PairVerify(self._credentials).finish(data),
        )

    def _new_setup(self) -> PairSetup:
        return PairSetup(
            name="Rumpus",
            client_id=SETUP["controller_id"],
            seed=SETUP["controller_seed"],
            srp_secret=SETUP["controller_seed"],
        )

    @property
    def corpus(self) -> list[bytes]:
        """Valid inputs."""
        return [*self._tlv, *self._plists]

    def tlv(self) -> bytes:
        """Return a broken list of tags."""
        return self._mutator.mutated(self._chance.choice(self._tlv))

    def numbers(self) -> bytes:
        """Return M2 with another salt and another number."""
        items = tlv8.decode(SETUP["m2"])
        for tag in (Tag.SALT, Tag.PUBLIC_KEY):
            if self._chance.random() < 0.5:
                items[tag] = self._mutator.mutated(items[tag])
        return tlv8.encode(items.items())

    def plist(self) -> bytes:
        """Return a broken answer of legacy pairing."""
        return self._mutator.mutated(self._chance.choice(self._plists))

    def text(self) -> bytes:
        """Return broken credentials."""
        return self._mutator.mutated(self._chance.choice(self._texts))

    def read_tlv(self, data: bytes) -> None:
        """Read tags, which are written again as they were read."""
        items = tlv8.decode(data)
        written = {tag: value for tag, value in items.items() if value}
        if tlv8.decode(tlv8.encode(items.items())) != written:
            raise AssertionError("encoded to something else")
        try:
            tlv8.raise_verify_error(items)
        finally:
            tlv8.raise_error(items)

    def read_step(self, data: bytes) -> None:
        """Take a message of a pairing at any of its steps."""
        self._chance.choice(self._steps)(data)

    def prove(self, data: bytes) -> None:
        """Compute with the numbers that a device sent: slow, as that is."""
        TransientPairing().prove(data)

    def finish(self, data: bytes) -> None:
        """Open what only the device itself can have encrypted."""
        inner = self._mutator.mutated(SETUP["m6_inner"])
        sealed = crypto.seal(SETUP["key"], "PS-Msg06", inner)
        m6 = tlv8.encode([(Tag.STATE, b"\x06"), (Tag.ENCRYPTED_DATA, sealed)])
        self._setup.finish(m6)
        if inner != SETUP["m6_inner"] and tlv8.decode(inner) != tlv8.decode(
            SETUP["m6_inner"]
        ):
            _same_identity(inner)

    def verify(self, data: bytes) -> None:
        """Let a device prove who it is, in the clear and inside of what it encrypted."""
        PairVerify(self._credentials).answer(data)
        raise AssertionError("a forged device came through")

    def verify_sealed(self, data: bytes) -> None:
        """Let somebody who can encrypt pretend to be the device."""
        verify = PairVerify(self._credentials, private_key=VERIFY["controller_private"])
        theirs = X25519PrivateKey.from_private_bytes(VERIFY["accessory_private"])
        sealed = crypto.seal(
            VERIFY["key"], "PV-Msg02", self._mutator.mutated(VERIFY["m2_inner"])
        )
        m2 = [
            (Tag.STATE, b"\x02"),
            (Tag.PUBLIC_KEY, theirs.public_key().public_bytes_raw()),
            (Tag.ENCRYPTED_DATA, sealed),
        ]
        verify.answer(tlv8.encode(m2))

    def read_legacy(self, data: bytes) -> None:
        """Take an answer of the old pairing."""
        answer = plists.loads_dict(data)
        for step in (self._legacy.exchange_keys, self._legacy.finish):
            try:
                step(answer)
            except RumpusError:
                continue

    def verify_legacy(self, data: bytes) -> None:
        """Let a device prove who it is in the old way."""
        LegacyVerify(OURS, private_key=OURS.seed).answer(
            self._mutator.mutated(LEGACY["verify_answer"])[: len(data) + 96]
        )

    def read_credentials(self, data: bytes) -> None:
        """Read credentials, which are written again as the same."""
        credentials = parse_credentials(data.decode(errors="replace"))
        if parse_credentials(str(credentials)) != credentials:
            raise AssertionError("written as something else")


def _same_identity(inner: bytes) -> None:
    """Make sure that nobody else's identity was taken: tags of no meaning may differ."""
    items, known = tlv8.decode(inner), tlv8.decode(SETUP["m6_inner"])
    for tag in (Tag.IDENTIFIER, Tag.PUBLIC_KEY, Tag.SIGNATURE):
        if items.get(tag) != known[tag]:
            raise AssertionError("a forged identity came through")
