"""Texts as they travel: in pieces, and as changes (the SmartGlass reference, section 12.3).

All offsets and lengths are in bytes of UTF-8.
"""

from collections.abc import Iterator
from typing import Final

from ...errors import MessageTooLargeError, ProtocolError
from ..const import MAX_PLAINTEXT
from ..messages import TextDelta

MAX_TEXT: Final = 16 * 1024
"""Bytes of a text, either way."""
MAX_DELTAS: Final = 256
"""Changes that one message may make to a text."""
MAX_PIECES: Final = 256
"""Pieces that a text from the console may come in."""
PIECE: Final = MAX_PLAINTEXT - 33
"""Bytes of text in one message of ours: what is around it takes 33 of a datagram's."""

_CONTINUATION: Final = 0b1000_0000
_CONTINUATION_MASK: Final = 0b1100_0000


def encode_text(text: str) -> bytes:
    """Return a text in UTF-8.

    Raises MessageTooLargeError past MAX_TEXT, ProtocolError for what no console can take.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = b"\0"
    if b"\0" in data:
        raise ProtocolError("Characters that cannot be sent")
    if len(data) > MAX_TEXT:
        raise MessageTooLargeError(f"Text of more than {MAX_TEXT} bytes")
    return data


def split_text(data: bytes) -> Iterator[tuple[int, str]]:
    """Cut a text into pieces, none in the middle of a character, and give their offsets.

    An empty text has one piece.
    """
    start = 0
    while True:
        end = min(start + PIECE, len(data))
        while end < len(data) and data[end] & _CONTINUATION_MASK == _CONTINUATION:
            end -= 1
        yield start, data[start:end].decode()
        start = end
        if start == len(data):
            return


def apply_deltas(text: str, deltas: tuple[TextDelta, ...]) -> str:
    """Return a text after changes, each of which begins with what the one before left.

    Raises ProtocolError for changes outside of the text or in the middle of a character,
    MessageTooLargeError past MAX_DELTAS or MAX_TEXT.
    """
    if len(deltas) > MAX_DELTAS:
        raise MessageTooLargeError(f"More than {MAX_DELTAS} changes of a text")
    data = bytearray(text.encode())
    for delta in deltas:
        end = delta.offset + delta.delete_count
        if end > len(data):
            raise ProtocolError("A change outside of the text")
        data[delta.offset : end] = delta.insert_content.encode()
        if len(data) > MAX_TEXT:
            raise MessageTooLargeError(f"Text of more than {MAX_TEXT} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        problem = "A change in the middle of a character"
    # Outside of the handler: the error carries the text.
    raise ProtocolError(problem)


class TextPieces:
    """The pieces of one text that is longer than a message; they come in any order."""

    def __init__(self, session_id: int, version: int, size: int) -> None:
        """Wait for a text of so many bytes. Raises MessageTooLargeError past MAX_TEXT."""
        if size > MAX_TEXT:
            raise MessageTooLargeError(f"Text of more than {MAX_TEXT} bytes")
        self._key = (session_id, version, size)
        self._pieces: dict[int, bytes] = {}
        self._left = size

    def belongs(self, session_id: int, version: int, size: int) -> bool:
        """Tell whether a piece is one of this text."""
        return self._key == (session_id, version, size)

    def add(self, start: int, piece: str) -> str | None:
        """Take a piece; return the text when it is complete.

        Raises ProtocolError when the pieces do not fit together, MessageTooLargeError
        for more than MAX_PIECES: the text will not become complete then.
        """
        data = piece.encode()
        if start in self._pieces:
            return None
        self._left -= len(data)
        if self._left < 0 or not data:
            raise ProtocolError("Pieces of a text that do not fit together")
        if len(self._pieces) >= MAX_PIECES:
            raise MessageTooLargeError(f"Text in more than {MAX_PIECES} pieces")
        self._pieces[start] = data
        return self._join() if self._left == 0 else None

    def _join(self) -> str:
        text = bytearray()
        for start, data in sorted(self._pieces.items()):
            if start != len(text):
                raise ProtocolError("Pieces of a text that do not fit together")
            text += data
        return text.decode()
