"""The keyboard on the screen (the Apple TV reference, part B, section 4.5)."""

from typing import Final

from .enums import KeyboardState
from .metadata import MAX_TEXT
from .models import KeyboardSession
from .proto import mrp_pb2 as pb

MAX_INPUT: Final = 4096
"""Characters that are typed at once."""

_EDITING: Final = (
    KeyboardState.DID_BEGIN_EDITING,
    KeyboardState.EDITING,
    KeyboardState.TEXT_DID_CHANGE,
)


def read_keyboard(message: pb.KeyboardMessage) -> KeyboardSession:
    """Return what a message tells, without the text."""
    attributes = message.attributes
    return KeyboardSession(
        state=int(message.state),
        is_editing=int(message.state) in _EDITING,
        title=attributes.title[:MAX_TEXT] or None,
        prompt=attributes.prompt[:MAX_TEXT] or None,
        keyboard_type=int(attributes.input_traits.keyboard_type),
        is_secure=attributes.input_traits.secure_text_entry,
    )
