"""Showing a TV on phones, changing how, and allowing phones to control it."""

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
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util

from .common import flows, go, look, shown, start_user, wait_flow, wait_state, wait_step
from .test_flow_discovery import discover, service, wait_change
from .tvs import (
    OTHER_ID,
    PHONES,
    PLAYER,
    REMOTE,
    TV_ID,
    add_player,
    end_of,
    key_of,
    link,
    pair,
    request,
    set_up_tv,
    tv_entry,
)
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families.kde_connect import (
    flow_tv as flow_module,
    hub as hub_module,
    tv as tv_module,
)
from custom_components.rumpus.families.kde_connect.hub import async_get_hub
from custom_components.rumpus.families.kde_connect.tv_cards import CARD_GRACE
from custom_components.rumpus.families.kde_connect.tv_data import MAX_COMMAND
from custom_components.rumpus.protocols.errors import DisconnectedError
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from tests.fakes.kdeconnect import FakeDevice


@pytest.fixture
def tv_key(hass_storage: dict[str, Any]) -> Credentials:
    """The TV's id and key."""
    return key_of(hass_storage)


@pytest.fixture
async def entry(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> MockConfigEntry:
    """A TV that is set up, and linked with a phone that is not paired."""
    entry = tv_entry(hass, tv_key)
    await set_up_tv(hass, entry)
    await link(phone, entry)
    return entry


def suggested(result: ConfigFlowResult) -> dict[str, Any]:
    """Return what the fields of a form show at first."""
    schema = result["data_schema"]
    assert schema is not None
    return {
        str(key): (key.description or {}).get("suggested_value")
        for key in schema.schema
    }


async def begin(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to show a TV."""
    return await go(hass, await start_user(hass), next_step_id="kde_connect_tv")


def add_tv(hass: HomeAssistant) -> None:
    """Add a TV of another integration: its player and its remote."""
    other = MockConfigEntry(domain="roku")
    other.add_to_hass(hass)
    device = dr.async_get(hass).async_get_or_create(
        config_entry_id=other.entry_id, identifiers={("roku", "1")}
    )
    registry = er.async_get(hass)
    for domain, object_id in (("media_player", "kitchen"), ("remote", "living_room")):
        registry.async_get_or_create(
            domain,
            "roku",
            "1",
            suggested_object_id=object_id,
            device_id=device.id,
            config_entry=other,
        )
    hass.states.async_set("media_player.radio", "idle", {"device_class": "speaker"})
    hass.states.async_set(
        PLAYER, "idle", {"device_class": "tv", "friendly_name": "Kitchen: TV!"}
    )
    hass.states.async_set(REMOTE, "on")


# A new TV


async def test_user(
    hass: HomeAssistant,
    ours: Credentials,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
) -> None:
    """The user chooses a player; remote and name are suggested."""
    add_tv(hass)
    result = await begin(hass)
    assert result["step_id"] == "kde_connect_tv"
    assert suggested(result) == {"media_player": PLAYER}

    result = await go(hass, result, media_player=PLAYER)
    assert result["step_id"] == "kde_connect_tv_details"
    assert suggested(result) == {"name": "Kitchen TV", "remote": REMOTE}

    result = await go(hass, result, name="?!", remote=REMOTE)
    assert result["errors"] == {"name": "invalid_name"}
    result = await go(hass, result, name="Kitchen TV", remote=REMOTE)

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Kitchen TV"
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state.value == "loaded"
    stored = hass_storage[f"rumpus.kde_connect.tv.{entry.unique_id}"]["data"]
    assert entry.data == {
        "family": "kde_connect",
        "kind": "tv",
        "device_id": stored["device_id"],
        "name": "Kitchen TV",
        "media_player": PLAYER,
        "remote": REMOTE,
        "phones": [],
    }
    assert "PRIVATE KEY" in stored["private_key"]
    assert end_of(entry).identity.name == "Kitchen TV"


async def test_user_without_a_remote(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Nothing is suggested that is not there, and no remote is needed."""
    hass.states.async_set(PLAYER, "idle")
    result = await begin(hass)
    assert suggested(result) == {"media_player": None}

    result = await go(hass, result, media_player=PLAYER)
    assert suggested(result) == {"name": "kitchen", "remote": None}
    result = await go(hass, result, name="TV")

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["remote"] is None


async def test_user_player_without_a_state(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A player that is only registered has no name to suggest."""
    add_player(hass, "cast")
    hass.states.async_remove(PLAYER)

    result = await go(hass, await begin(hass), media_player=PLAYER)

    assert suggested(result) == {"name": "", "remote": None}
    result = await go(hass, result, name="TV")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_user_tv_that_is_shown_already(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
) -> None:
    """There is one TV for each player at most, also when two flows are open."""
    add_tv(hass)
    result = await begin(hass)
    assert suggested(result) == {"media_player": None}
    hass.states.async_set("media_player.other", "idle")
    result = await go(hass, result, media_player="media_player.other")
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "media_player": "media_player.other"}
    )
    result = await go(hass, result, name="TV")
    assert result["reason"] == "tv_shown_already"

    result = await begin(hass)
    hass.config_entries.async_update_entry(
        entry, data={**entry.data, "media_player": PLAYER}
    )
    result = await go(hass, result, media_player=PLAYER)
    assert result["reason"] == "tv_shown_already"


async def test_too_many_tvs(
    hass: HomeAssistant,
    ours: Credentials,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each TV announces itself, so there is a limit."""
    monkeypatch.setattr(flow_module, "MAX_TVS", 1)

    result = await begin(hass)

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "too_many_tvs"
    assert shown(result) == {"tvs": "1"}


# Changing one


async def test_reconfigure(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """The entities and the name can be changed; key and phones stay."""
    await pair(hass, phone, entry)
    hass.states.async_set("media_player.den", "idle")
    other = tv_entry(
        hass, tv_key, tv_id=OTHER_ID, media_player="media_player.x", device_id=None
    )
    result = await entry.start_reconfigure_flow(hass)
    assert result["step_id"] == "kde_connect_tv_reconfigure"
    assert suggested(result) == {
        "name": "Living room",
        "media_player": PLAYER,
        "remote": REMOTE,
    }

    result = await go(hass, result, name="!", media_player="media_player.den")
    assert result["errors"] == {"name": "invalid_name"}
    hass.config_entries.async_update_entry(
        other, data={**other.data, "media_player": "media_player.den"}
    )
    result = await go(hass, result, name="Den", media_player="media_player.den")
    assert result["errors"] == {"media_player": "tv_shown_already"}
    hass.config_entries.async_update_entry(
        other, data={**other.data, "media_player": "media_player.x"}
    )
    hass.config_entries.flow.async_abort(result["flow_id"])
    result = await entry.start_reconfigure_flow(hass)
    result = await go(hass, result, name="Den", media_player="media_player.den")

    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.title == "Den"
    assert entry.data["media_player"] == "media_player.den"
    assert entry.data["remote"] is None
    assert end_of(entry).identity.name == "Den"
    assert end_of(entry).credentials.device_id == tv_key.device_id
    await wait_state(hass, PHONES, "1")


async def test_reconfigure_keeps_the_title_of_the_user(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
) -> None:
    """A title that is not the name is the user's."""
    hass.config_entries.async_update_entry(entry, title="Mine")
    result = await entry.start_reconfigure_flow(hass)

    result = await go(hass, result, name="Den", media_player=PLAYER, remote=REMOTE)

    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.title == "Mine"


async def options(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: Any
) -> ConfigFlowResult:
    """Go on in an options flow."""
    return await hass.config_entries.options.async_configure(
        result["flow_id"], user_input
    )


async def test_options_of_keys(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
) -> None:
    """The form shows what the keys send; only what differs from the preset is kept."""
    er.async_get(hass).async_get_or_create(
        "remote", "roku", "1", suggested_object_id="living_room"
    )
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["menu_options"] == ["kde_connect_tv_keys"]
    result = await options(hass, result, next_step_id="kde_connect_tv_keys")
    form = suggested(result)
    assert form["key_up"] == "up"
    assert form["key_backspace"] == "backspace"
    assert form["key_close"] is None
    assert "remote_device" in form

    result = await options(hass, result, key_up="u" * (MAX_COMMAND + 1))
    assert result["errors"] == {"key_up": "too_long"}
    result = await options(
        hass,
        result,
        key_up=" page_up ",
        key_down="down",
        key_left=" ",
        key_close="power",
        remote_device="Box",
    )

    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "key_up": "page_up",
        "key_close": "power",
        "remote_device": "Box",
    }
    await hass.async_block_till_done()
    assert entry.runtime_data.settings.remote_device == "Box"
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await options(hass, result, next_step_id="kde_connect_tv_keys")
    assert suggested(result)["key_up"] == "page_up"
    result = await options(hass, result)
    assert entry.options == {}


async def test_options_without_a_remote(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """There is no device of a remote that is not there."""
    entry = tv_entry(hass, tv_key, remote=None)
    await set_up_tv(hass, entry)

    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await options(hass, result, next_step_id="kde_connect_tv_keys")

    assert "remote_device" not in suggested(result)


async def test_options_of_phones(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The user removes a phone, which is told so."""
    await pair(hass, phone, entry)
    await wait_state(hass, PHONES, "1")
    tv = entry.runtime_data
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "kde_connect_tv_phones" in result["menu_options"]
    result = await options(hass, result, next_step_id="kde_connect_tv_phones")

    result = await options(hass, result, phones=[phone.device_id])

    assert result["type"] is FlowResultType.CREATE_ENTRY
    await phone.wait_for("unpaired")
    assert entry.data["phones"] == []
    await wait_state(hass, PHONES, "0")
    await tv.async_remove_phone(phone.device_id)  # a second time is nothing


async def test_options_of_phones_of_a_tv_that_is_not_loaded(
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
) -> None:
    """Nobody could be told then."""
    entry = tv_entry(hass, tv_key, phone)
    result = await hass.config_entries.options.async_init(entry.entry_id)
    result = await options(hass, result, next_step_id="kde_connect_tv_phones")

    result = await options(hass, result, phones=[phone.device_id])

    assert result["reason"] == "tv_not_loaded"
    assert len(entry.data["phones"]) == 1


# Phones


async def test_request(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """The card names both and shows the key of the phone."""
    card = await request(hass, phone, entry)

    assert card["type"] is FlowResultType.MENU
    assert card["menu_options"] == ["kde_connect_tv_allow", "kde_connect_tv_refuse"]
    assert shown(card) == {
        "name": "Pixel",
        "address": "127.0.0.1",
        "tv": "Living room",
        "key": phone.peer(tv_key.device_id).verification_key,
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
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The phone is told, and may ask again."""
    card = await request(hass, phone, entry)

    result = await go(hass, card, next_step_id="kde_connect_tv_refuse")

    assert result["reason"] == "phone_refused"
    await phone.wait_for("pairing_failed")
    assert entry.data["phones"] == []


async def test_request_taken_back(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """A card whose request has ended waits for another for a while, then it goes."""
    card = await request(hass, phone, entry)
    device = end_of(entry).devices[phone.device_id]
    await phone.cancel_pairing(tv_key.device_id)
    await wait_change(device, lambda: device.verification_key is None)
    assert flows(hass)

    # Another request has another key, and the card shows that.
    phone.clock_offset = 60
    await phone.request_pairing(tv_key.device_id)
    await wait_change(device, lambda: device.verification_key is not None)
    card = await look(hass, card)
    assert shown(card)["key"] == phone.peer(tv_key.device_id).verification_key

    await phone.cancel_pairing(tv_key.device_id)
    await wait_change(device, lambda: device.verification_key is None)
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
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
    step: str | None,
    reason: str,
) -> None:
    """An answer to a request that has ended changes nothing."""
    card = await request(hass, phone, entry)
    device = end_of(entry).devices[phone.device_id]
    await phone.cancel_pairing(tv_key.device_id)
    await wait_change(device, lambda: device.verification_key is None)

    result = await (
        look(hass, card) if step is None else go(hass, card, next_step_id=step)
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == reason
    assert entry.data["phones"] == []


async def test_another_request_than_the_one_shown(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """What was not on the screen is not allowed."""
    card = await request(hass, phone, entry)
    device = end_of(entry).devices[phone.device_id]
    old_key = device.verification_key
    await phone.cancel_pairing(tv_key.device_id)
    phone.clock_offset = 60
    await phone.request_pairing(tv_key.device_id)
    await wait_change(device, lambda: device.verification_key not in {old_key, None})

    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["step_id"] == "kde_connect_tv_request"
    assert shown(result)["key"] != old_key
    assert not phone.paired
    result = await go(hass, result, next_step_id="kde_connect_tv_allow")
    assert result["reason"] == "phone_paired"


async def test_connection_lost_while_allowing(
    hass: HomeAssistant,
    ours: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A pairing that fails at the last moment is none."""
    card = await request(hass, phone, entry)

    async def fail(self: RemoteDevice) -> None:
        raise DisconnectedError("gone")

    monkeypatch.setattr(RemoteDevice, "accept_pairing", fail)
    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["reason"] == "tv_request_ended"
    assert entry.data["phones"] == []


async def test_phone_leaves(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The card goes with its phone."""
    await request(hass, phone, entry)
    device = end_of(entry).devices[phone.device_id]

    await phone.stop()
    await wait_change(device, lambda: not device.is_up)

    assert not flows(hass)


async def test_tv_is_unloaded(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The cards go with their TV."""
    await request(hass, phone, entry)

    assert await hass.config_entries.async_unload(entry.entry_id)

    assert not flows(hass)
    assert async_get_hub(hass).peer is None


async def test_too_many_phones(
    hass: HomeAssistant,
    ours: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One phone too many is refused, and the user is told what to do."""
    monkeypatch.setattr(tv_module, "MAX_PHONES", 0)
    card = await request(hass, phone, entry)

    result = await go(hass, card, next_step_id="kde_connect_tv_allow")

    assert result["reason"] == "too_many_phones"
    await phone.wait_for("pairing_failed")
    assert entry.data["phones"] == []


async def test_too_many_cards(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """There is no room for a request while all cards are of devices that are there."""
    caplog.set_level("DEBUG", "custom_components.rumpus")
    monkeypatch.setattr(hub_module, "MAX_CARDS", 0)
    await phone.request_pairing(tv_key.device_id)
    device = end_of(entry).devices[phone.device_id]
    if device.verification_key is None:
        await wait_change(device, lambda: device.verification_key is not None)
    await hass.async_block_till_done()

    assert not flows(hass)
    assert "Too many discovered devices" in caplog.text


async def test_card_of_a_request_stays(
    hass: HomeAssistant,
    ours: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What somebody makes up does not drive a request out."""
    monkeypatch.setattr(hub_module, "MAX_CARDS", 1)
    card = await request(hass, phone, entry)

    result = await discover(hass, service("e" * 32))

    assert result["reason"] == "too_many_discovered"
    assert (await look(hass, card))["step_id"] == "kde_connect_tv_request"


async def test_card_changes_by_itself(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """Whoever looks at the card is told that the request has changed."""
    card = await request(hass, phone, entry)
    await phone.cancel_pairing(tv_key.device_id)
    await phone.request_pairing(tv_key.device_id)

    await wait_step(hass, card, "kde_connect_tv_request")


async def test_ignored_phone(
    hass: HomeAssistant,
    ours: Credentials,
    tv_key: Credentials,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """A phone that was ignored for this TV gets no card."""
    MockConfigEntry(
        domain=DOMAIN,
        unique_id=f"{TV_ID}_{phone.device_id}",
        source=SOURCE_IGNORE,
        data={},
    ).add_to_hass(hass)

    await phone.request_pairing(tv_key.device_id)
    device = end_of(entry).devices[phone.device_id]
    if device.verification_key is None:
        await wait_change(device, lambda: device.verification_key is not None)
    await hass.async_block_till_done()

    assert not flows(hass)


async def test_request_that_nobody_makes(
    hass: HomeAssistant, ours: Credentials, entry: MockConfigEntry
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
    hass: HomeAssistant, ours: Credentials, tv_key: Credentials, phone: FakeDevice
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
    ours: Credentials,
    entry: MockConfigEntry,
    hass_storage: dict[str, Any],
    phone: FakeDevice,
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

    await request(hass, phone, entry)
    card = await request(hass, phone, second)
    await wait_flow(hass, "integration_discovery", f"{TV_ID}_{phone.device_id}")

    assert shown(card)["tv"] == "Den"
    assert len(flows(hass)) == 2
