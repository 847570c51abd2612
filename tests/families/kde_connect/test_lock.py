"""The screen lock of a computer."""

import asyncio
import gc

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .common import is_unavailable, set_up, wait_state, wait_until
from custom_components.rumpus.families.kde_connect.features import lock as lock_module
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.packet import Packet
from tests.fakes.kdeconnect import FakeDevice

SCREEN = "lock.tower_screen"


async def act(hass: HomeAssistant, action: str) -> None:
    """Lock or unlock."""
    await hass.services.async_call("lock", action, {"entity_id": SCREEN}, blocking=True)


async def test_the_state_is_the_device_s(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """It is asked for at once, and follows what somebody does at the computer."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, SCREEN, "unlocked")

    await computer.lock.set(locked=True)
    await wait_state(hass, SCREEN, "locked")

    await computer.stop()
    await wait_until(hass, lambda: is_unavailable(hass, SCREEN))


async def test_lock_and_unlock(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """An action ends when the screen is as it was asked for."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, SCREEN, "unlocked")

    await act(hass, "lock")
    assert computer.lock.locked
    await wait_state(hass, SCREEN, "locked")
    await act(hass, "lock")  # it is already: nothing to wait for
    await act(hass, "unlock")
    await wait_state(hass, SCREEN, "unlocked")


async def test_refused(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A computer that cannot lock says so, and so do we."""
    computer.lock.obeys = False
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, SCREEN, "unlocked")

    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "lock")

    assert error.value.translation_key == "lock_refused"
    await wait_state(hass, SCREEN, "unlocked")


async def test_no_answer(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Unlocking has no result of its own: what does not happen in time has failed."""
    monkeypatch.setattr(lock_module, "LOCK_TIMEOUT", 0.05)
    computer.lock.locked = True
    computer.lock.obeys = False
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, SCREEN, "locked")

    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "unlock")

    assert error.value.translation_key == "timed_out"


async def test_gone_meanwhile(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """A computer that goes before it has answered."""
    computer.lock.locked = True
    computer.lock.obeys = False
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, SCREEN, "locked")

    action = asyncio.create_task(act(hass, "unlock"))
    await computer.wait_for("lock_set")
    await computer.stop()

    with pytest.raises(HomeAssistantError) as error:
        await action
    assert error.value.translation_key == "not_connected"


async def test_gone_before_it_was_told(
    hass: HomeAssistant,
    ours: Credentials,
    computer: FakeDevice,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A computer that goes while it is sent the wish: one error is enough."""
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, SCREEN, "unlocked")

    async def send(self: RemoteDevice, packet: Packet) -> None:
        await computer.stop()
        await wait_until(hass, lambda: is_unavailable(hass, SCREEN))
        raise DisconnectedError("the device has gone")

    monkeypatch.setattr(RemoteDevice, "send", send)
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, "lock")
    assert error.value.translation_key == "not_connected"

    del error
    gc.collect()
    assert "never retrieved" not in caplog.text
