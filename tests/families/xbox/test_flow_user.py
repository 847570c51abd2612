"""Adding a console: searching, typing an address, and the first session."""

import asyncio
from dataclasses import replace

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    PATIENCE,
    data_of,
    flows,
    go,
    look,
    set_up,
    shown,
    start_user,
    wait_connected,
    wait_progress,
    watched,
)
from .conftest import QUICK
from custom_components.rumpus.families.xbox.hub import async_get_hub
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    ProtocolError,
)
from custom_components.rumpus.protocols.smartglass import discovery
from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.discovery import Discoverer
from custom_components.rumpus.protocols.smartglass.timing import Timing
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_connect import PENDING_FLAG


async def scan(hass: HomeAssistant) -> ConfigFlowResult:
    """Search as a user; return what comes after that."""
    result = await start_user(hass, "xbox_scan")
    if result["type"] is not FlowResultType.SHOW_PROGRESS:
        return result
    assert result["progress_action"] == "xbox_scan"
    return await wait_progress(hass, result)


async def address(
    hass: HomeAssistant, console: FakeConsole, port: int | None = None
) -> ConfigFlowResult:
    """Type the address of a console."""
    result = await start_user(hass, "xbox_address")
    assert result["step_id"] == "xbox_address"
    return await go(hass, result, host=" 127.0.0.1 ", port=port or console.port)


async def connect(hass: HomeAssistant, result: ConfigFlowResult) -> ConfigFlowResult:
    """Wait for the first session, or what keeps it from being."""
    assert result["step_id"] == "xbox_connect"
    return await wait_progress(hass, result)


def check_added(result: ConfigFlowResult, console: FakeConsole) -> None:
    """Make sure that a console was added."""
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == console.name
    assert result["data"] == data_of(console)
    assert result["result"].unique_id == console.live_id
    assert result["description"] == "xbox_console"


async def test_search(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that answers is chosen from a list, and connected to."""
    result = await scan(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_pick"
    schema = result["data_schema"]
    assert schema is not None
    (selector,) = schema.schema.values()
    assert [option["value"] for option in selector.config["options"]] == [
        console.live_id,
        "scan_again",
        "by_address",
    ]
    assert selector.config["options"][0]["label"] == (
        '"Living room" (Xbox One, 127.0.0.1)'
    )

    result = await connect(hass, await go(hass, result, console=console.live_id))

    check_added(result, console)
    (entry,) = hass.config_entries.async_entries("rumpus")
    await wait_connected(hass, entry)


async def test_search_ends_with_the_flow(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing goes on that nobody waits for."""
    stopped = asyncio.Event()
    monkeypatch.setattr(Discoverer, "stop", watched(stopped, Discoverer.stop))
    result = await start_user(hass, "xbox_scan")
    await console.wait_for("discovery_request")

    hass.config_entries.flow.async_abort(result["flow_id"])
    async with asyncio.timeout(PATIENCE):
        await stopped.wait()

    assert async_get_hub(hass).discoverer is None


async def test_nothing_found(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that is asleep does not answer: the text says so, and a new search helps."""
    console.turn_off()
    result = await scan(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_nothing_found"
    assert result["menu_options"] == ["xbox_scan", "xbox_address"]
    assert shown(result) == {"udp_port": "5050"}

    console.turn_on()
    result = await wait_progress(hass, await go(hass, result, next_step_id="xbox_scan"))
    result = await go(hass, result, console=console.live_id)
    check_added(await connect(hass, result), console)


async def test_not_ready(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that has just started has no certificate yet."""
    console.flags |= PENDING_FLAG
    result = await scan(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_not_ready"

    result = await go(hass, result, next_step_id="xbox_address")
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    assert result["errors"] == {"base": "xbox_not_ready"}

    console.flags &= ~PENDING_FLAG
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    check_added(await connect(hass, result), console)


async def test_search_again_and_by_address(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The list offers both, too."""
    result = await scan(hass)
    result = await wait_progress(hass, await go(hass, result, console="scan_again"))
    assert result["step_id"] == "xbox_pick"
    result = await go(hass, result, console="by_address")
    assert result["step_id"] == "xbox_address"
    result = await go(hass, result, host="127.0.0.1", port=console.port)

    check_added(await connect(hass, result), console)


async def test_known_consoles_are_not_offered(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """They have an entry, and no other one by an address."""
    await set_up(hass, console)
    result = await scan(hass)
    assert result["step_id"] == "xbox_nothing_found"

    result = await go(hass, result, next_step_id="xbox_address")
    result = await go(hass, result, host="127.0.0.1", port=console.port)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_by_address(hass: HomeAssistant, console: FakeConsole) -> None:
    """It is asked who it is; one that is off cannot be asked."""
    console.turn_off()
    result = await address(hass, console)
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": "xbox_no_answer"}

    console.turn_on()
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    check_added(await connect(hass, result), console)


async def test_no_such_host(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that nobody knows is as good as nobody there."""

    async def resolve(address: str, port: int) -> tuple[str, int]:
        raise OSError("no such host")

    result = await start_user(hass, "xbox_address")
    with monkeypatch.context() as patch:
        patch.setattr(discovery, "resolve", resolve)
        result = await go(hass, result, host="attic.invalid", port=console.port)
    assert result["errors"] == {"base": "xbox_no_answer"}

    result = await go(hass, result, host="127.0.0.1", port=console.port)
    check_added(await connect(hass, result), console)


async def test_no_network(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without sockets nothing can be found."""

    async def start(self: Discoverer) -> None:
        raise OSError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(Discoverer, "start", start)
        result = await scan(hass)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "xbox_cannot_search"
        result = await address(hass, console)
        assert result["errors"] == {"base": "xbox_cannot_search"}
    console.refuse(4)
    result = await go(hass, result, host="127.0.0.1", port=console.port)
    result = await connect(hass, result)
    with monkeypatch.context() as patch:
        patch.setattr(Discoverer, "start", start)
        result = await connect(hass, await go(hass, result))
        assert result["errors"] == {"base": "xbox_cannot_search"}
    console.refuse(None)

    check_added(await connect(hass, await go(hass, result)), console)


# The first session


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (2, "xbox_refused"),
        (4, "xbox_device_limit"),
        (5, "xbox_smartglass_disabled"),
        (6, "xbox_auth_failed"),
        (7, "xbox_sign_in_failed"),
        (8, "xbox_sign_in_timed_out"),
        (9, "xbox_sign_in_required"),
        (4711, "xbox_refused"),
    ],
)
async def test_refused(
    hass: HomeAssistant, console: FakeConsole, code: int, error: str
) -> None:
    """Each reason has a text of its own; when it is gone it works."""
    console.refuse(code)
    result = await connect(hass, await address(hass, console))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_retry"
    assert result["errors"] == {"base": error}
    assert shown(result)["name"] == "Living room"

    console.refuse(None)
    check_added(await connect(hass, await go(hass, result)), console)


async def test_looked_at_again(hass: HomeAssistant, console: FakeConsole) -> None:
    """Whoever comes back to a step sees it as it was."""
    console.refuse(4)
    result = await connect(hass, await address(hass, console))

    result = await look(hass, result)

    assert result["errors"] == {"base": "xbox_device_limit"}


async def test_vanishes(hass: HomeAssistant, console: FakeConsole) -> None:
    """It has answered the search and nothing more; later it does."""
    console.mute_connects = True
    result = await connect(hass, await address(hass, console))
    assert result["errors"] == {"base": "xbox_no_session"}

    console.mute_connects = False
    check_added(await connect(hass, await go(hass, result)), console)


@pytest.mark.parametrize("timing", [replace(QUICK, pending=0.1)])
async def test_sign_in_on_the_console_takes_too_long(
    hass: HomeAssistant, console: FakeConsole, timing: Timing
) -> None:
    """It goes on being busy with that."""
    console.sign_in_delay = 3600.0
    result = await connect(hass, await address(hass, console))
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "xbox_retry"

    console.sign_in_delay = None
    check_added(await connect(hass, await go(hass, result)), console)


async def test_another_console_takes_its_address(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Between the search and the session."""
    result = await scan(hass)
    port = console.port
    await console.stop()
    async with FakeConsole("Attic", "F400000000000000", port=port):
        result = await connect(hass, await go(hass, result, console=console.live_id))
        assert result["errors"] == {"base": "xbox_other_console"}

    await console.start()
    check_added(await connect(hass, await go(hass, result)), console)


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (DisconnectedError("gone"), "xbox_connection_lost"),
        (ProtocolError("nonsense"), "xbox_not_understood"),
        (AuthenticationError("no"), "xbox_refused"),
    ],
)
async def test_other_errors(
    hass: HomeAssistant,
    console: FakeConsole,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    key: str,
) -> None:
    """What is seldom has a text, too."""

    async def fail(self: Console, tokens: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(Console, "connect", fail)
        result = await connect(hass, await address(hass, console))
    assert result["errors"] == {"base": key}

    check_added(await connect(hass, await go(hass, result)), console)


async def test_not_allowed(hass: HomeAssistant, console: FakeConsole) -> None:
    """Without anonymous access it is explained what to change, and how to sign in."""
    console.refuse(3)
    result = await connect(hass, await address(hass, console))
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "xbox_not_allowed_no_application"
    assert result["menu_options"] == ["xbox_connect"]
    assert "application_credentials" in shown(result)["credentials_url"]
    assert (await look(hass, result))["step_id"] == "xbox_not_allowed_no_application"

    # It is still refused.
    result = await connect(hass, await go(hass, result, next_step_id="xbox_connect"))
    assert result["step_id"] == "xbox_not_allowed_no_application"
    console.refuse(None)
    result = await connect(hass, await go(hass, result, next_step_id="xbox_connect"))
    check_added(result, console)


async def test_session_of_the_flow_ends(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """The console has one client at a time, and the same one every time."""
    result = await connect(hass, await address(hass, console))
    check_added(result, console)
    (entry,) = hass.config_entries.async_entries("rumpus")
    await wait_connected(hass, entry)

    assert len(console.participants) == 1
    uuids = {event.data["client_uuid"] for event in console.seen("connected")}
    assert len(uuids) == 1
    assert len(console.seen("connected")) == 2


async def test_added_twice_at_once(hass: HomeAssistant, console: FakeConsole) -> None:
    """The second one learns that the first one was quicker."""
    first = await scan(hass)
    second = await address(hass, console)
    check_added(
        await connect(hass, await go(hass, first, console=console.live_id)), console
    )

    # Home Assistant ends the other flows about a device that gets an entry.
    assert second["flow_id"] not in {flow["flow_id"] for flow in flows(hass)}
    (entry,) = hass.config_entries.async_entries("rumpus")
    assert entry.unique_id == console.live_id


async def test_closed_while_connecting(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No session stays behind."""
    console.mute_connects = True
    result = await address(hass, console)
    await console.wait_for("connect_request")
    stopped = asyncio.Event()
    monkeypatch.setattr(Discoverer, "stop", watched(stopped, Discoverer.stop))

    hass.config_entries.flow.async_abort(result["flow_id"])
    async with asyncio.timeout(PATIENCE):
        await stopped.wait()

    assert async_get_hub(hass).discoverer is None
    assert not console.participants
