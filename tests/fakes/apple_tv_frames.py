"""The frames of the data channel of AirPlay 2, and what they carry.

The Apple TV reference, part A, section 6.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.fakes.apple_tv_crypto import WireError
from tests.fakes.apple_tv_rtsp import read_plist, write_plist

HEADER_SIZE = 32
MAX_FRAME = 16 * 1024 * 1024
SYNC = "sync"
REPLY = "rply"
FROM_DEVICE = "cmnd"
BARE = 0x08  # the first byte of a message that has no length in front


@dataclass(frozen=True, slots=True)
class DataFrame:
    """One frame."""

    kind: str
    command: str
    sequence: int
    payload: bytes = b""

    def encode(self) -> bytes:
        """Return its bytes."""
        return b"".join(
            (
                (HEADER_SIZE + len(self.payload)).to_bytes(4),
                self.kind.encode().ljust(12, b"\0"),
                self.command.encode().ljust(4, b"\0"),
                self.sequence.to_bytes(8),
                bytes(4),
                self.payload,
            )
        )


class DataFrames:
    """Cuts the decrypted stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[DataFrame]:
        """Take what came, return the frames that are complete. Raises WireError."""
        buffer = self._buffer
        buffer += data
        frames = []
        at = 0
        while len(buffer) >= at + HEADER_SIZE:
            size = int.from_bytes(buffer[at : at + 4])
            if not HEADER_SIZE <= size <= MAX_FRAME:
                raise WireError(f"a data frame of {size} bytes")
            if len(buffer) < at + size:
                break
            frames.append(_decode(bytes(buffer[at : at + size])))
            at += size
        del buffer[:at]
        return frames


def _decode(frame: bytes) -> DataFrame:
    try:
        kind = frame[4:16].rstrip(b"\0").decode("ascii")
        command = frame[16:20].rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError as error:
        raise WireError("a data frame of no kind") from error
    return DataFrame(kind, command, int.from_bytes(frame[20:28]), frame[HEADER_SIZE:])


def pack(messages: Sequence[bytes], *, bare: bool = False) -> bytes:
    """Put messages into the payload of a frame; a bare one goes without its length."""
    data = b"".join(
        message if bare else encode_varint(len(message)) + message
        for message in messages
    )
    return write_plist({"params": {"data": data}})


def unpack(payload: bytes) -> list[bytes]:
    """Return the messages in a payload. Raises WireError."""
    params = read_plist(payload).get("params")
    data = params.get("data") if isinstance(params, dict) else None
    if not isinstance(data, bytes):
        raise WireError("a payload without data")
    messages = []
    at = 0
    while at < len(data):
        if data[at] == BARE:
            messages.append(data[at:])
            break
        found = decode_varint(data, at)
        if found is None or found[1] + found[0] > len(data):
            raise WireError("a message runs past its payload")
        size, start = found
        messages.append(data[start : start + size])
        at = start + size
    return messages


def encode_varint(value: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def decode_varint(data: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """Return a number and where it ends, None when more has to come."""
    value = 0
    for count, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * count
        if not byte & 0x80:
            return value, at + count + 1
    if len(data) >= at + 10:
        raise WireError("a varint that does not end")
    return None
