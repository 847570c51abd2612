"""Options: what the user allows a device."""

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownStep

from .common import set_up, wait_connected
from custom_components.rumpus.families.kde_connect.options import Option, Options
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice


def test_nothing_is_allowed_by_itself() -> None:
    options = Options.from_entry({})
    assert options.allows(None)
    assert not any(options.allows(option) for option in Option)


def test_what_is_allowed() -> None:
    options = Options.from_entry({"clipboard": True, "contacts": False, "old": True})
    assert options.allowed == {Option.CLIPBOARD}


async def test_private_content(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Each kind is allowed by itself; the entry is set up anew, other options stay."""
    entry = await set_up(hass, ours, phone, "pixel")
    hass.config_entries.async_update_entry(entry, options={"messages": True, "x": 1})

    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "kde_connect_options"
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": "kde_connect_private"}
    )
    assert result["type"] is FlowResultType.FORM
    schema = result["data_schema"]
    assert schema is not None
    offered = {str(key) for key in schema.schema}
    assert offered == {
        option.value
        for option, sent in {
            Option.NOTIFICATIONS: "notification",
            Option.CALLERS: "telephony",
            Option.MESSAGES: "sms.messages",
            Option.CONTACTS: "contacts.response_vcards",
            Option.CLIPBOARD: "clipboard",
            Option.STORAGE: "sftp",
        }.items()
        if f"kdeconnect.{sent}" in phone.outgoing
    }
    chosen = {name: name == "notifications" for name in offered}
    result = await hass.config_entries.options.async_configure(
        result["flow_id"], chosen
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {"messages": True, "x": 1, **chosen}
    await wait_connected(hass, "pixel")
    assert entry.state is ConfigEntryState.LOADED


async def test_unknown_step(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    entry = await set_up(hass, ours, phone, "pixel")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    flow = hass.config_entries.options._progress[result["flow_id"]]
    with pytest.raises(AttributeError):
        _ = flow.async_step_nobody  # type: ignore[attr-defined]
    with pytest.raises(UnknownStep):
        await flow.async_step_kde_connect_nothing()  # type: ignore[attr-defined]


async def test_nothing_to_choose(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A device that has nothing private and shows nothing of ours has no options."""
    phone.incoming = frozenset({"kdeconnect.ping"})
    phone.outgoing = frozenset({"kdeconnect.ping"})
    entry = await set_up(hass, ours, phone, "pixel")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "nothing_to_choose"
