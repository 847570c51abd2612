"""Fixed binary formats, each declared once: a frozen dataclass whose fields say how they travel.

    @layout()
    @dataclass(frozen=True, slots=True)
    class Title(Structure):
        title_id: U32
        has_focus: Annotated[bool, Bits(1, "H")]
        location: Annotated[Location | int, Bits(15, "H")]
        name: Annotated[str, Text(255)]

`Title.decode(data)` and `title.encode()` both come from this declaration, which is turned into
two functions when the class is made: fields of a fixed size that follow each other, with the
length of what comes after them, are read and written by one struct.Struct.

Both raise ProtocolError, never with a value in its text: for data that ends too early, text
that is no UTF-8 or has no terminator, numbers that are not finite, values that do not fit; and
MessageTooLargeError for what goes past the bound that each field of variable size has. Bytes
after the last field are ignored.

An IntEnum field is declared as `SomeEnum | int` and holds an int where nobody knows the value.
"""

from collections.abc import Callable

from .fields import (
    F32,
    I32,
    U8,
    U16,
    U32,
    U64,
    Array,
    ArrayOf,
    Bits,
    Blob,
    ByteOrder,
    Enum16,
    Enum32,
    Field,
    Fixed,
    Flags16,
    Flags32,
    Flags64,
    Number,
    OnlyIf,
    Rest,
    Structure,
    Tail,
    Text,
    Uuid,
    fields_of,
)
from .reader import Reader
from .writer import Writer

__all__ = [
    "F32",
    "I32",
    "U8",
    "U16",
    "U32",
    "U64",
    "Array",
    "ArrayOf",
    "Bits",
    "Blob",
    "ByteOrder",
    "Enum16",
    "Enum32",
    "Field",
    "Fixed",
    "Flags16",
    "Flags32",
    "Flags64",
    "Number",
    "OnlyIf",
    "Rest",
    "Structure",
    "Tail",
    "Text",
    "Uuid",
    "fields_of",
    "layout",
]


def layout[S: Structure](order: ByteOrder = "big") -> Callable[[type[S]], type[S]]:
    """Give a frozen dataclass the methods of Structure, made from its fields.

    The functions are written out as source and compiled, as the dataclasses module does it:
    walking through a list of fields for each packet takes several times as long.
    """

    def decorate(cls: type[S]) -> type[S]:
        mark = ">" if order == "big" else "<"
        plan = fields_of(cls)
        decode, decode_prefix = Reader(cls, mark).functions(plan)
        encode = Writer(cls, mark).function(plan)
        for name, function in (
            ("decode", staticmethod(decode)),
            ("decode_prefix", staticmethod(decode_prefix)),
            ("encode", encode),
        ):
            setattr(cls, name, function)
        return cls

    return decorate
