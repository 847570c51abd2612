"""Adding a device: searching, typing an address, and what needs no PIN."""

from dataclasses import replace

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import (
    add_entry,
    found,
    go,
    set_up,
    shown,
    start_user,
    through,
    wait_connected,
)
from custom_components.rumpus import config_flow
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import FAMILIES
from custom_components.rumpus.families.apple_tv import flow, flow_check
from custom_components.rumpus.families.apple_tv.data import lasting
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.errors import DisconnectedError
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_mdns import AIRPLAY


def options(result: ConfigFlowResult) -> list[dict[str, str]]:
    """Return what can be chosen from a list."""
    schema = result["data_schema"]
    assert schema is not None
    select = next(iter(schema.schema.values()))
    choices: list[dict[str, str]] = select.config["options"]
    return choices


async def add(
    hass: HomeAssistant, result: ConfigFlowResult, fake: FakeAppleTv
) -> ConfigFlowResult:
    """Confirm that a device is to be added, and type every PIN that it shows."""
    assert result["step_id"] == "apple_tv_confirm"
    result = await go(hass, result)
    result = await through(hass, result, "apple_tv_look")
    assert result["step_id"] == "apple_tv_pin_airplay"
    result = await through(hass, await go(hass, result, pin="1234"), "apple_tv_begin")
    assert result["step_id"] == "apple_tv_pin_companion"
    return await go(hass, result, pin=" 12 34 ")


async def check_added(result: ConfigFlowResult, fake: FakeAppleTv) -> None:
    """Make sure that a device was added."""
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    assert result["title"] == fake.name
    data = result["data"]
    assert data["family"] == "apple_tv"
    assert data["name"] == fake.name
    assert data["address"] == fake.address
    device = await found(fake)
    assert data["identifiers"] == list(device.identifiers)
    assert result["result"].unique_id == device.identifier
    assert FoundDevice.from_dict(data["found"]) == lasting(device)
    assert result["description"] == "apple_tv_device"


async def test_search(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device that answers is chosen from a list, and paired with two PINs."""
    result = await start_user(hass)
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "apple_tv_pick"
    first, again = options(result)
    assert first["label"] == '"Living Room", Apple TV 4K (gen 3), 127.0.0.1'
    assert again["value"] == "scan_again"

    result = await go(hass, result, device=first["value"])
    texts = shown(result)
    assert texts["name"] == "Living Room"
    assert texts["model"] == "Apple TV 4K (gen 3)"
    assert texts["version"] == "tvOS 26.1"

    result = await add(hass, result, apple_tv)
    await check_added(result, apple_tv)
    assert set(result["data"]["paired"]) == {"airplay", "companion"}
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await wait_connected(entry)


async def test_address(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device that is not in the list is found at its address."""
    result = await start_user(hass)
    result = await go(hass, result, address=" 127.0.0.1 ")
    await check_added(await add(hass, result, apple_tv), apple_tv)


async def test_only_family(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no choice none is offered."""
    only = {"apple_tv": FAMILIES["apple_tv"]}
    monkeypatch.setattr(config_flow, "FAMILIES", only)
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": "user"}
    )
    result = await through(hass, result, "apple_tv_scan")
    assert result["step_id"] == "apple_tv_pick"


async def test_nothing_found(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text says why that may be; a new search, or an address, helps."""
    search = getattr(flow, "async_search")  # noqa: B009 - it is not flow's own

    async def fails(hass: HomeAssistant, seconds: float) -> tuple[FoundDevice, ...]:
        raise DisconnectedError("no network")

    monkeypatch.setattr(flow, "async_search", fails)
    result = await start_user(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "apple_tv_nothing_found"
    assert result["menu_options"] == ["apple_tv_scan", "apple_tv_address"]

    monkeypatch.setattr(flow, "async_search", search)
    result = await go(hass, result, next_step_id="apple_tv_scan")
    result = await through(hass, result, "apple_tv_scan")
    assert result["step_id"] == "apple_tv_pick"
    result = await go(hass, result, device="scan_again")
    result = await through(hass, result, "apple_tv_scan")
    result = await go(hass, result)
    assert result["errors"] == {"base": "apple_tv_nothing_chosen"}
    result = await go(hass, result, device=options(result)[0]["value"])
    await check_added(await add(hass, result, apple_tv), apple_tv)


async def test_address_after_nothing_was_found(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is looked for there."""

    async def nobody(hass: HomeAssistant, seconds: float) -> tuple[FoundDevice, ...]:
        return ()

    monkeypatch.setattr(flow, "async_search", nobody)
    result = await start_user(hass)
    result = await go(hass, result, next_step_id="apple_tv_address")
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "apple_tv_address"

    result = await go(hass, result, address="127.0.0.1")
    await check_added(await add(hass, result, apple_tv), apple_tv)


@pytest.mark.parametrize("error", [None, DisconnectedError("no such host")])
async def test_no_answer_at_an_address(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    monkeypatch: pytest.MonkeyPatch,
    error: DisconnectedError | None,
) -> None:
    """The user may type another one."""
    result = await start_user(hass)
    look = getattr(flow_check, "async_look")  # noqa: B009 - nor is this

    async def fails(*args: object, **kwargs: object) -> FoundDevice | None:
        if error is not None:
            raise error
        return None

    monkeypatch.setattr(flow_check, "async_look", fails)
    result = await go(hass, result, address="127.0.0.1")
    assert result["errors"] == {"address": "apple_tv_no_answer"}

    monkeypatch.setattr(flow_check, "async_look", look)
    result = await go(hass, result, address="127.0.0.1")
    await check_added(await add(hass, result, apple_tv), apple_tv)


@pytest.mark.parametrize("model", ["Mac14,3", "iPad8,1", "Sonos,1", "AppleTV6,2[x]"])
async def test_things_of_others(
    hass: HomeAssistant,
    apple_tv: FakeAppleTv,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
) -> None:
    """Computers, tablets and speakers announce the same services."""
    device = await found(apple_tv)
    other = replace(device, info=replace(device.info, raw_model=model))

    async def answers(*args: object, **kwargs: object) -> FoundDevice:
        return other

    async def answer(hass: HomeAssistant, seconds: float) -> tuple[FoundDevice, ...]:
        return (other,)

    monkeypatch.setattr(flow_check, "async_look", answers)
    monkeypatch.setattr(flow, "async_search", answer)
    result = await start_user(hass)
    assert result["step_id"] == "apple_tv_nothing_found"
    result = await go(hass, result, next_step_id="apple_tv_address")
    result = await go(hass, result, address="127.0.0.1")
    assert result["errors"] == {"address": "apple_tv_not_ours"}


async def test_too_old(
    hass: HomeAssistant, apple_tv: FakeAppleTv, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What speaks only what we do not is explained."""
    device = await found(apple_tv)
    old = replace(
        device,
        services=tuple(
            replace(service, protocol=AppleProtocol.DMAP)
            for service in device.services[:1]
        ),
    )

    async def answers(*args: object, **kwargs: object) -> FoundDevice:
        return old

    monkeypatch.setattr(flow_check, "async_look", answers)
    result = await start_user(hass)
    result = await go(hass, result, address="127.0.0.1")
    result = await through(hass, await go(hass, result), "apple_tv_look")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "apple_tv_too_old"
    assert shown(result)["name"] == "Living Room"


async def test_set_up_already(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """A device has one entry: it is not in the list, and not added by its address."""
    await set_up(hass, apple_tv)
    result = await start_user(hass)
    assert result["step_id"] == "apple_tv_nothing_found"
    result = await go(hass, result, next_step_id="apple_tv_address")
    result = await go(hass, result, address="127.0.0.1")
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_set_up_meanwhile(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Another flow may be quicker."""
    result = await start_user(hass)
    result = await go(hass, result, address="127.0.0.1")
    await add_entry(hass, apple_tv, credentials={})
    result = await add(hass, result, apple_tv)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_known_by_another_identifier(
    hass: HomeAssistant, apple_tv: FakeAppleTv
) -> None:
    """A device stays the same, whichever of its services was found first."""
    device = await found(apple_tv)
    companion = device.service(AppleProtocol.COMPANION)
    assert companion is not None
    entry = await add_entry(hass, apple_tv, credentials={})
    hass.config_entries.async_update_entry(entry, unique_id=companion.identifier)

    result = await start_user(hass)
    assert result["step_id"] == "apple_tv_nothing_found"


async def test_homepod(hass: HomeAssistant, homepod: FakeAppleTv) -> None:
    """It needs no PIN: that it lets us in is tried."""
    result = await start_user(hass)
    result = await go(hass, result, device=options(result)[0]["value"])
    assert shown(result)["model"] == "HomePod mini"
    result = await go(hass, result)
    result = await through(hass, result, "apple_tv_look")

    await check_added(result, homepod)
    assert result["data"]["paired"] == []


async def test_homepod_that_refuses(hass: HomeAssistant, homepod: FakeAppleTv) -> None:
    """What keeps us out is told, and can be changed."""
    homepod.desk.errors[("setup", 2)] = 2
    result = await start_user(hass)
    result = await go(hass, result, address="127.0.0.1")
    result = await go(hass, result)
    result = await through(hass, result, "apple_tv_look")
    assert result["step_id"] == "apple_tv_retry"
    assert result["errors"] == {"base": "apple_tv_access_refused"}

    homepod.desk.errors.clear()
    result = await through(hass, await go(hass, result), "apple_tv_connect")
    await check_added(result, homepod)


async def test_homepod_that_does_not_answer(
    hass: HomeAssistant, homepod: FakeAppleTv
) -> None:
    """It may have been unplugged meanwhile."""
    result = await start_user(hass)
    result = await go(hass, result, address="127.0.0.1")
    homepod.airplay.drop()
    await homepod.airplay.stop()
    result = await go(hass, result)
    result = await through(hass, result, "apple_tv_look")
    assert result["errors"] == {"base": "apple_tv_connect_no_answer"}

    await homepod.airplay.start(homepod.address, homepod.airplay_port)
    result = await through(hass, await go(hass, result), "apple_tv_connect")
    await check_added(result, homepod)


async def test_older_system(hass: HomeAssistant, apple_tv: FakeAppleTv) -> None:
    """Properties that only some systems announce are not needed."""
    properties = apple_tv.properties[AIRPLAY]
    properties["osvers"] = "18.4"
    result = await start_user(hass)
    result = await go(hass, result, address="127.0.0.1")
    assert shown(result)["version"] == "tvOS 18.4"
    result = await add(hass, result, apple_tv)
    await check_added(result, apple_tv)
