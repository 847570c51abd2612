"""The end of every way through the lobby's flow: a look, a first sign-in, and an entry.

While the account of an entry is tried the entry is unloaded: a lobby lets an account in once,
and we would throw ourselves out.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, override

from homeassistant.config_entries import (
    SOURCE_REAUTH,
    ConfigEntry,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.data_entry_flow import AbortFlow

from ...application_credentials import async_get_faf_account
from ...const import CONF_FAMILY, DOMAIN
from ...protocols.errors import AuthenticationError, RumpusError
from ...protocols.faf.connection import Connection, Connector
from ...protocols.faf.probe import probe, try_login
from .. import FamilyFlow
from . import link
from .const import FAMILY_KEY, AccountKind, ServerKind
from .data import LobbyData
from .flow_problems import ANOTHER_SIGN_IN, Problem, problem_of
from .link import create_connector, create_login
from .options import player_key
from .store import Secrets, async_get_store

if TYPE_CHECKING:
    from ...config_flow import RumpusConfigFlow

type UserInput = dict[str, Any] | None
type Step = Callable[[], Awaitable[ConfigFlowResult]]

EXAMPLE: Final = "wss://lobby.example.org:8443/lobby"
"""A whole address; texts that are translated must not have any in them."""

_FORMS: Final = {
    AccountKind.PASSWORD: "faf_password",
    AccountKind.TOKEN: "faf_token",
}
"""The steps in which an account is entered."""


class WatchedConnector:
    """Connects as another connector does, and tells whether that has worked."""

    def __init__(self, connector: Connector) -> None:
        """Take the connector."""
        self._connector = connector
        self.is_connected = False

    @property
    def name(self) -> str:
        """What the log calls the lobby."""
        return self._connector.name

    async def connect(self) -> Connection:
        """Return a new connection; raises what the connector does."""
        connection = await self._connector.connect()
        self.is_connected = True
        return connection


class TrySteps(FamilyFlow):
    """From a lobby and an account to an entry for both.

    `lobby` and `secrets` are what the entry is to have; `entry` is the one that is repaired
    or changed, None for a new one. `form` is the step to go back to when something fails,
    `after_look` the one that follows a look at a lobby.
    """

    def __init__(self, host: RumpusConfigFlow) -> None:
        """Start without a lobby."""
        super().__init__(host)
        self.entry: ConfigEntry | None = None
        self.lobby = LobbyData(server=ServerKind.OFFICIAL, account=AccountKind.NONE)
        self.secrets = Secrets()
        self.form = "faf_retry"
        self.after_look = "faf_finish"
        self.problem: Problem | None = None
        self._task: asyncio.Task[Problem | None] | None = None
        # Of the entry while its account is tried.
        self._release: asyncio.Task[bool] | None = None
        self._is_over = False

    async def async_begin_with(self, entry: ConfigEntry) -> None:
        """Repair or change an entry."""
        self.entry = entry
        self.lobby = LobbyData.from_entry(entry.data)
        store = async_get_store(self.host.hass)
        self.secrets = await store.async_get(entry.unique_id or "")

    # Waiting

    def run(
        self, work: Coroutine[Any, Any, Problem | None]
    ) -> asyncio.Task[Problem | None]:
        """Do something while a progress step is shown.

        It must not be over before anybody has seen it: Home Assistant would give the next
        step the input of the one before.
        """
        return self.host.hass.async_create_task(work, "faf flow", eager_start=False)

    async def async_step_faf_look(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Look whether there is a lobby at the address, before anybody signs in."""
        if self._task is None:
            self._task = self.run(self._async_look())
        if not self._task.done():
            return self._wait("faf_look", self._task)
        self.problem = self._task.result()
        self._task = None
        if self.problem is not None:
            return self.host.async_show_progress_done(next_step_id=self.form)
        self.form = _FORMS.get(self.lobby.account, self.form)
        return self.host.async_show_progress_done(next_step_id=self.after_look)

    async def async_step_faf_try(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Try whether the lobby lets the account in."""
        if self._task is None:
            self._task = self.run(self._async_try())
        if not self._task.done():
            return self._wait("faf_try", self._task)
        self.problem = self._task.result()
        self._task = None
        return self.host.async_show_progress_done(next_step_id=self._step_after_try())

    def _step_after_try(self) -> str:
        if self.problem is None:
            return "faf_finish"
        if self.lobby.is_official and self.problem.key in ANOTHER_SIGN_IN:
            return "faf_sign_in_failed"
        return self.form

    def _wait(
        self, step_id: str, task: asyncio.Task[Problem | None]
    ) -> ConfigFlowResult:
        return self.host.async_show_progress(
            step_id=step_id,
            progress_action=step_id,
            progress_task=task,
            description_placeholders=self.placeholders(),
        )

    # Trying

    async def _async_look(self) -> Problem | None:
        connector = self._connector()
        try:
            await probe(connector, link.TIMING)
        except RumpusError as err:
            return problem_of(err, self.lobby, is_connected=connector.is_connected)
        return None

    async def _async_try(self) -> Problem | None:
        if self.lobby.is_status_only:
            return await self._async_look()
        connector = self._connector()
        login = create_login(self.lobby, self.secrets, self._async_token)
        try:
            async with self._released():
                welcome = await try_login(connector, login, link.TIMING)
        except RumpusError as err:
            return problem_of(err, self.lobby, is_connected=connector.is_connected)
        self.lobby = replace(
            self.lobby, login=welcome.player.login, player_id=welcome.player.id
        )
        return None

    def _connector(self) -> WatchedConnector:
        url = self._async_url if self.lobby.is_official else None
        return WatchedConnector(create_connector(self.host.hass, self.lobby, url))

    async def _async_url(self) -> str:
        account = async_get_faf_account(self.host.hass)
        return await account.lobby_url(await self._async_token())

    async def _async_token(self) -> str:
        """Return the token that the user has just got, or has pasted."""
        if self.secrets.oauth is not None:
            return self.secrets.oauth.access_token
        if self.secrets.token is None:
            raise AuthenticationError("There is no token")
        return self.secrets.token

    @asynccontextmanager
    async def _released(self) -> AsyncIterator[None]:
        """Keep the entry away from its lobby, and go on without it when all is well."""
        entry = self.entry
        if entry is not None and entry.state is ConfigEntryState.LOADED:
            self._release = self.host.hass.async_create_task(
                self.host.hass.config_entries.async_unload(entry.entry_id), "faf flow"
            )
        try:
            if self._release is not None:
                # Whoever closes the flow must not break that off half way.
                await asyncio.shield(self._release)
            yield
        except BaseException:
            self._take_back()
            raise

    @callback
    def _take_back(self) -> None:
        """Let the entry go on as it was."""
        release, self._release = self._release, None
        if release is not None and self.entry is not None:
            # Nobody waits for it: the flow may be gone.
            self.host.hass.async_create_task(
                _async_set_up(self.host.hass, self.entry, release), "faf flow"
            )

    # The end

    @callback
    def is_other_account(self) -> bool:
        """Tell whether the user has signed in again, but as somebody else."""
        return (
            self.entry is not None
            and self.host.source == SOURCE_REAUTH
            and self.entry.unique_id != self.lobby.unique_id
        )

    @callback
    def abort_if_known(self) -> None:
        """Abort when another entry is there with the same account in the same lobby.

        To be called as soon as it is known who is to sign in: trying would throw the other
        one out.
        """
        for entry in self.host.hass.config_entries.async_entries(
            DOMAIN, include_ignore=False
        ):
            if entry is not self.entry and self._is_same(entry):
                raise AbortFlow("already_configured")

    def _is_same(self, entry: ConfigEntry) -> bool:
        if entry.data.get(CONF_FAMILY) != FAMILY_KEY:
            return False
        lobby, other = self.lobby, LobbyData.from_entry(entry.data)
        if lobby.account is AccountKind.NONE or lobby.player_id is not None:
            return lobby.unique_id == other.unique_id
        return (
            lobby.address == other.address
            and lobby.login is not None
            and other.login is not None
            and player_key(lobby.login) == player_key(other.login)
        )

    async def async_step_faf_finish(
        self, user_input: UserInput = None
    ) -> ConfigFlowResult:
        """Make an entry, or change the one there is."""
        if self.is_other_account():
            return await self.async_show_other_account()
        self.abort_if_known()
        if self.entry is None:
            return await self._async_create()
        return await self._async_change(self.entry)

    async def async_show_other_account(self) -> ConfigFlowResult:
        """Tell that the entry is for somebody else, and let the user sign in again."""
        self._take_back()
        self.problem = Problem("faf_other_account")
        step: Step = getattr(self, f"async_step_{self._step_after_try()}")
        return await step()

    async def _async_create(self) -> ConfigFlowResult:
        unique_id = self.lobby.unique_id
        store = async_get_store(self.host.hass)
        async with store.lock:
            # Another flow may have been quicker.
            await self.host.async_claim(unique_id, raise_on_progress=False)
            await store.async_keep(unique_id, self.secrets)
            if self._is_over:
                # The user has closed it while it was writing.
                await store.async_forget(unique_id)
        return self.host.async_create_entry(
            title=self.lobby.name,
            data=self.lobby.to_entry(),
            description=(
                "faf_status_only" if self.lobby.is_status_only else "faf_lobby"
            ),
        )

    async def _async_change(self, entry: ConfigEntry) -> ConfigFlowResult:
        hass = self.host.hass
        hass.config_entries.async_get_known_entry(entry.entry_id)
        old, new = entry.unique_id or "", self.lobby.unique_id
        store = async_get_store(hass)
        async with store.lock:
            await store.async_keep(new, self.secrets)
            if old != new:
                if self.lobby.has_players_of(LobbyData.from_entry(entry.data)):
                    store.keep_player_ids(new, store.record(old).player_ids)
                await store.async_forget(old)
        self._release = None
        has_own_title = entry.title != LobbyData.from_entry(entry.data).name
        return self.host.async_update_reload_and_abort(
            entry,
            unique_id=new,
            title=entry.title if has_own_title else self.lobby.name,
            data=self.lobby.to_entry(),
        )

    def placeholders(self, **more: str) -> dict[str, str]:
        """Return what texts may say about the lobby and the account."""
        entry = self.entry
        known = self.lobby if entry is None else LobbyData.from_entry(entry.data)
        return {
            "name": known.name if entry is None else entry.title,
            "address": self.lobby.address,
            "example": EXAMPLE,
            "login": known.login or f"#{known.player_id}",
            "notice": "" if self.problem is None else self.problem.notice,
            **more,
        }

    @callback
    def errors(self) -> dict[str, str]:
        """Return what is shown in a form about the last attempt."""
        return {} if self.problem is None else {"base": self.problem.key}

    @callback
    @override
    def async_remove(self) -> None:
        # Tasks of progress steps are cancelled by whoever removes the flow.
        self._task = None
        self._is_over = True
        self._take_back()


async def _async_set_up(
    hass: HomeAssistant, entry: ConfigEntry, release: asyncio.Task[bool]
) -> None:
    """Set an entry up again, unless somebody else has done something with it."""
    await asyncio.wait({release})
    if (
        hass.config_entries.async_get_entry(entry.entry_id) is entry
        and entry.state is ConfigEntryState.NOT_LOADED
        and not entry.disabled_by
    ):
        await hass.config_entries.async_setup(entry.entry_id)
