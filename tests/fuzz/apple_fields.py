"""Messages of MRP that can be decoded, but say what no device would say."""

import random
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb

FLOATS: Final = (0.0, -1.0, 0.5, 1e308, float("inf"), float("-inf"), float("nan"))
NUMBERS: Final = (0, 1, 2, 7, 100, 2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1)
TEXTS: Final = (
    "",
    "a",
    "Living Room",
    "\u202e\0\n",
    "x" * 5000,
    "MediaRemote-DefaultPlayer",
)
MAX_REPEATED: Final = 100

_FLOATING: Final = (FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE)
_SMALL: Final = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def changed(data: bytes, chance: random.Random) -> bytes:
    """Return a message with one to six of its fields set to something odd."""
    message = pb.ProtocolMessage.FromString(data)
    for _ in range(chance.randint(1, 6)):
        _change(message, chance)
    return message.SerializeToString()


def _change(message: Message, chance: random.Random) -> None:
    """Go down to a part of the message and change one field there."""
    node: Any = message
    while True:
        below = [
            value
            for field, value in node.ListFields()
            if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE
        ]
        if not below or chance.random() < 0.25:
            break
        found = chance.choice(below)
        # Those that are repeated are told from others by their length.
        node = found if isinstance(found, Message) else chance.choice(list(found))
    if fields := list(node.DESCRIPTOR.fields):
        _set(node, chance.choice(fields), chance)


def _set(node: Any, field: FieldDescriptor, chance: random.Random) -> None:
    if chance.random() < 0.1:
        node.ClearField(field.name)
        return
    is_message = field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE
    if field.is_repeated:
        values = getattr(node, field.name)
        for _ in range(chance.choice((1, 2, MAX_REPEATED))):
            if is_message:
                values.add()
            else:
                values.append(_value(field, chance))
    elif is_message:
        getattr(node, field.name).SetInParent()
    else:
        setattr(node, field.name, _value(field, chance))


def _value(field: FieldDescriptor, chance: random.Random) -> Any:
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if field.cpp_type in _FLOATING:
        return chance.choice(FLOATS)
    if field.enum_type is not None:
        return chance.choice(field.enum_type.values).number
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        text = chance.choice(TEXTS)
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
    low, high = _SMALL[field.cpp_type]
    return max(low, min(high, chance.choice((1, -1)) * chance.choice(NUMBERS)))
