"""Archives of the virtual keyboard (the Apple TV reference, part A, section 4.9).

They are property lists in the form of NSKeyedArchiver: a flat list of objects which refer
to one another by number.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..errors import MessageTooLargeError, ProtocolError
from ..plists import PlistDict, PlistValue, dumps, get_dict, loads_dict

if TYPE_CHECKING:
    from plistlib import UID

MAX_ARCHIVE: Final = 256 * 1024
"""Bytes of an archive, ours or one that a device sends."""
MAX_TEXT: Final = 32_768
"""Characters that are typed at once."""

_SESSION_SIZE: Final = 16
_VERSION: Final = 100_000
_NULL: Final = "$null"


@dataclass(frozen=True, slots=True)
class TextSession:
    """A text field that has the focus, and what stands in front of its cursor."""

    session_id: bytes
    text: str = field(repr=False)


def decode_session(data: bytes) -> TextSession:
    """Return what an archive tells about a text field.

    A text that is not there is empty. Raises ProtocolError for what is no such archive,
    MessageTooLargeError.
    """
    archive = loads_dict(data, max_size=MAX_ARCHIVE)
    session_id = _follow(archive, "sessionUUID")
    if isinstance(session_id, dict):
        session_id = session_id.get("NS.uuidbytes")
    if not isinstance(session_id, bytes) or len(session_id) != _SESSION_SIZE:
        raise ProtocolError("A text field without an identifier")
    text = _follow(archive, "documentState", "docSt", "contextBeforeInput")
    if not isinstance(text, str) or text == _NULL:
        text = ""
    return TextSession(session_id, text)


def _follow(archive: PlistDict, *path: str) -> PlistValue:
    """Return what is at the end of a path that starts at the top; None if it is absent."""
    # As in _ref.
    from plistlib import UID  # noqa: PLC0415

    objects = archive.get("$objects")
    value: PlistValue = get_dict(archive, "$top")
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
        if isinstance(value, UID):
            if not isinstance(objects, list) or value.data >= len(objects):
                raise ProtocolError("An archive refers to what it does not hold")
            value = objects[value.data]
    return value


def encode_clear(session_id: bytes) -> bytes:
    """Return the archive that empties a text field, by stating that it is empty."""
    return _encode(
        {
            "$class": _ref(7),
            "targetSessionUUID": _ref(5),
            "keyboardOutput": _ref(2),
            "textToAssert": _ref(4),
        },
        {"$class": _ref(3)},
        _class("TIKeyboardOutput"),
        "",
        {"NS.uuidbytes": session_id, "$class": _ref(6)},
        _class("NSUUID"),
        _class("RTITextOperations"),
    )


def encode_insert(session_id: bytes, text: str) -> bytes:
    """Return the archive that types text at the cursor.

    Raises MessageTooLargeError, ProtocolError for half a character.
    """
    if len(text) > MAX_TEXT:
        raise MessageTooLargeError(f"Text of more than {MAX_TEXT} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        # Without it: the error would hold the text.
        raise ProtocolError("Text has half a character in it") from None
    return _encode(
        {
            "keyboardOutput": _ref(2),
            "$class": _ref(7),
            "targetSessionUUID": _ref(5),
        },
        {"insertionText": _ref(3), "$class": _ref(4)},
        text,
        _class("TIKeyboardOutput"),
        {"NS.uuidbytes": session_id, "$class": _ref(6)},
        _class("NSUUID"),
        _class("RTITextOperations"),
    )


def _ref(number: int) -> UID:
    # Imported for the first text: it costs more memory than all of the link.
    from plistlib import UID  # noqa: PLC0415

    return UID(number)


def _class(name: str) -> PlistDict:
    return {"$classname": name, "$classes": [name, "NSObject"]}


def _encode(*objects: PlistValue) -> bytes:
    return dumps(
        {
            "$version": _VERSION,
            "$archiver": "RTIKeyedArchiver",
            "$top": {"textOperations": _ref(1)},
            "$objects": [_NULL, *objects],
        }
    )
