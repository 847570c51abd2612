"""Scripts, scenes, buttons, switches and more of this home as commands of a device."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    async_capture_events,
    async_mock_service,
)

from homeassistant.components.alarm_control_panel.const import (
    AlarmControlPanelEntityFeature as CanArm,
)
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, ServiceCall, State
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .common import set_up, wait_state, wait_until
from .offered import offer, told
from custom_components.rumpus.families.kde_connect.features import (
    offered_commands as commands_module,
    offered_entities as entities_module,
)
from custom_components.rumpus.families.kde_connect.features.offered_commands import (
    MAX_RUNS,
    call_for,
)
from custom_components.rumpus.families.kde_connect.features.offered_entities import Call
from custom_components.rumpus.families.kde_connect.options import (
    MAX_OFFERED,
    Option,
    Options,
)
from custom_components.rumpus.pace import Pace
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_events import FakeEvent

SCRIPT = "script.movie_night"
LAMP = "input_boolean.lamp"
BELL = "input_button.bell"


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell everything almost at once."""
    monkeypatch.setattr(entities_module, "TELL_INTERVAL", 0.001)


@pytest.fixture
async def home(hass: HomeAssistant) -> None:
    """A script that fires an event, a switch and a button."""
    steps: list[dict[str, Any]] = [{"event": "movie_night"}]
    config = {"movie_night": {"alias": "Movie night", "sequence": steps}}
    assert await async_setup_component(hass, "script", {"script": config})
    config = {"lamp": {"name": "Lamp"}}
    assert await async_setup_component(hass, "input_boolean", {"input_boolean": config})
    config = {"bell": {"name": "Bell"}}
    assert await async_setup_component(hass, "input_button", {"input_button": config})
    await hass.async_block_till_done()


@pytest.fixture
async def shown(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, home: None
) -> FakeDevice:
    """A phone of some years ago that shows them all."""
    phone.incoming -= {"kdeconnect.runcommand.output"}
    await offer(hass, ours, phone, "pixel", commands=[SCRIPT, LAMP, BELL])
    await phone.wait_for("command_list", listed("Movie night", "Lamp", "Bell"))
    return phone


def listed(*names: str) -> Callable[[FakeEvent], bool]:
    """Return the check for a list of commands."""
    return lambda event: event.data["names"] == list(names)


def key(fake: FakeDevice, name: str) -> str:
    """Return the key of a command."""
    commands = fake.remote_commands.commands
    return next(key for key, command in commands.items() if command.name == name)


def subtitles(fake: FakeDevice) -> list[str]:
    """Return what the device shows below the names."""
    return [command.command for command in fake.remote_commands.commands.values()]


async def press(fake: FakeDevice, name: str) -> None:
    """Run a command."""
    await fake.remote_commands.run(key(fake, name))


async def test_what_is_shown(shown: FakeDevice) -> None:
    """Keys tell nothing, texts what it is and how it is now; nobody adds any from there."""
    assert subtitles(shown) == ["Script: Off", "Input boolean: Off", "Input button"]
    for command in shown.remote_commands.commands:
        assert len(command) == 32
        assert "." not in command
    assert all(body["canAddCommand"] is False for body in told(shown, "runcommand"))


async def test_run(hass: HomeAssistant, shown: FakeDevice) -> None:
    events = async_capture_events(hass, "movie_night")
    await press(shown, "Movie night")
    await wait_until(hass, lambda: events)
    await press(shown, "Lamp")
    await wait_state(hass, LAMP, "on")
    await shown.wait_for("command_list")
    await wait_subtitles(shown, "Script: Off", "Input boolean: On", "Input button")
    before = hass.states.get(BELL)
    await press(shown, "Bell")
    await wait_until(hass, lambda: hass.states.get(BELL) != before)
    await press(shown, "Lamp")
    await wait_state(hass, LAMP, "off")
    # Devices that do not know results get none.
    assert told(shown, "runcommand.output") == []


async def wait_subtitles(fake: FakeDevice, *texts: str) -> None:
    """Wait for a list with these texts."""
    if subtitles(fake) != list(texts):
        await fake.wait_for("command_list", lambda _: subtitles(fake) == list(texts))


async def test_other_keys_are_ignored(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    home: None,
) -> None:
    """Only what this device was told of counts, whatever else there is."""
    await offer(hass, ours, phone, "pixel", commands=[LAMP])
    await phone.wait_for("command_list", listed("Lamp"))
    switched = async_mock_service(hass, "script", "turn_on")
    for other in (SCRIPT, LAMP, "0" * 32, "movie_night"):
        await phone.remote_commands.run(other)
    await phone.remote_commands.setup()
    await phone.remote_commands.stop()
    await press(phone, "Lamp")
    await wait_state(hass, LAMP, "on")
    assert switched == []


async def test_changes_of_the_list(
    hass: HomeAssistant, shown: FakeDevice, entity_registry: er.EntityRegistry
) -> None:
    """Names, other ids and what has gone are told; a key stays with its entity."""
    bell = key(shown, "Bell")
    entity_registry.async_update_entity(BELL, name="Gong")
    await shown.wait_for("command_list", listed("Movie night", "Lamp", "Gong"))
    entity_registry.async_update_entity(BELL, new_entity_id="input_button.gong")
    await hass.async_block_till_done()
    await shown.remote_commands.request()
    await shown.wait_for("command_list", listed("Movie night", "Lamp", "Gong"))
    assert key(shown, "Gong") == bell
    hass.states.async_set(LAMP, "unavailable", {"friendly_name": "Lamp"})
    await shown.wait_for("command_list", listed("Movie night", "Gong"))


async def test_what_changes_nothing_is_not_told(
    hass: HomeAssistant, shown: FakeDevice
) -> None:
    before = len(told(shown, "runcommand"))
    await hass.services.async_call(
        "input_button", "press", {"entity_id": BELL}, blocking=True
    )
    hass.states.async_set(LAMP, "on", {"friendly_name": "Lamp"})
    await wait_subtitles(shown, "Script: Off", "Input boolean: On", "Input button")
    # The first press changes the state from unknown, which is not shown either.
    assert len(told(shown, "runcommand")) == before + 1


async def test_runs_are_bounded(
    hass: HomeAssistant,
    shown: FakeDevice,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A device that runs more is not listened to for a while, and that is logged once."""
    pressed = async_mock_service(hass, "input_button", "press")
    for _ in range(MAX_RUNS + 3):
        await press(shown, "Bell")
    await shown.battery.set(12)
    await wait_state(hass, "sensor.pixel_battery", "12")
    await hass.async_block_till_done()
    assert len(pressed) == MAX_RUNS
    assert caplog.text.count("runs too many commands") == 1

    monkeypatch.setattr(commands_module, "RUNS_WINDOW", 0.0)
    await press(shown, "Bell")
    await wait_until(hass, lambda: len(pressed) == MAX_RUNS + 1)


async def test_results(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, home: None
) -> None:
    """A device that knows them is told how it ended."""
    assert "kdeconnect.runcommand.output" in phone.incoming
    lock = "lock.door"
    hass.states.async_set(lock, "locked", {"friendly_name": "Door"})

    async def fail(call: ServiceCall) -> None:
        raise HomeAssistantError("the code is 1234")

    await offer(hass, ours, phone, "pixel", commands=[lock])
    unlocked = async_mock_service(hass, "lock", "unlock")
    hass.services.async_register("lock", "lock", fail)
    await phone.wait_for("command_list", listed("Door"))
    assert subtitles(phone) == ["Lock: Locked"]
    await press(phone, "Door")
    assert await results(phone) == [
        {"commandStarted": True, "command": "Door", "id": 1},
        {"commandFinished": True, "success": True, "exitCode": 0, "id": 1},
    ]
    assert len(unlocked) == 1
    assert unlocked[0].context.id
    hass.states.async_set(lock, "unlocked", {"friendly_name": "Door"})
    await press(phone, "Door")
    assert await results(phone) == [
        {"commandStarted": True, "command": "Door", "id": 2},
        {"commandFinished": True, "success": False, "exitCode": 1, "id": 2},
    ]
    assert "1234" not in str([packet.body for packet in phone.received])


async def results(fake: FakeDevice) -> list[dict[str, Any]]:
    """Return the next two words about a run."""
    return [dict(await fake.wait_packet("runcommand.output")) for _ in range(2)]


async def test_what_has_just_gone_fails(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    home: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "kdeconnect.runcommand.output" in phone.incoming
    await offer(hass, ours, phone, "pixel", commands=[LAMP])
    await phone.wait_for("command_list", listed("Lamp"))
    # The list is on its way when the key comes.
    monkeypatch.setattr(Pace, "want", lambda *_: None)
    for state in ("unavailable", None):
        if state is None:
            hass.states.async_remove(LAMP)
        else:
            hass.states.async_set(LAMP, state)
        await press(phone, "Lamp")
        assert (await results(phone))[1]["success"] is False


async def test_nothing_is_offered_without_the_option(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, home: None
) -> None:
    await set_up(hass, ours, phone, "pixel")
    await phone.remote_commands.request()
    await phone.remote_commands.run(LAMP)
    await phone.battery.set(12)
    await wait_state(hass, "sensor.pixel_battery", "12")
    await hass.async_block_till_done()
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.pixel_ring"}, blocking=True
    )
    await phone.wait_for("ring")
    assert told(phone, "runcommand") == []


async def test_choice_is_taken_back(hass: HomeAssistant, shown: FakeDevice) -> None:
    """The device is told, since its link may stay."""
    (entry,) = hass.config_entries.async_entries("rumpus")
    hass.config_entries.async_update_entry(entry, options={})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await shown.wait_for("command_list", listed())


async def test_device_that_is_away_cannot_be_told(
    hass: HomeAssistant, shown: FakeDevice, caplog: pytest.LogCaptureFixture
) -> None:
    """Setting up anew works nevertheless."""
    (entry,) = hass.config_entries.async_entries("rumpus")
    # Its link is lost, which nobody has noticed yet.
    shown.drop_link()
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_state(hass, "binary_sensor.pixel_connectivity", "on")
    await shown.wait_for("command_list", listed("Movie night", "Lamp", "Bell"))


async def test_device_that_does_not_read_delays_nothing(
    hass: HomeAssistant, shown: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may keep the old list; its entry goes all the same."""
    monkeypatch.setattr(entities_module, "FAREWELL_TIMEOUT", 0)
    (entry,) = hass.config_entries.async_entries("rumpus")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED


async def test_unpaired(hass: HomeAssistant, shown: FakeDevice) -> None:
    """Who is not trusted any more runs nothing."""
    await shown.unpair()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    (entry,) = hass.config_entries.async_entries("rumpus")
    facts: Any = entry.runtime_data.diagnostics()
    assert facts["state"]["offered_commands"] == {"chosen": 3, "listed": 0}


@pytest.mark.parametrize("by_its_user", [True, False], ids=["unpaired", "taken back"])
async def test_what_waits_is_forgotten(
    hass: HomeAssistant, shown: FakeDevice, by_its_user: bool
) -> None:
    """What has not begun when the permission ends never does."""
    begun: list[ServiceCall] = []
    may_end = asyncio.Event()

    async def slow(call: ServiceCall) -> None:
        begun.append(call)
        await may_end.wait()

    hass.services.async_register("input_button", "press", slow)
    for _ in range(3):
        await press(shown, "Bell")
    await shown.battery.set(12)
    await wait_state(hass, "sensor.pixel_battery", "12")
    (entry,) = hass.config_entries.async_entries("rumpus")

    if by_its_user:
        await shown.unpair()
        await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
        may_end.set()
    else:
        unload = hass.async_create_task(
            hass.config_entries.async_unload(entry.entry_id)
        )
        await shown.wait_for("command_list", listed())
        may_end.set()
        assert await unload
    await hass.async_block_till_done()

    assert len(begun) == 1


def test_options_are_bounded() -> None:
    """Whatever is stored, a device is not offered more."""
    for option, limit in MAX_OFFERED.items():
        chosen = [f"x.{number}" for number in range(limit + 1)]
        options = Options.from_entry({option.value: chosen})
        assert options.allows(option)
        assert options.offered(option) == tuple(chosen[:limit])


def test_other_options_offer_nothing() -> None:
    assert Options.from_entry({"clipboard": True}).offered(Option.CLIPBOARD) == ()


@pytest.mark.parametrize(
    ("entity_id", "state", "features", "call"),
    [
        ("script.a", "off", 0, Call("script", "turn_on")),
        ("scene.a", "unknown", 0, Call("scene", "turn_on")),
        ("button.a", "unknown", 0, Call("button", "press")),
        ("input_button.a", "unknown", 0, Call("input_button", "press")),
        ("switch.a", "on", 0, Call("switch", "toggle")),
        ("input_boolean.a", "on", 0, Call("input_boolean", "toggle")),
        ("cover.a", "open", 0, Call("cover", "toggle")),
        ("lock.a", "locked", 0, Call("lock", "unlock")),
        ("lock.a", "unlocked", 0, Call("lock", "lock")),
        ("lock.a", "jammed", 0, Call("lock", "lock")),
        ("lock.a", "unknown", 0, Call("lock", "lock")),
        (
            "alarm_control_panel.a",
            "disarmed",
            CanArm.ARM_AWAY | CanArm.ARM_HOME,
            Call("alarm_control_panel", "alarm_arm_away"),
        ),
        (
            "alarm_control_panel.a",
            "disarmed",
            CanArm.ARM_NIGHT,
            Call("alarm_control_panel", "alarm_arm_night"),
        ),
        ("alarm_control_panel.a", "disarmed", None, None),
        ("alarm_control_panel.a", "unknown", CanArm.ARM_AWAY, None),
        (
            "alarm_control_panel.a",
            "armed_home",
            CanArm.ARM_HOME,
            Call("alarm_control_panel", "alarm_disarm"),
        ),
        ("light.a", "on", 0, None),
    ],
)
def test_what_a_press_does(
    entity_id: str, state: str, features: int | None, call: Call | None
) -> None:
    assert call_for(State(entity_id, state, {"supported_features": features})) == call
