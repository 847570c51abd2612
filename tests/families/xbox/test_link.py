"""The session: where the console is looked for, and what becomes of it when it refuses."""

import asyncio
from dataclasses import replace

import pytest

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir

from .common import (
    LINK,
    PLAYER,
    add_entry,
    coordinator_of,
    flows,
    get_state,
    set_up,
    wait_connected,
    wait_state,
    wait_until,
    watched,
)
from .conftest import QUICK
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.xbox import hub as hub_module, link
from custom_components.rumpus.families.xbox.coordinator import XboxCoordinator
from custom_components.rumpus.families.xbox.hub import async_get_hub
from custom_components.rumpus.protocols.reconnect import Backoff
from custom_components.rumpus.protocols.smartglass.console import Console
from custom_components.rumpus.protocols.smartglass.discovery import Discoverer, Network
from custom_components.rumpus.protocols.smartglass.timing import Timing
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_connect import PENDING_FLAG


def discoverer_of(hass: HomeAssistant) -> Discoverer:
    """Return what searches."""
    discoverer = async_get_hub(hass).discoverer
    assert discoverer is not None
    return discoverer


def reach(hass: HomeAssistant, *consoles: FakeConsole) -> None:
    """Let these hear searches from now on, as in one network."""
    discoverer = discoverer_of(hass)
    discoverer.network = replace(
        discoverer.network,
        targets=tuple((console.address, console.port) for console in consoles),
    )


def session(coordinator: XboxCoordinator) -> dict[str, int]:
    """Return what is counted of the session."""
    counted = coordinator.diagnostics()["session"]
    assert isinstance(counted, dict)
    return counted


async def test_follows_its_address(hass: HomeAssistant, console: FakeConsole) -> None:
    """A console that is somewhere else is found by a search; the entry is not reloaded."""
    entry = await set_up(hass, console)
    coordinator = coordinator_of(entry)
    old = console.port

    await console.change_port()
    console.restart(new_certificate=False)
    reach(hass, console)
    await wait_connected(hass, entry, is_connected=False)
    await wait_connected(hass, entry)

    assert console.port != old
    assert entry.data["port"] == console.port
    assert coordinator_of(entry) is coordinator
    assert session(coordinator)["moves"] == 1


async def test_forged_answers_while_the_console_is_off(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """They draw attempts to themselves until the console itself answers."""
    entry = await set_up(hass, console)
    async with FakeConsole(credentials=console.credentials) as forger:
        forger.mute_connects = True
        console.press_power_button()
        await wait_state(hass, PLAYER, "off")
        reach(hass, forger)
        await forger.wait_for("connect_request")
        assert get_state(hass, PLAYER).state == "off"

        # It is still known where the console itself was.
        assert entry.data["port"] == console.port
        console.press_power_button()
        await wait_connected(hass, entry)
    assert len(console.participants) == 1
    assert session(coordinator_of(entry))["moves"] == 0


async def test_attempts_that_answers_cause_are_bounded(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_WAKES: however often somebody answers in a console's name."""
    monkeypatch.setattr(link, "MAX_WAKES", 2)
    monkeypatch.setattr(link, "WAKES_REFILL", 0.0)
    monkeypatch.setattr(link, "BACKOFF", Backoff((3600.0,), jitter=0))
    console.unplug()
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    async with FakeConsole(credentials=console.credentials) as forger:
        forger.mute_connects = True
        reach(hass, forger)
        coordinator = coordinator_of(entry)
        discoverer = discoverer_of(hass)
        # Attempts that are asked for during one count as one.
        for _ in range(6):
            await discoverer.find(forger.address, forger.port)
        await forger.wait_for("connect_request")

        assert 2 <= session(coordinator)["attempts"] <= 4


async def test_answers_during_an_attempt_are_bounded(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_WAKES counts for what is heard while something else is tried, too."""
    monkeypatch.setattr(link, "MAX_WAKES", 1)
    monkeypatch.setattr(link, "WAKES_REFILL", 0.0)
    monkeypatch.setattr(link, "BACKOFF", Backoff((3600.0,), jitter=0))
    console.unplug()
    entry = add_entry(hass, console)
    async with (
        FakeConsole(credentials=console.credentials) as forger,
        FakeConsole(credentials=console.credentials) as other,
    ):
        forger.mute_connects = other.mute_connects = True
        assert await hass.config_entries.async_setup(entry.entry_id)
        discoverer = discoverer_of(hass)
        # During the first attempt, which is at the address that is known.
        await discoverer.find(forger.address, forger.port)
        await forger.wait_for("connect_request")

        await discoverer.find(other.address, other.port)
        attempts = asyncio.Event()
        monkeypatch.setattr(Console, "connect", watched(attempts, Console.connect))
        await hass.async_block_till_done()
        assert not attempts.is_set()
        assert entry.data["port"] == console.port
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert not other.seen("connect_request")


async def test_another_console_has_its_address(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """It is nobody's business; the entry's console is found by its Live ID."""
    async with FakeConsole("Attic", "F400000000000000") as other:
        entry = add_entry(hass, console, port=other.port)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await wait_connected(hass, entry)

        assert entry.data["port"] == console.port
        assert not other.seen("connected")


async def test_another_console_has_its_address_and_it_is_away(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """Who turns it off is told."""
    console.unplug()
    async with FakeConsole("Attic", "F400000000000000") as other:
        entry = add_entry(hass, console, port=other.port)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await other.wait_for("discovery_request")

        with pytest.raises(HomeAssistantError) as caught:
            await coordinator_of(entry).async_turn_off()

        assert caught.value.translation_key == "xbox_other_console"


async def test_three_consoles(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is followed by itself, through one set of sockets."""
    async with (
        FakeConsole("Attic", "F400000000000001") as attic,
        FakeConsole("Cellar", "F400000000000002") as cellar,
    ):
        consoles = (console, attic, cellar)
        network = Network(
            bind="127.0.0.1",
            port=console.port,
            targets=tuple((fake.address, fake.port) for fake in consoles),
        )

        async def async_network(hass: HomeAssistant) -> Network:
            return network

        monkeypatch.setattr(hub_module, "async_network", async_network)
        entries = [await set_up(hass, fake) for fake in consoles]
        discoverer = discoverer_of(hass)

        attic.press_power_button()
        await wait_state(hass, "media_player.attic", "off")

        assert get_state(hass, "media_player.cellar").state == "idle"
        assert get_state(hass, PLAYER).state == "idle"
        for entry in entries:
            assert discoverer.is_running
            assert await hass.config_entries.async_unload(entry.entry_id)
        assert not discoverer.is_running
        await hass.async_stop(force=True)


# Refusals


async def test_refuses_later(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without anonymous access the user is asked once, and the console seldom."""
    entry = await set_up(hass, console)
    console.refuse(3)
    console.disconnect_clients()
    await wait_until(hass, lambda: flows(hass))
    (flow,) = flows(hass)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert get_state(hass, PLAYER).state == STATE_UNAVAILABLE

    # It is refused again without another question.
    hass.config_entries.flow.async_abort(flow["flow_id"])
    console.mark()
    await console.wait_for("connect_answer", result=3)
    await console.wait_for("connect_answer", result=3)
    assert not flows(hass)

    console.refuse(None)
    await wait_connected(hass, entry)
    # The next time is another one.
    console.refuse(3)
    console.disconnect_clients()
    await wait_until(hass, lambda: flows(hass))


async def test_let_in_while_the_user_is_asked(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """There is nothing more to answer then."""
    console.refuse(3)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: flows(hass))

    console.refuse(None)
    await wait_connected(hass, entry)

    assert not flows(hass)


@pytest.mark.parametrize(
    ("result", "key"),
    [
        (4, "xbox_device_limit"),
        (5, "xbox_smartglass_disabled"),
        (8, "xbox_sign_in_required"),
        (9, "xbox_sign_in_required"),
    ],
)
async def test_trouble_on_the_console(
    hass: HomeAssistant,
    console: FakeConsole,
    issue_registry: ir.IssueRegistry,
    result: int,
    key: str,
) -> None:
    """A repair tells what to do on the console, and goes when that is done."""
    console.refuse(result)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: issue_registry.issues)

    issue = issue_registry.async_get_issue(DOMAIN, f"{key}_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_key == key
    assert issue.translation_placeholders == {"name": "Living room"}
    assert not flows(hass)
    # Once is enough.
    await console.wait_for("connect_answer", result=result)
    await console.wait_for("connect_answer", result=result)
    assert len(issue_registry.issues) == 1

    console.refuse(None)
    await wait_connected(hass, entry)
    assert not issue_registry.issues


async def test_trouble_goes_with_the_entry(
    hass: HomeAssistant, console: FakeConsole, issue_registry: ir.IssueRegistry
) -> None:
    """Nobody needs a repair for what is not set up."""
    console.refuse(5)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_until(hass, lambda: issue_registry.issues)

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert not issue_registry.issues


async def test_unknown_trouble(
    hass: HomeAssistant, console: FakeConsole, issue_registry: ir.IssueRegistry
) -> None:
    """Where nobody knows what to do nobody is bothered; it is tried again."""
    console.refuse(2, times=2)
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, entry)

    assert len(console.seen("connect_answer", result=2)) == 2
    assert not issue_registry.issues
    assert not flows(hass)


async def test_certificate_is_not_there_yet(
    hass: HomeAssistant, console: FakeConsole
) -> None:
    """A console that starts answers before it can be connected to."""
    console.flags |= PENDING_FLAG
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await console.wait_for("discovery_request")
    await console.wait_for("discovery_request")
    assert get_state(hass, LINK).state == "off"

    console.flags &= ~PENDING_FLAG

    await wait_connected(hass, entry)


@pytest.mark.parametrize("timing", [replace(QUICK, pending=0.1)])
async def test_sign_in_takes_too_long(
    hass: HomeAssistant, console: FakeConsole, timing: Timing
) -> None:
    """The console says that it is busy with that, and says no more."""
    console.sign_in_delay = 3600.0
    entry = add_entry(hass, console)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await console.wait_for("connect_answer", result=1)
    assert get_state(hass, PLAYER).state == STATE_UNAVAILABLE

    console.sign_in_delay = None

    await wait_connected(hass, entry)


async def test_no_network(
    hass: HomeAssistant, console: FakeConsole, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry is set up later when there is nothing to send with now."""

    async def start(self: Discoverer) -> None:
        raise OSError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(Discoverer, "start", start)
        entry = add_entry(hass, console)
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.error_reason_translation_key == "xbox_cannot_search"

    assert await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, entry)
