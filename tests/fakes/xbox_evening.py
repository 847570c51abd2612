"""What happens on a fake console by itself, one thing after the other."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fakes.xbox_models import GAME, HOME, PAUSED, PLAYER, PLAYING, FakeMedia

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

_FIRST = FakeMedia(
    asset_id="film-1",
    end=5400.0,
    max_seek=5400.0,
    metadata={"title": "The Long Loopback", "subtitle": "A film"},
)
_SECOND = FakeMedia(
    asset_id="film-2",
    end=1500.0,
    max_seek=1500.0,
    metadata={"title": "Nine Packets", "subtitle": "Season 2, episode 5"},
)


class Evening:
    """Home, a film, a pause, another film, a game, a search, and home again."""

    def __init__(self, console: FakeConsole, pace: float) -> None:
        """Do the next thing every `pace` seconds; 0 does nothing at all."""
        self._console = console
        self._pace = pace
        self._step = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        if self._pace > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._pace, self._next)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def _next(self) -> None:
        if self._console.is_on:
            steps = (
                self._film,
                self._pause,
                self._play,
                self._other_film,
                self._game,
                self._search,
                self._home,
            )
            steps[self._step % len(steps)]()
            self._step += 1
        self.start()

    def _film(self) -> None:
        self._console.launch(PLAYER)
        self._console.set_media(_FIRST)

    def _pause(self) -> None:
        media = self._console.media
        if media is not None:
            self._console.set_media(replace(media, status=PAUSED, rate=0.0))

    def _play(self) -> None:
        media = self._console.media
        if media is not None:
            self._console.set_media(replace(media, status=PLAYING, rate=1.0))

    def _other_film(self) -> None:
        self._console.set_media(_SECOND)

    def _game(self) -> None:
        self._console.set_media(None)
        self._console.launch(GAME)

    def _search(self) -> None:
        self._console.launch(HOME)
        self._console.open_text("Search", scope=0x32, max_length=128)

    def _home(self) -> None:
        self._console.close_text(accepted=False)
        self._console.launch(HOME)
