"""Typing into a console's text field (the SmartGlass reference, sections 7.17 and 12.3).

Either side submits a whole new text, based on the version that it knows. What the console
submits while a text of ours is on its way, and without knowing that one, wins; ours is then
made anew from it.
"""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Final, override

from ...errors import MessageTooLargeError, ProtocolError, RumpusError, UnsupportedError
from ..enums import TextResult
from ..errors import RejectedError, TextNotOpenError
from ..events import TextChanged, TextClosed, TextOpened
from ..messages import (
    Message,
    SystemTextAck,
    SystemTextDone,
    SystemTextInput,
    TextConfiguration,
    TitleTextConfiguration,
    TitleTextInput,
    TitleTextSelection,
)
from .answers import Answer
from .link import ChannelLink, Emit, Service
from .text_edit import TextPieces, apply_deltas, encode_text, split_text
from .text_models import NO_SELECTION, TextField

__all__ = ["TextField", "TextService"]

ACK_TIMEOUT: Final = 3.0
"""Seconds for the console to acknowledge a new text."""
MAX_ATTEMPTS: Final = 4
"""Times that a text is made anew because the console has changed it meanwhile."""
MAX_ACKS: Final = 32
"""Acknowledgements of ours that may be on their way; those of further texts are not sent."""
MAX_TITLE_TEXT: Final = 1000
"""Bytes of a text for a title's own field, which is sent in one message."""

_NO_SESSION: Final = 0
_SESSION_MASK: Final = 0xFFFF_FFFF
_MAX_VERSION: Final = 0xFFFF_FFFF
_UTF_16_UNIT: Final = 2
_ACCEPTED: Final[dict[int, bool]] = {TextResult.ACCEPT: True, TextResult.CANCEL: False}


class _Fate(Enum):
    """What becomes of a text that we submit."""

    TAKEN = auto()
    OVERTAKEN = auto()
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class _Submission:
    """A text of ours that the console has not acknowledged yet."""

    session_id: int
    version: int
    text: str = field(repr=False)
    answer: Answer[_Fate] = field(repr=False)


class TextService(Service):
    """The dialogue about the text field that is open, if one is.

    What methods do is done one after the other. All of them raise TextNotOpenError when no
    field is open or it closes meanwhile, and what ChannelLink.send raises.
    """

    def __init__(self, link: ChannelLink, emit: Emit) -> None:
        """Use a channel that may not be open yet."""
        super().__init__(link, emit)
        self._field: TextField | None = None
        self._turns = asyncio.Lock()
        self._submission: _Submission | None = None
        self._pieces: TextPieces | None = None
        # A field that is closed must not come back by what was said of it before.
        self._last_closed: int | None = None
        self._is_first = True
        self._is_configured = False

    @property
    def field(self) -> TextField | None:
        """The open field, None when there is none."""
        return self._field

    @override
    def closed(self) -> None:
        """The channel is gone: no field is known."""
        self._field = None
        self._pieces = None
        self._last_closed = None
        self._is_first = True
        if self._submission is not None:
            self._submission.answer.lose()
        super().closed()

    # What Home Assistant wants.

    async def set_text(self, text: str) -> None:
        """Replace the whole text.

        Raises ProtocolError for a text that is too long or cannot be sent, RejectedError
        when the console refuses it or keeps on changing its own, PeerTimeoutError when it
        does not say anything.
        """
        await self._change(lambda _: text)

    async def append(self, text: str) -> None:
        """Add to the end of the text. Raises what `set_text` does."""
        await self._change(lambda before: before + text)

    async def select(self, start: int, length: int) -> None:
        """Select a part of the text, in UTF-16 code units.

        Raises UnsupportedError for a field of the system, which has no such message;
        ProtocolError for what is outside of the text.
        """
        opened = self._require_field()
        if not opened.is_title:
            raise UnsupportedError("Only a title's own text field takes a selection")
        if start < 0 or length < 0 or start + length > _length(opened.text):
            raise ProtocolError("A selection outside of the text")
        await self._link.send(
            TitleTextSelection(opened.session_id, opened.version, start, length)
        )
        if self._field is not None and self._field.session_id == opened.session_id:
            self._field = replace(
                self._field, selection_start=start, selection_length=length
            )

    async def accept(self) -> None:
        """Close the field and take its text."""
        await self._finish(TextResult.ACCEPT)

    async def cancel(self) -> None:
        """Close the field and drop its text."""
        await self._finish(TextResult.CANCEL)

    async def _change(self, edit: Callable[[str], str]) -> None:
        period, session_id = self._period, self._require_field().session_id
        async with self._turns:
            for _ in range(MAX_ATTEMPTS):
                self._require_period(period)
                opened = self._require_field(session_id)
                fate = await self._submit(opened, edit(opened.text))
                if fate is _Fate.TAKEN:
                    return
                if fate is _Fate.REFUSED:
                    break
        raise RejectedError

    async def _finish(self, result: TextResult) -> None:
        period, session_id = self._period, self._require_field().session_id
        async with self._turns:
            self._require_period(period)
            opened = self._require_field(session_id)
            done: Message = (
                TitleTextInput(session_id, opened.version, result, opened.text)
                if opened.is_title
                else SystemTextDone(session_id, opened.version, 0, result)
            )
            await self._link.send(done)
            # The console may have closed it by itself in the meantime.
            if self._field is not None and self._field.session_id == session_id:
                self._close(result)

    def _require_field(self, session_id: int | None = None) -> TextField:
        opened = self._field
        if opened is None or session_id not in (None, opened.session_id):
            raise TextNotOpenError("No text field is open on the console")
        return opened

    async def _submit(self, opened: TextField, text: str) -> _Fate:
        """Send a text and wait until the console has taken it, or has another one."""
        data = encode_text(text)
        if 0 < opened.max_length < _length(text) or (
            opened.is_title and len(data) > MAX_TITLE_TEXT
        ):
            raise MessageTooLargeError("Text longer than the field allows")
        if opened.version >= _MAX_VERSION:
            raise ProtocolError("The text has no further version")
        answer = Answer[_Fate]()
        submission = _Submission(opened.session_id, opened.version + 1, text, answer)
        self._submission = submission
        try:
            if opened.is_title:
                await self._submit_title(submission)
            else:
                await self._submit_system(submission, data)
        except RumpusError:
            # The console's answer is worth more than what became of a message.
            if not answer.is_given:
                raise
        finally:
            self._submission = None
        return await answer.wait(0)

    async def _submit_system(self, submission: _Submission, data: bytes) -> None:
        for start, piece in split_text(data):
            if submission.answer.is_given:
                return
            await self._link.send(
                SystemTextInput(
                    text_session_id=submission.session_id,
                    base_version=submission.version - 1,
                    submitted_version=submission.version,
                    total_text_byte_len=len(data),
                    selection_start=NO_SELECTION,
                    selection_length=NO_SELECTION,
                    flags=0,
                    text_chunk_byte_start=start,
                    text_chunk=piece,
                )
            )
        await submission.answer.wait(ACK_TIMEOUT)

    async def _submit_title(self, submission: _Submission) -> None:
        await self._link.send(
            TitleTextInput(
                submission.session_id,
                submission.version,
                TextResult.NULL,
                submission.text,
            )
        )
        # Titles do not acknowledge a text, as far as is known.
        if not submission.answer.is_given:
            self._taken(submission)

    # What the console says.

    @override
    def received(self, message: Message) -> None:
        """Take whatever comes; what is of no use is ignored."""
        is_first, self._is_first = self._is_first, False
        match message:
            case TextConfiguration():
                self._configured(message)
            case SystemTextInput():
                self._acknowledge(message.text_session_id, message.submitted_version)
                with contextlib.suppress(ProtocolError):
                    self._told_text(message)
            case SystemTextAck():
                self._acknowledged(message)
            case SystemTextDone():
                self._done(message, is_first=is_first)
            case TitleTextInput():
                self._told_title_text(message)
            case TitleTextSelection():
                self._told_selection(message)
            case _:
                return

    def _configured(self, message: TextConfiguration) -> None:
        is_title = isinstance(message, TitleTextConfiguration)
        session_id = message.text_session_id
        new = TextField(
            session_id=session_id if is_title else session_id & _SESSION_MASK,
            version=message.text_buffer_version if is_title else 0,
            options=message.text_options,
            scope=message.input_scope,
            max_length=message.max_text_length,
            locale=message.locale,
            prompt=message.prompt,
            is_title=is_title,
        )
        opened = self._find(new.session_id, is_title=is_title)
        if opened is not None and not self._is_configured:
            # Datagrams overtake each other: the text was here before the field.
            self._is_configured = True
            version = max(opened.version, new.version)
            self._update(replace(new, text=opened.text, version=version))
            return
        self._close(TextResult.NULL)
        self._open(new, is_configured=True)

    def _told_text(self, message: SystemTextInput) -> None:
        opened = self._attach(message.text_session_id, is_title=False)
        if opened is None or message.submitted_version < opened.version:
            return
        text = self._assemble(message, opened)
        if text is None:
            return
        self._settle(opened, message.base_version, message.submitted_version, text)
        self._update(
            replace(
                opened,
                text=text,
                version=message.submitted_version,
                selection_start=message.selection_start,
                selection_length=message.selection_length,
            )
        )

    def _assemble(self, message: SystemTextInput, opened: TextField) -> str | None:
        """Return the whole text when it is known now. Raises ProtocolError."""
        piece, start = message.text_chunk, message.text_chunk_byte_start
        size, length = message.total_text_byte_len, len(piece.encode())
        if message.delta and not piece:
            if message.base_version != opened.version:
                raise ProtocolError("Changes of a text that we do not know")
            return apply_deltas(opened.text, message.delta)
        # Some count characters instead of bytes.
        if start == 0 and length >= size:
            self._pieces = None
            encode_text(piece)
            return piece
        key = (message.text_session_id, message.submitted_version, size)
        pieces = self._pieces
        if pieces is None or not pieces.belongs(*key):
            pieces = self._pieces = TextPieces(*key)
        text = pieces.add(start, piece)
        if text is not None:
            self._pieces = None
        return text

    def _told_title_text(self, message: TitleTextInput) -> None:
        opened = self._attach(message.text_session_id, is_title=True)
        if opened is None or message.text_buffer_version < opened.version:
            return
        with contextlib.suppress(ProtocolError):
            encode_text(message.text)
            version = message.text_buffer_version
            self._settle(opened, version - 1, version, message.text)
            self._update(replace(opened, text=message.text, version=version))
        if message.result in (TextResult.ACCEPT, TextResult.CANCEL):
            self._close(message.result)

    def _told_selection(self, message: TitleTextSelection) -> None:
        opened = self._find(message.text_session_id, is_title=True)
        if opened is not None:
            self._update(
                replace(
                    opened,
                    selection_start=message.start,
                    selection_length=message.length,
                )
            )

    def _acknowledged(self, message: SystemTextAck) -> None:
        opened = self._find(message.text_session_id, is_title=False)
        if opened is None:
            return
        submission = self._submission
        if submission is not None and message.text_version_ack >= submission.version:
            self._taken(submission)
        elif message.text_version_ack > opened.version:
            self._field = replace(opened, version=message.text_version_ack)

    def _done(self, message: SystemTextDone, *, is_first: bool) -> None:
        session_id = message.text_session_id
        if self._find(session_id, is_title=False) is not None:
            self._close(message.result)
        elif self._field is None and is_first and session_id != _NO_SESSION:
            # Nothing was said yet, so this tells of a field that was open before we came.
            self._open(TextField(session_id, version=message.text_version))

    # Changes of the field.

    def _attach(self, session_id: int, *, is_title: bool) -> TextField | None:
        """Return the field that is spoken of: one that is new may have been open before."""
        opened = self._find(session_id, is_title=is_title)
        if opened is not None:
            return opened
        if session_id in (_NO_SESSION, self._last_closed):
            return None
        self._close(TextResult.NULL)
        return self._open(TextField(session_id, is_title=is_title))

    def _find(self, session_id: int, *, is_title: bool) -> TextField | None:
        """Return the open field when it is this one."""
        opened = self._field
        if opened is None or opened.is_title != is_title:
            return None
        return opened if opened.session_id == session_id else None

    def _settle(self, opened: TextField, base: int, version: int, text: str) -> None:
        """Tell our own text's fate from a text of the console's."""
        submission = self._submission
        if submission is None:
            return
        if text == submission.text or submission.version <= base < version:
            submission.answer.give(_Fate.TAKEN)
        elif version >= submission.version:
            submission.answer.give(_Fate.OVERTAKEN)
        elif (text, version) == (opened.text, opened.version):
            # It tells again what it has told: it does not want ours.
            submission.answer.give(_Fate.REFUSED)

    def _taken(self, submission: _Submission) -> None:
        """Keep our own text: the console has it."""
        opened = self._field
        if submission.answer.is_given or opened is None:
            return
        submission.answer.give(_Fate.TAKEN)
        self._update(
            replace(
                opened,
                text=submission.text,
                version=submission.version,
                selection_start=NO_SELECTION,
                selection_length=NO_SELECTION,
            )
        )

    def _open(self, opened: TextField, *, is_configured: bool = False) -> TextField:
        self._field = opened
        self._is_configured = is_configured
        if self._last_closed == opened.session_id:
            self._last_closed = None
        self._emit(TextOpened(opened))
        return opened

    def _update(self, changed: TextField) -> None:
        if changed != self._field:
            self._field = changed
            self._emit(TextChanged(changed))

    def _close(self, result: TextResult | int) -> None:
        opened, self._field, self._pieces = self._field, None, None
        if opened is None:
            return
        self._last_closed = opened.session_id
        if self._submission is not None:
            error = TextNotOpenError("The text field was closed in the meantime")
            self._submission.answer.fail(error)
        self._emit(TextClosed(opened.session_id, _ACCEPTED.get(result)))

    # Our acknowledgements.

    def _acknowledge(self, session_id: int, version: int) -> None:
        if len(self._behind) < MAX_ACKS:
            self._run_behind(self._send_ack(SystemTextAck(session_id, version)))

    async def _send_ack(self, ack: SystemTextAck) -> None:
        with contextlib.suppress(RumpusError):
            await self._link.send(ack)


def _length(text: str) -> int:
    """Return the UTF-16 code units of a text, which is what consoles count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // _UTF_16_UNIT
