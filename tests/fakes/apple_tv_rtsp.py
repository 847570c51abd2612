"""HTTP/1.1 and RTSP/1.0 as an Apple TV mixes them on one connection.

Both have the same shape; a response is in the protocol of its request and repeats its
`CSeq` when there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
import plistlib
from typing import Self

PLIST = "application/x-apple-binary-plist"
OCTETS = "application/octet-stream"
SERVER = "AirTunes/845.5.1"

MAX_HEAD = 16 * 1024
MAX_BODY = 1024 * 1024

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    453: "Not Enough Bandwidth",
    455: "Method Not Valid In This State",
    470: "Connection Authorization Required",
    500: "Internal Server Error",
    501: "Not Implemented",
}

type PlistValue = (
    bool
    | int
    | float
    | str
    | bytes
    | list[PlistValue]
    | Mapping[str, PlistValue]
    | None
)
type PlistDict = Mapping[str, PlistValue]


class RtspError(Exception):
    """These bytes are no message."""


@dataclass(frozen=True, slots=True)
class Request:
    """What came; names of headers are in lower case."""

    method: str
    path: str
    protocol: str
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty when there is none."""
        return self.headers.get(name.lower(), "")

    def plist(self) -> PlistDict:
        """Return the body as a dictionary, empty if it is none."""
        return read_plist(self.body)

    def with_cseq(self, cseq: str) -> Request:
        """Return it with another CSeq."""
        return replace(self, headers={**self.headers, "cseq": cseq})


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, ours or what a client says on the event channel."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_plist(cls, value: PlistDict) -> Self:
        """Answer with a property list."""
        return cls(200, write_plist(value), PLIST)

    def encode(self, request: Request) -> bytes:
        """Return the bytes of this answer to a request."""
        lines = [f"{request.protocol} {self.status} {REASONS.get(self.status, '-')}"]
        if cseq := request.header("CSeq"):
            lines.append(f"CSeq: {cseq}")
        lines.append(f"Server: {SERVER}")
        lines.extend(f"{name}: {value}" for name, value in self.headers.items())
        if self.body:
            lines.append(f"Content-Type: {self.content_type}")
        lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join((*lines, "", "")).encode() + self.body


def encode_request(method: str, path: str, cseq: int, value: PlistDict) -> bytes:
    """Return a request that a device makes on the event channel."""
    body = write_plist(value)
    head = (
        f"{method} {path} RTSP/1.0\r\nCSeq: {cseq}\r\nServer: {SERVER}\r\n"
        f"Content-Type: {PLIST}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Messages:
    """Cuts a stream into start line, headers and body; how it arrives does not matter."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what arrived."""
        self._buffer += data

    def _next(self) -> tuple[str, dict[str, str], bytes] | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise RtspError("the head does not end")
            return None
        lines = bytes(self._buffer[:end]).decode("utf-8", "replace").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise RtspError("a header without a colon")
            headers[name.strip().lower()] = value.strip()
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            raise RtspError("no usable length")
        whole = end + 4 + int(length)
        if len(self._buffer) < whole:
            return None
        body = bytes(self._buffer[end + 4 : whole])
        del self._buffer[:whole]
        return lines[0], headers, body


class Requests(Messages):
    """Requests of a client."""

    def next(self) -> Request | None:
        """Return the next one that is complete. Raises RtspError."""
        found = self._next()
        if found is None:
            return None
        line, headers, body = found
        words = line.split(" ")
        if len(words) != 3 or words[2] not in {"HTTP/1.1", "RTSP/1.0"}:
            raise RtspError("no request line")
        return Request(words[0], words[1], words[2], headers, body)


class Responses(Messages):
    """A client's answers on the event channel."""

    def next(self) -> tuple[int, int] | None:
        """Return status and CSeq of the next one. Raises RtspError."""
        found = self._next()
        if found is None:
            return None
        line, headers, _ = found
        words = line.split(" ", 2)
        cseq = headers.get("cseq", "")
        if len(words) < 2 or not words[1].isdecimal() or not cseq.isdecimal():
            raise RtspError("no status line or CSeq")
        return int(words[1]), int(cseq)


def read_plist(data: bytes) -> PlistDict:
    """Return the dictionary in a property list, empty when there is none."""
    try:
        value = plistlib.loads(data)
    except plistlib.InvalidFileException, ValueError, OverflowError, KeyError:
        return {}
    return value if isinstance(value, dict) else {}


def write_plist(value: PlistDict) -> bytes:
    """Return a binary property list."""
    return plistlib.dumps(dict(value), fmt=plistlib.FMT_BINARY, sort_keys=False)
