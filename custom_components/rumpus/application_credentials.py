"""The applications that users sign in with: one of their own at Microsoft, one that FAF gives.

Only consoles that let nobody in without an account need the first, only the official lobby
of FAF the second. An application does not say whose it is: the flow that it is chosen in
knows.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, override

from homeassistant.components.application_credentials import (
    AuthImplementation,
    AuthorizationServer,
    ClientCredential,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ImplementationUnavailableError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.config_entry_oauth2_flow import (
    AUTH_CALLBACK_PATH,
    MY_AUTH_CALLBACK_PATH,
    AbstractOAuth2Implementation,
    LocalOAuth2Implementation,
    LocalOAuth2ImplementationWithPkce,
    async_get_implementations,
)
from homeassistant.helpers.network import NoURLAvailableError, get_url

from .const import CONF_FAMILY, CONF_IMPLEMENTATION, DOMAIN
from .protocols.errors import ProtocolError
from .protocols.faf.account import (
    OFFICIAL as FAF_OFFICIAL,
    SCOPES as FAF_SCOPES,
    Endpoints as FafEndpoints,
    FafAccount,
)
from .protocols.oauth import OAuthToken
from .protocols.smartglass.xbox_live import OFFICIAL, SCOPE, Endpoints, XboxLive

PORTAL_URL: Final = (
    "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps"
    "/ApplicationsListBlade"
)
"""Where applications are registered with Microsoft."""
FAF_URL: Final = "https://forum.faforever.com"
"""Where one asks FAF for an application."""
NO_SECRET: Final = "none"  # noqa: S105
"""What users enter for an application without a secret: the dialog wants something."""


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


@callback
def faf_endpoints() -> FafEndpoints:
    """Return where FAF's services are."""
    return FAF_OFFICIAL


@callback
def async_get_faf_account(hass: HomeAssistant) -> FafAccount:
    """Return FAF's services, over the shared session."""
    return FafAccount(async_get_clientsession(hass), faf_endpoints())


class FafImplementation(LocalOAuth2ImplementationWithPkce):
    """An application that FAF has given, for one sign-in.

    It takes its id, its secret and its name from what Home Assistant makes of an application.
    """

    def __init__(
        self, hass: HomeAssistant, application: LocalOAuth2Implementation
    ) -> None:
        """Make a new secret for the way through the browser."""
        places = faf_endpoints()
        secret = application.client_secret.strip()
        super().__init__(
            hass,
            application.domain,
            application.client_id,
            places.authorize,
            places.token,
            "" if secret.casefold() == NO_SECRET else secret,
        )
        self._name = application.name

    @property
    @override
    def name(self) -> str:
        return self._name

    @property
    @override
    def extra_authorize_data(self) -> dict[str, str]:
        return {"scope": " ".join(FAF_SCOPES), **super().extra_authorize_data}

    @override
    async def async_resolve_external_data(self, external_data: Any) -> dict[str, Any]:
        """Return what `async_redeem` does as Home Assistant has it."""
        return asdict(await self.async_redeem(external_data))

    async def async_redeem(self, returned: Mapping[str, Any]) -> OAuthToken:
        """Return what FAF gives for the code that the browser brought back.

        Raises RumpusError, in which nothing of the request or the answer is to be found.
        """
        try:
            code, redirect_uri = returned["code"], returned["state"]["redirect_uri"]
        except KeyError, TypeError:
            raise ProtocolError("The browser came back without an answer") from None
        return await self._async_redeem(
            {
                "grant_type": "authorization_code",
                "code": str(code),
                "redirect_uri": str(redirect_uri),
                "code_verifier": self.code_verifier,
            }
        )

    @override
    async def _async_refresh_token(self, token: dict[str, Any]) -> dict[str, Any]:
        """Return what FAF gives for a refresh token, which counts no more; raises as above."""
        fresh = await self._async_redeem(
            {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        )
        return {**token, **asdict(fresh)}

    async def _async_redeem(self, grant: dict[str, str]) -> OAuthToken:
        form = {**grant, "client_id": self.client_id}
        if self.client_secret:
            form["client_secret"] = self.client_secret
        return await async_get_faf_account(self.hass).oauth_token(form)


async def async_applications(
    hass: HomeAssistant, family: str
) -> dict[str, AbstractOAuth2Implementation]:
    """Return the applications that the user has entered and that may be a family's.

    Those that entries of other families use belong to others. Raises
    ImplementationUnavailableError.
    """
    others = {
        entry.data.get(CONF_IMPLEMENTATION)
        for entry in hass.config_entries.async_entries(DOMAIN)
        if entry.data.get(CONF_FAMILY) != family
    }
    found = await async_get_implementations(hass, DOMAIN)
    return {key: found[key] for key in found if key not in others}


async def async_faf_implementation(
    hass: HomeAssistant, implementation: AbstractOAuth2Implementation
) -> FafImplementation:
    """Return what signs in to FAF with an application that the user has entered.

    Raises ImplementationUnavailableError for what is no application.
    """
    if not isinstance(implementation, LocalOAuth2Implementation):
        raise ImplementationUnavailableError
    return FafImplementation(hass, implementation)


async def async_get_auth_implementation(
    hass: HomeAssistant, auth_domain: str, credential: ClientCredential
) -> XboxLiveImplementation:
    """Return what signs in with an application that the user has entered.

    It is what Xbox Live needs; FAF makes its own of that, see `FafImplementation`.
    """
    places = endpoints()
    return XboxLiveImplementation(
        hass,
        auth_domain,
        credential,
        AuthorizationServer(authorize_url=places.authorize, token_url=places.token),
    )


async def async_get_description_placeholders(hass: HomeAssistant) -> dict[str, str]:
    """Return what the dialog for the application's data has to tell."""
    return {
        "portal_url": PORTAL_URL,
        "faf_url": FAF_URL,
        "redirect_url": _redirect_url(hass),
        "no_secret": NO_SECRET,
    }


def _redirect_url(hass: HomeAssistant) -> str:
    """Return the address to which Microsoft or FAF is to send the browser back."""
    if "my" in hass.config.components:
        return MY_AUTH_CALLBACK_PATH
    try:
        # Microsoft takes no address without encryption.
        base = get_url(hass, require_ssl=True, prefer_external=True)
    except NoURLAvailableError:
        base = "https://…"
    return f"{base}{AUTH_CALLBACK_PATH}"
