"""Phones that ask for pairing with a TV of this home."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from homeassistant.config_entries import SOURCE_IGNORE, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util

from .common import flows, get_state, go, look, shown, wait_flow, wait_step
from .test_flow_discovery import discover, service, wait_change
from .tvs import (
    KEY,
    OTHER_ID,
    PLAYER,
    TV_ID,
    end_of,
    key_of,
    link,
    request,
    set_up_tv,
    tv_entry,
)
from custom_components.rumpus import cards
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import tv as tv_module
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.families.kde_connect.tv_cards import CARD_GRACE
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from tests.fakes.kdeconnect import FakeDevice


@pytest.fixture
def tv_key(hass_storage: dict[str, Any]) -> Credentials:
    """The TV's id and key."""
    return key_of(hass_storage)


class Visitor:
    """A phone that is linked with a TV and not paired."""

    def __init__(
        self, hass: HomeAssistant, entry: MockConfigEntry, phone: FakeDevice
    ) -> None:
        """Begin without a request."""
        self._hass = hass
        self._entry = entry
        self._phone = phone
        self._tv_id = end_of(entry).identity.device_id

    @property
    def device(self) -> RemoteDevice:
        """The phone as the TV knows it."""
        return end_of(self._entry).devices[self._phone.device_id]

    @property
    def key(self) -> str | None:
        """The key that the phone shows now."""
        return self._phone.peer(self._tv_id).verification_key

    @property
    def phones(self) -> object:
        """The phones that may control the TV."""
        return self._entry.data["phones"]

    async def card(self) -> ConfigFlowResult:
        """Ask for pairing, and return the card of that."""
        return await request(self._hass, self._phone, self._entry)

    async def ask(self) -> None:
        """Ask for pairing, until the TV knows of it."""
        before = self.device.verification_key
        await self._phone.request_pairing(self._tv_id)
        await self._wait(lambda key: key not in {before, None})

    async def ask_anew(self) -> None:
        """Ask for pairing at another time, and so with another key."""
        self._phone.clock_offset += 60
        await self.ask()

    async def give_up(self) -> None:
        """Take the request back, until the TV knows of it."""
        await self._phone.cancel_pairing(self._tv_id)
        await self._wait(lambda key: key is None)

    async def send(self, packet_type: str, body: dict[str, Any]) -> None:
        """Send something that is not for strangers."""
        await self._phone.send(packet_type, body, self._tv_id)

    async def _wait(self, fits: Callable[[str | None], bool]) -> None:
        device = self.device
        if not fits(device.verification_key):
            await wait_change(device, lambda: fits(device.verification_key))


@pytest.fixture
async def entry(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> MockConfigEntry:
    """A TV that is set up, and linked with a phone that is not paired."""
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)
    await link(phone, entry)
    return entry


@pytest.fixture
def visitor(hass: HomeAssistant, entry: MockConfigEntry, phone: FakeDevice) -> Visitor:
    """The phone, which may ask."""
    return Visitor(hass, entry, phone)


async def test_request(
    hass: HomeAssistant, visitor: Visitor, phone: FakeDevice
) -> None:
    """The card names both and shows the key of the phone."""
    card = await visitor.card()

    assert card["type"] is FlowResultType.MENU
    assert card["menu_options"] == ["kde_connect_tv_allow", "kde_connect_tv_refuse"]
    assert shown(card) == {
        "name": "Pixel",
        "address": "127.0.0.1",
        "tv": "Living room",
        "key": visitor.key,
    }
    (flow,) = flows(hass)
    assert flow["context"]["title_placeholders"] == {"name": "Living room: Pixel"}
    assert not phone.paired

    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "phone_paired"
    assert shown(result) == {"name": "Pixel", "tv": "Living room"}
    await phone.wait_for("paired")
    assert not flows(hass)
    assert not async_get_hub(hass).tvs.requests  # type: ignore[union-attr]


async def test_refused(
    hass: HomeAssistant, visitor: Visitor, phone: FakeDevice
) -> None:
    """The phone is told, and may ask again."""
    card = await visitor.card()

    result = await go(hass, card, next_step_id="kde_connect_tv_refuse")

    assert result["reason"] == "phone_refused"
    await phone.wait_for("pairing_failed")
    assert visitor.phones == []


async def test_request_taken_back(hass: HomeAssistant, visitor: Visitor) -> None:
    """A card whose request has ended waits for another for a while, then it goes."""
    card = await visitor.card()
    await visitor.give_up()
    assert flows(hass)

    # Another request has another key, and the card shows that.
    await visitor.ask_anew()
    card = await look(hass, card)
    assert shown(card)["key"] == visitor.key

    await visitor.give_up()
    later = dt_util.utcnow() + timedelta(seconds=CARD_GRACE + 1)
    async_fire_time_changed(hass, later)
    await hass.async_block_till_done()
    assert not flows(hass)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        ("kde_connect_tv_allow", "tv_request_ended"),
        ("kde_connect_tv_refuse", "phone_refused"),
        (None, "tv_request_ended"),
    ],
)
async def test_answered_too_late(
    hass: HomeAssistant, visitor: Visitor, step: str | None, reason: str
) -> None:
    """An answer to a request that has ended changes nothing."""
    card = await visitor.card()
    await visitor.give_up()

    result = await (
        look(hass, card) if step is None else go(hass, card, next_step_id=step)
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    assert visitor.phones == []


async def test_another_request_than_the_one_shown(
    hass: HomeAssistant, visitor: Visitor, phone: FakeDevice
) -> None:
    """What was not on the screen is not allowed."""
    card = await visitor.card()
    old_key = visitor.key
    await visitor.give_up()
    await visitor.ask_anew()

    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["step_id"] == "kde_connect_tv_request"
    assert shown(result)["key"] != old_key
    assert not phone.paired
    result = await go(hass, result, next_step_id="kde_connect_tv_allow")
    assert result["reason"] == "phone_paired"


async def test_connection_lost_while_allowing(
    hass: HomeAssistant, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pairing that fails at the last moment is none."""
    card = await visitor.card()

    async def fail(self: RemoteDevice) -> None:
        raise DisconnectedError("gone")

    monkeypatch.setattr(RemoteDevice, "accept_pairing", fail)
    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["reason"] == "tv_request_ended"
    assert visitor.phones == []


async def test_phone_leaves(
    hass: HomeAssistant, visitor: Visitor, phone: FakeDevice
) -> None:
    """The card goes with its phone."""
    await visitor.card()
    device = visitor.device

    await phone.stop()
    await wait_change(device, lambda: not device.is_up)

    assert not flows(hass)


async def test_tv_is_unloaded(
    hass: HomeAssistant, entry: MockConfigEntry, visitor: Visitor
) -> None:
    """The cards go with their TV."""
    await visitor.card()

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert not flows(hass)
    assert async_get_hub(hass).peer is None


async def test_too_many_phones(
    hass: HomeAssistant,
    visitor: Visitor,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One phone too many is refused, and the user is told what to do."""
    monkeypatch.setattr(tv_module, "MAX_PHONES", 0)
    card = await visitor.card()

    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["reason"] == "too_many_phones"
    await phone.wait_for("pairing_failed")
    assert visitor.phones == []


async def test_too_many_cards(
    hass: HomeAssistant,
    visitor: Visitor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is no room for a request while all cards are of devices that are there."""
    caplog.set_level("DEBUG", "custom_components.rumpus")
    monkeypatch.setattr(cards, "MAX_CARDS", 0)
    await visitor.ask()
    await hass.async_block_till_done()

    assert not flows(hass)
    assert "Too many discovered devices" in caplog.text


async def test_card_of_a_request_stays(
    hass: HomeAssistant, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody makes up does not drive a request out."""
    monkeypatch.setattr(cards, "MAX_CARDS", 1)
    card = await visitor.card()

    result = await discover(hass, service("e" * 32))

    assert result["reason"] == "too_many_discovered"
    assert (await look(hass, card))["step_id"] == "kde_connect_tv_request"


async def test_card_changes_by_itself(hass: HomeAssistant, visitor: Visitor) -> None:
    """Whoever looks at the card is told that the request has changed."""
    card = await visitor.card()
    await visitor.give_up()
    await visitor.ask()

    await wait_step(hass, card, "kde_connect_tv_request")


async def test_ignored_phone(
    hass: HomeAssistant, visitor: Visitor, phone: FakeDevice
) -> None:
    """A phone that was ignored for this TV gets no card."""
    MockConfigEntry(
        domain=DOMAIN,
        unique_id=f"{TV_ID}_{phone.device_id}",
        source=SOURCE_IGNORE,
        data={},
    ).add_to_hass(hass)

    await visitor.ask()
    await hass.async_block_till_done()

    assert not flows(hass)


async def test_request_that_nobody_makes(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    """A card that comes up anew, such as after ignoring ends, needs its request."""
    for tv_id in (TV_ID, OTHER_ID):
        result = await hass.config_entries.flow.async_init(
            DOMAIN,
            context={"source": "integration_discovery"},
            data={
                "family": "kde_connect",
                "kind": "tv",
                "tv_id": tv_id,
                "device_id": "e" * 32,
            },
        )
        assert result["reason"] == "tv_request_ended"


async def test_our_own_services(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials
) -> None:
    """A TV of this home is no discovered device, whether or not it is shown now."""
    entry = tv_entry(hass, tv_key)
    result = await discover(hass, service(tv_key.device_id))
    assert result["reason"] == "own_service"

    await set_up_tv(hass, entry)
    for device_id in (tv_key.device_id, ours.device_id):
        result = await discover(hass, service(device_id))
        assert result["reason"] == "own_service"
    assert "host" not in entry.data


async def test_card_of_a_phone_for_two_tvs(
    hass: HomeAssistant,
    visitor: Visitor,
    phone: FakeDevice,
    hass_storage: dict[str, Any],
) -> None:
    """A phone has a card for each TV that it asks."""
    second = tv_entry(
        hass,
        key_of(hass_storage, OTHER_ID),
        tv_id=OTHER_ID,
        name="Den",
        media_player="media_player.den",
    )
    assert await hass.config_entries.async_setup(second.entry_id)
    await link(phone, second)

    await visitor.card()
    card = await request(hass, phone, second)
    await wait_flow(hass, "integration_discovery", f"{TV_ID}_{phone.device_id}")

    assert shown(card)["tv"] == "Den"
    assert len(flows(hass)) == 2


async def test_phone_that_was_not_allowed(
    hass: HomeAssistant, visitor: Visitor, phone: FakeDevice
) -> None:
    """A phone that has only asked can do nothing, and learns nothing of the player."""
    hass.states.async_set(PLAYER, "playing", {"media_title": "Two"})
    await visitor.card()

    for packet_type, body in (
        ("mousepad.request", {"specialKey": 5}),
        ("mpris.request", {"requestPlayerList": True}),
        ("bigscreen.stt", {"type": "stt", "content": "Dune"}),
    ):
        await visitor.send(packet_type, dict(body))

    # Once this has arrived everything before it has.
    await visitor.give_up()
    assert get_state(hass, KEY).state == "unknown"
    assert not phone.events.seen("players")
    assert visitor.phones == []
