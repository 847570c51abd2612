"""Media players of a fake KDE Connect device (section 11.11)."""

from collections.abc import Callable
from dataclasses import dataclass, field
import time
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_plugins import Greeting, Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

_LOOPS = ("None", "Track", "Playlist")


@dataclass(slots=True)
class FakeTrack:
    """What can be played; `art` is the picture, had as a payload by its URL."""

    title: str
    artist: str = ""
    album: str = ""
    length: int = -1  # ms
    url: str = ""
    art_url: str = ""
    art: bytes = field(default=b"", repr=False)


@dataclass(slots=True)
class FakePlayer:
    """One player. Change it through `MediaPlugin.change`, which tells the peers."""

    name: str
    tracks: list[FakeTrack] = field(default_factory=list)
    index: int = 0
    is_playing: bool = False
    can_play: bool = True
    can_pause: bool = True
    can_go_next: bool = True
    can_go_previous: bool = True
    can_seek: bool = True
    loop_status: str | None = None  # None: the player cannot loop
    shuffle: bool | None = None
    volume: int | None = None
    clock: Callable[[], float] = time.monotonic
    _position: float = 0  # ms, when it was last set
    _since: float = 0

    @property
    def track(self) -> FakeTrack | None:
        """The track of now."""
        return self.tracks[self.index] if self.tracks else None

    @property
    def position(self) -> int:
        """Where playback is, in ms."""
        position = self._position
        if self.is_playing:
            position += (self.clock() - self._since) * 1000
        length = self.track.length if self.track else -1
        return int(min(position, length) if length >= 0 else position)

    @position.setter
    def position(self, value: float) -> None:
        length = self.track.length if self.track else -1
        self._position = max(0, min(value, length) if length >= 0 else value)
        self._since = self.clock()

    def set_playing(self, *, playing: bool) -> None:
        """Play or pause where it is."""
        self.position = self.position
        self.is_playing = playing

    def skip(self, by: int) -> None:
        """Go to another track, round the end."""
        if self.tracks:
            self.index = (self.index + by) % len(self.tracks)
            self.position = 0

    def act(self, action: str) -> bool:
        """Carry out an action; returns whether it is known."""
        match action:
            case "Play":
                self.set_playing(playing=True)
            case "Pause":
                self.set_playing(playing=False)
            case "PlayPause":
                self.set_playing(playing=not self.is_playing)
            case "Stop":
                self.set_playing(playing=False)
                self.position = 0
            case "Next":
                self.skip(1)
            case "Previous":
                self.skip(-1)
            case _:
                return False
        return True


class MediaPlugin(Plugin):
    """Players of this device, and the list of the other side's."""

    handles = frozenset({"kdeconnect.mpris.request", "kdeconnect.mpris"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without players."""
        super().__init__(device)
        self.players: dict[str, FakePlayer] = {}
        self.offers_art = True
        self.peer_players: list[str] = []
        self._told: dict[str, Body] = {}

    # --- what a test or the demo does ---

    async def add(self, player: FakePlayer) -> FakePlayer:
        """Let a player appear; a computer then tells its state, too."""
        self.players[player.name] = player
        player.position = player.position
        await self.tell("mpris", self.list_body)
        if self.device.kind == "computer":
            await self.tell("mpris", self._state(player))
        return player

    async def remove(self, name: str) -> None:
        """Let a player vanish."""
        del self.players[name]
        self._told.pop(name, None)
        await self.tell("mpris", self.list_body)

    async def change(self, name: str, **changes: JsonValue | list[FakeTrack]) -> None:
        """Set attributes of a player and tell what changed.

        A computer tells only the difference, a phone everything.
        """
        player = self.players[name]
        if (playing := changes.pop("is_playing", None)) is not None:
            player.set_playing(playing=bool(playing))
        for attribute, value in changes.items():
            if not hasattr(player, attribute):
                raise AttributeError(attribute)
            setattr(player, attribute, value)
        await self.tell("mpris", self._difference(player))

    @property
    def list_body(self) -> Body:
        """The body of the packet with the list."""
        return {
            "playerList": list[JsonValue](self.players),
            "supportAlbumArtPayload": self.offers_art,
        }

    # --- packets ---

    def _state(self, player: FakePlayer) -> Body:
        track = player.track or FakeTrack("")
        body: Body = {
            "player": player.name,
            "title": track.title,
            "artist": track.artist,
            "album": track.album,
            "url": track.url,
            "albumArtUrl": track.art_url,
            "length": track.length,
            "pos": player.position,
            "isPlaying": player.is_playing,
            "canPlay": player.can_play,
            "canPause": player.can_pause,
            "canGoNext": player.can_go_next,
            "canGoPrevious": player.can_go_previous,
            "canSeek": player.can_seek,
        }
        if player.volume is not None:
            body["volume"] = player.volume
        if self.device.kind == "phone" or self.device.protocol < 8:
            title = f"{track.artist} - {track.title}" if track.artist else track.title
            body["nowPlaying"] = title
        # No Android knows these two.
        if self.device.kind == "computer":
            if player.loop_status is not None:
                body["loopStatus"] = player.loop_status
            if player.shuffle is not None:
                body["shuffle"] = player.shuffle
        self._told[player.name] = dict(body)
        return body

    def _difference(self, player: FakePlayer) -> Body:
        before = self._told.get(player.name, {})
        state = self._state(player)
        if self.device.kind == "phone":
            return state
        always = {"player", "canSeek", "pos"}
        return {
            key: value
            for key, value in state.items()
            if key in always or key not in before or before[key] != value
        }

    @override
    def greeting(self) -> list[Greeting]:
        greeting: list[Greeting] = [("mpris.request", {"requestPlayerList": True})]
        if self.players:
            greeting.append(("mpris", self.list_body))
        if self.device.kind == "computer":
            states = [self._state(player) for player in self.players.values()]
            greeting += [("mpris", state) for state in states]
        return greeting

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if packet.type == "kdeconnect.mpris":
            names = body.get("playerList")
            if isinstance(names, list):
                self.peer_players = [str(name) for name in names]
            return
        name = body.get("player")
        if body.get("requestPlayerList"):
            peer.send("mpris", self.list_body)
        if not isinstance(name, str):
            return
        player = self.players.get(name)
        if player is None:
            peer.send("mpris", self.list_body)
            return
        if body.get("requestNowPlaying") or body.get("requestVolume"):
            peer.send("mpris", self._state(player))
        self._control(peer, player, packet)
        if isinstance(url := body.get("albumArtUrl"), str):
            self._send_art(peer, player, url)

    def _control(self, peer: FakePeer, player: FakePlayer, packet: FakePacket) -> None:
        done: Body = {}
        for key, value in packet.body.items():
            if self._apply(player, key, value):
                done[key] = value
        if done:
            peer.emit("player_action", packet, player=player.name, **done)
            difference = self._difference(player)
            for other in self.device.linked:
                if other.is_paired:
                    other.send("mpris", difference)

    def _apply(self, player: FakePlayer, key: str, value: JsonValue) -> bool:
        """Carry out one member of a request; returns whether it was one to do."""
        computer = self.device.kind == "computer"
        match key, value:
            case "action", str():
                return player.act(value)
            case "SetPosition", int() | float() if player.can_seek:
                player.position = value
            case "Seek", int() | float() if computer and player.can_seek:
                player.position = player.position + value / 1000
            case "setVolume", int() | float() if player.volume is not None:
                player.volume = max(0, min(100, int(value)))
            case "setLoopStatus", str() if computer and player.loop_status is not None:
                player.loop_status = value if value in _LOOPS else player.loop_status
            case "setShuffle", bool() if computer and player.shuffle is not None:
                player.shuffle = value
            case _:
                return False
        return True

    # --- album art ---

    def _send_art(self, peer: FakePeer, player: FakePlayer, url: str) -> None:
        """Send the picture, if the URL is the one of now and ours to serve."""
        track = player.track
        scheme = "kdeconnect:" if self.device.kind == "phone" else "file:"
        if track is None or url != track.art_url or not track.art:
            return
        if not url.startswith((scheme, "file:")) or not self.offers_art:
            return
        body: Body = {
            "player": player.name,
            "albumArtUrl": url,
            "transferringAlbumArt": True,
        }
        if self.device.kind == "computer":
            body |= {"numberOfFiles": 1, "totalPayloadSize": len(track.art)}
        self.device.run_task(self._announce_art(peer, body, track.art))

    async def _announce_art(self, peer: FakePeer, body: Body, art: bytes) -> None:
        await self.device.payloads.send(peer, "mpris", body, art)
