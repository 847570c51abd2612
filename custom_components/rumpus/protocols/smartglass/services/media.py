"""What plays, and commands for it (the SmartGlass reference, sections 7.16 and 12.2)."""

import asyncio
import math
from typing import Final, override

from ...errors import PeerTimeoutError, ProtocolError, UnsupportedError
from ..enums import MediaControlCommand, ResultCode
from ..errors import RejectedError
from ..events import MediaChanged
from ..messages import (
    MediaCommand,
    MediaCommandResult,
    MediaControllerRemoved,
    MediaState,
    Message,
)
from .answers import Answer
from .link import ChannelLink, Emit, Service
from .media_models import MAX_TICKS, TICKS, Media

__all__ = ["RESULT_TIMEOUT", "Media", "MediaService"]

RESULT_TIMEOUT: Final = 0.5
"""Seconds to wait for the result of a command that was acked: not all consoles send one."""


class MediaService(Service):
    """The player of the app that owns the media session."""

    def __init__(self, link: ChannelLink, emit: Emit) -> None:
        """Use a channel that may not be open yet."""
        super().__init__(link, emit)
        self._current: Media | None = None
        # It runs on: a result of an old session must not fit a command of a new one.
        self._request_id = 0
        self._waiting: dict[int, Answer[ResultCode | int]] = {}

    @property
    def current(self) -> Media | None:
        """What is played, None when there is no media session."""
        return self._current

    @override
    def closed(self) -> None:
        """The channel is gone: nothing is known, and results will not come."""
        self._current = None
        for answer in self._waiting.values():
            answer.lose()
        self._waiting.clear()
        super().closed()

    @override
    def received(self, message: Message) -> None:
        """Take a state, a result, or that a title plays nothing any more."""
        match message:
            case MediaState():
                now = asyncio.get_running_loop().time()
                self._set(Media.from_message(message, now))
            case MediaControllerRemoved():
                current = self._current
                if current is not None and current.title_id == message.title_id:
                    self._set(None)
            case MediaCommandResult():
                answer = self._waiting.get(message.request_id)
                if answer is not None:
                    answer.give(message.result)
            case _:
                return

    def supports(self, command: MediaControlCommand) -> bool:
        """Tell whether the app takes a command now, by itself or by another that does it."""
        media = self._current
        if media is None:
            return False
        return bool(command & media.enabled_commands) or (
            _substitute(media, command) is not None
        )

    async def command(self, command: MediaControlCommand) -> None:
        """Give one command other than SEEK.

        When it is not enabled, another one that does the same takes its place. A result
        that is missing says nothing; a bad one raises RejectedError. Raises
        UnsupportedError when nothing plays or the app does not take the command,
        ProtocolError for what is not one command, and what ChannelLink.send raises.
        """
        if command.bit_count() != 1 or command == MediaControlCommand.SEEK:
            raise ProtocolError("Not one media command")
        media = self._require_media()
        if command & media.enabled_commands:
            await self._send(media, command)
            return
        substitute = _substitute(media, command)
        if substitute is None:
            raise UnsupportedError("The app does not take this command now")
        if substitute:
            await self._send(media, substitute)

    async def seek(self, seconds: float) -> None:
        """Go to a position, from the start of the medium; it is kept within its bounds.

        Raises what `command` does.
        """
        if not math.isfinite(seconds):
            raise ProtocolError("Not a position")
        media = self._require_media()
        if not MediaControlCommand.SEEK & media.enabled_commands:
            raise UnsupportedError("The app cannot seek now")
        if media.max_seek > media.min_seek:
            seconds = min(max(seconds, media.min_seek), media.max_seek)
        ticks = media.media_start + round(seconds * TICKS)
        await self._send(media, MediaControlCommand.SEEK, min(max(ticks, 0), MAX_TICKS))

    def _require_media(self) -> Media:
        if self._current is None:
            raise UnsupportedError("Nothing plays on the console")
        return self._current

    def _set(self, media: Media | None) -> None:
        self._current = media
        self._emit(MediaChanged(media))

    async def _send(
        self,
        media: Media,
        command: MediaControlCommand,
        seek_position: int | None = None,
    ) -> None:
        """Send a command and wait a short while for its result."""
        self._request_id += 1
        request_id = self._request_id
        answer = self._waiting[request_id] = Answer()
        try:
            await self._link.send(
                MediaCommand(request_id, media.title_id, command, seek_position)
            )
            try:
                result = await answer.wait(RESULT_TIMEOUT)
            except PeerTimeoutError:
                return
        finally:
            self._waiting.pop(request_id, None)
        if result != ResultCode.SUCCESS:
            raise RejectedError(result)


def _substitute(
    media: Media, command: MediaControlCommand
) -> MediaControlCommand | None:
    """Return the enabled command that does the same as one that is not enabled.

    An empty one is returned when there is nothing to do, None when nothing would help.
    """
    enabled = media.enabled_commands
    toggle = MediaControlCommand.PLAY_PAUSE_TOGGLE
    match command:
        case MediaControlCommand.PLAY if toggle & enabled:
            return MediaControlCommand(0) if media.is_playing else toggle
        case MediaControlCommand.PAUSE if toggle & enabled:
            return toggle if media.is_playing else MediaControlCommand(0)
        case MediaControlCommand.PLAY_PAUSE_TOGGLE:
            wanted = (
                MediaControlCommand.PAUSE
                if media.is_playing
                else MediaControlCommand.PLAY
            )
            return wanted if wanted & enabled else None
        case _:
            return None
