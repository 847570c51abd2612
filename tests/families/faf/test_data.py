"""A lobby as the data of an entry, and the options."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.rumpus.families.faf.const import (
    MAX_LOGIN,
    AccountKind,
    ServerKind,
)
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.options import (
    MAX_FOLLOWED,
    FafOptions,
    player_key,
)
from custom_components.rumpus.protocols.faf.transports import Framing

OFFICIAL = LobbyData(
    server=ServerKind.OFFICIAL,
    account=AccountKind.OAUTH,
    login="ha_user",
    player_id=9001,
    implementation="rumpus_abc",
)
OWN = LobbyData(
    server=ServerKind.OWN,
    account=AccountKind.PASSWORD,
    name="lobby.example",
    host="lobby.example",
    port=8002,
    framing=Framing.JSON,
    login="ha_user",
    player_id=9001,
)
STATUS = LobbyData(
    server=ServerKind.OWN,
    account=AccountKind.NONE,
    name="lobby.example",
    host="lobby.example",
    port=8003,
    framing=Framing.WEBSOCKET,
)
SECURE = replace(
    STATUS, is_secure=True, verify_certificate=False, path="/a%20b", port=443
)


@pytest.mark.parametrize("data", [OFFICIAL, OWN, STATUS, SECURE])
def test_as_an_entry(data: LobbyData) -> None:
    """What an entry has is what is read of it."""
    stored = data.to_entry()
    assert stored["family"] == "faf"
    assert None not in stored.values()
    # As it is in the file of the entries.
    plain: dict[str, Any] = {
        key: str(value) if isinstance(value, str) else value
        for key, value in stored.items()
    }
    assert LobbyData.from_entry(plain) == data


@pytest.mark.parametrize(
    ("data", "unique_id", "is_status_only"),
    [
        (OFFICIAL, "faf:faforever.com:9001", True),
        (OWN, "faf:lobby.example:8002:9001", False),
        (STATUS, "faf:lobby.example:8003:status", True),
        (SECURE, "faf:lobby.example:443/a%20b:status", True),
    ],
)
def test_unique_id(data: LobbyData, unique_id: str, is_status_only: bool) -> None:
    """A lobby and an account make an entry; without a proof nobody signs in."""
    assert data.unique_id == unique_id
    assert data.is_status_only is is_status_only


def test_entry_of_before() -> None:
    """Entries know TLS and paths only where there are any, and stay who they are."""
    before = {
        "family": "faf",
        "server": "own",
        "account": "password",
        "name": "lobby.example",
        "host": "lobby.example",
        "port": 8003,
        "framing": "websocket",
        "login": "ha_user",
        "player_id": 9001,
    }
    data = LobbyData.from_entry(before)
    assert (data.is_secure, data.verify_certificate, data.path) == (False, True, "/")
    assert data.to_entry() == before
    assert data.unique_id == "faf:lobby.example:8003:9001"
    assert SECURE.to_entry().items() >= {
        ("ssl", True),
        ("verify_ssl", False),
        ("path", "/a%20b"),
    }


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"is_secure": True, "verify_certificate": False}, True),
        ({"port": 443, "framing": Framing.WEBSOCKET, "is_secure": True}, True),
        ({"player_id": 9002}, True),  # at the same door: another account there
        ({"port": 8003, "player_id": 9002}, False),
        ({"path": "/other"}, False),
        ({"path": "/other", "port": 443}, False),
        ({"host": "lobby2.example"}, False),
    ],
)
def test_players_of(changes: dict[str, Any], is_same: bool) -> None:
    """Behind another path there may be another server, with other players."""
    assert replace(OWN, **changes).has_players_of(OWN) is is_same
    assert OWN.has_players_of(replace(OWN, **changes)) is is_same


def test_helper() -> None:
    """With something that makes the proof we sign in to the official lobby."""
    data = LobbyData(
        server=ServerKind.OFFICIAL, account=AccountKind.OAUTH, helper="/config/faf-uid"
    )
    assert not data.is_status_only
    # Nobody knows yet whose account it is.
    assert data.unique_id == "faf:faforever.com:status"


def test_options() -> None:
    """Players are followed by what they were called, whatever the case."""
    options = FafOptions.from_entry({"players": ["Rhiza", " rhiza ", "", "Dostya"]})
    assert options.players == {"rhiza": "Rhiza", "dostya": "Dostya"}
    assert FafOptions.from_entry({}).players == {}
    assert player_key(" Rhiza") == "rhiza"


def test_max_followed() -> None:
    """Of too many players the first ones are followed."""
    players = [f"player{number}" for number in range(MAX_FOLLOWED + 1)]
    assert len(FafOptions.from_entry({"players": players}).players) == MAX_FOLLOWED


def test_max_login() -> None:
    """Of too long a login the beginning is looked at."""
    options = FafOptions.from_entry({"players": ["x" * (MAX_LOGIN + 1)]})
    assert list(options.players) == ["x" * MAX_LOGIN]
