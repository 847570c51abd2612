"""Pictures behind URLs that apps choose: nobody is to be called on in the network at home."""

from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
import socket
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest

from homeassistant.core import HomeAssistant

from custom_components.rumpus.families.apple_tv import artwork
from custom_components.rumpus.families.apple_tv.artwork import ArtworkClient

PICTURE = b"\x89PNG picture"


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[TestServer]:
    """A server with pictures, and with things that are none."""

    async def picture(request: web.Request) -> web.Response:
        return web.Response(
            body=PICTURE,
            content_type="image/png",
            headers={"X-Host": request.headers["Host"]},
        )

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        await response.prepare(request)
        for _ in range(5):
            await response.write(bytes(1000))
        return response

    async def told_large(request: web.Request) -> web.Response:
        return web.Response(body=bytes(5000), content_type="image/jpeg")

    async def away(request: web.Request) -> web.Response:
        target = request.query["to"]
        return web.Response(status=302, headers={"Location": target})

    async def nowhere(request: web.Request) -> web.Response:
        return web.Response(status=302)

    app = web.Application()
    for path, handler in (
        ("/picture", picture),
        ("/page", page),
        ("/large", large),
        ("/told_large", told_large),
        ("/away", away),
        ("/nowhere", nowhere),
    ):
        app.router.add_get(path, handler)
    running = TestServer(app, host="127.0.0.1")
    async with running:
        yield running


@pytest.fixture
def client(hass: HomeAssistant) -> ArtworkClient:
    """What fetches for a device that is on loopback."""
    return ArtworkClient(hass, lambda: "127.0.0.1")


async def test_picture(client: ArtworkClient, server: TestServer) -> None:
    """The device itself may have it."""
    url = str(server.make_url("/picture"))
    assert await client.async_fetch(url) == (PICTURE, "image/png")


async def test_redirects(client: ArtworkClient, server: TestServer) -> None:
    """A few are followed, relative ones as well."""
    url = str(server.make_url("/away").with_query(to="/away?to=/picture"))
    assert await client.async_fetch(url) == (PICTURE, "image/png")


@pytest.mark.parametrize(
    "path",
    [
        "/missing",
        "/page",
        "/nowhere",
        "/away?to=ftp://127.0.0.1/picture",
        "/away?to=http://[::1",
        "/away?to=http://10.0.0.1/picture",
    ],
)
async def test_no_picture(client: ArtworkClient, server: TestServer, path: str) -> None:
    """What is none is not there."""
    url = f"{server.make_url('/')}".rstrip("/") + path
    assert await client.async_fetch(url) is None


async def test_redirects_without_end(client: ArtworkClient, server: TestServer) -> None:
    """They are counted."""
    url = "/picture"
    for _ in range(artwork.MAX_REDIRECTS + 1):
        url = str(server.make_url("/away").with_query(to=url))
    assert await client.async_fetch(url) is None


@pytest.mark.parametrize("path", ["/large", "/told_large"])
async def test_size_limit(
    client: ArtworkClient,
    server: TestServer,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    """One byte more is too much, whether or not it was told before."""
    url = str(server.make_url(path))
    monkeypatch.setattr(artwork, "MAX_PICTURE", 5000)
    assert await client.async_fetch(url) == (bytes(5000), "image/jpeg")
    monkeypatch.setattr(artwork, "MAX_PICTURE", 4999)
    assert await client.async_fetch(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "picture",
        "file:///etc/passwd",
        "ftp://example.com/picture",
        "http://",
        "http://[::1/picture",
        "data:image/png;base64,AAAA",
        f"http://example.com/{'x' * artwork.MAX_URL}",
    ],
)
async def test_what_is_no_address(client: ArtworkClient, url: str) -> None:
    """Nothing is sent for these."""
    assert await client.async_fetch(url) is None


def lookup(*addresses: str) -> Callable[..., Any]:
    """Return a name service that knows these addresses for every name."""

    async def getaddrinfo(host: str, port: int, **kwargs: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    return getaddrinfo


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",  # noqa: S104
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.251",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::fb",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "2001:0:a00:1::1",
    ],
)
async def test_addresses_at_home(
    hass: HomeAssistant,
    server: TestServer,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
) -> None:
    """A name in the internet may lead there; nobody follows."""
    client = ArtworkClient(hass, lambda: "192.0.2.1")
    monkeypatch.setattr(hass.loop, "getaddrinfo", lookup(address))
    assert await client.async_fetch("https://pictures.example.com/picture") is None


async def test_address_that_was_checked_is_called(
    hass: HomeAssistant, server: TestServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second look at the name, which may lead elsewhere by then, is not taken."""
    client = ArtworkClient(hass, lambda: "127.0.0.1")
    calls: list[str] = []
    known = lookup("10.0.0.1", "127.0.0.1")

    async def getaddrinfo(host: str, port: int, **kwargs: object) -> Any:
        calls.append(host)
        return await known(host, port)

    monkeypatch.setattr(hass.loop, "getaddrinfo", getaddrinfo)
    url = f"http://user:secret@pictures.example.com:{server.port}/picture#part"
    assert await client.async_fetch(url) == (PICTURE, "image/png")
    assert calls == ["pictures.example.com"]


def test_addresses_in_the_internet() -> None:
    """These may be called."""
    for address in ("1.1.1.1", "17.253.144.10", "2606:4700:4700::1111"):
        assert artwork._is_public(ip_address(address))


async def test_no_answer(client: ArtworkClient, server: TestServer) -> None:
    """Then there is no picture."""
    url = str(server.make_url("/picture"))
    await server.close()
    assert await client.async_fetch(url) is None
