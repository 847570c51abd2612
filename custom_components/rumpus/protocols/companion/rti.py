"""Archives of the virtual keyboard (the Apple TV reference, part A, section 4.9).

They are property lists in the form of NSKeyedArchiver: a flat list of objects which refer
to one another by number.
"""

from dataclasses import dataclass, field
from plistlib import UID
from typing import Final

from ..errors import MessageTooLargeError, ProtocolError
from ..plists import PlistDict, PlistValue, dumps, get_dict, loads_dict

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
            "$class": UID(7),
            "targetSessionUUID": UID(5),
            "keyboardOutput": UID(2),
            "textToAssert": UID(4),
        },
        {"$class": UID(3)},
        _class("TIKeyboardOutput"),
        "",
        {"NS.uuidbytes": session_id, "$class": UID(6)},
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
            "keyboardOutput": UID(2),
            "$class": UID(7),
            "targetSessionUUID": UID(5),
        },
        {"insertionText": UID(3), "$class": UID(4)},
        text,
        _class("TIKeyboardOutput"),
        {"NS.uuidbytes": session_id, "$class": UID(6)},
        _class("NSUUID"),
        _class("RTITextOperations"),
    )


def _class(name: str) -> PlistDict:
    return {"$classname": name, "$classes": [name, "NSObject"]}


def _encode(*objects: PlistValue) -> bytes:
    return dumps(
        {
            "$version": _VERSION,
            "$archiver": "RTIKeyedArchiver",
            "$top": {"textOperations": UID(1)},
            "$objects": [_NULL, *objects],
        }
    )
