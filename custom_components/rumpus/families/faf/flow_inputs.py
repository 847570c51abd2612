"""What a user types into the lobby's forms, and what of it can be used."""

import ipaddress
import os
from pathlib import Path
from typing import Final
import unicodedata

from homeassistant.core import HomeAssistant

from ...protocols.oauth import MAX_TOKEN
from .const import MAX_LOGIN

MAX_HOST: Final = 253
"""Characters of a host name."""
MAX_PATH: Final = 4096
"""Characters of a path."""

_MARKS: Final = frozenset(" /\\@?#%[]:")
"""What ends the host in an address, or has a meaning of its own there."""


def clean_host(text: str) -> str | None:
    """Return a host name or an IP address that a user has typed, None for what is neither."""
    host = text.strip().lower()
    if ":" in host:
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        try:
            address = ipaddress.IPv6Address(host)
        except ValueError:
            return None
        return None if _has_mark(address.scope_id or "") else str(address)
    if not 0 < len(host) <= MAX_HOST or not host.isprintable():
        return None
    return None if _has_mark(host) else host


def _has_mark(host: str) -> bool:
    # Names are looked up in another form than they are typed in: a slash of full width is a
    # slash there, and what is in front of it would be another host.
    return not _MARKS.isdisjoint(unicodedata.normalize("NFKC", host))


def clean_login(text: str) -> str | None:
    """Return the login of a player that a user has typed, None for what cannot be one."""
    login = text.strip()
    if not 0 < len(login) <= MAX_LOGIN or not login.isprintable() or " " in login:
        return None
    return login


def is_token(text: str) -> bool:
    """Tell whether something can be an access token."""
    return 0 < len(text) <= MAX_TOKEN and text.isascii() and text.isprintable()


async def async_helper_problem(hass: HomeAssistant, path: str) -> str | None:
    """Return the key of the text that says why a program cannot be used, None when it can.

    It has to be in the configuration folder or in one that Home Assistant may use.
    """
    return await hass.async_add_executor_job(_helper_problem, hass, path)


def _helper_problem(hass: HomeAssistant, text: str) -> str | None:
    if len(text) > MAX_PATH or "\0" in text:
        return "faf_helper_missing"
    path = Path(text)
    if not path.is_absolute():
        return "faf_helper_not_absolute"
    # What counts is where a link leads to.
    place = Path(os.path.realpath(path))
    config = Path(os.path.realpath(hass.config.config_dir))
    if not (place.is_relative_to(config) or hass.config.is_allowed_path(str(place))):
        return "faf_helper_not_allowed"
    if not place.exists():
        return "faf_helper_missing"
    if not (place.is_file() and os.access(place, os.X_OK)):
        return "faf_helper_not_executable"
    return None
