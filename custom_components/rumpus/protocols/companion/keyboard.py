"""The text field that has the focus (the Apple TV reference, part A, section 4.9).

What is in it is nobody's business: no text is logged, or part of any error.
"""

import asyncio
from collections.abc import Callable
import contextlib
from typing import Final

from ..errors import RumpusError, UnsupportedError
from ..opack import OpackDict
from .errors import CommandFailedError, NoTextFieldError
from .events import CompanionEvent, FocusChanged
from .link import Link
from .messages import get_data
from .rti import TextSession, decode_session, encode_clear, encode_insert

FOCUS_EVENTS: Final = ("_tiStarted", "_tiStopped")


class Keyboard:
    """Reads and writes what stands in a text field of the device."""

    def __init__(self, link: Link, emit: Callable[[CompanionEvent], None]) -> None:
        """Type on the device behind the link, and emit how the focus changes."""
        self._link = link
        self._emit = emit
        self._lock = asyncio.Lock()
        self._is_restarting = False
        self.focus: bool | None = None
        """Whether a text field has the focus; None while that cannot be known."""

    def focus_received(self, content: OpackDict) -> None:
        """Take the content of a `_tiStarted` or `_tiStopped` event."""
        # What ends because we end it, to begin anew, has not lost the focus.
        if not self._is_restarting:
            self._take_focus(content)

    def _take_focus(self, content: OpackDict) -> None:
        self._is_restarting = False
        is_focused = get_data(content, "_tiD") is not None
        if is_focused != self.focus:
            self.focus = is_focused
            self._emit(FocusChanged(is_focused))

    async def start(self) -> None:
        """Begin; a device that refuses has no keyboard."""
        with contextlib.suppress(CommandFailedError):
            await self._link.request("_tiStart", seen=self._take_focus)

    async def get(self) -> str | None:
        """Return the text in front of the cursor; None when no text field has the focus.

        Raises what a request does, UnsupportedError, and ProtocolError for what cannot be
        read.
        """
        async with self._lock:
            session = await self._restart()
            return None if session is None else session.text

    async def clear(self) -> None:
        """Empty the field. Raises NoTextFieldError and what `get` does."""
        async with self._lock:
            session = await self._focused()
            self._type(encode_clear(session.session_id))

    async def append(self, text: str) -> None:
        """Type behind what is there. Raises MessageTooLargeError and what `clear` does."""
        async with self._lock:
            session = await self._focused()
            self._type(encode_insert(session.session_id, text))

    async def set(self, text: str) -> None:
        """Replace what is there. Raises what `append` does."""
        async with self._lock:
            session = await self._focused()
            # Both before the first is sent: nothing is cleared for what cannot be typed.
            archives = (
                encode_clear(session.session_id),
                encode_insert(session.session_id, text),
            )
            for archive in archives:
                self._type(archive)

    async def _focused(self) -> TextSession:
        session = await self._restart()
        if session is None:
            raise NoTextFieldError("No text field has the focus")
        return session

    async def _restart(self) -> TextSession | None:
        """Begin anew, so that the session and its text are those of now."""
        if self.focus is None:
            raise UnsupportedError("The device has no keyboard")
        self._is_restarting = True
        try:
            await self._link.request("_tiStop")
            content = await self._link.request("_tiStart", seen=self._take_focus)
        except BaseException:
            # Nothing is told about the focus by a keyboard that stays stopped.
            with contextlib.suppress(RumpusError):
                self._link.ask("_tiStart", seen=self._take_focus)
            raise
        finally:
            self._is_restarting = False
        data = get_data(content, "_tiD")
        return None if data is None else decode_session(data)

    def _type(self, archive: bytes) -> None:
        self._link.send_event("_tiC", {"_tiV": 1, "_tiD": archive})
