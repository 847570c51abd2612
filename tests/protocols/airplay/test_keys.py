"""Tests of the keys of a session's connections."""

import pytest

from custom_components.rumpus.protocols.airplay.keys import SessionKeys
from custom_components.rumpus.protocols.hap.crypto import ChannelCipher
from tests.protocols.hap import vectors

SEED = 15014746994705656022
WRITE = {
    "control": "Control-Write-Encryption-Key",
    "events": "Events-Read-Encryption-Key",
    "data": "DataStream-Output-Encryption-Key",
}
READ = {
    "control": "Control-Read-Encryption-Key",
    "events": "Events-Write-Encryption-Key",
    "data": "DataStream-Input-Encryption-Key",
}


def golden(secret: str, info: str) -> bytes:
    """Return a key of the vectors."""
    (key,) = [
        vector["key"]
        for vector in vectors.KEYS
        if (vector["secret"], vector["info"]) == (secret, info)
    ]
    return bytes.fromhex(key)


@pytest.mark.parametrize("secret", ["shared", "srp"])
@pytest.mark.parametrize("channel", ["control", "events", "data"])
def test_golden(secret: str, channel: str) -> None:
    keys = SessionKeys(vectors.SECRETS[secret])
    ciphers = {
        "control": keys.control(),
        "events": keys.events(),
        "data": keys.data(SEED),
    }
    ours = ciphers[channel]
    theirs = ChannelCipher(
        golden(secret, READ[channel]), golden(secret, WRITE[channel])
    )
    assert theirs.decrypt(ours.encrypt(b"out")) == b"out"
    assert ours.decrypt(theirs.encrypt(b"in")) == b"in"


def test_secrets_are_not_shown() -> None:
    assert repr(SessionKeys(b"secret")) == "SessionKeys()"
