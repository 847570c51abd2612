"""Addresses as users type and paste them, taken apart and put together."""

import ipaddress
import string

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.faf.address import (
    MAX_ADDRESS,
    MAX_PORT,
    MAX_URL_PATH,
    Address,
    AddressError,
    clean_path,
    parse_address,
)

_LABELS = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
HOSTS = st.one_of(
    st.lists(_LABELS, min_size=1, max_size=4).map(".".join),
    st.ip_addresses().map(str),
)


def _path(text: str) -> str | None:
    try:
        return clean_path(text)
    except AddressError:
        return None


PATHS = st.one_of(
    st.text(max_size=60), st.text("/%.aA2eEfF:@&=+;,~ü", max_size=30)
).map(_path)
ADDRESSES = st.builds(
    Address,
    host=HOSTS,
    port=st.none() | st.integers(1, MAX_PORT),
    path=PATHS,
    is_secure=st.none() | st.booleans(),
)


@given(ADDRESSES)
def test_both_ways(address: Address) -> None:
    """What is put together comes apart as it was."""
    assert parse_address(str(address)) == address


@given(st.text(max_size=60) | st.text("ws:/[]@?#.%\\ 019afé", max_size=30))
def test_anything(text: str) -> None:
    """An address, or a reason; an address that was found is found again."""
    try:
        address = parse_address(text)
    except AddressError:
        return
    assert parse_address(str(address)) == address
    assert not set("@?#\\ ").intersection(address.host)
    assert address.port is None or 0 < address.port <= MAX_PORT
    assert address.path is None or address.path.startswith("/")


@given(st.text(max_size=60) | st.text("/%.aA2eEfF?#\\ ü", max_size=30))
def test_any_path(text: str) -> None:
    """A path stays what it is, has nothing but ASCII, and leads nowhere else."""
    path = _path(text)
    if path is None:
        return
    assert clean_path(path) == path
    assert path.startswith("/")
    assert path.isascii()
    assert path.isprintable()
    assert not set("?#\\ ").intersection(path)
    assert not {".", ".."}.intersection(path.split("/"))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("lobby", Address(host="lobby")),
        (" Lobby.Example ", Address(host="lobby.example")),
        ("lobby:8003", Address(host="lobby", port=8003)),
        ("lobby/ws", Address(host="lobby", path="/ws")),
        ("lobby/ws://x", Address(host="lobby", path="/ws://x")),
        ("192.0.2.7:1/", Address(host="192.0.2.7", port=1, path="/")),
        ("2001:db8::1", Address(host="2001:db8::1")),
        ("[2001:DB8::1]", Address(host="2001:db8::1")),
        ("[2001:db8::1]:65535", Address(host="2001:db8::1", port=65535)),
        ("ws://lobby", Address(host="lobby", is_secure=False)),
        ("wss://lobby", Address(host="lobby", is_secure=True)),
        (
            "WSS://Lobby.example.org:8443/Path/",
            Address(host="lobby.example.org", port=8443, path="/Path/", is_secure=True),
        ),
        ("ws://[::1]:8003/", Address(host="::1", port=8003, path="/", is_secure=False)),
        ("bücher.example", Address(host="bücher.example")),
        ("lobby/bücher @b", Address(host="lobby", path="/b%C3%BCcher%20@b")),
    ],
)
def test_addresses(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "faf_invalid_host"),
        ("a b", "faf_invalid_host"),
        ("a\x00b", "faf_invalid_host"),
        ("ws://", "faf_invalid_host"),
        ("ws:///path", "faf_invalid_host"),
        (":8003", "faf_invalid_host"),
        ("lobby:", "faf_invalid_host"),
        ("lobby:0", "faf_invalid_host"),
        ("lobby:65536", "faf_invalid_host"),
        ("lobby:080030", "faf_invalid_host"),
        ("lobby:-1", "faf_invalid_host"),
        ("lobby:٣", "faf_invalid_host"),
        ("[lobby]:1", "faf_invalid_host"),
        ("[::1]1", "faf_invalid_host"),
        ("[::1]:", "faf_invalid_host"),
        ("::g", "faf_invalid_host"),
        ("http://lobby", "faf_invalid_scheme"),
        ("tcp://lobby:8002", "faf_invalid_scheme"),
        ("://lobby", "faf_invalid_scheme"),
        ("me@lobby", "faf_address_login"),
        ("wss://me:secret@lobby/path", "faf_address_login"),
        ("@", "faf_address_login"),
        ("me:secret@lobby://", "faf_address_login"),
        ("wss://lobby/path?token=secret", "faf_address_query"),
        ("lobby?", "faf_address_query"),
        ("ws://lobby#secret", "faf_address_query"),
        ("lobby\\path", "faf_invalid_path"),
        ("lobby/a/../b", "faf_invalid_path"),
    ],
)
def test_no_addresses(text: str, key: str) -> None:
    """The reason is told, and nothing of what was typed."""
    with pytest.raises(AddressError) as raised:
        parse_address(text)
    assert raised.value.key == str(raised.value) == key


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", "/"),
        (" ", "/"),
        ("/", "/"),
        (" lobby ", "/lobby"),
        ("/lobby/", "/lobby/"),
        ("//lobby", "//lobby"),
        ("/a b", "/a%20b"),
        ("/a%2fb%7e", "/a%2Fb~"),
        ("/ü", "/%C3%BC"),
        ("/100%", "/100%25"),
        ("/...", "/..."),
        ("/a:1@b", "/a:1@b"),
    ],
)
def test_paths(text: str, path: str) -> None:
    assert clean_path(text) == path


@pytest.mark.parametrize(
    ("text", "key"),
    [
        *(
            (text, "faf_invalid_path")
            for text in ("/a\tb", "\\", "..", "/a/.", "/%2E./")
        ),
        *((text, "faf_address_query") for text in ("/a?", "?secret", "/a#b")),
    ],
)
def test_no_paths(text: str, key: str) -> None:
    with pytest.raises(AddressError, match=key):
        clean_path(text)


def test_limit_of_a_path() -> None:
    """What counts is how long it is for the server."""
    assert len(clean_path("x" * (MAX_URL_PATH - 1))) == MAX_URL_PATH
    assert len(clean_path("/" + "x" * (MAX_URL_PATH - 1))) == MAX_URL_PATH
    for text in (
        "x" * MAX_URL_PATH,
        "ü" * (MAX_URL_PATH // 6 + 1),
        "x" * MAX_ADDRESS * 2,
    ):
        with pytest.raises(AddressError, match="faf_invalid_path"):
            clean_path(text)


def test_limit_of_an_address() -> None:
    """It is not looked at any further."""
    with pytest.raises(AddressError, match="faf_invalid_host"):
        parse_address("ws://lobby/?" + "x" * MAX_ADDRESS)


def test_limit_of_a_port() -> None:
    assert parse_address(f"lobby:{MAX_PORT}").port == MAX_PORT
    with pytest.raises(AddressError):
        parse_address(f"lobby:{MAX_PORT + 1}")


@given(st.ip_addresses(v=6))
def test_any_ipv6(host: ipaddress.IPv6Address) -> None:
    """Its colons are no port, in brackets or without."""
    text = host.exploded
    assert parse_address(text) == parse_address(f"[{text}]") == Address(host=str(host))
