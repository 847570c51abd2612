"""The media session of a fake console (section 12.2)."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, override

from tests.fakes.xbox_models import (
    PAUSE,
    PAUSED,
    PLAY,
    PLAY_PAUSE,
    PLAYING,
    SEEK,
    STOP,
    STOPPED,
    TICKS,
    FakeMedia,
)
from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_service import Service
from tests.fakes.xbox_wire import Fields, number_of

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

FAILED = 0x80000006
INVALID_ARGUMENT = 0x80000008


class MediaService(Service):
    """What plays; commands change it as they would in an app."""

    name = "media"

    def __init__(self, console: FakeConsole) -> None:
        super().__init__(console)
        self._media: FakeMedia | None = None
        self._since = 0.0
        self.results: int | None = 0  # of commands; None sends no result
        self.obeys = True  # whether commands have an effect
        self.fragment = 1024  # bytes of a MediaState that go into one message

    def forget(self) -> None:
        """Play nothing, without a word."""
        self._media = None

    @property
    def current(self) -> FakeMedia | None:
        """What plays, with the position of this moment."""
        if self._media is None:
            return None
        return self._media.moved(asyncio.get_running_loop().time() - self._since)

    def set(self, media: FakeMedia | None) -> None:
        """Play something else, or nothing, and tell all clients."""
        before, self._media = self._media, media
        self._since = asyncio.get_running_loop().time()
        if self.console.is_running:
            self.console.events.emit(
                "media",
                asset_id=media.asset_id if media else None,
                status=media.status if media else None,
            )
        if media is not None:
            for participant, channel in self.open_channels():
                self._tell(participant, channel)
        elif before is not None:
            self.send_all("media_controller_removed", {"title_id": before.title_id})

    def _tell(self, participant: Participant, channel: Channel) -> None:
        media = self.current
        if media is not None:
            fields = media.fields()
            participant.send(
                "media_state", fields, channel.number, fragment=self.fragment
            )

    @override
    def opened(self, participant: Participant, channel: Channel) -> None:
        self._tell(participant, channel)

    @override
    def received(
        self,
        participant: Participant,
        channel: Channel,
        name: str,
        fields: Fields,
        sequence: int,
    ) -> bool:
        if name != "media_command":
            return False
        result = self._obey(fields)
        shown = None if self.results is None else (result or self.results)
        participant.emit("media_command", sequence=sequence, result=shown, **fields)
        if shown is not None:
            answer: Fields = {"request_id": fields["request_id"], "result": shown}
            participant.send("media_command_result", answer, channel.number)
        return True

    def _obey(self, fields: Fields) -> int:
        media, command = self.current, number_of(fields, "command")
        if (command == SEEK) != (fields["seek_position"] is not None):
            return INVALID_ARGUMENT
        if media is None or fields["title_id"] not in (0, media.title_id):
            return INVALID_ARGUMENT
        if not media.enabled_commands & command:
            return FAILED
        if self.obeys and not self.results:
            changed = self._changed(media, command, fields)
            if changed is not None:
                loop = asyncio.get_running_loop()
                loop.call_soon(self._set_if_running, changed)
        return 0

    def _set_if_running(self, media: FakeMedia) -> None:
        if self.console.is_running:
            self.set(media)

    @staticmethod
    def _changed(media: FakeMedia, command: int, fields: Fields) -> FakeMedia | None:
        if command == PLAY_PAUSE:
            command = PAUSE if media.status == PLAYING else PLAY
        match command:
            case c if c == PLAY:
                return replace(media, status=PLAYING, rate=1.0)
            case c if c == PAUSE:
                return replace(media, status=PAUSED, rate=0.0)
            case c if c == STOP:
                return replace(media, status=STOPPED, rate=0.0, position=media.start)
            case c if c == SEEK:
                wanted = number_of(fields, "seek_position") / TICKS
                position = max(media.min_seek, min(media.max_seek, wanted))
                return replace(media, position=position)
        return None
