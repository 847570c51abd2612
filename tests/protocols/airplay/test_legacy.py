"""Tests of pairing with the first Apple TVs, on what was recorded with a real one."""

import pytest

from . import vectors
from custom_components.rumpus.protocols import plists
from custom_components.rumpus.protocols.airplay import legacy
from custom_components.rumpus.protocols.airplay.legacy import LegacySetup, LegacyVerify
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.hap.credentials import LegacyCredentials
from custom_components.rumpus.protocols.hap.errors import (
    DecryptionError,
    IdentityError,
    PairingError,
    WrongPinError,
)

LEGACY = vectors.LEGACY
OURS = LegacyCredentials(LEGACY["client_id"], LEGACY["seed"])
PAIRED = LegacyCredentials(OURS.client_id, OURS.seed, LEGACY["device_public"])


def proven() -> LegacySetup:
    """Return the recorded pairing, after the PIN was proven."""
    setup = LegacySetup(OURS, srp_secret=OURS.seed)
    setup.prove(vectors.LEGACY_PIN, LEGACY["answer_1"])
    setup.exchange_keys({"proof": LEGACY["answer_2"]})
    return setup


def test_golden_setup() -> None:
    setup = LegacySetup(OURS, srp_secret=OURS.seed)
    assert plists.dumps(setup.start()) == LEGACY["request_1"]
    request = setup.prove(vectors.LEGACY_PIN, LEGACY["answer_1"])
    assert request == LEGACY["request_2"]
    assert setup._srp.key == LEGACY["session_key"]
    assert setup.exchange_keys({"proof": LEGACY["answer_2"]}) == LEGACY["request_3"]
    assert setup.finish(LEGACY["answer_3"]) == PAIRED


@pytest.mark.parametrize("credentials", [OURS, PAIRED])
def test_golden_verify(credentials: LegacyCredentials) -> None:
    verify = LegacyVerify(credentials, private_key=OURS.seed)
    assert verify.start() == LEGACY["verify_1"]
    assert verify.answer(LEGACY["verify_answer"]) == LEGACY["verify_2"]


def test_another_device() -> None:
    other = LegacyCredentials(OURS.client_id, OURS.seed, LEGACY["public"])
    verify = LegacyVerify(other, private_key=OURS.seed)
    with pytest.raises(IdentityError):
        verify.answer(LEGACY["verify_answer"])


@pytest.mark.parametrize("size", [0, 32, 95, 97])
def test_answers_of_wrong_sizes(size: int) -> None:
    with pytest.raises(ProtocolError):
        LegacyVerify(OURS).answer(bytes(size))


def test_a_key_that_everybody_can_use() -> None:
    with pytest.raises(ProtocolError):
        LegacyVerify(OURS).answer(bytes(96))


def test_wrong_proof() -> None:
    setup = LegacySetup(OURS, srp_secret=OURS.seed)
    setup.prove(vectors.LEGACY_PIN, LEGACY["answer_1"])
    with pytest.raises(IdentityError):
        setup.exchange_keys({"proof": bytes(20)})


def test_a_secret_is_good_for_one_pin() -> None:
    with pytest.raises(PairingError, match="already"):
        proven().prove(vectors.LEGACY_PIN, LEGACY["answer_1"])


def test_no_pin() -> None:
    with pytest.raises(WrongPinError):
        LegacySetup().prove("pin", LEGACY["answer_1"])


@pytest.mark.parametrize("key", ["pk", "salt"])
@pytest.mark.parametrize("value", [None, b"", "text"])
def test_answers_without_a_part(key: str, value: bytes | str | None) -> None:
    with pytest.raises(ProtocolError):
        LegacySetup().prove("1234", {**LEGACY["answer_1"], key: value})


@pytest.mark.parametrize("key", ["epk", "authTag"])
def test_a_damaged_key(key: str) -> None:
    for value in (bytes(len(LEGACY["answer_3"][key])), b"\1"):
        with pytest.raises(DecryptionError):
            proven().finish({**LEGACY["answer_3"], key: value})
    with pytest.raises(ProtocolError):
        proven().finish({})


def test_a_key_of_a_wrong_size() -> None:
    setup = proven()
    sealed = setup._cipher().encrypt(setup._nonce(2), bytes(31), None)
    with pytest.raises(ProtocolError, match="size"):
        setup.finish({"epk": sealed[:31], "authTag": sealed[31:]})


def test_a_nonce_that_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    setup = proven()
    monkeypatch.setattr(legacy, "_derive", lambda _name, _key: b"\0" * 14 + b"\7\xff")
    assert setup._nonce(1) == b"\0" * 14 + b"\x08\x00"
    monkeypatch.setattr(legacy, "_derive", lambda _name, _key: b"\xff" * 16)
    assert setup._nonce(2) == bytes(15) + b"\1"


def test_identities_differ() -> None:
    one, other = legacy.new_credentials(), legacy.new_credentials()
    assert one.client_id != other.client_id
    assert one.seed != other.seed
    assert LegacySetup().start()["user"] != LegacySetup().start()["user"]
