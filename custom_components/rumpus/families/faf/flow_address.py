"""The form with the address of a lobby on a server of one's own, and what it says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import probatio

from homeassistant.const import (
    CONF_HOST,
    CONF_PATH,
    CONF_PORT,
    CONF_SSL,
    CONF_VERIFY_SSL,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ...protocols.faf.transports import DEFAULT_PORTS, Framing
from .address import ROOT, AddressError, clean_path, parse_address
from .const import CONF_FRAMING
from .data import LobbyData

CONF_MORE: Final = "more_options"
SECURE_PORT: Final = 443
"""Where secure WebSockets are opened, unless somebody says otherwise.

Lobbies do not speak TLS themselves: a gateway in front of them does (the FAF reference,
section 2).
"""

_MORE_SCHEMA: Final = probatio.Schema(
    {
        probatio.Required(CONF_SSL, default=False): BooleanSelector(),
        probatio.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
        probatio.Optional(CONF_PATH): TextSelector(),
    }
)


def address_schema(
    values: Mapping[str, Any], errors: Mapping[str, str]
) -> probatio.Schema:
    """Return the form for what is to stand in it; what is not used is folded away."""
    more: dict[str, Any] = values.get(CONF_MORE, {})
    is_used = (
        CONF_MORE in errors
        or more.get(CONF_SSL, False)
        or more.get(CONF_PATH, ROOT) not in {"", ROOT}
    )
    return probatio.Schema(
        {
            probatio.Required(CONF_HOST): TextSelector(),
            probatio.Required(
                CONF_FRAMING, default=Framing.WEBSOCKET.value
            ): SelectSelector(
                SelectSelectorConfig(
                    options=[framing.value for framing in Framing],
                    mode=SelectSelectorMode.LIST,
                    translation_key="faf_framing",
                )
            ),
            probatio.Optional(CONF_PORT): NumberSelector(
                NumberSelectorConfig(min=1, max=65535, mode=NumberSelectorMode.BOX)
            ),
            probatio.Optional(CONF_MORE): section(
                _MORE_SCHEMA, {"collapsed": not is_used}
            ),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a lobby is, and how it is spoken with."""

    host: str
    port: int
    framing: Framing
    is_secure: bool
    verify_certificate: bool
    path: str


class PlaceError(ValueError):
    """What is in the form cannot be used.

    `field` is where that is told, `key` the text among the flow's errors.
    """

    def __init__(self, field: str, key: str) -> None:
        """Take both."""
        super().__init__(key)
        self.field = field
        self.key = key


def read_place(user_input: dict[str, Any]) -> Place:
    """Return what a user has typed. Raises PlaceError.

    What an address names that was pasted counts, whatever stands in the other fields:
    those may still be of the address before. But nobody loses TLS by that.
    """
    more: dict[str, Any] = user_input.get(CONF_MORE, {})
    framing = Framing(user_input[CONF_FRAMING])
    is_secure: bool = more.get(CONF_SSL, False)
    try:
        address = parse_address(user_input[CONF_HOST])
    except AddressError as err:
        raise PlaceError(CONF_HOST, err.key) from None
    if address.is_secure is not None:
        framing = Framing.WEBSOCKET
        if is_secure and not address.is_secure:
            raise PlaceError(CONF_HOST, "faf_address_not_secure")
        is_secure = address.is_secure
    path = address.path
    if path is None:
        try:
            path = clean_path(more.get(CONF_PATH, ""))
        except AddressError as err:
            raise PlaceError(CONF_MORE, err.key) from None
    if framing is not Framing.WEBSOCKET and (is_secure or path != ROOT):
        raise PlaceError(CONF_FRAMING, "faf_websocket_only")
    usual_port = SECURE_PORT if is_secure else DEFAULT_PORTS[framing]
    return Place(
        host=address.host,
        port=address.port or int(user_input.get(CONF_PORT) or usual_port),
        framing=framing,
        is_secure=is_secure,
        # It means nothing without TLS, and is on again when TLS is switched on later.
        verify_certificate=not is_secure or more.get(CONF_VERIFY_SSL, True),
        path=path,
    )


def typed_values(user_input: dict[str, Any]) -> dict[str, Any]:
    """Return what of a form is shown again: no address that may hold a secret."""
    shown = dict(user_input)
    if any(mark in shown[CONF_HOST] for mark in "@?#"):
        del shown[CONF_HOST]
    if any(mark in shown.get(CONF_MORE, {}).get(CONF_PATH, "") for mark in "?#"):
        more = dict(shown[CONF_MORE])
        del more[CONF_PATH]
        shown[CONF_MORE] = more
    return shown


def known_values(lobby: LobbyData) -> dict[str, Any]:
    """Return what stands in the form about a lobby that is known."""
    if lobby.host is None or lobby.port is None or lobby.framing is None:
        return {}
    facts = {
        CONF_HOST: lobby.host,
        CONF_FRAMING: lobby.framing.value,
        CONF_PORT: lobby.port,
    }
    if not lobby.is_secure and lobby.path == ROOT:
        return facts
    more = {
        CONF_SSL: lobby.is_secure,
        CONF_VERIFY_SSL: lobby.verify_certificate,
        CONF_PATH: lobby.path,
    }
    return {**facts, CONF_MORE: more}
