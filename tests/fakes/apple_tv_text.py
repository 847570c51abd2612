"""The text field of a fake Apple TV and the archives it is edited with.

The Apple TV reference, part A, section 4.9.
"""

from dataclasses import dataclass
import plistlib
from typing import cast
from xml.parsers.expat import ExpatError

from tests.fakes.apple_tv_crypto import WireError

type _Plain = dict[str, object]


@dataclass(slots=True)
class TextField:
    """A field that has the focus."""

    text: str = ""
    is_secure: bool = False
    prompt: str = "Search"


@dataclass(frozen=True, slots=True)
class TextOperation:
    """What a controller wants to do with the field."""

    session: bytes
    clears: bool
    inserted: str


def document(session: bytes, field: TextField) -> bytes:
    """Write the archive that tells of a field, as in the answer to `_tiStart`."""
    objects: list[object] = ["$null"]

    def add(value: object) -> plistlib.UID:
        objects.append(value)
        return plistlib.UID(len(objects) - 1)

    def class_of(name: str) -> plistlib.UID:
        return add({"$classname": name, "$classes": [name, "NSObject"]})

    before: object = add(field.text)
    if not field.text:
        before = plistlib.UID(0)  # nothing in front of the cursor
        objects.pop()
    document_state: _Plain = {
        "$class": class_of("TIDocumentState"),
        "docSt": add(
            {
                "$class": class_of("TIKeyboardDocument"),
                "contextAfterInput": plistlib.UID(0),
            }
            | ({"contextBeforeInput": before} if field.text else {})
        ),
        "originatedFromSource": False,
    }
    traits: _Plain = {
        "$class": class_of("RTIDocumentTraits"),
        "prompt": add(field.prompt),
        "isSecure": field.is_secure,
        "tiTraits": add({"$class": class_of("TITextInputTraits"), "returnKeyType": 6}),
    }
    top: _Plain = {
        "sessionUUID": add(session),
        "documentState": add(document_state),
        "documentTraits": add(traits),
    }
    archive: _Plain = {
        "$version": 100000,
        "$archiver": "RTIKeyedArchiver",
        "$top": top,
        "$objects": objects,
    }
    return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)


def read_operation(data: bytes) -> TextOperation:
    """Read the archive in a `_tiC`. Raises WireError."""
    try:
        archive = plistlib.loads(data)
        objects = cast("list[object]", archive["$objects"])

        def follow(value: object, key: str) -> object:
            found = cast("_Plain", value).get(key)
            if isinstance(found, plistlib.UID):
                return objects[found.data]
            return found

        operations = follow(archive["$top"], "textOperations")
        target = follow(operations, "targetSessionUUID")
        session = follow(target, "NS.uuidbytes")
        asserted = follow(operations, "textToAssert")
        inserted = follow(follow(operations, "keyboardOutput"), "insertionText")
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ExpatError,
        plistlib.InvalidFileException,
    ) as error:
        raise WireError("not an archive of text operations") from error
    if not isinstance(session, bytes):
        raise WireError("text operations without a session")
    return TextOperation(
        session, asserted == "", inserted if isinstance(inserted, str) else ""
    )
