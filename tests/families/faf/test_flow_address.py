"""The form of an address, field by field, and what stands in it again."""

from typing import Any

import pytest

from homeassistant.core import HomeAssistant

from custom_components.rumpus.families.faf.const import AccountKind, ServerKind
from custom_components.rumpus.families.faf.data import LobbyData
from custom_components.rumpus.families.faf.flow_address import (
    Place,
    PlaceError,
    known_values,
    read_place,
    typed_values,
)
from custom_components.rumpus.families.faf.link import create_connector
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.faf.transports import Framing
from custom_components.rumpus.protocols.faf.websocket import WebSocketConnector

TLS = {"ssl": True, "verify_ssl": True}


def form(host: str, framing: str = "websocket", **fields: Any) -> dict[str, Any]:
    """Return what a user types; `more` is what is folded away."""
    more = fields.pop("more", None)
    values = {"host": host, "framing": framing, **fields}
    return values if more is None else {**values, "more_options": more}


def place(**facts: Any) -> Place:
    """Return a plain lobby at the usual port, but for some facts."""
    usual: dict[str, Any] = {
        "host": "lobby",
        "port": 8003,
        "framing": Framing.WEBSOCKET,
        "is_secure": False,
        "verify_certificate": True,
        "path": "/",
    }
    return Place(**usual | facts)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (form("lobby"), place()),
        (form("lobby", port=1.0), place(port=1)),
        (form("lobby", "json"), place(port=8002, framing=Framing.JSON)),
        (form("lobby:99", "json"), place(port=99, framing=Framing.JSON)),
        (form("lobby/", "json"), place(port=8002, framing=Framing.JSON)),
        (form("lobby", more=TLS), place(port=443, is_secure=True)),
        (form("lobby", port=9, more=TLS), place(port=9, is_secure=True)),
        (
            form("lobby", more={"ssl": True, "verify_ssl": False, "path": "a b"}),
            place(port=443, is_secure=True, verify_certificate=False, path="/a%20b"),
        ),
        # Without TLS there is nothing to check, nor to remember.
        (form("lobby", more={"ssl": False, "verify_ssl": False}), place()),
        (form("lobby", more={"path": "/ws"}), place(path="/ws")),
        # What is pasted counts for what it names...
        (
            form("wss://lobby:8443/ws", "json", port=1, more={"path": "/other"}),
            place(port=8443, is_secure=True, path="/ws"),
        ),
        (form("ws://lobby", "qdatastream"), place()),
        (form("wss://lobby/", more={"path": "/x"}), place(port=443, is_secure=True)),
        # ...and the other fields for the rest.
        (
            form("wss://lobby", port=8003, more={"path": "/x", "verify_ssl": False}),
            place(is_secure=True, verify_certificate=False, path="/x"),
        ),
        (form("lobby/ws", more=TLS), place(port=443, is_secure=True, path="/ws")),
        (form("[::1]:5"), place(host="::1", port=5)),
    ],
)
def test_places(typed: dict[str, Any], found: Place) -> None:
    assert read_place(typed) == found


@pytest.mark.parametrize(
    ("typed", "field", "key"),
    [
        (form("a b"), "host", "faf_invalid_host"),
        (form("https://lobby"), "host", "faf_invalid_scheme"),
        (form("me:secret@lobby"), "host", "faf_address_login"),
        (form("lobby?secret"), "host", "faf_address_query"),
        (form("lobby/.."), "host", "faf_invalid_path"),
        (
            form("lobby", more={"path": "/x?secret"}),
            "more_options",
            "faf_address_query",
        ),
        (form("lobby", more={"path": ".."}), "more_options", "faf_invalid_path"),
        (form("lobby", "json", more=TLS), "framing", "faf_websocket_only"),
        (form("lobby/x", "qdatastream"), "framing", "faf_websocket_only"),
        (
            form("lobby", "qdatastream", more={"path": "x"}),
            "framing",
            "faf_websocket_only",
        ),
        # Nobody loses TLS that was asked for.
        (form("ws://lobby", more=TLS), "host", "faf_address_not_secure"),
    ],
)
def test_no_places(typed: dict[str, Any], field: str, key: str) -> None:
    with pytest.raises(PlaceError) as raised:
        read_place(typed)
    assert (raised.value.field, raised.value.key) == (field, key)
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert "secret" not in str(typed_values(typed))


def test_typed_again() -> None:
    """What holds no secret need not be typed anew, and what was given stays as it is."""
    typed = form("a b", port=5, more={"ssl": True, "path": "/x"})
    assert typed_values(typed) == typed
    typed = form("me:secret@lobby", port=5, more={"ssl": True, "path": "/x?secret"})
    assert typed_values(typed) == {
        "framing": "websocket",
        "port": 5,
        "more_options": {"ssl": True},
    }
    assert typed["more_options"]["path"] == "/x?secret"


def _lobby(found: Place) -> LobbyData:
    return LobbyData(
        server=ServerKind.OWN,
        account=AccountKind.NONE,
        host=found.host,
        port=found.port,
        framing=found.framing,
        is_secure=found.is_secure,
        verify_certificate=found.verify_certificate,
        path=found.path,
    )


@pytest.mark.parametrize(
    "found",
    [
        place(),
        place(framing=Framing.JSON, port=1),
        place(host="::1", path="/a%2Fb"),
        place(is_secure=True, verify_certificate=False),
        place(is_secure=True, path="/x"),
    ],
)
def test_known(found: Place) -> None:
    """What stands in the form says where the lobby is."""
    values = known_values(_lobby(found))
    assert read_place(values) == found
    assert ("more_options" in values) is (found.is_secure or found.path != "/")


def test_unknown() -> None:
    assert (
        known_values(LobbyData(server=ServerKind.OWN, account=AccountKind.NONE)) == {}
    )


@pytest.mark.parametrize(
    ("found", "url"),
    [
        (place(), "ws://lobby:8003/"),
        (place(is_secure=True, port=443), "wss://lobby:443/"),
        (place(host="::1", path="/a%20b%2F"), "ws://[::1]:8003/a%20b%2F"),
        (place(host="bücher.example"), "ws://xn--bcher-kva.example:8003/"),
        (place(host="a..ü"), "ws://a..ü:8003/"),
    ],
)
async def test_urls(hass: HomeAssistant, found: Place, url: str) -> None:
    """The path goes to the server as it is, names as they are looked up."""
    connector = create_connector(hass, _lobby(found), None)
    assert isinstance(connector, WebSocketConnector)
    assert connector._url == url
    assert connector._allow_plain is not found.is_secure


async def test_no_name(hass: HomeAssistant) -> None:
    """What can never be looked up is an error like others."""
    connector = create_connector(hass, _lobby(place(host="a..ü")), None)
    with pytest.raises(ProtocolError):
        await connector.connect()
