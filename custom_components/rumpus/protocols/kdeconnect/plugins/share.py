"""Shared files, texts and links (the KDE Connect reference, section 11.5).

Several files go one after the other, each with the totals of the whole batch.
"""

from dataclasses import dataclass, field
import re
from typing import Final, Self

from ...errors import ProtocolError
from ...json_fields import get_bool, get_int, get_str
from ...json_lines import JsonObject
from ..file_names import safe_file_name
from ..packet import Packet, Payload
from .message import Decoders, Message

TYPE: Final = "kdeconnect.share.request"
TYPE_UPDATE: Final = "kdeconnect.share.request.update"

MAX_SHARED_TEXT: Final = 256 * 1024
"""Characters kept of a shared text."""
MAX_SHARED_URL: Final = 8192
"""Characters of a link; a longer one is refused, since a part of it leads elsewhere."""

WEB_SCHEMES: Final = frozenset({"http", "https"})
"""The schemes of links that are safe to hand on."""
FORBIDDEN_SCHEMES: Final = frozenset(
    {"about", "blob", "data", "file", "javascript", "vbscript", "view-source"}
)
"""The schemes of links that are never handed on: they reach into the machine of who opens them."""

_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]{0,31}):", re.ASCII | re.IGNORECASE)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class SharedFile(Message):
    """A file waits to be fetched; an empty file has no payload.

    `filename` is safe already. Times are in milliseconds since 1970, `open` tells whether the
    peer wants the file shown. `count` files of `total_bytes` belong to one batch; None when
    the peer does not tell.
    """

    filename: str = field(repr=False)
    payload: Payload | None
    modified_ms: int | None = None
    created_ms: int | None = None
    open: bool = False
    count: int | None = None
    total_bytes: int | None = None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a file's announcement; nothing in it is required, not even the name."""
        body = packet.body
        name = body.get("filename")
        return cls(
            safe_file_name(name if isinstance(name, str) else ""),
            packet.payload,
            modified_ms=_positive(body, "lastModified"),
            created_ms=_positive(body, "creationTime"),
            open=get_bool(body, "open") or False,
            count=_positive(body, "numberOfFiles"),
            total_bytes=_positive(body, "totalPayloadSize"),
        )


@dataclass(frozen=True, slots=True)
class SharedText(Message):
    """A text, which is private."""

    text: str = field(repr=False)

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a text, cut to 262144 characters; raises ProtocolError when there is none."""
        text = get_str(packet.body, "text", limit=MAX_SHARED_TEXT)
        if not text:
            raise ProtocolError("share packet without a text")
        return cls(text)


@dataclass(frozen=True, slots=True)
class SharedUrl(Message):
    """A link, which is private; hand on only what `is_web` or the user allowed by its scheme."""

    url: str = field(repr=False)

    @property
    def scheme(self) -> str:
        """The scheme in lower case; empty when the link has none."""
        return _scheme(self.url)

    @property
    def is_web(self) -> bool:
        """Whether it is a link to a web page."""
        return self.scheme in WEB_SCHEMES

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read a link.

        Raises ProtocolError when there is none, when it is too long, has control characters,
        which browsers skip, or a scheme that is never to be opened.
        """
        url = packet.body.get("url")
        if not isinstance(url, str) or len(url) > MAX_SHARED_URL:
            raise ProtocolError("share packet without a usable link")
        url = url.strip()
        if not url or _CONTROL.search(url) or _scheme(url) in FORBIDDEN_SCHEMES:
            raise ProtocolError("share packet with a link that must not be opened")
        return cls(url)


@dataclass(frozen=True, slots=True)
class ShareUpdate(Message):
    """The running batch has grown to these totals; None when the peer does not tell."""

    count: int | None
    total_bytes: int | None

    @classmethod
    def from_packet(cls, packet: Packet) -> Self:
        """Read the totals; raises ProtocolError when there are none."""
        count = _positive(packet.body, "numberOfFiles")
        total_bytes = _positive(packet.body, "totalPayloadSize")
        if count is None and total_bytes is None:
            raise ProtocolError("share packet that updates nothing")
        return cls(count, total_bytes)


type ShareMessage = SharedFile | SharedText | SharedUrl


def decode(packet: Packet) -> ShareMessage:
    """Tell the three forms apart. Raises ProtocolError when the packet is none of them."""
    name = get_str(packet.body, "filename", limit=1)
    if name or packet.payload is not None:
        return SharedFile.from_packet(packet)
    if get_str(packet.body, "text", limit=1):
        return SharedText.from_packet(packet)
    return SharedUrl.from_packet(packet)


def text(content: str) -> Packet:
    """Share a text."""
    return Packet(TYPE, {"text": content})


def url(address: str) -> Packet:
    """Share a link, which the peer opens."""
    return Packet(TYPE, {"url": address})


def file(
    filename: str,
    payload: Payload | None = None,
    *,
    modified_ms: int | None = None,
    created_ms: int | None = None,
    open_it: bool = False,
    count: int = 1,
    total_bytes: int | None = None,
) -> Packet:
    """Announce a file; whoever sends the data adds the payload, and an empty file has none.

    `count` and `total_bytes` are those of the whole batch. They are left out together when the
    total is unknown or 0, by which Android would divide.
    """
    body: JsonObject = {"filename": filename, "open": open_it}
    if modified_ms is not None:
        body["lastModified"] = modified_ms
    if created_ms is not None:
        body["creationTime"] = created_ms
    if total_bytes is not None and total_bytes > 0:
        body["numberOfFiles"] = count
        body["totalPayloadSize"] = total_bytes
    return Packet(TYPE, body, payload)


def update(count: int, total_bytes: int) -> Packet:
    """Tell new totals of a batch that runs; every later file carries them too."""
    return Packet(
        TYPE_UPDATE, {"numberOfFiles": count, "totalPayloadSize": total_bytes}
    )


def _positive(body: JsonObject, key: str) -> int | None:
    number = get_int(body, key)
    return number if number is not None and number > 0 else None


def _scheme(address: str) -> str:
    match = _SCHEME.match(address)
    return "" if match is None else match[1].lower()


DECODERS: Final[Decoders] = {TYPE: decode, TYPE_UPDATE: ShareUpdate.from_packet}
