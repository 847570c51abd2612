"""Permissions: what a device does not have needs none, and is not offered."""

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr

from .common import set_up
from custom_components.rumpus.families.apple_tv.actions import ACTIONS as APPLE_ACTIONS
from custom_components.rumpus.families.faf.actions import ACTIONS as LOBBY_ACTIONS
from custom_components.rumpus.families.kde_connect.options import Option
from custom_components.rumpus.families.kde_connect.permissions import (
    ACTION_OPTIONS,
    PRIVATE,
    makes_sense,
)
from custom_components.rumpus.families.xbox.actions import ACTIONS as CONSOLE_ACTIONS
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.services import ACTIONS
from tests.fakes.kdeconnect import FakeDevice

WITHOUT_PERMISSION = {"cancel_share", "mute_ringer", "send_notification", "share"}
# What no device of KDE Connect can do, but consoles, Apple TVs or lobbies can.
OF_OTHERS = CONSOLE_ACTIONS.keys() | APPLE_ACTIONS.keys() | LOBBY_ACTIONS.keys()


def test_every_action_is_known() -> None:
    """An action either needs a permission or is one that needs none."""
    names = {action.name for action in ACTIONS}
    assert names - OF_OTHERS == ACTION_OPTIONS.keys() | WITHOUT_PERMISSION


@pytest.mark.parametrize("option", PRIVATE)
def test_an_unknown_device_may_have_everything(option: Option) -> None:
    assert makes_sense({"outgoing": [], "device_type": "phone"}, option)


def test_calls_are_for_phones() -> None:
    """Computers list them, and hardly one has a modem."""
    data = {"outgoing": ["kdeconnect.telephony"], "device_type": "phone"}
    assert makes_sense(data, Option.CALLERS)
    assert makes_sense(data, Option.MESSAGES)
    assert not makes_sense({**data, "device_type": "desktop"}, Option.CALLERS)
    assert not makes_sense({**data, "device_type": "desktop"}, Option.MESSAGES)
    assert not makes_sense({**data, "outgoing": ["kdeconnect.x"]}, Option.CALLERS)


async def test_a_computer_makes_no_calls(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    computer.outgoing |= {"kdeconnect.telephony"}
    computer.incoming |= {"kdeconnect.telephony.request_mute"}
    await set_up(hass, ours, computer, "tower")
    assert hass.states.get("sensor.tower_call") is None
    assert hass.states.get("event.tower_call") is None
    assert hass.states.get("button.tower_mute_ringer") is None


async def test_what_cannot_be_allowed(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, computer: FakeDevice
) -> None:
    """The error says whether the user could do something about it."""
    errors = {}
    for fake, name in (phone, "pixel"), (computer, "tower"):
        entry = await set_up(hass, ours, fake, name)
        (device,) = dr.async_entries_for_config_entry(
            dr.async_get(hass), entry.entry_id
        )
        with pytest.raises(ServiceValidationError) as error:
            await hass.services.async_call(
                "rumpus",
                "send_sms",
                {"device_id": device.id, "recipients": ["+15550001"], "message": "x"},
                blocking=True,
            )
        errors[name] = error.value.translation_key
    assert errors == {"pixel": "action_not_allowed", "tower": "not_supported"}
