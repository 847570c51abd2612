"""The families of devices, and what each of them gives Home Assistant.

Nothing here imports a family: `async_get_family` does, in an executor, when an entry, a flow
or the YAML key asks for it.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Final

from homeassistant.config_entries import (
    SOURCE_DHCP,
    SOURCE_SSDP,
    SOURCE_ZEROCONF,
    ConfigEntry,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryError, HomeAssistantError
from homeassistant.helpers.service_info.dhcp import DhcpServiceInfo
from homeassistant.helpers.service_info.ssdp import (
    ATTR_UPNP_MANUFACTURER,
    ATTR_UPNP_MODEL_NAME,
    SsdpServiceInfo,
)
from homeassistant.helpers.service_info.zeroconf import ZeroconfServiceInfo
from homeassistant.helpers.typing import DiscoveryInfoType

from ..const import DOMAIN
from ..coordinator import RumpusConfigEntry, RumpusRuntime

if TYPE_CHECKING:
    from ..config_flow import RumpusConfigFlow, RumpusOptionsFlow


@dataclass(frozen=True, slots=True)
class ZeroconfHint:
    """An mDNS service that is of interest, by its type and what it has to say."""

    type: str
    properties: Mapping[str, str] = field(default_factory=dict)
    """Patterns of properties, in lower case; their names are as they are sent."""

    @property
    def matcher(self) -> str | dict[str, object]:
        """Return it as the manifest has it."""
        if not self.properties:
            return self.type
        return {"properties": dict(self.properties), "type": self.type}


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyListing:
    """What has to be known of a family before it is loaded."""

    zeroconf: tuple[ZeroconfHint, ...] = ()
    """The mDNS services whose discoveries are this family's; types are of one family each."""
    dhcp: frozenset[str] = frozenset()
    """Patterns of the host names, in lower case, that make a DHCP request this family's."""
    ssdp: tuple[Mapping[str, str], ...] = ()
    """What an SSDP description has to say to be this family's; one of them is enough."""

    def has_service(self, type_: str) -> bool:
        """Tell whether a service is this family's, by its type."""
        return any(hint.type == type_ for hint in self.zeroconf)

    def has_host(self, hostname: str) -> bool:
        """Tell whether a DHCP request is this family's, by its host name."""
        return any(fnmatchcase(hostname.lower(), pattern) for pattern in self.dhcp)

    def has_description(self, upnp: Mapping[str, object]) -> bool:
        """Tell whether an SSDP discovery is this family's, by its description."""
        return any(
            all(upnp.get(key) == value for key, value in matcher.items())
            for matcher in self.ssdp
        )

    @property
    def sources(self) -> frozenset[str]:
        """The ways of discovery, besides its own, that bring devices of this family."""
        return frozenset(
            source
            for source, hints in (
                (SOURCE_DHCP, self.dhcp),
                (SOURCE_SSDP, self.ssdp),
                (SOURCE_ZEROCONF, self.zeroconf),
            )
            if hints
        )


FAMILIES: Final[Mapping[str, FamilyListing]] = {
    # Computers, phones and speakers of others announce most of these as well.
    "apple_tv": FamilyListing(
        zeroconf=(
            ZeroconfHint("_airplay._tcp.local.", {"model": "appletv*"}),
            ZeroconfHint("_airplay._tcp.local.", {"model": "audioaccessory*"}),
            ZeroconfHint("_companion-link._tcp.local.", {"rpMd": "appletv*"}),
            ZeroconfHint("_mediaremotetv._tcp.local."),
            ZeroconfHint("_raop._tcp.local.", {"am": "appletv*"}),
            ZeroconfHint("_raop._tcp.local.", {"am": "audioaccessory*"}),
        )
    ),
    "faf": FamilyListing(),
    "kde_connect": FamilyListing(zeroconf=(ZeroconfHint("_kdeconnect._udp.local."),)),
    "xbox": FamilyListing(
        dhcp=frozenset({"xbox*"}),
        ssdp=(
            {
                ATTR_UPNP_MANUFACTURER: "Microsoft Corporation",
                ATTR_UPNP_MODEL_NAME: "Xbox One",
            },
        ),
    ),
}
"""Every family by its key, which is also the name of its folder here."""


class FamilyFlow(ABC):
    """The steps of a family in a config flow.

    Step `x` is the method `async_step_<family key>_x`, taking the user's input or None; the
    flow it belongs to, `host`, finds it by that name.
    """

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Belong to a flow."""
        self.host = host

    @abstractmethod
    async def async_user(self) -> ConfigFlowResult:
        """Begin for a user who wants to add a device."""

    async def async_zeroconf(self, info: ZeroconfServiceInfo) -> ConfigFlowResult:
        """Begin for a service of one of the family's types."""
        return self.host.async_abort(reason="invalid_discovery")

    async def async_dhcp(self, info: DhcpServiceInfo) -> ConfigFlowResult:
        """Begin for a device with a host name of the family that has got an address."""
        return self.host.async_abort(reason="invalid_discovery")

    async def async_ssdp(self, info: SsdpServiceInfo) -> ConfigFlowResult:
        """Begin for a device whose description is the family's."""
        return self.host.async_abort(reason="invalid_discovery")

    @abstractmethod
    async def async_discovery(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        """Begin for what the family itself has discovered."""

    @abstractmethod
    async def async_reauth(
        self, entry: ConfigEntry, info: Mapping[str, object]
    ) -> ConfigFlowResult:
        """Begin for an entry whose credentials count no more."""

    @abstractmethod
    async def async_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        """Begin for a user who wants to change an entry."""

    @callback
    @abstractmethod
    def async_remove(self) -> None:
        """End, whatever step it is at; what was begun and is not finished is taken back."""


class FamilyOptions(ABC):
    """The steps of a family in an options flow, named as in `FamilyFlow`."""

    def __init__(self, host: RumpusOptionsFlow) -> None:
        """Belong to a flow."""
        self.host = host

    @abstractmethod
    async def async_init(self) -> ConfigFlowResult:
        """Begin for a user who wants to change the options of an entry."""


class Family(ABC):
    """One kind of device."""

    key: ClassVar[str]

    @abstractmethod
    async def async_setup_listener(self, hass: HomeAssistant) -> None:
        """Listen for devices from now on, though there may be no entry."""

    @abstractmethod
    async def async_create_runtime(
        self, hass: HomeAssistant, entry: RumpusConfigEntry
    ) -> RumpusRuntime:
        """Return what the entry needs, not started.

        Raises ConfigEntryNotReady, ConfigEntryAuthFailed or ConfigEntryError.
        """

    @abstractmethod
    async def async_remove_entry(self, hass: HomeAssistant, entry: ConfigEntry) -> None:
        """Forget the device of an entry that has just been removed."""

    @abstractmethod
    def create_flow(self, host: RumpusConfigFlow) -> FamilyFlow:
        """Return the family's part of a config flow."""

    @abstractmethod
    def create_options(self, host: RumpusOptionsFlow) -> FamilyOptions:
        """Return the family's part of an options flow."""

    async def async_fix_issue(
        self, hass: HomeAssistant, entry: ConfigEntry, key: str
    ) -> None:
        """Carry out what a user has confirmed to repair an issue of an entry.

        Raises HomeAssistantError when it does not work.
        """
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="nothing_to_fix"
        )

    @abstractmethod
    def system_health(self, hass: HomeAssistant) -> Mapping[str, str | int | bool]:
        """Return facts for the system health page, by their translation keys."""


async def async_get_family(hass: HomeAssistant, key: str) -> Family:
    """Return a family, loading it when it is the first time.

    Raises ConfigEntryError for one that this version does not have.
    """
    if key not in FAMILIES:
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="unknown_family",
            translation_placeholders={"family": key},
        )
    module = await hass.async_add_import_executor_job(
        import_module, f"{__name__}.{key}"
    )
    family: Family = module.FAMILY
    return family
