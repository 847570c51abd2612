"""Shared files, texts and links."""

from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from .strategies import bodies, texts
from custom_components.rumpus.protocols.errors import ProtocolError
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue
from custom_components.rumpus.protocols.kdeconnect.file_names import MAX_FILE_NAME
from custom_components.rumpus.protocols.kdeconnect.packet import Packet, Payload
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message, share
from custom_components.rumpus.protocols.kdeconnect.plugins.share import (
    FORBIDDEN_SCHEMES,
    MAX_SHARED_TEXT,
    MAX_SHARED_URL,
    SharedFile,
    SharedText,
    SharedUrl,
    ShareUpdate,
)

TYPE = "kdeconnect.share.request"
UPDATE = "kdeconnect.share.request.update"

moments = st.none() | st.integers(1, 2**53)


def shared(**body: JsonValue) -> object:
    """Return the message in a packet."""
    return decode_message(Packet(TYPE, body))


def link(url: str) -> SharedUrl:
    """Return a received link."""
    return cast(SharedUrl, shared(url=url))


def test_capture_of_a_file_from_kde_26() -> None:
    packet = Packet(
        TYPE,
        {
            "creationTime": 1795250084961,
            "filename": "f1.bin",
            "lastModified": 1795250610567,
            "numberOfFiles": 1,
            "open": False,
            "totalPayloadSize": 3000000,
        },
        Payload(3000000, 1739),
    )

    assert decode_message(packet) == SharedFile(
        "f1.bin",
        Payload(3000000, 1739),
        modified_ms=1795250610567,
        created_ms=1795250084961,
        open=False,
        count=1,
        total_bytes=3000000,
    )


def test_capture_of_an_empty_file_from_kde_26() -> None:
    body: JsonObject = {
        "creationTime": 1795250084961,
        "filename": "f1.bin",
        "lastModified": 1795250610567,
        "numberOfFiles": 1,
        "open": False,
        "totalPayloadSize": 0,
    }

    assert decode_message(Packet(TYPE, body)) == SharedFile(
        "f1.bin",
        None,
        modified_ms=1795250610567,
        created_ms=1795250084961,
        count=1,
        total_bytes=None,
    )


def test_capture_of_a_file_from_valent() -> None:
    update = Packet(UPDATE, {"numberOfFiles": 1, "totalPayloadSize": 6})
    file = Packet(
        TYPE,
        {
            "filename": "up.txt",
            "open": False,
            "numberOfFiles": 1,
            "totalPayloadSize": 6,
            "creationTime": 1795252167817,
            "lastModified": 1795252167817,
        },
        Payload(6, 1739),
    )

    assert decode_message(update) == ShareUpdate(1, 6)
    assert decode_message(file) == SharedFile(
        "up.txt",
        Payload(6, 1739),
        modified_ms=1795252167817,
        created_ms=1795252167817,
        count=1,
        total_bytes=6,
    )


def test_capture_of_a_file_from_gsconnect() -> None:
    packet = Packet(TYPE, {"filename": "g.bin", "open": False}, Payload(9, 1740))

    assert decode_message(packet) == SharedFile("g.bin", Payload(9, 1740))


def test_file_wins_over_text_over_link() -> None:
    url: JsonObject = {"url": "https://example.org"}
    text: JsonObject = {**url, "text": "T"}

    assert shared(**text, filename="f") == SharedFile("f", None)
    assert decode_message(Packet(TYPE, text, Payload(1, 1739))) == SharedFile(
        "unnamed", Payload(1, 1739)
    )
    assert shared(**text) == SharedText("T")
    assert shared(**url) == SharedUrl("https://example.org")
    assert shared(**url, text="", filename=None) == SharedUrl("https://example.org")


@pytest.mark.parametrize(
    ("name", "safe"),
    [("../../x", "x"), ("..\\x", "x"), ("..", "unnamed"), (7, "unnamed")],
)
def test_file_names_are_no_paths(name: JsonValue, safe: str) -> None:
    packet = Packet(TYPE, {"filename": name}, Payload(1, 1739))

    assert decode_message(packet) == SharedFile(safe, Payload(1, 1739))


def test_limit_of_file_name() -> None:
    assert shared(filename="n" * 300 + ".txt") == SharedFile(
        "n" * (MAX_FILE_NAME - 4) + ".txt", None
    )


def test_limit_of_text() -> None:
    assert shared(text="t" * (MAX_SHARED_TEXT + 1)) == SharedText("t" * MAX_SHARED_TEXT)


def test_limit_of_link() -> None:
    fitting = "https://example.org/".ljust(MAX_SHARED_URL, "a")

    assert link(fitting).url == fitting
    with pytest.raises(ProtocolError):
        shared(url=fitting + "a")


@pytest.mark.parametrize(
    ("url", "scheme", "is_web"),
    [
        ("https://example.org/a b?c=ü", "https", True),
        ("HTTP://example.org", "http", True),
        ("tel:+15550001", "tel", False),
        ("geo:1,2", "geo", False),
        ("intent://x#Intent;end", "intent", False),
        ("example.org/file:x", "", False),
        ("//example.org", "", False),
    ],
)
def test_schemes(url: str, scheme: str, is_web: bool) -> None:
    assert (link(url).scheme, link(url).is_web) == (scheme, is_web)


@pytest.mark.parametrize("scheme", sorted(FORBIDDEN_SCHEMES))
def test_forbidden_schemes(scheme: str) -> None:
    for url in (f"{scheme}:x", f" {scheme.upper()}:///x", f"\n{scheme}:x"):
        with pytest.raises(ProtocolError):
            shared(url=url)


@pytest.mark.parametrize(
    "url", ["java\nscript:x", "https://a\x00b", "\x01javascript:x", " ", "", None, 7]
)
def test_unusable_links_are_refused(url: JsonValue) -> None:
    with pytest.raises(ProtocolError):
        shared(url=url)


def test_spaces_around_a_link_go() -> None:
    assert link(" https://example.org\n") == SharedUrl("https://example.org")


@pytest.mark.parametrize("body", [{}, {"text": ""}, {"text": 7}, {"filename": ""}])
def test_sharing_nothing_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(TYPE, body))


def test_text_is_required_of_a_text() -> None:
    with pytest.raises(ProtocolError):
        SharedText.from_packet(Packet(TYPE, {"url": "https://example.org"}))


@pytest.mark.parametrize("body", [{}, {"numberOfFiles": 0}, {"totalPayloadSize": "-1"}])
def test_update_of_nothing_is_refused(body: JsonObject) -> None:
    with pytest.raises(ProtocolError):
        decode_message(Packet(UPDATE, body))


def test_update_in_other_types() -> None:
    packet = Packet(UPDATE, {"numberOfFiles": "3", "totalPayloadSize": 6.0})

    assert decode_message(packet) == ShareUpdate(3, 6)
    assert decode_message(Packet(UPDATE, {"numberOfFiles": 3})) == ShareUpdate(3, None)


@settings(deadline=None)
@given(texts.filter(bool))
def test_text_round_trip(text: str) -> None:
    assert decode_message(share.text(text)) == SharedText(text)


def test_link_round_trip() -> None:
    assert share.url("https://a.example") == Packet(TYPE, {"url": "https://a.example"})
    assert decode_message(share.url("https://a.example")) == SharedUrl(
        "https://a.example"
    )


@settings(deadline=None)
@given(
    st.none() | st.builds(Payload, st.none() | st.integers(0, 9), st.just(1739)),
    moments,
    moments,
    st.booleans(),
    st.integers(1, 1000),
    moments,
)
def test_file_round_trip(
    payload: Payload | None,
    modified: int | None,
    created: int | None,
    wants_open: bool,
    count: int,
    total: int | None,
) -> None:
    packet = share.file(
        "a.txt",
        payload,
        modified_ms=modified,
        created_ms=created,
        open_it=wants_open,
        count=count,
        total_bytes=total,
    )

    assert decode_message(packet) == SharedFile(
        "a.txt",
        payload,
        modified,
        created,
        wants_open,
        None if total is None else count,
        total,
    )


def test_totals_are_left_out_when_they_are_nothing_to_divide_by() -> None:
    assert share.file("a", total_bytes=0) == Packet(
        TYPE, {"filename": "a", "open": False}
    )


def test_update_round_trip() -> None:
    assert share.update(3, 70) == Packet(
        UPDATE, {"numberOfFiles": 3, "totalPayloadSize": 70}
    )
    assert decode_message(share.update(3, 70)) == ShareUpdate(3, 70)


@settings(deadline=None)
@given(
    st.sampled_from([TYPE, UPDATE]),
    bodies(
        "filename",
        "text",
        "url",
        "open",
        "lastModified",
        "creationTime",
        "numberOfFiles",
        "totalPayloadSize",
    ),
    st.none() | st.just(Payload(None, 1739)),
)
def test_any_packet_is_a_message_or_a_protocol_error(
    packet_type: str, body: JsonObject, payload: Payload | None
) -> None:
    try:
        message = decode_message(Packet(packet_type, body, payload))
    except ProtocolError:
        return
    assert isinstance(message, SharedFile | SharedText | SharedUrl | ShareUpdate)


def test_contents_are_not_shown() -> None:
    for message in (SharedFile("secret", None), SharedText("secret"), link("secret")):
        assert "secret" not in repr(message)
