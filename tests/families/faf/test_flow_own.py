"""Adding a lobby on a server of one's own: real connections, every way to sign in."""

import asyncio
from collections.abc import AsyncIterator
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow

from ..common import PATIENCE, flows, go, look, shown
from .flowing import (
    PASSWORD,
    PROOF,
    PROVE,
    WATCHER,
    WATCHER_ID,
    add_entry,
    assert_form,
    begin,
    choose_account,
    data_of,
    hurry,
    keep_entries_quiet,
    look_at,
    place_of,
    stored,
    submit,
    suggested,
    write_helper,
)
from custom_components.rumpus.families.faf.store import Secrets, async_get_store
from custom_components.rumpus.protocols.faf.login import hash_password
from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_lobby import FakeLobby

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf", "socket_enabled")


@pytest.fixture(autouse=True)
def only_the_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_entries_quiet(monkeypatch)


@pytest.fixture
async def lobby(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[FakeLobby]:
    async with FakeLobby() as fake:
        fake.add_account(WATCHER, password=PASSWORD, id=WATCHER_ID)
        yield fake


@pytest.fixture
def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder that Home Assistant may use."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path


# Every way to sign in


@pytest.mark.parametrize("framing", ["websocket", "json", "qdatastream"])
async def test_password(
    hass: HomeAssistant,
    lobby: FakeLobby,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    framing: str,
) -> None:
    """What is secret is in the private file alone, and the password nowhere."""
    caplog.set_level("DEBUG")
    result = await choose_account(hass, lobby, "faf_password", framing)
    assert_form(result, "faf_password")
    result = await submit(hass, result, login=f" {WATCHER} ", password=PASSWORD)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "127.0.0.1"
    assert result["description"] == "faf_lobby"
    assert result["data"] == data_of(lobby, framing)
    port = lobby.port_of(framing)
    unique_id = f"faf:127.0.0.1:{port}:{WATCHER_ID}"
    assert result["result"].unique_id == unique_id
    assert stored(hass_storage)[unique_id]["password_hash"] == hash_password(PASSWORD)
    assert PASSWORD not in json.dumps(hass_storage["rumpus.faf"])
    own = "\n".join(one.getMessage() for one in caplog.records if "faf" in one.name)
    assert PASSWORD not in own
    assert hash_password(PASSWORD) not in own


@pytest.mark.parametrize("framing", ["websocket", "json", "qdatastream"])
async def test_token(
    hass: HomeAssistant,
    lobby: FakeLobby,
    hass_storage: dict[str, Any],
    framing: str,
) -> None:
    token = lobby.token_for(WATCHER)
    result = await choose_account(hass, lobby, "faf_token", framing)
    assert_form(result, "faf_token")
    result = await submit(hass, result, token=f"\n{token} ")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == data_of(lobby, framing, account="token")
    assert token not in json.dumps(dict(result["data"]))
    assert stored(hass_storage)[str(result["result"].unique_id)]["token"] == token


async def test_no_account(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Nobody signs in, but that there is a lobby is sure."""
    result = await choose_account(hass, lobby, "faf_no_account")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["description"] == "faf_status_only"
    assert result["data"] == data_of(lobby, account="none", login=None, player_id=None)
    unique_id = result["result"].unique_id
    assert unique_id == f"faf:127.0.0.1:{lobby.json_port}:status"
    assert lobby.seen("received", command="ask_session")
    assert lobby.seen("signed_in") == []


async def test_usual_port(hass: HomeAssistant, socket_enabled: None) -> None:
    """An empty field stands for the port that the kind of connection has."""
    async with FakeLobby(json_port=0) as lobby:
        lobby.add_account(WATCHER, password=PASSWORD, id=WATCHER_ID)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(
                "custom_components.rumpus.families.faf.flow_address.DEFAULT_PORTS",
                {"json": lobby.json_port},
            )
            result = await look_at(hass, host="127.0.0.1", framing="json")
        result = await go(hass, result, next_step_id="faf_no_account")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["port"] == lobby.json_port


async def test_helper(hass: HomeAssistant, lobby: FakeLobby, folder: Path) -> None:
    """A server may want the machine proof, which a program makes for its session."""
    lobby.proof_check = lambda session, proof: proof == PROOF(session)
    path = await hass.async_add_executor_job(write_helper, folder, PROVE)
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_form(result, "faf_password", "faf_proof_wanted")

    result = await submit(
        hass, result, login=WATCHER, password=PASSWORD, helper=f" {path} "
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == data_of(lobby, helper=str(path))


# What can be wrong with an address


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "a b",
        "lobby:port",
        "lobby:70000",
        "[::1",
        "::g",
        "x" * 254,
    ],
)
async def test_no_address(hass: HomeAssistant, lobby: FakeLobby, host: str) -> None:
    result = await begin(hass, "faf_own")
    assert_form(result, "faf_own")
    result = await submit(hass, result, host=host, framing="json")
    assert result["errors"] == {"host": "faf_invalid_host"}

    result = await submit(hass, result, **place_of(lobby))
    result = await go(hass, result, next_step_id="faf_no_account")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("framing", ["websocket", "json", "qdatastream"])
async def test_unreachable(hass: HomeAssistant, lobby: FakeLobby, framing: str) -> None:
    place = place_of(lobby, framing)
    await lobby.stop()
    result = await look_at(hass, **place)
    assert_form(result, "faf_own", "faf_unreachable")
    assert shown(result)["address"] == f"127.0.0.1:{place['port']}"
    assert suggested(result) == place

    await lobby.start()
    result = await submit(hass, result, **place)
    result = await go(hass, result, next_step_id="faf_no_account")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def _still(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say nothing to whoever connects."""
    while await reader.read(4096):
        pass
    writer.close()


async def _chatty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say what is no message in any framing."""
    writer.write(b"\x00\x00\x00\x06\xff\xff\xff\xff\xff\xffSSH-2.0-OpenSSH_9.2\r\n")
    await _still(reader, writer)


@pytest.mark.parametrize(
    ("framing", "problem"),
    [
        # A WebSocket is there only when the other side has agreed.
        ("websocket", "faf_no_answer"),
        ("json", "faf_silent"),
        ("qdatastream", "faf_silent"),
    ],
)
async def test_silence(
    hass: HomeAssistant,
    lobby: FakeLobby,
    monkeypatch: pytest.MonkeyPatch,
    framing: str,
    problem: str,
) -> None:
    server = await asyncio.start_server(_still, "127.0.0.1", 0)
    with monkeypatch.context() as patch:
        hurry(patch)
        result = await look_at(
            hass,
            host="127.0.0.1",
            framing=framing,
            port=server.sockets[0].getsockname()[1],
        )
    server.close()
    server.close_clients()
    await server.wait_closed()
    assert_form(result, "faf_own", problem)

    result = await submit(hass, result, **place_of(lobby, framing))
    assert result["step_id"] == "faf_account"


@pytest.mark.parametrize(
    ("framing", "problem"),
    [
        ("websocket", "faf_no_websocket"),
        ("json", "faf_not_a_lobby"),
        ("qdatastream", "faf_not_a_lobby"),
    ],
)
async def test_no_lobby(
    hass: HomeAssistant, lobby: FakeLobby, framing: str, problem: str
) -> None:
    server = await asyncio.start_server(_chatty, "127.0.0.1", 0)
    result = await look_at(
        hass,
        host="127.0.0.1",
        framing=framing,
        port=server.sockets[0].getsockname()[1],
    )
    server.close()
    server.close_clients()
    await server.wait_closed()
    assert_form(result, "faf_own", problem)

    result = await submit(hass, result, **place_of(lobby, framing))
    assert result["step_id"] == "faf_account"


@pytest.mark.parametrize("framing", ["json", "qdatastream"])
async def test_hangs_up(hass: HomeAssistant, lobby: FakeLobby, framing: str) -> None:
    lobby.mischief.drop_at.add("ping")
    lobby.mischief.drop_at.add("ask_session")
    result = await look_at(hass, **place_of(lobby, framing))
    assert_form(result, "faf_own", "faf_hung_up")

    lobby.mischief.reset()
    result = await submit(hass, result, **place_of(lobby, framing))
    assert result["step_id"] == "faf_account"


@pytest.mark.parametrize("status", [401, 403])
async def test_gateway(hass: HomeAssistant, lobby: FakeLobby, status: int) -> None:
    lobby.mischief.status = status
    result = await look_at(hass, **place_of(lobby, "websocket"))
    assert_form(result, "faf_own", "faf_gateway_refused")

    lobby.mischief.reset()
    result = await submit(hass, result, **place_of(lobby, "websocket"))
    assert result["step_id"] == "faf_account"


# What can be wrong with an account


async def test_wrong_password(hass: HomeAssistant, lobby: FakeLobby) -> None:
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password="wrong")
    assert_form(result, "faf_password", "faf_password_refused")
    assert suggested(result) == {"login": WATCHER, "password": None, "helper": None}

    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_token_that_does_not_count(hass: HomeAssistant, lobby: FakeLobby) -> None:
    result = await choose_account(hass, lobby, "faf_token")
    token = lobby.token_for(WATCHER, lifetime=-60)
    result = await submit(hass, result, token=token)
    assert_form(result, "faf_token", "faf_token_refused")

    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("text", ["", "  ", "a\tb", "tokén", "x" * (16 * 1024 + 1)])
async def test_no_token(hass: HomeAssistant, lobby: FakeLobby, text: str) -> None:
    result = await choose_account(hass, lobby, "faf_token")
    result = await submit(hass, result, token=text)
    assert result["errors"] == {"token": "faf_invalid_token"}
    assert lobby.seen("received", command="auth") == []

    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("login", ["", " ", "two words", "x" * 65, "a\x00b"])
async def test_no_login(hass: HomeAssistant, lobby: FakeLobby, login: str) -> None:
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=login, password=PASSWORD)
    assert result["errors"] == {"login": "faf_invalid_login"}

    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("framing", ["websocket", "json", "qdatastream"])
async def test_banned(hass: HomeAssistant, lobby: FakeLobby, framing: str) -> None:
    """The words of the lobby are shown, without HTML."""
    lobby.add_account("Other", id=12, password="other")
    lobby.ban(WATCHER)
    result = await choose_account(hass, lobby, "faf_password", framing)
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_form(result, "faf_password", "faf_banned")
    assert shown(result)["notice"] == "You are banned from FAF."

    result = await submit(hass, result, login="Other", password="other")
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("text", "problem"), [(None, "faf_refused_why"), ("", "faf_refused")]
)
async def test_refused(
    hass: HomeAssistant, lobby: FakeLobby, text: str | None, problem: str
) -> None:
    """A lobby may want tokens alone."""

    def mangle(message: JsonObject) -> JsonObject:
        is_error = message.get("style") == "error"
        return {**message, "text": text} if is_error and text is not None else message

    lobby.desk.password_login = False
    lobby.mischief.mangle = mangle
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_form(result, "faf_password", problem)
    assert shown(result)["notice"].startswith("Username" if text is None else "")

    lobby.desk.password_login = True
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_long_notice(hass: HomeAssistant, lobby: FakeLobby) -> None:
    lobby.ban(WATCHER, "banned" + "!" * 1000)
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert shown(result)["notice"] == "banned" + "!" * 249


async def test_kicked(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Somebody else signs in with the account while it is tried."""

    def mangle(message: JsonObject) -> JsonObject:
        if message.get("command") == "welcome":
            return {"command": "notice", "style": "kick", "text": "Elsewhere"}
        return message

    lobby.mischief.mangle = mangle
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_form(result, "faf_password", "faf_kicked")

    lobby.mischief.reset()
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("switch", ["refuse_proof", "end_login"])
@pytest.mark.parametrize(
    ("with_helper", "problem"),
    [(True, "faf_proof_refused"), (False, "faf_proof_wanted")],
)
async def test_proof_refused(
    hass: HomeAssistant,
    lobby: FakeLobby,
    folder: Path,
    switch: str,
    with_helper: bool,
    problem: str,
) -> None:
    path = await hass.async_add_executor_job(write_helper, folder, PROVE)
    more = {"helper": str(path)} if with_helper else {}
    setattr(lobby.mischief, switch, True)
    result = await choose_account(hass, lobby, "faf_token")
    result = await submit(hass, result, token=lobby.token_for(WATCHER), **more)
    assert_form(result, "faf_token", problem)

    lobby.mischief.reset()
    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("script", ["exit 1", "echo short", "echo two words"])
async def test_helper_that_fails(
    hass: HomeAssistant, lobby: FakeLobby, folder: Path, script: str
) -> None:
    path = await hass.async_add_executor_job(write_helper, folder, script)
    result = await choose_account(hass, lobby, "faf_token")
    result = await submit(
        hass, result, token=lobby.token_for(WATCHER), helper=str(path)
    )
    assert_form(result, "faf_token", "faf_helper_failed")

    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_no_welcome(
    hass: HomeAssistant, lobby: FakeLobby, monkeypatch: pytest.MonkeyPatch
) -> None:
    lobby.mischief.withhold.add("welcome")
    result = await choose_account(hass, lobby, "faf_password")
    with monkeypatch.context() as patch:
        hurry(patch)
        result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert_form(result, "faf_password", "faf_silent")

    lobby.mischief.reset()
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_helper_that_cannot_be_used(
    hass: HomeAssistant, lobby: FakeLobby, folder: Path
) -> None:
    """Nothing is tried with it."""
    path = folder / "missing"
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(
        hass, result, login=WATCHER, password=PASSWORD, helper=str(path)
    )
    assert result["errors"] == {"helper": "faf_helper_missing"}
    assert suggested(result) == {
        "login": WATCHER,
        "password": None,
        "helper": str(path),
    }

    result = await choose_account(hass, lobby, "faf_token")
    result = await submit(
        hass, result, token=lobby.token_for(WATCHER), helper=str(path)
    )
    assert result["errors"] == {"helper": "faf_helper_missing"}
    assert lobby.seen("received", command="hello") == []
    assert lobby.seen("received", command="auth") == []

    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["type"] is FlowResultType.CREATE_ENTRY


# What is there already


async def test_account_that_has_an_entry(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """It is not tried: that would throw the entry out."""
    await add_entry(hass, data_of(lobby), Secrets(password_hash="x"))
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER.upper(), password=PASSWORD)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"

    result = await choose_account(hass, lobby, "faf_token")
    result = await submit(hass, result, token=lobby.token_for(WATCHER))
    assert result["reason"] == "already_configured"
    assert lobby.seen("signed_in") == []


async def test_account_that_turns_out_to_have_an_entry(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """It has another name by now."""
    await add_entry(hass, data_of(lobby, login="Before"), Secrets(password_hash="x"))
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_lobby_that_is_watched_already(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    """Once without an account is enough; with one it is something else."""
    await add_entry(hass, data_of(lobby, account="none", login=None, player_id=None))
    result = await choose_account(hass, lobby, "faf_no_account")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"

    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_another_lobby_and_another_account(
    hass: HomeAssistant, lobby: FakeLobby
) -> None:
    lobby.add_account("Other", id=12, password="other")
    await add_entry(hass, data_of(lobby), Secrets(password_hash="x"))
    MockConfigEntry(domain="rumpus", data={"family": "xbox"}).add_to_hass(hass)
    result = await choose_account(hass, lobby, "faf_password")
    result = await submit(hass, result, login="Other", password="other")
    assert result["type"] is FlowResultType.CREATE_ENTRY

    result = await choose_account(hass, lobby, "faf_password", "websocket")
    result = await submit(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.CREATE_ENTRY


# The user goes away


async def test_closed_while_trying(hass: HomeAssistant, lobby: FakeLobby) -> None:
    """Nothing goes on that nobody waits for."""
    release = lobby.mischief.hold("hello")
    result = await choose_account(hass, lobby, "faf_password")
    result = await go(hass, result, login=WATCHER, password=PASSWORD)
    assert result["type"] is FlowResultType.SHOW_PROGRESS
    assert shown(result)["address"] == f"127.0.0.1:{lobby.json_port}"
    assert (await look(hass, result))["type"] is FlowResultType.SHOW_PROGRESS
    await lobby.wait_for("received", command="hello")

    hass.config_entries.flow.async_abort(result["flow_id"])
    release()
    await lobby.wait_for("closed")

    assert flows(hass) == []


async def test_closed_while_writing(
    hass: HomeAssistant,
    lobby: FakeLobby,
    hass_storage: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What proves who the user is does not stay without an entry."""
    store = async_get_store(hass)
    keep = store.async_keep

    async def close_and_keep(unique_id: str, secrets: Secrets) -> None:
        (flow,) = flows(hass)
        hass.config_entries.flow.async_abort(flow["flow_id"])
        await keep(unique_id, secrets)
        assert unique_id in stored(hass_storage)
        written.set()

    written = asyncio.Event()
    monkeypatch.setattr(store, "async_keep", close_and_keep)
    result = await choose_account(hass, lobby, "faf_token")
    with pytest.raises(UnknownFlow):
        await submit(hass, result, token=lobby.token_for(WATCHER))
    async with asyncio.timeout(PATIENCE):
        await written.wait()

    assert "rumpus.faf" not in hass_storage
    assert hass.config_entries.async_entries("rumpus") == []
