"""Long messages in pieces (the SmartGlass reference, sections 6.6 and 11.2)."""

import base64
import binascii
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..errors import ProtocolError
from ..json_lines import JsonObject, decode_json, encode_json
from .const import MAX_PLAINTEXT
from .errors import FragmentError

if TYPE_CHECKING:
    from .messages import MessageFragment

FRAGMENT_SIZE: Final = MAX_PLAINTEXT
"""Bytes of a plaintext in each fragment of a message, but the last."""
JSON_PIECE: Final = 905
"""Characters in each piece of a long object, but the last."""
MAX_SHORT_JSON: Final = MAX_PLAINTEXT - 3
"""Bytes of an object that goes in one piece; its string has three more."""

MAX_GROUPS: Final = 8
"""Messages, and objects, that are incomplete at once; the oldest is given up for more."""
MAX_FRAGMENTS: Final = 256
"""Pieces of one message."""
MAX_BYTES: Final = 256 * 1024
"""Bytes of one message, or of one object of ours in base64."""
MAX_JSON_PIECES: Final = 640
"""Pieces of one object."""
MAX_JSON_BYTES: Final = 512 * 1024
"""Bytes of one object in base64: a lineup of 1000 channels of television has 180 KiB."""
MAX_AGE: Final = 10.0
"""Seconds until an incomplete message or object is given up."""


@dataclass(slots=True)
class _Group:
    """The pieces of one message that have come."""

    kind: Hashable
    since: float
    max_pieces: int
    max_bytes: int
    pieces: dict[int, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, key: int, data: bytes) -> None:
        """Keep a piece, if it is a new one. Raises FragmentError when there are too many."""
        if key in self.pieces:
            return
        if (
            len(self.pieces) >= self.max_pieces
            or self.size + len(data) > self.max_bytes
        ):
            raise FragmentError("A message in too many pieces")
        self.pieces[key] = data
        self.size += len(data)

    def join(self) -> bytes:
        """Return the pieces in their order."""
        return b"".join(self.pieces[key] for key in sorted(self.pieces))


class _Groups:
    """A bounded number of groups, of a bounded age."""

    def __init__(self, max_pieces: int, max_bytes: int) -> None:
        self._max_pieces = max_pieces
        self._max_bytes = max_bytes
        self._groups: dict[Hashable, _Group] = {}

    def __len__(self) -> int:
        return len(self._groups)

    def get(self, key: Hashable, kind: Hashable, now: float) -> _Group:
        """Return the group of a key; an old one, or one of another kind, starts anew."""
        self._drop_old(now)
        group = self._groups.get(key)
        if group is None or group.kind != kind:
            self._groups.pop(key, None)
            group = _Group(kind, now, self._max_pieces, self._max_bytes)
            self._groups[key] = group
            if len(self._groups) > MAX_GROUPS:
                del self._groups[next(iter(self._groups))]
        return group

    def drop(self, key: Hashable) -> None:
        self._groups.pop(key, None)

    def clear(self) -> None:
        self._groups.clear()

    def _drop_old(self, now: float) -> None:
        # They are in the order in which they began.
        while self._groups:
            key, group = next(iter(self._groups.items()))
            if now - group.since <= MAX_AGE:
                return
            del self._groups[key]


class FragmentManager:
    """Puts long messages together; `now` is the time of whatever clock, in seconds."""

    def __init__(self) -> None:
        """Begin a session."""
        self._messages = _Groups(MAX_FRAGMENTS, MAX_BYTES)
        self._json = _Groups(MAX_JSON_PIECES, MAX_JSON_BYTES)

    @property
    def incomplete(self) -> int:
        """How many messages and objects wait for pieces."""
        return len(self._messages) + len(self._json)

    def reset(self) -> None:
        """Forget all pieces."""
        self._messages.clear()
        self._json.clear()

    def reassemble_message(
        self,
        fragment: MessageFragment,
        sequence_num: int,
        kind: Hashable,
        now: float,
    ) -> bytes | None:
        """Take a fragment; return the whole plaintext when it was the last one missing.

        Fragments of one message have the same kind: its type and channel. Raises
        FragmentError for what cannot be a part of a message.
        """
        begin, end = fragment.sequence_begin, fragment.sequence_end
        if not begin <= sequence_num < end:
            raise FragmentError("A fragment outside of its own message")
        if end - begin > MAX_FRAGMENTS:
            raise FragmentError(f"A message in more than {MAX_FRAGMENTS} fragments")
        key = begin, end
        group = self._messages.get(key, kind, now)
        try:
            group.add(sequence_num, fragment.data)
        except FragmentError:
            self._messages.drop(key)
            raise
        if len(group.pieces) < end - begin:
            return None
        self._messages.drop(key)
        return group.join()

    def reassemble_json(
        self, piece: JsonObject, channel: Hashable, now: float
    ) -> JsonObject | None:
        """Take an object for which `is_json_fragment` holds.

        Returns the whole object when it was the last piece missing. Raises FragmentError
        for what cannot be a piece, and ProtocolError when the whole is no JSON object.
        """
        size, offset, datagram_id, data = _read_piece(piece)
        key = channel, datagram_id
        group = self._json.get(key, size, now)
        try:
            group.add(offset, data)
            if group.size < size:
                return None
            whole = _join_json(group, size)
        except ProtocolError:
            self._json.drop(key)
            raise
        self._json.drop(key)
        return whole


def is_json_fragment(obj: JsonObject) -> bool:
    """Tell whether an object is a piece of a longer one."""
    return "fragment_data" in obj


def split_message(plaintext: bytes) -> list[bytes]:
    """Return the pieces of a plaintext; just one when it is short enough."""
    return [
        plaintext[start : start + FRAGMENT_SIZE]
        for start in range(0, len(plaintext), FRAGMENT_SIZE)
    ] or [plaintext]


def split_json(obj: JsonObject, datagram_id: int) -> list[str]:
    """Return the texts of the Json messages that carry an object.

    Just the object itself when it is short enough, otherwise the pieces, with that id.
    Raises ProtocolError for what JSON cannot carry, or no console would take.
    """
    text = encode_json(obj)
    if len(text) <= MAX_SHORT_JSON:
        return [text.decode()]
    encoded = base64.b64encode(text).decode()
    if len(encoded) > MAX_BYTES:
        raise FragmentError(f"An object of more than {MAX_BYTES} characters")
    return [
        encode_json(
            {
                "datagram_size": str(len(encoded)),
                "datagram_id": str(datagram_id),
                "fragment_offset": str(offset),
                "fragment_length": str(len(encoded[offset : offset + JSON_PIECE])),
                "fragment_data": encoded[offset : offset + JSON_PIECE],
            }
        ).decode()
        for offset in range(0, len(encoded), JSON_PIECE)
    ]


def _read_piece(piece: JsonObject) -> tuple[int, int, int, bytes]:
    """Return size, offset and id of the datagram, and the characters of the piece."""
    data = piece["fragment_data"]
    if not isinstance(data, str) or not data.isascii():
        raise FragmentError("A piece of an object without text in it")
    size = _read_number(piece, "datagram_size")
    offset = _read_number(piece, "fragment_offset")
    if _read_number(piece, "fragment_length") != len(data) or not data:
        raise FragmentError("A piece of an object of another length than it says")
    if size > MAX_JSON_BYTES:
        raise FragmentError(f"An object of more than {MAX_JSON_BYTES} characters")
    if offset + len(data) > size:
        raise FragmentError("A piece beyond the end of its object")
    return size, offset, _read_number(piece, "datagram_id"), data.encode()


def _read_number(piece: JsonObject, key: str) -> int:
    """Return a number that may be a string."""
    value = piece.get(key)
    if isinstance(value, str) and len(value) <= 10 and value.isdecimal():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**32:
        return value
    raise FragmentError(f"A piece of an object without {key}")


def _join_json(group: _Group, size: int) -> JsonObject:
    position = 0
    for offset in sorted(group.pieces):
        if offset != position:
            raise FragmentError("The pieces of an object overlap")
        position += len(group.pieces[offset])
    # No piece goes beyond the end and none is missing between two: this is the whole.
    try:
        text = base64.b64decode(group.join(), validate=True)
    except binascii.Error:
        raise FragmentError("An object that is no base64") from None
    whole = decode_json(text)
    if not isinstance(whole, dict):
        raise ProtocolError("JSON, but no object")
    return whole
