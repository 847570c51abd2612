"""Pictures that the user of an old phone takes."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .common import get_state, set_up, wait_state, wait_until
from .conftest import _PHONE, stop
from custom_components.rumpus.families.kde_connect.features import photo
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_events import EventKind
from tests.fakes.kdeconnect_wire import FakePacket, encode_packet

BUTTON = "button.pixel_take_picture"
PICTURE = "image.pixel_picture"
JPEG = b"\xff\xd8\xff" + b"j" * 1000


@pytest.fixture
async def phone(
    hass: HomeAssistant, socket_enabled: None, our_udp_port: int
) -> AsyncIterator[FakeDevice]:
    """A phone of 2022."""
    async with FakeDevice(
        "phone",
        protocol=7,
        name="Pixel",
        credentials=_PHONE,
        peer_udp_port=our_udp_port,
    ) as device:
        device.answers_udp = False
        yield device
        await stop(hass)


async def press(hass: HomeAssistant) -> None:
    """Ask for a picture."""
    await hass.services.async_call(
        "button", "press", {"entity_id": BUTTON}, blocking=True
    )


async def test_picture(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    hass_client: ClientSessionGenerator,
) -> None:
    """It is asked for, taken, and shown, also after the phone has been away."""
    phone.photo.picture = JPEG
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, PICTURE, "unknown")
    client = await hass_client()
    url = get_state(hass, PICTURE).attributes["entity_picture"]
    assert (await client.get(url)).status == HTTPStatus.INTERNAL_SERVER_ERROR

    await press(hass)
    await wait_until(hass, lambda: get_state(hass, PICTURE).state != "unknown")
    taken_at = get_state(hass, PICTURE).state
    answer = await client.get(get_state(hass, PICTURE).attributes["entity_picture"])
    assert answer.status == HTTPStatus.OK
    assert answer.content_type == "image/jpeg"
    assert await answer.read() == JPEG

    phone.drop_link()
    await wait_state(hass, PICTURE, "unavailable")
    await wait_state(hass, PICTURE, taken_at)


async def test_nothing_unasked(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A picture that nobody wants is not fetched, nor one after a refusal."""
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, PICTURE, "unknown")
    await press(hass)
    await phone.wait_for("photo_wanted")
    phone.payloads.timeout = 0.2
    await phone.photo.take(JPEG)
    await phone.wait_for("payload_failed")
    assert get_state(hass, PICTURE).state == "unknown"


@pytest.mark.parametrize(
    ("picture", "misbehave", "end"),
    [
        (b"<html>", Misbehave.NOTHING, "payload_sent"),
        (JPEG, Misbehave.PAYLOAD_SHORT, "payload_sent"),
        (JPEG * 10, Misbehave.NOTHING, "payload_failed"),
    ],
    ids=["no picture", "broken", "too large"],
)
async def test_bad_pictures(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    picture: bytes,
    misbehave: Misbehave,
    end: EventKind,
) -> None:
    """What is no picture, broken or larger than MAX_PHOTO is not shown."""
    caplog.set_level("DEBUG")
    monkeypatch.setattr(photo, "MAX_PHOTO", 2000)
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, PICTURE, "unknown")
    phone.photo.picture = picture
    phone.payloads.timeout = 0.2
    phone.misbehave = misbehave
    await press(hass)
    await phone.wait_for(end)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert get_state(hass, PICTURE).state == "unknown"
    assert "photo" in caplog.text


async def test_not_connected(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, PICTURE, "unknown")
    await phone.stop()
    await wait_state(hass, BUTTON, "unavailable")
    # A press that was on its way.
    with pytest.raises(HomeAssistantError) as error:
        coordinator = hass.config_entries.async_entries("rumpus")[0].runtime_data
        await coordinator.get(photo.PhotoFeature).async_take()
    assert error.value.translation_key == "not_connected"


async def test_forgotten_with_the_pairing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.photo.picture = JPEG
    await set_up(hass, ours, phone, "pixel")
    await wait_state(hass, PICTURE, "unknown")
    await press(hass)
    await wait_until(hass, lambda: get_state(hass, PICTURE).state != "unknown")
    feature = hass.config_entries.async_entries("rumpus")[0].runtime_data.get(
        photo.PhotoFeature
    )
    await phone.unpair()
    await wait_state(hass, PICTURE, "unavailable")
    assert feature.photo is None


async def test_new_devices_have_no_camera(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    await set_up(hass, ours, computer, "tower")
    await wait_state(hass, "sensor.tower_file_transfer", "unknown")
    assert hass.states.get("button.tower_take_picture") is None
    assert hass.states.get("image.tower_picture") is None


async def test_computers_that_want_a_picture_of_us(
    hass: HomeAssistant, ours: Credentials, computer: FakeDevice
) -> None:
    """Old computers ask, and learn that there will be none."""
    computer.incoming |= {"kdeconnect.photo"}
    await set_up(hass, ours, computer, "tower")
    line = encode_packet(FakePacket("kdeconnect.photo.request"))
    await computer.mischief.send_raw(line)
    body = await computer.wait_packet("photo")
    assert body == {"cancel": True}
