"""What happens on a fake Apple TV by itself, one thing after the other."""

import asyncio
from typing import Final

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv_artwork import picture
from tests.fakes.apple_tv_host import Host
from tests.fakes.apple_tv_models import MUSIC_COMMANDS, FakeItem

FILMS: Final = ("com.example.LoopbackFilms", "Loopback Films")
TV: Final = ("com.apple.TVWatchList", "TV")
MUSIC: Final = ("com.apple.TVMusic", "Music")


def film() -> FakeItem:
    """Return a film."""
    return FakeItem(
        "film-1",
        "The Long Loopback",
        genre="Drama",
        duration=6840.0,
        content_identifier="loopback.film.1",
        picture=picture("film-1", size=(1280, 720), hue=1),
    )


def episode() -> FakeItem:
    """Return an episode of a series."""
    return FakeItem(
        "episode-5",
        "Nine Packets",
        series="The Handshake",
        season=2,
        episode=5,
        genre="Comedy",
        duration=1510.0,
        content_identifier="handshake.s2e5",
        picture=picture("episode-5", "url", (960, 540), hue=2),
    )


def songs() -> list[FakeItem]:
    """Return an album."""
    titles = ("Retransmit", "Sliding Window", "Three-Way Handshake", "Time To Live")
    return [
        FakeItem(
            f"song-{number}",
            title,
            artist="The Loopbacks",
            album="Localhost",
            genre="Electronic",
            duration=180.0 + 17 * number,
            media_type=pb.MEDIA_TYPE_AUDIO,
            store_identifier=1_400_000_000 + number,
            picture=picture(f"album-{number}", "template", hue=3),
        )
        for number, title in enumerate(titles, 1)
    ]


class Evening:
    """A film, a pause, a search, an episode, an album, and nothing any more.

    A HomePod plays the album alone, sets its volume, and has a pause, too.
    """

    def __init__(self, core: Host, pace: float) -> None:
        """Do the next thing every `pace` seconds; 0 does nothing at all."""
        self._core = core
        self._media = core.mrp.media
        self._pace = pace
        self._step = 0
        self._on_tv = (
            *(self._film, self._pause, self._go_on, self._search, self._episode),
            *(self._album, self._next_song, self._nothing),
        )
        self._on_speaker = (
            *(self._album, self._louder, self._next_song, self._pause, self._go_on),
            *(self._next_song, self._softer, self._nothing),
        )
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin."""
        if self._pace > 0:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._pace, self._on_time)

    def stop(self) -> None:
        """End."""
        if self._timer is not None:
            self._timer.cancel()

    def step(self) -> None:
        """Do the next thing now."""
        steps = self._on_speaker if self._core.kind == "homepod" else self._on_tv
        steps[self._step % len(steps)]()
        self._step += 1

    def _on_time(self) -> None:
        if self._core.is_on:
            self.step()
        self.start()

    def _film(self) -> None:
        self._media.play(FILMS[0], film(), name=FILMS[1], position=1260.0)

    def _pause(self) -> None:
        self._set_state(pb.PLAYBACK_STATE_PAUSED)

    def _go_on(self) -> None:
        self._set_state(pb.PLAYBACK_STATE_PLAYING)

    def _search(self) -> None:
        self._core.open_text("handsh")

    def _louder(self) -> None:
        self._core.set_volume(0.55)

    def _softer(self) -> None:
        self._core.set_volume(0.35)

    def _episode(self) -> None:
        self._core.close_text()
        self._media.play(TV[0], episode(), name=TV[1])

    def _album(self) -> None:
        self._media.play(MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS)

    def _next_song(self) -> None:
        self._media.command(pb.COMMAND_NEXT_TRACK, pb.CommandOptions())

    def _nothing(self) -> None:
        self._media.clear()

    def _set_state(self, state: pb.PlaybackState) -> None:
        # Somebody may have ended what played.
        if self._media.item is not None:
            self._media.set_state(state)
