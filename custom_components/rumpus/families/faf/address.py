"""The address of a lobby, as a user types or pastes it.

What a server is told of the path stands percent-encoded in all of this, as in the address
itself. The FAF reference, section 2, has what lobbies listen on.
"""

from dataclasses import dataclass
import re
from typing import Final, override

from yarl import URL

from ...protocols.faf.transports import format_address
from .flow_inputs import clean_host

MAX_ADDRESS: Final = 4096
"""Characters of an address that are looked at."""
MAX_URL_PATH: Final = 1024
"""Characters of the path in an address, when it is percent-encoded."""
MAX_PORT: Final = 65535
ROOT: Final = "/"
"""The path of lobbies that have no other."""

_SCHEMES: Final = {"ws": False, "wss": True}
_SCHEME: Final = re.compile(r"([^:/?#\\@]*)://")
_PLACE_END: Final = re.compile(r"[/?#\\]")


class AddressError(ValueError):
    """What a user has typed is no address; `key` is that of the text which says why.

    It holds nothing of what was typed: there may be a password in it.
    """

    def __init__(self, key: str) -> None:
        """Take the key of a text among the flow's errors."""
        super().__init__(key)
        self.key = key


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A host, and what else an address names; what it does not name is None."""

    host: str
    port: int | None = None
    path: str | None = None
    is_secure: bool | None = None

    @override
    def __str__(self) -> str:
        """Return it as a user may paste it."""
        if self.port is not None:
            place = format_address(self.host, self.port)
        else:
            place = f"[{self.host}]" if ":" in self.host else self.host
        scheme = {None: "", False: "ws://", True: "wss://"}[self.is_secure]
        return f"{scheme}{place}{self.path or ''}"


def parse_address(text: str) -> Address:
    """Take an address apart: `lobby`, `lobby:8003`, `wss://lobby:8443/path`.

    Raises AddressError, also for what could hold a secret: a login, a query, a fragment.
    """
    text = text.strip()
    if len(text) > MAX_ADDRESS or not text.isprintable():
        raise AddressError("faf_invalid_host")
    is_secure, rest = None, text
    if (found := _SCHEME.match(text)) is not None:
        is_secure, rest = _SCHEMES.get(found[1].lower()), text[found.end() :]
        if is_secure is None:
            raise AddressError("faf_invalid_scheme")
    place = _PLACE_END.split(rest, maxsplit=1)[0]
    tail = rest[len(place) :]
    if "@" in place:
        raise AddressError("faf_address_login")
    host, port = _split_port(place)
    path = clean_path(tail) if tail else None
    return Address(host=host, port=port, path=path, is_secure=is_secure)


def _split_port(place: str) -> tuple[str, int | None]:
    """Return the host and the port of a place, None for the port that it does not name."""
    host, mark, digits = place.rpartition(":")
    # An IPv6 address has colons itself: without brackets there is no port behind it.
    if not mark or place.endswith("]") or (":" in host and not host.endswith("]")):
        host, digits = place, ""
    elif not (digits.isascii() and digits.isdecimal() and len(digits) <= 5):
        raise AddressError("faf_invalid_host")
    cleaned = clean_host(host)
    if cleaned is None or (digits and not 0 < int(digits) <= MAX_PORT):
        raise AddressError("faf_invalid_host")
    return cleaned, int(digits) if digits else None


def clean_path(text: str) -> str:
    """Return a path as a server is told it; `/` for an empty one. Raises AddressError."""
    text = text.strip()
    if "?" in text or "#" in text:
        raise AddressError("faf_address_query")
    if len(text) > MAX_ADDRESS or not text.isprintable() or "\\" in text:
        raise AddressError("faf_invalid_path")
    path = URL(f"ws://lobby/{text.removeprefix(ROOT)}").raw_path
    # Servers and proxies differ about where steps upwards lead.
    steps = {".", ".."}.intersection(
        re.sub("%2e", ".", text, flags=re.IGNORECASE).split(ROOT)
    )
    if len(path) > MAX_URL_PATH or steps:
        raise AddressError("faf_invalid_path")
    return path
