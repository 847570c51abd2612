"""What we say about ourselves."""

import pytest

from custom_components.rumpus.protocols.apple.identity import MAX_TEXT, ClientIdentity
from custom_components.rumpus.protocols.errors import ProtocolError


def test_every_one_has_ids_of_its_own() -> None:
    first, second = ClientIdentity.create("Rumpus"), ClientIdentity.create("Rumpus")
    for name in ("mac", "device_id", "rp_id", "mrp_id"):
        assert getattr(first, name) != getattr(second, name)
    assert first.name == "Rumpus"
    assert first.mrp_id == first.mrp_id.upper()
    assert len(bytes.fromhex(first.rp_id)) == 6
    for text in (first.mac, first.device_id):
        start = bytes.fromhex(text.replace(":", ""))[0]
        assert start & 0b11 == 0b10  # of nobody, and for one


def test_it_is_the_same_after_it_was_stored() -> None:
    identity = ClientIdentity.create("Wohnzimmer ☃")
    assert ClientIdentity.from_dict(identity.to_dict()) == identity


def test_ids_are_not_shown_in_words() -> None:
    identity = ClientIdentity.create("Rumpus")
    for text in (identity.mac, identity.device_id, identity.rp_id, identity.mrp_id):
        assert text not in repr(identity)


@pytest.mark.parametrize("value", [None, 1, "", "x" * (MAX_TEXT + 1)])
def test_what_was_stored_may_be_damaged(value: object) -> None:
    stored: dict[str, object] = dict(ClientIdentity.create("Rumpus").to_dict())
    stored["rp_id"] = value
    with pytest.raises(ProtocolError, match="rp_id"):
        ClientIdentity.from_dict(stored)
    del stored["rp_id"]
    with pytest.raises(ProtocolError, match="rp_id"):
        ClientIdentity.from_dict(stored)


def test_the_longest_text_is_fine() -> None:
    stored = ClientIdentity.create("x" * MAX_TEXT).to_dict()
    assert ClientIdentity.from_dict(stored).name == "x" * MAX_TEXT
