"""The user's sign-in to Xbox Live, as an entry has it, and the tokens that come of it.

The XSTS token is kept in the entry, within the OAuth token: it counts for some 16 hours, and
a restart without the internet must not cost the connection to a console in the same room.
Beside it stands the refresh token, which is worth more to a thief and counts for months.
"""

import asyncio
from collections.abc import Coroutine, Mapping
from functools import partial
import time
from typing import Any, Final

from aiohttp import ClientError

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ImplementationUnavailableError,
    OAuth2TokenRequestBaseError,
    OAuth2TokenRequestReauthError,
    UnknownImplementationError,
)
from homeassistant.helpers.config_entry_oauth2_flow import (
    AbstractOAuth2Implementation,
    OAuth2Session,
    async_get_config_entry_implementation,
)
from homeassistant.util.hass_dict import HassKey

from ...application_credentials import async_get_xbox_live
from ...const import CONF_IMPLEMENTATION
from ...protocols.errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
)
from ...protocols.smartglass.tokens import Tokens
from ...protocols.smartglass.xbox_live import XblError, XstsKeeper, XstsToken

CONF_TOKEN: Final = "token"  # noqa: S105
"""Named as Home Assistant's own helpers have it."""
CONF_XSTS: Final = "xsts"

OAUTH_TIMEOUT: Final = 15.0
"""Seconds that Microsoft may take for a new access token."""

_KEEPERS: HassKey[dict[str, XstsKeeper]] = HassKey("rumpus_xbox_keepers")


def is_signed_in(data: Mapping[str, Any]) -> bool:
    """Tell whether the data of an entry has a sign-in."""
    return CONF_TOKEN in data


def sign_in_data(implementation_domain: str, token: dict[str, Any]) -> dict[str, Any]:
    """Return what has to be in the data of an entry for a user who has signed in."""
    return {CONF_IMPLEMENTATION: implementation_domain, CONF_TOKEN: token}


def signed_out(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data of an entry without a sign-in."""
    return {
        key: value
        for key, value in data.items()
        if key not in {CONF_IMPLEMENTATION, CONF_TOKEN}
    }


async def async_tokens(
    hass: HomeAssistant, entry: ConfigEntry, *, refused: Tokens | None = None
) -> Tokens | None:
    """Return what an entry connects with, None for one without a sign-in.

    `refused` are tokens that the console has not accepted although they should have counted:
    others are returned then. Raises AuthenticationError when the user has to sign in again;
    DisconnectedError, PeerTimeoutError or ProtocolError when it may work later.
    """
    if not is_signed_in(entry.data):
        return None
    return (await _keeper(hass, entry).get(refused=refused)).tokens


async def async_redeem(
    hass: HomeAssistant,
    implementation: AbstractOAuth2Implementation,
    external_data: Mapping[str, Any],
) -> tuple[dict[str, Any], XstsToken]:
    """Return the token to keep, and the XSTS token in it, for a user who comes back.

    `external_data` is what came with the browser. Raises as `async_tokens` does.
    """
    try:
        token = await _guarded(
            implementation.async_resolve_external_data(external_data)
        )
        token["expires_at"] = time.time() + token["expires_in"]
        access_token: str = token["access_token"]
    except KeyError, TypeError:
        raise ProtocolError("An answer that is not complete") from None
    xsts = await async_get_xbox_live(hass).sign_in(access_token)
    return {**token, CONF_XSTS: xsts.to_json()}, xsts


def _keeper(hass: HomeAssistant, entry: ConfigEntry) -> XstsKeeper:
    """Return what keeps the tokens of an entry until it is unloaded."""
    keepers = hass.data.setdefault(_KEEPERS, {})
    if (keeper := keepers.get(entry.entry_id)) is None:

        def create_task(
            renewal: Coroutine[Any, Any, XstsToken],
        ) -> asyncio.Task[XstsToken]:
            # Unloading waits for it: Microsoft may have used up the refresh token already.
            return entry.async_create_task(hass, renewal, "xbox sign-in")

        keeper = keepers[entry.entry_id] = XstsKeeper(
            partial(_stored, entry),
            partial(_async_renew, hass, entry),
            create_task=create_task,
        )

        @callback
        def forget() -> None:
            keepers.pop(entry.entry_id, None)

        entry.async_on_unload(forget)
    return keeper


def _stored(entry: ConfigEntry) -> XstsToken | None:
    try:
        return XstsToken.from_json(entry.data[CONF_TOKEN][CONF_XSTS])
    except KeyError, TypeError, ProtocolError:
        return None


async def _async_renew(hass: HomeAssistant, entry: ConfigEntry) -> XstsToken:
    live = async_get_xbox_live(hass)
    access_token = await _async_access_token(hass, entry)
    try:
        xsts = await live.sign_in(access_token)
    except XblError as err:
        if err.code is not None:
            raise
        # It should have counted still: a clock was wrong, or the user has a new password.
        _async_change_token(hass, entry, access_token, {"expires_at": 0})
        access_token = await _async_access_token(hass, entry)
        xsts = await live.sign_in(access_token)
    _async_change_token(hass, entry, access_token, {CONF_XSTS: xsts.to_json()})
    return xsts


async def _async_access_token(hass: HomeAssistant, entry: ConfigEntry) -> str:
    """Return an access token, which Home Assistant refreshes if need be."""

    async def refreshed() -> str:
        implementation = await async_get_config_entry_implementation(hass, entry)
        session = OAuth2Session(hass, entry, implementation)
        await session.async_ensure_token_valid()
        access_token: str = session.token["access_token"]
        return access_token

    try:
        return await _guarded(refreshed())
    except KeyError, TypeError:
        raise AuthenticationError("The entry has no usable sign-in") from None


async def _guarded[T](request: Coroutine[Any, Any, T]) -> T:
    """Wait for an OAuth request; what Home Assistant raises becomes an error of ours."""
    try:
        async with asyncio.timeout(OAUTH_TIMEOUT):
            return await request
    except (OAuth2TokenRequestReauthError, UnknownImplementationError) as err:
        problem = type(err).__name__
    except TimeoutError as err:
        if isinstance(err, PeerTimeoutError):
            raise
        raise PeerTimeoutError("Microsoft did not answer in time") from None
    except (
        OAuth2TokenRequestBaseError,
        ImplementationUnavailableError,
        ClientError,
    ) as err:
        raise DisconnectedError(f"No token: {type(err).__name__}") from None
    raise AuthenticationError(f"The sign-in does not count any more: {problem}")


@callback
def _async_change_token(
    hass: HomeAssistant,
    entry: ConfigEntry,
    access_token: str,
    changes: dict[str, Any],
) -> None:
    """Change the token of an entry, unless the user has signed in or out meanwhile."""
    token = entry.data.get(CONF_TOKEN, {})
    if (
        token.get("access_token") == access_token
        and hass.config_entries.async_get_entry(entry.entry_id) is entry
    ):
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, CONF_TOKEN: {**token, **changes}}
        )
