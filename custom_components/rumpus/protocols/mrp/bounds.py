"""How much of a message becomes objects (the Apple TV reference, part B, section 3.1).

Only pictures are large. The small parts of a message take a hundred times their size in
memory once they are decoded, so that one of a few megabytes would stall and fill us.
"""

from typing import TYPE_CHECKING, Final

from google.protobuf.descriptor import FieldDescriptor

from .. import varint
from ..errors import MessageTooLargeError, ProtocolError
from .proto import mrp_pb2 as pb

if TYPE_CHECKING:
    from google._upb._message import (
        Descriptor as FastDescriptor,
        FieldDescriptor as FastField,
    )
    from google.protobuf.descriptor import Descriptor

    type Kind = Descriptor | FastDescriptor
    type Field = FieldDescriptor | FastField

MAX_PLAIN: Final = 512 * 1024
"""Bytes of a message that are no picture, nor other data in one piece."""
MAX_FIELDS: Final = 8192
"""Fields of a larger message that are looked at to find those pieces."""
MAX_DEPTH: Final = 32
"""Messages in messages of a larger one."""
PIECE: Final = 4096
"""Bytes from which on a field is looked at: a piece, or a message that has some."""

_SIZES: Final = {1: 8, 5: 4}
_NUMBER, _PIECE = 0, 2


def check_plain(data: bytes) -> None:
    """Raise MessageTooLargeError for a message with too many small parts.

    ProtocolError for what is no message. Those of MAX_PLAIN bytes need no such look.
    """
    _Check(data).message(0, len(data), pb.ProtocolMessage.DESCRIPTOR, 0)


class _Check:
    """Adds up the small parts of one message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._plain = 0
        self._fields = 0

    def message(self, offset: int, end: int, kind: Kind, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise MessageTooLargeError(f"More than {MAX_DEPTH} messages in messages")
        while offset < end:
            self._fields += 1
            if self._fields > MAX_FIELDS:
                raise MessageTooLargeError(f"More than {MAX_FIELDS} fields")
            start = offset
            tag, offset = self._number(offset)
            offset, size = self._value(tag & 7, offset)
            if offset + size > end:
                raise ProtocolError("A field ends too late")
            if size > PIECE:
                self._add(offset - start)
                self._piece(offset, size, kind.fields_by_number.get(tag >> 3), depth)
            else:
                self._add(offset + size - start)
            offset += size

    def _value(self, wire: int, offset: int) -> tuple[int, int]:
        """Return where a value begins, and its size."""
        if wire == _NUMBER:
            return offset, self._number(offset)[1] - offset
        if wire == _PIECE:
            size, offset = self._number(offset)
            return offset, size
        if (size := _SIZES.get(wire, 0)) == 0:
            raise ProtocolError("A field of an unknown kind")
        return offset, size

    def _piece(self, offset: int, size: int, field: Field | None, depth: int) -> None:
        if field is None or field.type in _DATA:
            return
        if field.message_type is None:
            self._add(size)  # many numbers
        else:
            self.message(offset, offset + size, field.message_type, depth + 1)

    def _number(self, offset: int) -> tuple[int, int]:
        if (found := varint.decode(self._data, offset)) is None:
            raise ProtocolError("A message ends too early")
        return found

    def _add(self, size: int) -> None:
        self._plain += size
        if self._plain > MAX_PLAIN:
            raise MessageTooLargeError(f"More than {MAX_PLAIN} bytes of small parts")


_DATA: Final = (FieldDescriptor.TYPE_BYTES, FieldDescriptor.TYPE_STRING)
