"""The icons of notifications: fetched, checked, kept, bounded."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_capture_events
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er

from .common import get_state, is_unavailable, wait_flow, wait_state, wait_until
from .notifications import png, set_up_allowed, wait_events
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import (
    notification_icons as icons_module,
)
from custom_components.rumpus.families.kde_connect.coordinator import (
    KdeConnectCoordinator,
)
from custom_components.rumpus.families.kde_connect.features.notifications import (
    NotificationsFeature,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_notifications import FakeNotification

ICON = "image.pixel_notification_icon"


@pytest.fixture
def enabled(entity_registry: er.EntityRegistry, phone: FakeDevice) -> None:
    """Somebody has enabled the entity, which is not at first."""
    entity_registry.async_get_or_create(
        "image",
        DOMAIN,
        f"{phone.device_id}_notification_icon",
        suggested_object_id="pixel_notification_icon",
    )


def chat(icon: bytes, notification_id: str = "1", text: str = "Hi") -> FakeNotification:
    """Return a notification with an icon."""
    return FakeNotification(notification_id, "Chat", "Ada", text, icon=icon)


def shown(hass: HomeAssistant) -> bool:
    """Tell whether there is an icon to be seen."""
    return get_state(hass, ICON).state not in ("unknown", "unavailable")


async def settle(hass: HomeAssistant, phone: FakeDevice, level: int) -> None:
    """Wait until what the phone has sent so far has arrived."""
    await phone.battery.set(level)
    await wait_state(hass, "sensor.pixel_battery", str(level))


@pytest.mark.usefixtures("enabled")
async def test_icon(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """It is fetched once, and known by its hash from then on."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    assert get_state(hass, ICON).state == "unknown"
    client = await hass_client()
    picture = png()
    await phone.notifications.post(chat(picture))
    await wait_until(hass, lambda: shown(hass))
    first = get_state(hass, ICON).state
    response = await client.get(f"/api/image_proxy/{ICON}")
    assert response.status == HTTPStatus.OK
    assert response.content_type == "image/png"
    assert await response.read() == picture

    older = FakeNotification("2", "Mail", "No icon", posted=1)
    await phone.notifications.post(older)
    await wait_until(hass, lambda: not shown(hass))
    response = await client.get(f"/api/image_proxy/{ICON}")
    assert response.status == HTTPStatus.INTERNAL_SERVER_ERROR

    # The phone does not send it again, not even after it was away.
    await phone.notifications.post(chat(picture, text="More"))
    await wait_until(hass, lambda: shown(hass))
    assert get_state(hass, ICON).state != first
    phone.drop_link()
    await wait_until(hass, lambda: is_unavailable(hass, ICON))
    await wait_until(hass, lambda: shown(hass))
    sent = [event for event in phone.events.all if event.kind == "payload_sent"]
    assert len(sent) == 1
    assert entry.runtime_data.diagnostics()["state"]["icons"] == 1


def count(entry: Any) -> int:
    """Return how many icons there are."""
    coordinator: KdeConnectCoordinator = entry.runtime_data
    icons = coordinator.diagnostics()["state"]
    assert isinstance(icons, dict)
    number: int = icons["icons"]
    return number


@pytest.mark.parametrize(
    ("spoil", "icon"),
    [
        (lambda phone: setattr(phone.notifications, "wrong_hash", True), png()),
        (lambda phone: None, b"<svg>not a picture</svg>"),
        (lambda phone: None, png() + bytes(icons_module.MAX_ICON)),
    ],
    ids=["hash", "picture", "size"],
)
@pytest.mark.usefixtures("enabled")
async def test_useless_icons(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[FakeDevice], None],
    icon: bytes,
) -> None:
    """One that is not what its hash says, no picture, or larger than MAX_ICON."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    events = async_capture_events(hass, "rumpus_notification")
    spoil(phone)
    await phone.notifications.post(chat(icon))
    await wait_events(hass, events, 1)
    # A good one that follows is the next that comes in.
    phone.notifications.wrong_hash = False
    await phone.notifications.post(chat(png(colour="blue"), "2"))
    await wait_until(hass, lambda: shown(hass))
    assert count(entry) == 1
    assert "not a picture</svg>" not in caplog.text


@pytest.mark.usefixtures("enabled")
async def test_limits_of_the_store(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_ICONS and MAX_ICON_BYTES: the one that was not shown for longest goes."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    monkeypatch.setattr(icons_module, "MAX_ICONS", 2)
    pictures = [png(colour=colour) for colour in ("red", "green", "blue", "white")]

    async def show(number: int) -> None:
        before = get_state(hass, ICON).state
        await phone.notifications.post(chat(pictures[number], str(number), before))
        await wait_until(
            hass, lambda: shown(hass) and get_state(hass, ICON).state != before
        )

    for number in range(3):
        await show(number)
    assert count(entry) == 2

    monkeypatch.setattr(icons_module, "MAX_ICON_BYTES", len(pictures[3]) + 1)
    await show(3)
    assert count(entry) == 1


@pytest.mark.usefixtures("enabled")
async def test_limit_of_fetches(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_FETCHES: what comes beyond is left out, as is what is on its way."""
    monkeypatch.setattr(icons_module, "MAX_FETCHES", 0)
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    events = async_capture_events(hass, "rumpus_notification")
    await phone.notifications.post(chat(png()))
    await wait_events(hass, events, 1)
    await settle(hass, phone, 41)
    monkeypatch.setattr(icons_module, "MAX_FETCHES", 1)
    await phone.notifications.post(chat(png(colour="blue"), "2"))
    await wait_until(hass, lambda: shown(hass))
    assert count(entry) == 1


async def test_icons_without_a_hash_are_not_fetched(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """No notification could show them."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    events = async_capture_events(hass, "rumpus_notification")
    body = phone.notifications.body(FakeNotification("1", "App", "Title"), silent=False)
    await phone.payloads.send(phone.peer(), "notification", body, png())
    await wait_events(hass, events, 1)
    assert count(entry) == 0


@pytest.mark.usefixtures("enabled")
async def test_deleted_when_the_pairing_ends(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """What was kept of the device goes with it."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    await phone.notifications.post(chat(png()))
    await wait_until(hass, lambda: shown(hass))
    await phone.unpair()
    await wait_flow(hass, "reauth", phone.device_id)
    assert count(entry) == 0
    feature = entry.runtime_data.get(NotificationsFeature)
    assert feature.icon(chat(png()).icon_hash) is None


async def test_registry(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    entity_registry: er.EntityRegistry,
) -> None:
    """The entity is there, and disabled."""
    await set_up_allowed(hass, ours, phone, "pixel")
    found = entity_registry.async_get(ICON)
    assert found is not None
    assert found.disabled_by is er.RegistryEntryDisabler.INTEGRATION


@pytest.mark.parametrize(("ends_pairing", "kept"), [(False, 1), (True, 0)])
async def test_an_icon_that_comes_too_late(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    ends_pairing: bool,
    kept: int,
) -> None:
    """It is there when the device comes back, unless the pairing has ended."""
    entry = await set_up_allowed(hass, ours, phone, "pixel")
    fetched = asyncio.get_running_loop().create_future()
    monkeypatch.setattr(RemoteDevice, "fetch", lambda *_: fetched)
    events = async_capture_events(hass, "rumpus_notification")
    await phone.notifications.post(chat(png()))
    await wait_events(hass, events, 1)
    if ends_pairing:
        await phone.unpair()
        await wait_flow(hass, "reauth", phone.device_id)
    else:
        await phone.stop()
        await wait_until(
            hass, lambda: is_unavailable(hass, "sensor.pixel_notifications")
        )
    fetched.set_result(png())
    await hass.async_block_till_done(wait_background_tasks=True)
    assert count(entry) == kept
    assert is_unavailable(hass, "sensor.pixel_notifications")
