"""The clipboard of a device."""

import json
from pathlib import Path
import time

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component

from .common import get_state, paired_entry, wait_connected, wait_state, wait_until
from .sharing import Heard, act, device_id_of, files_in
from custom_components.rumpus.families.kde_connect.coordinator import (
    KdeConnectCoordinator,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.clipboard import MAX_CONTENT
from tests.fakes.kdeconnect import FakeDevice

CLIPBOARD = "text.tower_clipboard"
SECRET = "the word is swordfish"


async def set_up_clipboard(
    hass: HomeAssistant, ours: Credentials, fake: FakeDevice, name: str = "tower"
) -> MockConfigEntry:
    """Return an entry that is connected and may use the clipboard."""
    entry = paired_entry(hass, ours, fake)
    hass.config_entries.async_update_entry(entry, options={"clipboard": True})
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, name)
    return entry


async def get_clipboard(
    hass: HomeAssistant, entry: MockConfigEntry
) -> dict[str, object]:
    """Return what the action answers."""
    answer = await hass.services.async_call(
        "rumpus",
        "get_clipboard",
        {"device_id": device_id_of(hass, entry)},
        blocking=True,
        return_response=True,
    )
    assert answer is not None
    return dict(answer)


def there(computer: FakeDevice) -> str | None:
    """Return what a computer has in its clipboard."""
    return computer.clipboard.content


async def test_what_is_copied_there(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """The state follows, and nothing is sent back."""
    entry = await set_up_clipboard(hass, ours, computer)
    await wait_state(hass, CLIPBOARD, "unknown")
    assert await get_clipboard(hass, entry) == {"text": None, "changed_at": None}

    await computer.clipboard.copy("hello")
    await wait_state(hass, CLIPBOARD, "hello")
    await computer.clipboard.copy("")
    await wait_state(hass, CLIPBOARD, "")
    await computer.clipboard.copy("again")
    await wait_state(hass, CLIPBOARD, "again")

    answer = await get_clipboard(hass, entry)
    assert answer["text"] == "again"
    assert str(answer["changed_at"]).endswith("+00:00")
    assert not [p for p in computer.received if "clipboard" in p.type]


async def test_what_is_copied_here(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """Also once more, since devices do not tell of every change."""
    entry = await set_up_clipboard(hass, ours, computer)
    for _ in range(2):
        await hass.services.async_call(
            "text",
            "set_value",
            {"entity_id": CLIPBOARD, "value": "ours"},
            blocking=True,
        )
        await computer.wait_for("clipboard")
        assert there(computer) == "ours"
        assert get_state(hass, CLIPBOARD).state == "ours"
    await act(hass, entry, "set_clipboard", text="other\nlines")
    await computer.wait_for("clipboard")
    assert there(computer) == "other\nlines"
    assert get_state(hass, CLIPBOARD).state == "other\nlines"


async def test_long_texts(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A state has 255 characters: a part of the text would be a lie."""
    entry = await set_up_clipboard(hass, ours, computer)
    await computer.clipboard.copy("x" * 255)
    await wait_state(hass, CLIPBOARD, "x" * 255)
    await computer.clipboard.copy("y" * 256)
    await wait_state(hass, CLIPBOARD, "unknown")
    assert "yyy" not in str(get_state(hass, CLIPBOARD).attributes)
    assert (await get_clipboard(hass, entry))["text"] == "y" * 256

    await act(hass, entry, "set_clipboard", text="z" * MAX_CONTENT)
    await computer.wait_for("clipboard")
    assert there(computer) == "z" * MAX_CONTENT
    with pytest.raises(ServiceValidationError) as error:
        await act(hass, entry, "set_clipboard", text="z" * (MAX_CONTENT + 1))
    assert error.value.translation_key == "clipboard_too_long"


async def test_ours_at_connect(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A device that has been restarted gets what it had."""
    entry = await set_up_clipboard(hass, ours, computer)
    await act(hass, entry, "set_clipboard", text="ours")
    await computer.wait_for("clipboard")

    computer.clipboard.content, computer.clipboard.timestamp = None, 0
    computer.drop_link()
    await wait_state(hass, CLIPBOARD, "unavailable")
    await computer.wait_for("clipboard")
    assert there(computer) == "ours"
    await wait_state(hass, CLIPBOARD, "ours")


async def test_theirs_at_connect(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """What somebody has copied there meanwhile is newer."""
    entry = await set_up_clipboard(hass, ours, computer)
    await act(hass, entry, "set_clipboard", text="ours")
    await computer.wait_for("clipboard")

    computer.clipboard.content = "theirs"
    computer.clipboard.timestamp = int(time.time() * 1000) + 1
    computer.drop_link()
    await wait_state(hass, CLIPBOARD, "unavailable")
    await wait_state(hass, CLIPBOARD, "theirs")
    assert there(computer) == "theirs"


async def test_old_clipboard_at_connect(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """What is said again does not count, nor does what has no time."""
    await set_up_clipboard(hass, ours, computer)
    await computer.clipboard.copy("new")
    await wait_state(hass, CLIPBOARD, "new")
    for content, timestamp in (("old", 1_600_000_000_000), ("timeless", 0)):
        computer.clipboard.content = content
        computer.clipboard.timestamp = timestamp
        await computer.clipboard.send_at_connect()
    await computer.battery.set(33)
    await wait_state(hass, "sensor.tower_battery", "33")
    assert get_state(hass, CLIPBOARD).state == "new"


async def test_not_connected(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    entry = await set_up_clipboard(hass, ours, computer)
    await computer.clipboard.copy("theirs")
    await wait_state(hass, CLIPBOARD, "theirs")
    await computer.stop()
    await wait_state(hass, CLIPBOARD, "unavailable")
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, entry, "set_clipboard", text=SECRET)
    assert error.value.translation_key == "not_connected"
    assert SECRET not in str(error.value)
    with pytest.raises(HomeAssistantError) as error:
        await get_clipboard(hass, entry)
    assert error.value.translation_key == "not_connected"


async def test_not_allowed(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """The entity goes with the permission, and what is copied goes unheard."""
    entry = await set_up_clipboard(hass, ours, computer)
    assert entity_registry.async_get(CLIPBOARD)
    hass.config_entries.async_update_entry(entry, options={})
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, "tower")
    assert entity_registry.async_get(CLIPBOARD) is None
    await computer.clipboard.copy(SECRET)
    await computer.battery.set(33)
    await wait_state(hass, "sensor.tower_battery", "33")
    with pytest.raises(ServiceValidationError) as error:
        await get_clipboard(hass, entry)
    assert error.value.translation_key == "action_not_allowed"


async def test_set_up_anew(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """What is known stays, unless the permission or the entry goes."""
    entry = await set_up_clipboard(hass, ours, computer)
    await act(hass, entry, "set_clipboard", text="ours")
    await computer.wait_for("clipboard")
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_state(hass, CLIPBOARD, "ours")

    hass.config_entries.async_update_entry(entry, options={})
    await hass.config_entries.async_reload(entry.entry_id)
    hass.config_entries.async_update_entry(entry, options={"clipboard": True})
    await hass.config_entries.async_reload(entry.entry_id)
    await wait_connected(hass, "tower")
    await wait_state(hass, CLIPBOARD, "unknown")

    await act(hass, entry, "set_clipboard", text="ours")
    await hass.config_entries.async_remove(entry.entry_id)
    assert "ours" not in [
        sync.content for sync in hass.data["rumpus_clipboards"].values()
    ]


async def test_unpaired(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """What was copied is forgotten with the pairing."""
    entry = await set_up_clipboard(hass, ours, computer)
    await computer.clipboard.copy(SECRET)
    await wait_state(hass, CLIPBOARD, SECRET)
    coordinator = entry.runtime_data
    assert isinstance(coordinator, KdeConnectCoordinator)
    await computer.unpair()
    await wait_state(hass, CLIPBOARD, "unavailable")
    assert coordinator.data.clipboard is None


async def test_private(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The clipboard is in its entity and its answer, and nowhere else."""
    caplog.set_level("DEBUG")
    entry = await set_up_clipboard(hass, ours, computer)
    await computer.clipboard.copy(SECRET)
    await wait_state(hass, CLIPBOARD, SECRET)
    await act(hass, entry, "set_clipboard", text=f"{SECRET}!")
    await computer.wait_for("clipboard")

    for state in hass.states.async_all():
        assert SECRET not in str(state.attributes)
        assert state.entity_id == CLIPBOARD or SECRET not in state.state
    assert SECRET not in repr(entry.runtime_data.data)
    own = [r.getMessage() for r in caplog.records if r.name.startswith("custom_")]
    assert own
    assert not any(SECRET in line for line in own)
    assert await async_setup_component(hass, "diagnostics", {})
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert SECRET not in json.dumps(facts)


@pytest.mark.parametrize("receives", [True, False])
async def test_file(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    tmp_path: Path,
    receives: bool,
) -> None:
    """A copied file is like a shared one, where those are taken."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    heard = Heard(hass)
    entry = paired_entry(hass, ours, computer)
    hass.config_entries.async_update_entry(
        entry, options={"clipboard": True, "receive_files": receives}
    )
    assert await hass.config_entries.async_setup(entry.entry_id)
    await wait_connected(hass, "tower")
    computer.outgoing |= {"kdeconnect.clipboard.file"}

    if not receives:
        await computer.payloads.send(
            computer.peer(), "clipboard.file", {"filename": "x"}, b"data"
        )
        await computer.share.send_text("next")
        await heard.wait("text")
        assert heard.types == ["text"]
        return
    await computer.clipboard.send_file("image.png", b"png")
    (told,) = await heard.wait("file")
    assert told["filename"] == "image.png"
    assert told["from_clipboard"]
    assert files_in(tmp_path) == {"rumpus/Tower/image.png": b"png"}


async def test_phone_that_tells_only_when_asked_to(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Android tells when its user taps a button."""
    await set_up_clipboard(hass, ours, phone, "pixel")
    await phone.clipboard.copy("quiet")
    await wait_until(hass, lambda: hass.states.get("text.pixel_clipboard"))
    assert get_state(hass, "text.pixel_clipboard").state == "unknown"
    await phone.clipboard.send()
    await wait_state(hass, "text.pixel_clipboard", "quiet")
