"""Pictures behind URLs that apps choose: fetched for the device, within narrow bounds.

An app's metadata, or whoever sends media to the device, says where a picture is.  So that
nobody makes Home Assistant call on things in the network at home, such a URL may lead to the
internet or to the device itself, and nowhere else, redirects included.  The name in it is
looked up once, and exactly that address is connected to.
"""

from collections.abc import Callable
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
import socket
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientTimeout
from yarl import URL

from homeassistant.core import HomeAssistant
from homeassistant.helpers.aiohttp_client import async_get_clientsession

from ...const import LOGGER

MAX_PICTURE: Final = 8 * 1024 * 1024
"""Bytes of a picture."""
MAX_URL: Final = 4096
"""Characters of a URL."""
MAX_REDIRECTS: Final = 3
"""Times that a server may send us elsewhere."""
FETCH_SECONDS: Final = 10.0
"""How long one server may take for a picture."""
MAX_MIMETYPE: Final = 64
"""Characters of a media type."""
CHUNK: Final = 64 * 1024
"""Bytes that are read at once."""

_REDIRECTS: Final = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.SEE_OTHER,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)
_UNICAST: Final = IPv6Network("2000::/3")


class ArtworkClient:
    """Fetches pictures for one device, whose address it asks for each time."""

    def __init__(self, hass: HomeAssistant, address: Callable[[], str]) -> None:
        """Fetch nothing yet."""
        self._hass = hass
        self._address = address

    async def async_fetch(self, url: str) -> tuple[bytes, str] | None:
        """Return the data of a picture and its media type, None when there is none.

        Raises nothing: a picture that cannot be had is not there.
        """
        target = _parse(url)
        for _ in range(MAX_REDIRECTS + 1):
            if target is None:
                return None
            try:
                answer = await self._async_get(target)
            except ClientError, TimeoutError, OSError, ValueError:
                LOGGER.debug("A picture of an Apple device could not be fetched")
                return None
            if not isinstance(answer, URL):
                return answer
            target = answer
        return None

    async def _async_get(self, url: URL) -> tuple[bytes, str] | URL | None:
        """Return a picture, where it is instead, or None."""
        if (address := await self._async_look_up(url)) is None:
            LOGGER.debug("A picture of an Apple device is where none may be fetched")
            return None
        session = async_get_clientsession(self._hass)
        async with session.get(
            url.with_host(str(address)),
            headers={"Host": _host_header(url)},
            server_hostname=url.host if url.scheme == "https" else None,
            allow_redirects=False,
            timeout=ClientTimeout(total=FETCH_SECONDS),
        ) as response:
            if response.status in _REDIRECTS:
                location = response.headers.get("Location", "")
                return _parse(location, base=url)
            if response.status != HTTPStatus.OK:
                return None
            return await _async_read(response)

    async def _async_look_up(self, url: URL) -> IPv4Address | IPv6Address | None:
        """Return the address to connect to, None when there is none that may be."""
        addresses = await self._hass.loop.getaddrinfo(
            url.host, url.port, type=socket.SOCK_STREAM
        )
        own = self._address()
        for _, _, _, _, (host, *_) in addresses:
            address = ip_address(str(host))
            if str(address) == own or _is_public(address):
                return address
        return None


def _parse(text: str, base: URL | None = None) -> URL | None:
    """Return a URL that may be fetched as far as its form tells, else None."""
    if not 0 < len(text) <= MAX_URL:
        return None
    try:
        url = URL(text)
        if base is not None:
            url = base.join(url)
        if url.scheme not in ("http", "https") or not url.host or not url.port:
            return None
    except ValueError:
        return None
    return url.with_user(None).with_fragment(None)


def _host_header(url: URL) -> str:
    host = url.host_subcomponent or ""
    return host if url.is_default_port() else f"{host}:{url.port}"


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is in the internet and stands for nothing at home."""
    if isinstance(address, IPv6Address):
        return (
            address in _UNICAST
            and address.is_global
            and address.sixtofour is None
            and address.teredo is None
        )
    return address.is_global and not address.is_multicast


async def _async_read(response: ClientResponse) -> tuple[bytes, str] | None:
    """Return a picture that is not too large."""
    mimetype = response.content_type
    if not mimetype.startswith("image/") or len(mimetype) > MAX_MIMETYPE:
        return None
    if (response.content_length or 0) > MAX_PICTURE:
        return None
    data = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        data += chunk
        if len(data) > MAX_PICTURE:
            return None
    return bytes(data), mimetype
