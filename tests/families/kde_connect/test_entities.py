"""Entities: what a phone and a computer have, and how they follow the device."""

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from syrupy.assertion import SnapshotAssertion

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNKNOWN, Platform
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component

from .common import (
    get_state,
    is_unavailable,
    our_end,
    paired_entry,
    set_up,
    wait_state,
    wait_until,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect.features import (
    commands as commands_module,
)
from custom_components.rumpus.protocols.errors import (
    AuthenticationError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from tests.fakes.kdeconnect import FakeDevice


def keys(registry: er.EntityRegistry, entry: MockConfigEntry) -> set[str]:
    """Return the platforms and keys of an entry's entities."""
    prefix = f"{entry.unique_id}_"
    return {
        f"{found.domain}.{found.unique_id.removeprefix(prefix)}"
        for found in er.async_entries_for_config_entry(registry, entry.entry_id)
    }


async def press(hass: HomeAssistant, entity_id: str) -> None:
    """Press a button."""
    await hass.services.async_call(
        Platform.BUTTON, "press", {ATTR_ENTITY_ID: entity_id}, blocking=True
    )


def check_snapshot(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """Compare the registry entries and the states of an entry's entities."""
    found = er.async_entries_for_config_entry(registry, entry.entry_id)
    for entity in sorted(found, key=lambda entity: entity.entity_id):
        assert entity == snapshot(name=f"{entity.entity_id}-entry")
        assert hass.states.get(entity.entity_id) == snapshot(
            name=f"{entity.entity_id}-state"
        )


async def test_phone(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """All that a phone has."""
    entry = await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_battery", "80")
    await wait_state(hass, "binary_sensor.pixel_keyboard", "off")

    check_snapshot(hass, entry, entity_registry, snapshot)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device == snapshot(name="device")


async def test_computer(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """All that a computer has: no battery, but a lock and commands."""
    await computer.commands.add("k1", "Say hi", "echo hi")
    entry = await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "button.tower_say_hi", STATE_UNKNOWN)

    check_snapshot(hass, entry, entity_registry, snapshot)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device == snapshot(name="device")


async def test_computer_with_battery(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """A computer that tells of its battery gets the entities for it."""
    entry = await set_up(hass, ours, computer, "tower")
    assert "sensor.battery" not in keys(entity_registry, entry)

    await computer.battery.set(77, charging=True)

    await wait_state(hass, "sensor.tower_battery", "77")
    assert get_state(hass, "binary_sensor.tower_charging").state == "on"


async def test_battery(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The battery is what the phone said last."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_battery", "80")
    assert get_state(hass, "binary_sensor.pixel_charging").state == "off"

    await phone.battery.set(79, charging=True)
    await wait_state(hass, "sensor.pixel_battery", "79")
    assert get_state(hass, "binary_sensor.pixel_charging").state == "on"

    await phone.send("battery", {"currentCharge": -1})
    await wait_state(hass, "sensor.pixel_battery", STATE_UNKNOWN)
    assert get_state(hass, "binary_sensor.pixel_charging").state == STATE_UNKNOWN


async def test_same_state_is_not_published(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device that repeats itself causes no updates."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_battery", "80")
    reported = get_state(hass, "sensor.pixel_battery").last_reported

    await phone.send("battery", phone.battery.body)
    await phone.battery.set(81)
    await wait_state(hass, "sensor.pixel_battery", "81")

    assert get_state(hass, "binary_sensor.pixel_connectivity").last_changed < reported


async def test_update_entity(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Asking for an update of what pushes its state does no harm."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, "sensor.pixel_battery", "80")
    assert await async_setup_component(hass, "homeassistant", {})

    await hass.services.async_call(
        "homeassistant",
        "update_entity",
        {ATTR_ENTITY_ID: "sensor.pixel_battery"},
        blocking=True,
    )
    await hass.async_block_till_done()

    assert get_state(hass, "sensor.pixel_battery").state == "80"


async def test_buttons_of_a_phone(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Ring and ping reach the phone, which cannot be locked."""
    await set_up(hass, ours, phone, "pixel")

    await press(hass, "button.pixel_ring")
    await phone.wait_for("ring")
    await press(hass, "button.pixel_ping")
    assert await phone.wait_packet("ping") == {}
    assert hass.states.get("lock.pixel_screen") is None


async def test_commands_come_and_go(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """Buttons follow the computer's list of commands."""
    await computer.commands.add("k1", "Say hi", "echo hi")
    entry = await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "button.tower_say_hi", STATE_UNKNOWN)
    await press(hass, "button.tower_say_hi")
    await computer.wait_for("command_run")
    assert computer.commands.runs == ["k1"]

    await computer.commands.add("k2", "Suspend", "systemctl suspend")
    await wait_state(hass, "button.tower_suspend", STATE_UNKNOWN)

    await computer.commands.remove("k1")
    await wait_until(hass, lambda: hass.states.get("button.tower_say_hi") is None)
    assert "button.command_k1" not in keys(entity_registry, entry)

    await computer.commands.add("k1", "Say hi", "echo hi")
    await wait_until(hass, lambda: hass.states.get("button.tower_say_hi"))
    assert {"button.command_k1", "button.command_k2"} <= keys(entity_registry, entry)


async def test_command_gets_another_name(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """A renamed command keeps its entity."""
    await computer.commands.add("k1", "Say hi", "echo hi")
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "button.tower_say_hi", STATE_UNKNOWN)

    await computer.commands.add("k1", "Greet", "echo hi")

    await wait_until(
        hass,
        lambda: get_state(hass, "button.tower_say_hi").name == "Tower Greet",
    )
    entity = entity_registry.async_get("button.tower_say_hi")
    assert entity is not None
    assert entity.original_name == "Greet"


async def test_command_vanishes_while_away(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """A button stays while nobody knows; the computer's list decides when it is back."""
    await computer.commands.add("k1", "Say hi", "echo hi")
    entry = await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "button.tower_say_hi", STATE_UNKNOWN)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await computer.wait_for("link_down")
    computer.commands.commands.clear()
    await computer.stop()

    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert "button.command_k1" in keys(entity_registry, entry)
    assert is_unavailable(hass, "button.tower_say_hi")

    peer = our_end(hass)
    await computer.start()
    await computer.call("127.0.0.1", peer.tcp_port)
    await wait_until(
        hass, lambda: "button.command_k1" not in keys(entity_registry, entry)
    )
    assert hass.states.get("button.tower_say_hi") is None


async def test_too_many_commands(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The number of buttons is bounded."""
    monkeypatch.setattr(commands_module, "MAX_COMMANDS", 2)
    for number in range(3):
        await computer.commands.add(f"k{number}", f"Command {number}")
    entry = await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "button.tower_command_1", STATE_UNKNOWN)

    assert "button.command_k2" not in keys(entity_registry, entry)


async def test_wrong_command_list(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A list that makes no sense changes nothing."""
    await computer.commands.add("k1", "Say hi", "echo hi")
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "button.tower_say_hi", STATE_UNKNOWN)

    for wrong in ("no json", "[1]", 5):
        await computer.send("runcommand", {"commandList": wrong})
    await computer.battery.set(50)
    await wait_state(hass, "sensor.tower_battery", "50")

    assert get_state(hass, "button.tower_say_hi").state == STATE_UNKNOWN


async def test_ping_event(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A ping is an event; its text goes to automations and into no state."""
    entry = await set_up(hass, ours, phone, "pixel")
    events = async_capture_events(hass, "rumpus_ping")
    assert get_state(hass, "event.pixel_ping").state == STATE_UNKNOWN

    await phone.ping.send("secret words")
    await wait_until(hass, lambda: len(events) == 1)
    await phone.ping.send()
    await wait_until(hass, lambda: len(events) == 2)

    state = get_state(hass, "event.pixel_ping")
    assert state.attributes["event_type"] == "ping"
    assert state.state != STATE_UNKNOWN
    assert "secret" not in repr([state.as_dict() for state in hass.states.async_all()])
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert [event.data for event in events] == [
        {"device_id": device.id, "name": "Pixel", "message": "secret words"},
        {"device_id": device.id, "name": "Pixel", "message": None},
    ]


async def test_ping_of_a_device_that_was_deleted(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A ping is an event even when the registry has lost the device."""
    entry = await set_up(hass, ours, phone, "pixel")
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    device_registry.async_remove_device(device.id)
    events = async_capture_events(hass, "rumpus_ping")

    await phone.ping.send()

    await wait_until(hass, lambda: events)
    assert events[0].data["device_id"] is None


async def test_capabilities(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """What a device cannot do makes no entity; what it learns makes one at once."""
    phone.incoming = frozenset({"kdeconnect.ping"})
    phone.outgoing = frozenset({"kdeconnect.nothing"})
    phone.battery.charge = None
    entry = await set_up(hass, ours, phone, "pixel")
    assert keys(entity_registry, entry) == {
        "binary_sensor.connectivity",
        "button.ping",
        "device_tracker.connected",
    }

    phone.incoming |= {"kdeconnect.findmyphone.request"}
    phone.outgoing |= {"kdeconnect.battery", "kdeconnect.ping"}
    phone.battery.charge = 80
    phone.drop_link()

    await wait_until(
        hass,
        lambda: (
            keys(entity_registry, entry)
            == {
                "binary_sensor.battery_charging",
                "binary_sensor.connectivity",
                "button.ping",
                "button.ring",
                "device_tracker.connected",
                "event.battery_low",
                "event.ping",
                "sensor.battery",
            }
        ),
    )
    await wait_state(hass, "sensor.pixel_battery", "80")


async def test_identity_changes_on_a_new_link(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A device that calls again under another name is renamed without a gap."""
    entry = await set_up(hass, ours, phone, "pixel")
    changes = async_capture_events(hass, "state_changed")
    phone.name = "Fold"
    peer = our_end(hass)
    await phone.call("127.0.0.1", peer.tcp_port)

    await wait_until(hass, lambda: entry.title == "Fold")

    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.name == "Fold"
    assert get_state(hass, "device_tracker.pixel").state == "home"
    assert not [
        change
        for change in changes
        if change.data["new_state"] and change.data["new_state"].state == "unavailable"
    ]


@pytest.mark.parametrize(
    ("error", "expected", "key"),
    [
        (UnsupportedError, ServiceValidationError, "not_supported"),
        (PeerTimeoutError, HomeAssistantError, "timed_out"),
        (AuthenticationError, HomeAssistantError, "not_trusted"),
        (ProtocolError, HomeAssistantError, "failed"),
    ],
)
async def test_errors(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    error: type[RumpusError],
    expected: type[HomeAssistantError],
    key: str,
) -> None:
    """What goes wrong is told in the user's language."""
    await set_up(hass, ours, phone, "pixel")

    async def send(self: RemoteDevice, packet: object) -> None:
        raise error("why")

    monkeypatch.setattr(RemoteDevice, "send", send)
    with pytest.raises(expected) as caught:
        await press(hass, "button.pixel_ring")

    assert caught.value.translation_key == key
    assert caught.value.translation_domain == DOMAIN
    assert caught.value.translation_placeholders == {"name": "Pixel"}


async def test_command_for_a_device_that_has_just_gone(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """An action that cannot reach its device says what to do."""
    await set_up(hass, ours, phone, "pixel")
    phone.drop_link()
    await phone.wait_for("link_down")
    # The connection is lost, but the entity does not know it yet.
    assert not is_unavailable(hass, "button.pixel_ring")
    button = hass.data["entity_components"]["button"].get_entity("button.pixel_ring")
    assert button is not None

    with pytest.raises(HomeAssistantError) as caught:
        for _ in range(100):
            await button.async_press()

    assert str(caught.value) == (
        "Pixel is not connected. Wake it or open KDE Connect on it, then try again"
    )


async def test_unknown_capabilities(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """Without a list nothing is known to be impossible."""
    entry = paired_entry(hass, ours, phone, incoming=[], outgoing=[])
    await phone.stop()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()

    assert {"lock.screen", "button.ring", "sensor.battery"} <= keys(
        entity_registry, entry
    )
    assert is_unavailable(hass, "lock.pixel_screen")
