"""Which messages tell something newer than what has come before them.

Datagrams overtake each other, and a message that got lost comes a second late, but none is
held back for another one (the SmartGlass reference, section 6.5). So a message that tells a
state is dropped when a newer one about the same thing has been delivered.
"""

from collections.abc import Hashable
from typing import Final

from .enums import MessageType
from .messages import (
    ActiveSurfaceChange,
    ConsoleStatus,
    MediaControllerRemoved,
    MediaState,
    Message,
    PairedIdentityStateChanged,
    SystemTextConfiguration,
    SystemTextDone,
    SystemTextInput,
    TitleTextConfiguration,
)

MAX_SUBJECTS: Final = 64
"""Things that states are remembered of; there are two for each title and text field."""

_MASK_32: Final = 0xFFFF_FFFF
_MEDIA: Final = MessageType.MEDIA_STATE
_TEXT: Final = MessageType.SYSTEM_TEXT_CONFIGURATION

type _Subjects = tuple[Hashable, ...]


class StateOrder:
    """Remembers the newest message about each of a bounded number of things."""

    def __init__(self) -> None:
        """Begin a session."""
        self._newest: dict[Hashable, int] = {}

    def __len__(self) -> int:
        """Return how many things are remembered."""
        return len(self._newest)

    def admit(
        self, message: Message, channel: Hashable, sequence_num: int
    ) -> tuple[Message, ...]:
        """Return what to deliver: the message, or nothing instead of an outdated one.

        A state of media that their own removal has overtaken has taken the place of
        others' all the same: it comes with that removal.
        """
        checked, told = _subjects(message)
        if not checked:
            return (message,)
        admitted: tuple[Message, ...] = (message,)
        newest = self._newest
        outdated = [
            about for about in checked if newest.get((channel, about), 0) > sequence_num
        ]
        if outdated:
            if not isinstance(message, MediaState) or _MEDIA in outdated:
                return ()
            admitted = message, MediaControllerRemoved(message.title_id)
            told = (_MEDIA,)
        for about in told:
            newest.pop((channel, about), None)
            newest[channel, about] = sequence_num
        while len(newest) > MAX_SUBJECTS:
            del newest[next(iter(newest))]
        return admitted


def _subjects(message: Message) -> tuple[_Subjects, _Subjects]:
    """Return what a message must be the newest about, and what it tells about.

    The state of one title's media makes an older one of another title void, and so does
    the removal of that title; but a removal says nothing about other titles. Text fields
    likewise.
    """
    match message:
        case ConsoleStatus() | ActiveSurfaceChange() | PairedIdentityStateChanged():
            return (message.message_type,), (message.message_type,)
        case MediaState(title_id=title_id):
            about: _Subjects = (_MEDIA, (_MEDIA, title_id))
            return about, about
        case MediaControllerRemoved(title_id=title_id):
            about = ((_MEDIA, title_id),)
            return about, about
        case SystemTextConfiguration() | TitleTextConfiguration():
            kind = message.message_type
            about = (kind, (kind, message.text_session_id & _MASK_32))
            return about, about
        case SystemTextDone(text_session_id=session_id):
            about = ((_TEXT, session_id),)
            return about, about
        case SystemTextInput(text_session_id=session_id):
            return ((_TEXT, session_id),), ()
    return (), ()
