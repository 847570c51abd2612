"""The user's sign-in to FAF, as an entry has it, and the tokens that come of it.

Each refresh token counts once: the next one is in the file before the access token that came
with it is used, and what waits for it may go without losing it.
"""

import asyncio
import time
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import (
    ImplementationUnavailableError,
    UnknownImplementationError,
)
from homeassistant.helpers.config_entry_oauth2_flow import (
    async_get_config_entry_implementation,
)

from ...application_credentials import async_faf_implementation, async_get_faf_account
from ...coordinator import RumpusConfigEntry
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    ProtocolError,
    RumpusError,
)
from ...protocols.faf.errors import GatewayRefusedError
from .store import FafStore, OAuthSecret

EXPIRY_MARGIN: Final = 30.0
"""Seconds before its end from which an access token is not used any more."""


class TokenSource:
    """Gives the access token of an entry, and the addresses that it opens."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: RumpusConfigEntry,
        store: FafStore,
        unique_id: str,
    ) -> None:
        """Ask for nothing yet; the store has been loaded."""
        self._hass = hass
        self._entry = entry
        self._store = store
        self._unique_id = unique_id
        self._renewal: asyncio.Task[OAuthSecret | RumpusError] | None = None
        self._is_expired = False

    async def async_token(self) -> str:
        """Return an access token that counts, as far as it is known.

        Raises AuthenticationError when the user has to sign in again; DisconnectedError,
        PeerTimeoutError or ProtocolError when it may work later.
        """
        secrets = self._store.record(self._unique_id).secrets
        if secrets.token is not None:
            return secrets.token
        if secrets.oauth is None:
            raise AuthenticationError("The entry has no sign-in")
        if not self._is_expired and secrets.oauth.expires_at > (
            time.time() + EXPIRY_MARGIN
        ):
            return secrets.oauth.access_token
        return (await self._async_renewed()).access_token

    async def async_url(self) -> str:
        """Return the address for one connection to the official lobby; raises as above."""
        account = async_get_faf_account(self._hass)
        try:
            return await account.lobby_url(await self.async_token())
        except GatewayRefusedError:
            # It should have counted still: a clock may be wrong.
            self.expire()
            return await account.lobby_url(await self.async_token())

    def expire(self) -> None:
        """Do not use the access token that we have any more."""
        self._is_expired = True

    async def _async_renewed(self) -> OAuthSecret:
        """Return a fresh token, the same for all who ask meanwhile."""
        if self._renewal is None:
            # Unloading waits for it: FAF may have used up the refresh token already.
            self._renewal = self._entry.async_create_task(
                self._hass, self._async_renew(), "faf sign-in", eager_start=False
            )
        renewed = await asyncio.shield(self._renewal)
        if isinstance(renewed, RumpusError):
            raise renewed
        return renewed

    async def _async_renew(self) -> OAuthSecret | RumpusError:
        """Return a fresh token, which is kept, or what is wrong."""
        try:
            old = self._store.record(self._unique_id).secrets.oauth
            if old is None:
                return AuthenticationError("The entry has no sign-in")
            fresh = await self._async_redeem(old)
            await self._store.async_renew(self._unique_id, old, fresh)
        except RumpusError as err:
            return err
        else:
            self._is_expired = False
            return fresh
        finally:
            self._renewal = None

    async def _async_redeem(self, old: OAuthSecret) -> OAuthSecret:
        try:
            implementation = await async_faf_implementation(
                self._hass,
                await async_get_config_entry_implementation(self._hass, self._entry),
            )
        except UnknownImplementationError:
            raise AuthenticationError("The application is gone") from None
        except ImplementationUnavailableError:
            raise DisconnectedError("The application cannot be asked for") from None
        token = await implementation.async_refresh_token(old.to_token())
        try:
            return OAuthSecret.from_token(token)
        except KeyError, TypeError, ValueError:
            raise ProtocolError("An answer that is not complete") from None
