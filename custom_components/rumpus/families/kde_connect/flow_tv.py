"""The config flow of TVs of this home: showing one, changing it, and phones that want it."""

from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import probatio

from homeassistant.components.media_player.const import (
    DOMAIN as MEDIA_PLAYER_DOMAIN,
    MediaPlayerDeviceClass,
)
from homeassistant.components.remote.const import DOMAIN as REMOTE_DOMAIN
from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import ATTR_DEVICE_CLASS, CONF_NAME
from homeassistant.core import CALLBACK_TYPE, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.selector import (
    EntitySelector,
    EntitySelectorConfig,
    TextSelector,
)
from homeassistant.helpers.typing import DiscoveryInfoType

from ...const import DOMAIN
from ...protocols.errors import RumpusError
from ...protocols.kdeconnect.device import RemoteDevice
from ...protocols.kdeconnect.events import DeviceEvent
from ...protocols.kdeconnect.identity import filter_name
from .. import FamilyFlow
from .const import CONF_DEVICE_ID
from .tv import TooManyPhonesError, TvCoordinator
from .tv_cards import card_id
from .tv_data import (
    CONF_MEDIA_PLAYER,
    CONF_REMOTE,
    CONF_TV_ID,
    MAX_PHONES,
    MAX_TVS,
    is_tv,
    tv_data,
)

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

type UserInput = dict[str, Any] | None

_REMOTE_SELECTOR: Final = EntitySelector(EntitySelectorConfig(domain=REMOTE_DOMAIN))


class TvFlow(FamilyFlow):
    """The steps that are about a TV."""

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a TV."""
        super().__init__(host)
        self._tv_player = ""
        self._tv_id = ""
        self._tv_phone_id = ""
        self._tv_phone_name = ""
        self._tv_key: str | None = None
        self._tv_unsubscribe: CALLBACK_TYPE | None = None

    # A new TV

    async def async_step_kde_connect_tv(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose the media player that is to be shown on phones."""
        if len(self._tv_entries()) >= MAX_TVS:
            return self.host.async_abort(
                reason="too_many_tvs", description_placeholders={"tvs": str(MAX_TVS)}
            )
        if user_input is not None:
            self._tv_player = user_input[CONF_MEDIA_PLAYER]
            if self._is_shown(self._tv_player):
                return self.host.async_abort(reason="tv_shown_already")
            return await self.async_step_kde_connect_tv_details()
        return self.host.async_show_form(
            step_id="kde_connect_tv",
            data_schema=self.host.add_suggested_values_to_schema(
                probatio.Schema(
                    {probatio.Required(CONF_MEDIA_PLAYER): self._player_selector()}
                ),
                {CONF_MEDIA_PLAYER: self._suggested_player()},
            ),
        )

    async def async_step_kde_connect_tv_details(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user choose the remote and the name that phones show."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if name := filter_name(user_input[CONF_NAME]):
                if self._is_shown(self._tv_player):  # another flow was quicker
                    return self.host.async_abort(reason="tv_shown_already")
                await self.host.async_claim(uuid4().hex)
                return self.host.async_create_entry(
                    title=name,
                    data=tv_data(name, self._tv_player, user_input.get(CONF_REMOTE)),
                )
            errors[CONF_NAME] = "invalid_name"
        state = self.host.hass.states.get(self._tv_player)
        suggested = {
            CONF_REMOTE: self._suggested_remote(),
            CONF_NAME: filter_name(state.name if state is not None else ""),
        }
        return self.host.async_show_form(
            step_id="kde_connect_tv_details",
            data_schema=self.host.add_suggested_values_to_schema(
                probatio.Schema(
                    {
                        probatio.Required(CONF_NAME): TextSelector(),
                        probatio.Optional(CONF_REMOTE): _REMOTE_SELECTOR,
                    }
                ),
                user_input or suggested,
            ),
            errors=errors,
        )

    # Changing one

    async def async_step_kde_connect_tv_reconfigure(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Let the user change the entities and the name."""
        entry = self.host.reconfigured_entry
        errors: dict[str, str] = {}
        if user_input is not None:
            player = user_input[CONF_MEDIA_PLAYER]
            if not (name := filter_name(user_input[CONF_NAME])):
                errors[CONF_NAME] = "invalid_name"
            elif self._is_shown(player, besides=entry):
                errors[CONF_MEDIA_PLAYER] = "tv_shown_already"
            else:
                return self.host.async_update_reload_and_abort(
                    entry,
                    # A title that the user has given stays.
                    title=name if entry.title == entry.data[CONF_NAME] else entry.title,
                    data_updates={
                        CONF_NAME: name,
                        CONF_MEDIA_PLAYER: player,
                        CONF_REMOTE: user_input.get(CONF_REMOTE),
                    },
                )
        return self.host.async_show_form(
            step_id="kde_connect_tv_reconfigure",
            data_schema=self.host.add_suggested_values_to_schema(
                probatio.Schema(
                    {
                        probatio.Required(CONF_NAME): TextSelector(),
                        probatio.Required(CONF_MEDIA_PLAYER): self._player_selector(
                            besides=entry
                        ),
                        probatio.Optional(CONF_REMOTE): _REMOTE_SELECTOR,
                    }
                ),
                user_input or dict(entry.data),
            ),
            errors=errors,
            description_placeholders={CONF_NAME: entry.title},
        )

    # What there is

    def _tv_entries(self, besides: ConfigEntry | None = None) -> list[ConfigEntry]:
        entries = self.host.hass.config_entries.async_entries(
            DOMAIN, include_ignore=False
        )
        return [
            entry for entry in entries if is_tv(entry.data) and entry is not besides
        ]

    def _is_shown(self, player: str, besides: ConfigEntry | None = None) -> bool:
        return any(
            entry.data[CONF_MEDIA_PLAYER] == player
            for entry in self._tv_entries(besides)
        )

    def _player_selector(self, besides: ConfigEntry | None = None) -> EntitySelector:
        return EntitySelector(
            EntitySelectorConfig(
                domain=MEDIA_PLAYER_DOMAIN,
                exclude_entities=[
                    entry.data[CONF_MEDIA_PLAYER] for entry in self._tv_entries(besides)
                ],
            )
        )

    def _suggested_player(self) -> str | None:
        """Return a TV that is not shown yet, if there is one."""
        return next(
            (
                state.entity_id
                for state in self.host.hass.states.async_all(MEDIA_PLAYER_DOMAIN)
                if state.attributes.get(ATTR_DEVICE_CLASS) == MediaPlayerDeviceClass.TV
                and not self._is_shown(state.entity_id)
            ),
            None,
        )

    def _suggested_remote(self) -> str | None:
        """Return the remote of the device that the media player is of."""
        registry = er.async_get(self.host.hass)
        player = registry.async_get(self._tv_player)
        if player is None or player.device_id is None:
            return None
        return next(
            (
                entity.entity_id
                for entity in er.async_entries_for_device(registry, player.device_id)
                if entity.domain == REMOTE_DOMAIN
            ),
            None,
        )

    # A phone that wants to control one

    async def async_tv_request(self, info: DiscoveryInfoType) -> ConfigFlowResult:
        """Begin for a phone that asks a TV for pairing."""
        self._tv_id, self._tv_phone_id = info[CONF_TV_ID], info[CONF_DEVICE_ID]
        await self.host.async_claim(card_id(self._tv_id, self._tv_phone_id))
        if (asking := self._asking()) is None:
            return self.host.async_abort(reason="tv_request_ended")
        tv, device = asking
        self.host.set_title(f"{tv.settings.name}: {device.name}")
        self._tv_unsubscribe = device.subscribe(self._on_phone_event)
        return await self.async_step_kde_connect_tv_request()

    async def async_step_kde_connect_tv_request(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the key, and let the user allow or refuse."""
        if (asking := self._asking()) is None:
            return self.host.async_abort(reason="tv_request_ended")
        tv, device = asking
        self._tv_key = device.verification_key
        return self.host.async_show_menu(
            step_id="kde_connect_tv_request",
            menu_options=["kde_connect_tv_allow", "kde_connect_tv_refuse"],
            description_placeholders={
                CONF_NAME: device.name,
                "address": device.address or "?",
                "tv": tv.settings.name,
                "key": self._tv_key or "?",
            },
        )

    async def async_step_kde_connect_tv_allow(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Pair with the phone, if it is the request whose key was on the screen."""
        if (asking := self._asking()) is None:
            return self.host.async_abort(reason="tv_request_ended")
        tv, device = asking
        if device.verification_key is None or device.verification_key != self._tv_key:
            return await self.async_step_kde_connect_tv_request()
        try:
            await tv.async_accept(device)
        except TooManyPhonesError:
            return self.host.async_abort(
                reason="too_many_phones",
                description_placeholders={"phones": str(MAX_PHONES)},
            )
        except RumpusError:
            return self.host.async_abort(reason="tv_request_ended")
        return self.host.async_abort(
            reason="phone_paired",
            description_placeholders={CONF_NAME: device.name, "tv": tv.settings.name},
        )

    async def async_step_kde_connect_tv_refuse(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell the phone that it may not."""
        if (asking := self._asking()) is not None:
            await asking[1].reject_pairing()
        return self.host.async_abort(reason="phone_refused")

    def _asking(self) -> tuple[TvCoordinator, RemoteDevice] | None:
        """Return the TV and the phone, if the phone's user waits for our answer."""
        entry = self.host.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, self._tv_id
        )
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        tv: TvCoordinator = entry.runtime_data
        device = tv.requester(self._tv_phone_id)
        return None if device is None else (tv, device)

    @callback
    def _on_phone_event(self, event: DeviceEvent) -> None:
        self.host.async_notify_flow_changed()

    @callback
    def async_leave_phone(self) -> None:
        """Listen to the phone no more."""
        if self._tv_unsubscribe is not None:
            self._tv_unsubscribe()
            self._tv_unsubscribe = None
