"""Requests and responses of HTTP and RTSP, as bytes (part A, section 5.1).

Both protocols look alike; the word in the start line tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import re
from typing import Final

from ..errors import MessageTooLargeError, ProtocolError

MAX_START_LINE: Final = 4 * 1024
"""Bytes of the first line."""
MAX_HEAD: Final = 32 * 1024
"""Bytes of the first line and all headers."""
MAX_HEADERS: Final = 100
"""Headers of one message."""
MAX_BODY: Final = 1024 * 1024
"""Bytes of a body; what devices tell about themselves is a few KiB."""

PLIST_TYPE: Final = "application/x-apple-binary-plist"
DATA_TYPE: Final = "application/octet-stream"

_HEAD_END: Final = b"\r\n\r\n"
_STATUS: Final = re.compile(r"((?:HTTP|RTSP)/1\.[01]) ([0-9]{3})(?: .*)?", re.ASCII)
_REQUEST: Final = re.compile(r"([A-Z_]{1,32}) (\S+) ((?:HTTP|RTSP)/1\.[01])", re.ASCII)
_LENGTH: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)


class HttpProtocol(StrEnum):
    """The word in the start line."""

    HTTP = "HTTP/1.1"
    RTSP = "RTSP/1.0"


@dataclass(frozen=True, slots=True)
class Request:
    """A request; the names of headers that were received are in lower case."""

    method: str
    uri: str
    protocol: str = HttpProtocol.RTSP
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """A response; the names of headers that were received are in lower case."""

    status: int
    protocol: str = HttpProtocol.RTSP
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


def encode_request(request: Request) -> bytes:
    """Return a request as bytes; a body adds its length to the headers.

    Raises ProtocolError for text that would begin another line.
    """
    start = f"{request.method} {request.uri} {request.protocol}"
    return _encode(start, request.headers, request.body, always_length=False)


def encode_response(response: Response) -> bytes:
    """Return a response as bytes, always with the length of its body.

    Raises ProtocolError for text that would begin another line.
    """
    text = "OK" if response.status == 200 else "Error"
    start = f"{response.protocol} {response.status} {text}"
    return _encode(start, response.headers, response.body, always_length=True)


def _encode(
    start: str, headers: Mapping[str, str], body: bytes, *, always_length: bool
) -> bytes:
    lines = [start, *(f"{name}: {value}" for name, value in headers.items())]
    if body or always_length:
        lines.append(f"Content-Length: {len(body)}")
    # A control character of ASCII ends a line here or there.
    if not "".join(lines).isprintable():
        raise ProtocolError("A header with characters that none may have")
    return "\r\n".join((*lines, "", "")).encode() + body


class HttpParser:
    """Cuts what came into messages, each when it is asked for.

    Never more than one message is looked at beyond what was asked for: bytes behind a
    message may turn out to be encrypted.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()
        self._searched = 0
        self._head: _Head | None = None

    @property
    def waiting(self) -> int:
        """Bytes that came and were not taken."""
        return len(self._buffer)

    def feed(self, data: bytes) -> None:
        """Take bytes as they come."""
        self._buffer += data

    def take_rest(self) -> bytes:
        """Return, and forget, the bytes behind the last message."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        self._searched = 0
        return rest

    def next_message(self) -> Request | Response | None:
        """Return the next message; None when it is not complete.

        Raises ProtocolError, MessageTooLargeError. There is no next message after that.
        """
        head = self._head = self._head or self._read_head()
        if head is None or len(self._buffer) < head.length:
            return None
        body = bytes(self._buffer[: head.length])
        del self._buffer[: head.length]
        self._head = None
        return head.message(body)

    def _read_head(self) -> _Head | None:
        end = self._buffer.find(_HEAD_END, self._searched, MAX_HEAD)
        if end < 0:
            if len(self._buffer) >= MAX_HEAD:
                raise MessageTooLargeError(f"Headers of more than {MAX_HEAD} bytes")
            self._searched = max(0, len(self._buffer) - len(_HEAD_END) + 1)
            return None
        data = bytes(self._buffer[:end])
        del self._buffer[: end + len(_HEAD_END)]
        self._searched = 0
        return _Head(data)


class _Head:
    """The start line and the headers of a message."""

    def __init__(self, data: bytes) -> None:
        start, *lines = data.decode("utf-8", "replace").split("\r\n")
        if len(start) > MAX_START_LINE:
            raise MessageTooLargeError(f"A first line of more than {MAX_START_LINE}")
        if len(lines) > MAX_HEADERS:
            raise MessageTooLargeError(f"More than {MAX_HEADERS} headers")
        self._status = _STATUS.fullmatch(start)
        self._request = _REQUEST.fullmatch(start)
        if self._status is None and self._request is None:
            raise ProtocolError("This is neither a request nor a response")
        self._headers: dict[str, str] = {}
        for line in lines:
            name, colon, value = line.partition(":")
            name = name.rstrip()
            if not colon or _TOKEN.fullmatch(name) is None:
                raise ProtocolError("A line that is no header")
            self._headers.setdefault(name.lower(), value.strip())
        self.length = self._length()

    def _length(self) -> int:
        if self._headers.get("transfer-encoding", "identity").lower() != "identity":
            raise ProtocolError("A body in pieces, which AirPlay does not have")
        text = self._headers.get("content-length", "0")
        if _LENGTH.fullmatch(text) is None:
            raise ProtocolError("A length that is no number")
        if (length := int(text)) > MAX_BODY:
            raise MessageTooLargeError(f"A body of more than {MAX_BODY} bytes")
        return length

    def message(self, body: bytes) -> Request | Response:
        """Return the whole message."""
        if self._status is not None:
            protocol, status = self._status.groups()
            return Response(int(status), protocol, self._headers, body)
        assert self._request is not None  # noqa: S101 - one of the two is there
        method, uri, protocol = self._request.groups()
        return Request(method, uri, protocol, self._headers, body)
