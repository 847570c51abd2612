"""Adding a lobby behind TLS, or at a path: real handshakes, and what is wrong with them."""

from collections.abc import AsyncIterator, Mapping
import json
import ssl
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from ..common import go, shown
from .flowing import (
    PASSWORD,
    WATCHER,
    WATCHER_ID,
    add_entry,
    assert_form,
    begin,
    data_of,
    keep_entries_quiet,
    look_at,
    stored,
    submit,
    suggested,
)
from custom_components.rumpus.families.faf.store import Secrets
from custom_components.rumpus.protocols.faf.login import hash_password
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_tls import FakeAuthority, self_signed

pytestmark = pytest.mark.usefixtures(
    "mock_async_zeroconf", "socket_enabled", "trusting"
)

HOST = "127.0.0.1"


@pytest.fixture(autouse=True)
def only_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_entries_quiet(monkeypatch)


@pytest.fixture
def certificate(authority: FakeAuthority) -> ssl.SSLContext:
    """What the lobby has until a test gives it something else."""
    return authority.server(HOST)


@pytest.fixture
async def lobby(
    hass: HomeAssistant, socket_enabled: None, certificate: ssl.SSLContext
) -> AsyncIterator[FakeLobby]:
    fake = FakeLobby()
    fake.tls, fake.websocket_path = certificate, "/lobby"
    async with fake:
        fake.add_account(WATCHER, password=PASSWORD, id=WATCHER_ID)
        yield fake


def place_of(lobby: FakeLobby, **more: object) -> dict[str, Any]:
    """Return what a user types into the fields, with those that are folded away."""
    return {
        "host": HOST,
        "framing": "websocket",
        "port": lobby.websocket_port,
        "more_options": {"ssl": True, "verify_ssl": True, "path": "/lobby", **more},
    }


def entry_of(lobby: FakeLobby, **changes: object) -> dict[str, Any]:
    """Return the data of the entry for the secure lobby."""
    return data_of(lobby, "websocket", **{"ssl": True, "path": "/lobby"} | changes)


async def assert_goes_on(
    hass: HomeAssistant, result: Any, lobby: FakeLobby, **place: object
) -> None:
    """Make sure that the form leads on to an entry."""
    result = await submit(hass, result, **{**place_of(lobby), **place})
    assert result["step_id"] == "faf_account"
    result = await go(hass, result, next_step_id="faf_no_account")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_password(
    hass: HomeAssistant, lobby: FakeLobby, hass_storage: dict[str, Any]
) -> None:
    """Fields alone."""
    result = await begin(hass, "faf_own")
    assert not is_open(result)
    result = await submit(hass, result, **place_of(lobby))
    assert result["step_id"] == "faf_account"
    address = f"127.0.0.1:{lobby.websocket_port}/lobby"
    assert shown(result)["address"] == address
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == entry_of(lobby)
    unique_id = f"faf:{address}:{WATCHER_ID}"
    assert result["result"].unique_id == unique_id
    assert stored(hass_storage)[unique_id]["password_hash"] == hash_password(PASSWORD)
    assert lobby.seen("signed_in", login=WATCHER)


async def test_token_with_a_whole_address(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """The form is for other servers as it stands; the address says all that matters."""
    result = await look_at(hass, host=f" {lobby.url}", framing="json", port=8002)
    assert result["step_id"] == "faf_account"
    result = await go(hass, result, next_step_id="faf_token")
    result = await submit(hass, result, token=lobby.token_for(WATCHER))

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == HOST
    assert result["data"] == entry_of(lobby, account="token")


def is_open(result: Any) -> bool:
    """Tell whether what is folded away by default can be seen."""
    part = result["data_schema"].schema["more_options"]
    return not part.options["collapsed"]


@pytest.mark.parametrize("kind", ["self-signed", "name", "date"])
async def test_certificate(
    hass: HomeAssistant, lobby: FakeLobby, authority: FakeAuthority, kind: str
) -> None:
    """It is told what is wrong; who knows better may go on."""
    certificates: Mapping[str, tuple[ssl.SSLContext, str]] = {
        "self-signed": (self_signed(HOST), "faf_certificate_issuer"),
        "name": (authority.server("lobby.example"), "faf_certificate_name"),
        "date": (authority.server(HOST, is_expired=True), "faf_certificate_date"),
    }
    lobby.tls, key = certificates[kind]
    await lobby.restart()
    result = await look_at(hass, **place_of(lobby))
    assert_form(result, "faf_own", key)
    assert shown(result)["address"] == f"127.0.0.1:{lobby.websocket_port}/lobby"
    assert suggested(result) == place_of(lobby)
    assert is_open(result)
    assert lobby.seen("connected") == []

    result = await submit(hass, result, **place_of(lobby, verify_ssl=False))
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == entry_of(lobby, verify_ssl=False)


async def test_plain_where_tls_is_expected(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    lobby.tls = None
    await lobby.restart()
    result = await look_at(hass, **place_of(lobby))
    assert_form(result, "faf_own", "faf_no_tls")

    result = await submit(hass, result, **place_of(lobby, ssl=False))
    result = await go(hass, result, next_step_id="faf_no_account")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == data_of(
        lobby, "websocket", path="/lobby", account="none", login=None, player_id=None
    )


async def test_tls_where_plain_is_expected(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    result = await look_at(hass, **place_of(lobby, ssl=False))
    assert_form(result, "faf_own", "faf_no_websocket")
    assert is_open(result)
    await assert_goes_on(hass, result, lobby)


@pytest.mark.parametrize("path", ["", "/", "/lobby/", "/other", "/%6Cobby/.."])
async def test_another_path(hass: HomeAssistant, lobby: FakeLobby, path: str) -> None:
    result = await look_at(hass, **place_of(lobby, path=path))
    if ".." in path:
        assert result["errors"] == {"more_options": "faf_invalid_path"}
    else:
        assert_form(result, "faf_own", "faf_no_websocket")
    await assert_goes_on(hass, result, lobby)


async def test_path_that_has_to_be_encoded(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    lobby.websocket_path = "/b%C3%BCcher%20%2F1"
    await lobby.restart()
    result = await look_at(hass, **place_of(lobby, path="bücher %2f1"))
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == entry_of(lobby, path="/b%C3%BCcher%20%2F1")


async def test_only_for_websockets(hass: HomeAssistant, lobby: FakeLobby) -> None:
    result = await look_at(hass, **{**place_of(lobby), "framing": "json"})
    assert result["errors"] == {"framing": "faf_websocket_only"}
    assert suggested(result) == {**place_of(lobby), "framing": "json"}
    assert is_open(result)
    await assert_goes_on(hass, result, lobby)


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("wss://me:hunter2@127.0.0.1/lobby", "faf_address_login"),
        ("wss://127.0.0.1/lobby?token=hunter2", "faf_address_query"),
        ("wss://127.0.0.1/lobby#hunter2", "faf_address_query"),
    ],
)
async def test_secrets_in_an_address(
    hass: HomeAssistant,
    lobby: FakeLobby,
    caplog: pytest.LogCaptureFixture,
    hass_storage: dict[str, Any],
    host: str,
    key: str,
) -> None:
    """They are not even shown again."""
    caplog.set_level("DEBUG")
    result = await look_at(hass, **{**place_of(lobby), "host": host})
    assert result["errors"] == {"host": key}
    assert suggested(result) == {**place_of(lobby), "host": None}
    await assert_goes_on(hass, result, lobby)
    assert "hunter2" not in caplog.text
    assert "hunter2" not in json.dumps(hass_storage, default=str)


async def test_secrets_in_a_path(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """The field can be seen, and is empty."""
    place = place_of(lobby, ssl=False, path="/lobby?token=hunter2")
    result = await look_at(hass, **place)
    assert result["errors"] == {"more_options": "faf_address_query"}
    assert is_open(result)
    assert suggested(result)["more_options"]["path"] is None
    await assert_goes_on(hass, result, lobby)


async def test_unencrypted_address_though_tls_is_wanted(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    result = await look_at(hass, **{**place_of(lobby), "host": "ws://127.0.0.1"})
    assert result["errors"] == {"host": "faf_address_not_secure"}
    await assert_goes_on(hass, result, lobby)
    assert lobby.seen("refused_connection") == []


async def test_two_lobbies_behind_one_port(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """The same path is the same lobby, with TLS or without."""
    secrets = Secrets(password_hash="x")
    await add_entry(hass, entry_of(lobby, path="/other"), secrets)
    result = await look_at(hass, **place_of(lobby))
    result = await go(hass, result, next_step_id="faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY

    result = await look_at(hass, **place_of(lobby, verify_ssl=False))
    result = await go(hass, result, next_step_id="faf_token")
    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
