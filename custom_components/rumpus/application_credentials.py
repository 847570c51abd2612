"""The application that users register with Microsoft, to sign in to Xbox Live.

Only consoles that let nobody in without an account need one.
"""

from dataclasses import asdict
from typing import Any, Final, override

from homeassistant.components.application_credentials import (
    AuthImplementation,
    AuthorizationServer,
    ClientCredential,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    MY_AUTH_CALLBACK_PATH,
)
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .protocols.smartglass.xbox_live import OFFICIAL, SCOPE, Endpoints, XboxLive

PORTAL_URL: Final = (
    "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps"
    "/ApplicationsListBlade"
)
"""Where applications are registered."""


@callback
def endpoints() -> Endpoints:
    """Return where Microsoft's services are."""
    return OFFICIAL


@callback
def async_get_xbox_live(hass: HomeAssistant) -> XboxLive:
    """Return Microsoft's services, over the shared session."""
    return XboxLive(async_get_clientsession(hass), endpoints())


class XboxLiveImplementation(AuthImplementation):
    """An application of the user's, with the permissions that Xbox Live needs."""

    @property
    @override
    def extra_authorize_data(self) -> dict[str, str]:
        return {"scope": SCOPE, "approval_prompt": "auto"}

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Return what Microsoft gives for the code that the browser brought back.

        Raises RumpusError, in which nothing of the request or the answer is to be found.
        """
        return await self._async_redeem(
            {
                "grant_type": "authorization_code",
                "code": external_data["code"],
                "redirect_uri": external_data["state"]["redirect_uri"],
            }
        )

    @override
    async def _async_refresh_token(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return what Microsoft gives for a refresh token; raises as above."""
        fresh = await self._async_redeem(
            {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        )
        return {**token, **fresh}

    async def _async_redeem(self, grant: dict[str, str]) -> dict[str, Any]:
        form = {**grant, "client_id": self.client_id, "scope": SCOPE}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return asdict(await async_get_xbox_live(self.hass).oauth_token(form))


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> XboxLiveImplementation:
    """Return what signs in with an application that the user has entered."""
    places = endpoints()
    return XboxLiveImplementation(
        hass,
        auth_domain,
        credential,
        AuthorizationServer(authorize_url=places.authorize, token_url=places.token),
    )


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the dialog for the application's data has to tell."""
    return {"portal_url": PORTAL_URL, "redirect_url": _redirect_url(hass)}


def _redirect_url(hass: HomeAssistant) -> str:
    """Return the address to which Microsoft is to send the browser back."""
    if "my" in hass.config.components:
        return MY_AUTH_CALLBACK_PATH
    try:
        # Microsoft takes no address without encryption.
        base = get_url(hass, require_ssl=True, prefer_external=True)
    except NoURLAvailableError:
        base = "https://…"
    return f"{base}{AUTH_CALLBACK_PATH}"
