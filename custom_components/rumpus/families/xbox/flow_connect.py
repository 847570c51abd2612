"""The second half of the consoles' config flow: the first session, and what it may need."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_HOST, CONF_NAME, CONF_PORT
from homeassistant.core import callback
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers.config_entry_oauth2_flow import async_get_implementations

from ...const import DOMAIN
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
)
from ...protocols.smartglass.console import Console
from ...protocols.smartglass.enums import ConnectResult
from ...protocols.smartglass.errors import ConnectRefusedError, ConsoleMismatchError
from ...protocols.smartglass.tokens import Tokens
from . import link
from .account import sign_in_data
from .const import CONF_LIVE_ID
from .data import console_name, model, place
from .hub import HubLease, async_get_hub
from .sign_in import CREDENTIALS_URL, SignInFlow

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

type UserInput = dict[str, Any] | None

_REFUSALS: Final = {
    ConnectResult.FAILURE_DEVICE_LIMIT_EXCEEDED: "xbox_device_limit",
    ConnectResult.FAILURE_SMARTGLASS_DISABLED: "xbox_smartglass_disabled",
    ConnectResult.FAILURE_USER_AUTH_FAILED: "xbox_auth_failed",
    ConnectResult.FAILURE_USER_SIGN_IN_FAILED: "xbox_sign_in_failed",
    ConnectResult.FAILURE_USER_SIGN_IN_TIMED_OUT: "xbox_sign_in_timed_out",
    ConnectResult.FAILURE_USER_SIGN_IN_REQUIRED: "xbox_sign_in_required",
}


class NoSessionError(PeerTimeoutError):
    """The console answers a search, but not the request to connect."""


class ConnectSteps(SignInFlow):
    """From a console that is known to an entry for it.

    `target` is what the entry's data will be, without a sign-in; `entry` is the one that is
    repaired or changed, None for a new one.
    """

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a console."""
        super().__init__(host)
        self.target: dict[str, Any] = {}
        self.entry: ConfigEntry | None = None
        self._attempt: asyncio.Task[RumpusError | OSError | None] | None = None
        self._problem: str | None = None

    @asynccontextmanager
    async def leased(self) -> AsyncIterator[HubLease]:
        """Search, or be connected, for a moment; raises OSError when that cannot be done."""
        lease = await async_get_hub(self.host.hass).async_lease(offers=False)
        try:
            yield lease
        finally:
            await lease.async_release()

    def is_set_up(self, live_id: str) -> bool:
        """Tell whether an entry follows a console."""
        return self._loaded_entry(live_id) is not None

    def is_connected(self, live_id: str) -> bool:
        """Tell whether an entry has a session with a console."""
        entry = self._loaded_entry(live_id)
        return entry is not None and bool(entry.runtime_data.data.is_connected)

    def _loaded_entry(self, live_id: str) -> ConfigEntry | None:
        entry = self.host.hass.config_entries.async_entry_for_domain_unique_id(
            DOMAIN, live_id
        )
        if entry is None or entry.state is not ConfigEntryState.LOADED:
            return None
        return entry

    # The first session

    async def async_step_xbox_confirm(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Ask whether a discovered console is to be added."""
        if user_input is not None:
            return await self.async_step_xbox_connect()
        return self.host.async_show_form(
            step_id="xbox_confirm", description_placeholders=self._placeholders()
        )

    async def async_step_xbox_reauth(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that the console lets nobody in any more without an account."""
        return await self._async_menu("xbox_reauth")

    async def async_step_xbox_reauth_account(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell that the account is not accepted any more."""
        return await self._async_menu("xbox_reauth_account")

    async def async_step_xbox_not_allowed(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Explain how the console can be made to let us in."""
        return await self._async_menu("xbox_not_allowed")

    async def _async_menu(self, step_id: str) -> ConfigFlowResult:
        """Offer to try again, and to sign in where that is possible."""
        menu = ["xbox_connect"]
        if await self._async_has_application():
            menu.append("xbox_sign_in")
        else:
            step_id = f"{step_id}_no_application"
        return self.host.async_show_menu(
            step_id=step_id,
            menu_options=menu,
            description_placeholders={
                **self._placeholders(),
                "credentials_url": CREDENTIALS_URL,
            },
        )

    async def _async_has_application(self) -> bool:
        """Tell whether the user has entered an application to sign in with."""
        try:
            return bool(await async_get_implementations(self.host.hass, DOMAIN))
        except ImplementationUnavailableError:
            return False

    async def async_step_xbox_not_allowed_no_application(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the menu anew: an application may have been entered meanwhile."""
        return await self.async_step_xbox_not_allowed()

    async def async_step_xbox_reauth_no_application(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the menu anew."""
        return await self.async_step_xbox_reauth()

    async def async_step_xbox_reauth_account_no_application(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Show the menu anew."""
        return await self.async_step_xbox_reauth_account()

    async def async_step_xbox_retry(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Tell what went wrong, and offer to try again."""
        if user_input is not None:
            return await self.async_step_xbox_connect()
        return self.host.async_show_form(
            step_id="xbox_retry",
            errors={"base": self._problem or "xbox_connection_lost"},
            description_placeholders=self._placeholders(),
        )

    async def async_step_xbox_connect(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Try whether the console lets us in without an account."""
        if self._attempt is None:
            # It must not be over before anybody has seen it: Home Assistant would give the
            # next step the input of the one before.
            self._attempt = self.host.hass.async_create_task(
                self._async_attempt(), "xbox connect", eager_start=False
            )
        if not self._attempt.done():
            return self.host.async_show_progress(
                step_id="xbox_connect",
                progress_action="xbox_connect",
                progress_task=self._attempt,
                description_placeholders=self._placeholders(),
            )
        error = self._attempt.result()
        self._attempt = None
        if error is None:
            step_id = "xbox_finish"
        elif (
            isinstance(error, ConnectRefusedError)
            and error.result == ConnectResult.FAILURE_ANONYMOUS_CONNECTIONS_DISABLED
        ):
            step_id = "xbox_not_allowed"
        else:
            self._problem = connect_error(error)
            step_id = "xbox_retry"
        return self.host.async_show_progress_done(next_step_id=step_id)

    async def _async_attempt(self) -> RumpusError | OSError | None:
        try:
            await self._async_connect(None)
        except (RumpusError, OSError) as err:
            return err
        return None

    async def _async_connect(self, tokens: Tokens | None) -> None:
        """Have a session for a moment; raises what `Console.connect` raises, and OSError."""
        async with self.leased() as lease:
            target = self.target
            console = Console(
                lease.discoverer,
                live_id=target[CONF_LIVE_ID],
                address=target[CONF_HOST],
                port=target[CONF_PORT],
                client_uuid=lease.client_uuid,
                timing=link.TIMING,
            )
            # It may have moved since the card was made.
            heard = async_get_hub(self.host.hass).heard(target[CONF_LIVE_ID])
            if heard is not None:
                console.move(heard.address, heard.port)
            try:
                await console.connect(tokens)
            except PeerTimeoutError as err:
                if console.discovered is None:
                    raise
                raise NoSessionError(str(err)) from err
            finally:
                await console.disconnect()
            if TYPE_CHECKING:
                assert console.discovered is not None
            target.update(place(console.discovered))
            target[CONF_NAME] = console_name(console.discovered)

    # The end

    async def async_step_xbox_finish(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Keep a console that lets us in without an account."""
        return await self._async_keep(self.target)

    @override
    async def async_signed_in(
        self, implementation_domain: str, token: dict[str, Any], tokens: Tokens
    ) -> ConfigFlowResult:
        # An entry's console may be off, or have a session that another one would end: then
        # its own next attempt tells whether it accepts the account.
        try:
            if self.entry is None or not self.is_connected(self.target[CONF_LIVE_ID]):
                await self._async_connect(tokens)
        except PeerTimeoutError as err:
            if self.entry is None:
                return self.sign_in_failed(connect_error(err))
        except RumpusError as err:
            return self.sign_in_failed(connect_error(err))
        except OSError:
            return self.host.async_abort(reason="xbox_cannot_search")
        return await self._async_keep(
            {**self.target, **sign_in_data(implementation_domain, token)}
        )

    async def _async_keep(self, data: Mapping[str, Any]) -> ConfigFlowResult:
        # Another flow may have been quicker.
        await self.host.async_claim(data[CONF_LIVE_ID], raise_on_progress=False)
        if self.entry is not None:
            return self.host.async_update_reload_and_abort(self.entry, data=dict(data))
        return self.host.async_create_entry(
            title=data[CONF_NAME], data=dict(data), description="xbox_console"
        )

    @callback
    @override
    def async_remove(self) -> None:
        # Whatever runs ends by itself, in seconds, and releases what it has leased.
        self._attempt = None

    def _placeholders(self) -> dict[str, str]:
        return {
            CONF_NAME: self.target[CONF_NAME],
            "model": model(self.target),
            "address": self.target[CONF_HOST],
        }


def connect_error(error: RumpusError | OSError) -> str:
    """Return the error to show when there is no session."""
    match error:
        case ConnectRefusedError(result=result):
            return next(
                (key for code, key in _REFUSALS.items() if result == code),
                "xbox_refused",
            )
        case ConsoleMismatchError():
            return "xbox_other_console"
        case NoSessionError():
            return "xbox_no_session"
        case PeerTimeoutError():
            return "xbox_no_answer"
        case DisconnectedError():
            return "xbox_connection_lost"
        case AuthenticationError():
            return "xbox_refused"
        case RumpusError():
            return "xbox_not_understood"
        case _:
            return "xbox_cannot_search"
