"""The config flow of the lobby: which server, how to sign in, and what to change later."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import ConfigEntry, ConfigFlowResult
from homeassistant.core import callback
from homeassistant.helpers.typing import DiscoveryInfoType

from .. import FamilyFlow

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow


class FafFlow(FamilyFlow):
    """Everything between a lobby that is somewhere and an entry for it."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a lobby."""
        super().__init__(host)

    @override
    async def async_user(self) -> ConfigFlowResult:
        raise NotImplementedError

    @override
    async def async_discovery(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        return self.host.async_abort(reason="invalid_discovery")

    @override
    async def async_reauth(
        self, entry: ConfigEntry, info: Mapping[str, object]
    ) -> ConfigFlowResult:
        raise NotImplementedError

    @override
    async def async_reconfigure(self, entry: ConfigEntry) -> ConfigFlowResult:
        raise NotImplementedError

    @callback
    @override
    def async_remove(self) -> None:
        """Nothing is begun yet."""
