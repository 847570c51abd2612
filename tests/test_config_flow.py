"""The config flow's own part: which family, and finding its steps."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import Mock, patch

import pytest

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownStep
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import SsdpServiceInfo
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.loader import async_get_integration

from custom_components.rumpus import cards, config_flow
from custom_components.rumpus.config_flow import RumpusConfigFlow
from custom_components.rumpus.const import DOMAIN
from custom_components.rumpus.families import FAMILIES, FamilyListing, async_get_family
from custom_components.rumpus.families.kde_connect.flow import KdeConnectFlow
from custom_components.rumpus.families.xbox.flow import XboxFlow

pytestmark = pytest.mark.usefixtures("mock_async_zeroconf")


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    """Begin to add a device."""
    return await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})


@pytest.mark.parametrize("key", ["faf", "kde_connect", "xbox"])
async def test_one_family(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Where there is no choice none is offered."""
    monkeypatch.setattr(config_flow, "FAMILIES", {key: FAMILIES[key]})
    result = await start(hass)

    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == f"{key}_user"


@pytest.mark.parametrize("choice", ["faf_user", "kde_connect_user", "xbox_user"])
async def test_several_families(hass: HomeAssistant, choice: str) -> None:
    """With several families the user chooses one, whose steps go on."""
    result = await start(hass)
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "user"
    assert result["menu_options"] == [
        "apple_tv_user",
        "faf_user",
        "kde_connect_user",
        "xbox_user",
    ]

    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"next_step_id": choice}
    )
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == choice


async def test_closed_before_a_family_was_chosen(hass: HomeAssistant) -> None:
    """Nothing has to be taken back then."""
    result = await start(hass)

    hass.config_entries.flow.async_abort(result["flow_id"])

    assert not hass.config_entries.flow.async_progress()


async def test_unknown_step(hass: HomeAssistant) -> None:
    """A step that a family does not have is an error of ours, and told as such."""
    flow = RumpusConfigFlow()
    flow.hass = hass
    step: Any = flow.async_step_kde_connect_juggle

    with pytest.raises(UnknownStep):
        await step()


def test_other_attributes() -> None:
    """Only steps of families are looked for elsewhere."""
    flow = RumpusConfigFlow()

    assert not hasattr(flow, "async_step_toaster_user")
    assert not hasattr(flow, "kde_connect_user")


@pytest.mark.parametrize(
    ("source", "info"),
    [
        ("dhcp", DhcpServiceInfo("10.0.0.7", "toaster", "001122334455")),
        ("ssdp", SsdpServiceInfo("usn", "st", {"manufacturer": "Acme"})),
        ("zeroconf", Mock(spec=ZeroconfServiceInfo, type="_toaster._tcp.local.")),
    ],
)
async def test_discovery_of_no_family(
    hass: HomeAssistant, source: str, info: object
) -> None:
    """What is no family's is nothing for us."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": source}, data=info
    )

    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "invalid_discovery"


async def test_families_that_take_no_such_discovery(hass: HomeAssistant) -> None:
    """A family need not be found in every way."""
    host = RumpusConfigFlow()
    host.hass = hass
    kde_connect = (await async_get_family(hass, "kde_connect")).create_flow(host)
    xbox = (await async_get_family(hass, "xbox")).create_flow(host)
    assert isinstance(kde_connect, KdeConnectFlow)
    assert isinstance(xbox, XboxFlow)

    results = [
        await kde_connect.async_dhcp(DhcpServiceInfo("10.0.0.7", "xbox", "0011")),
        await kde_connect.async_ssdp(SsdpServiceInfo("usn", "st", {})),
        await xbox.async_zeroconf(Mock(spec=ZeroconfServiceInfo)),
    ]

    assert {result["reason"] for result in results} == {"invalid_discovery"}


@pytest.mark.parametrize(
    ("hostname", "is_theirs"),
    [
        ("XBOX", True),
        ("xbox-livingroom", True),
        ("xboxone", True),
        ("myxbox", False),
        ("", False),
    ],
)
def test_host_names(hostname: str, is_theirs: bool) -> None:
    """Patterns are for lower case, host names come in any."""
    assert FAMILIES["xbox"].has_host(hostname) is is_theirs


@pytest.mark.parametrize(
    ("upnp", "is_theirs"),
    [
        ({"manufacturer": "Microsoft Corporation", "modelName": "Xbox One"}, True),
        ({"manufacturer": "Microsoft Corporation", "modelName": "Xbox 360"}, False),
        ({"manufacturer": "Microsoft Corporation"}, False),
        ({}, False),
    ],
)
def test_descriptions(upnp: Mapping[str, object], is_theirs: bool) -> None:
    """All that a matcher names has to fit."""
    assert FAMILIES["xbox"].has_description(upnp) is is_theirs


async def test_manifest_has_the_same_hints(hass: HomeAssistant) -> None:
    """Home Assistant hands on what the manifest names: all of it has to be some family's."""
    integration = await async_get_integration(hass, DOMAIN)
    listings = FAMILIES.values()

    assert [matcher["hostname"] for matcher in integration.dhcp or ()] == [
        pattern for listing in listings for pattern in sorted(listing.dhcp)
    ]
    assert integration.ssdp == [
        dict(matcher) for listing in listings for matcher in listing.ssdp
    ]
    assert integration.zeroconf == [
        hint.matcher for listing in listings for hint in listing.zeroconf
    ]


def zeroconf_context(service: str) -> dict[str, object]:
    """Return the context of a flow for a service that Home Assistant has discovered."""
    key = Mock(key=(service, f"Name.{service}"))
    return {"source": "zeroconf", "discovery_key": key}


async def test_cards_of_families(hass: HomeAssistant) -> None:
    """Each family has cards of its own, however they came to be."""
    flows = [
        {"flow_id": "1", "context": zeroconf_context("_kdeconnect._udp.local.")},
        {"flow_id": "2", "context": {"source": "dhcp"}},
        {"flow_id": "3", "context": {"source": "ssdp"}},
        {"flow_id": "4", "context": {"source": "user"}},
        {"flow_id": "5", "context": {"source": "integration_discovery"}},
        {
            "flow_id": "6",
            "context": {
                "source": "integration_discovery",
                "discovery_key": Mock(key=("xbox", "FD00")),
            },
        },
        {"flow_id": "7", "context": zeroconf_context("_kdeconnect._udp.local.")},
        {"flow_id": "8", "context": zeroconf_context("_airplay._tcp.local.")},
        {"flow_id": "9", "context": zeroconf_context("_toaster._tcp.local.")},
    ]

    def ids(family: str, own: str | None = None) -> list[str]:
        return [card["flow_id"] for card in cards.async_cards(hass, family, own)]

    with patch.object(
        hass.config_entries.flow, "async_progress_by_handler", return_value=flows
    ):
        assert ids("kde_connect") == ["1", "7"]
        assert ids("kde_connect", "7") == ["1"]
        assert ids("apple_tv") == ["8"]
        assert ids("xbox") == ["2", "3", "6"]


async def test_source_of_no_family(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card that came in a way that no family has is nobody's."""
    monkeypatch.setattr(cards, "FAMILIES", {"toaster": FamilyListing()})
    flows = [{"flow_id": "1", "context": {"source": "dhcp"}}]
    with patch.object(
        hass.config_entries.flow, "async_progress_by_handler", return_value=flows
    ):
        assert not cards.async_cards(hass, "toaster")
