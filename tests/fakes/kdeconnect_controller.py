"""A fake KDE Connect device as the controller of the other side's players.

Section 11.11, what a phone's media page and a computer's applet do. In a test::

    await phone.wait_for("players", lambda e: e.data["names"] == ["Kitchen"])
    state = await phone.players.now_playing("Kitchen")
    await phone.players.act("Kitchen", "PlayPause")
    picture = await phone.players.fetch_art("Kitchen")
"""

import asyncio
import hashlib
from typing import TYPE_CHECKING, override

from tests.fakes.kdeconnect_payload import PayloadError, fetch_payload
from tests.fakes.kdeconnect_plugins import Plugin
from tests.fakes.kdeconnect_wire import Body, FakePacket, JsonValue

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice
    from tests.fakes.kdeconnect_peer import FakePeer

MAX_ART = 5 * 1024 * 1024  # what KDE caches


class PlayersPlugin(Plugin):
    """The other side's players, with their states merged from what was told."""

    handles = frozenset({"kdeconnect.mpris"})

    def __init__(self, device: FakeDevice) -> None:
        """Start without knowing any player."""
        super().__init__(device)
        self.names: list[str] = []
        self.states: dict[str, Body] = {}
        self.offers_art = False
        self.asks_at_once = True  # for the state of every new player
        self.fetches_art = False  # True: every picture at once, as the programs do
        self.art: dict[str, bytes] = {}  # by URL
        self._wanted: set[tuple[str, str]] = set()

    # --- what a user does ---

    async def request_list(self) -> int:
        """Ask for the list; returns how many peers have players."""
        return await self.request(requestPlayerList=True)

    async def now_playing(self, name: str, timeout: float = 5) -> Body:
        """Ask for a player's state and return all that is known of it then."""
        await self.request(name, requestNowPlaying=True, requestVolume=True)
        await self.device.wait_for(
            "player_state", lambda e: e.data["player"] == name, timeout
        )
        return self.states[name]

    async def act(self, name: str, action: str) -> int:
        """Press `Play`, `Pause`, `PlayPause`, `Stop`, `Next` or `Previous`."""
        return await self.request(name, action=action)

    async def seek(self, name: str, microseconds: int) -> int:
        """Jump relatively. Only computers do that, a phone sets the position."""
        return await self.request(name, Seek=microseconds)

    async def set_position(self, name: str, milliseconds: int) -> int:
        """Jump to a position."""
        return await self.request(name, SetPosition=milliseconds)

    async def set_volume(self, name: str, volume: int) -> int:
        """Set the volume, 0 to 100."""
        return await self.request(name, setVolume=volume)

    async def set_loop(self, name: str, status: str) -> int:
        """Repeat: `None`, `Track` or `Playlist`."""
        return await self.request(name, setLoopStatus=status)

    async def set_shuffle(self, name: str, *, on: bool) -> int:
        """Shuffle or not."""
        return await self.request(name, setShuffle=on)

    async def request_art(self, name: str, url: str | None = None) -> str:
        """Ask for a picture; returns its URL, the player's of now if not given.

        It ends in an event, `album_art` or `fetch_failed`.
        """
        url = str(self.states[name]["albumArtUrl"]) if url is None else url
        self._wanted.add((name, url))
        await self.request(name, albumArtUrl=url)
        return url

    async def fetch_art(self, name: str, timeout: float = 5) -> bytes:
        """Ask for the picture of now and return it."""
        url = await self.request_art(name)
        await self.device.wait_for("album_art", lambda e: e.data["url"] == url, timeout)
        return self.art[url]

    async def request(self, name: str | None = None, /, **members: JsonValue) -> int:
        """Send a request with any members."""
        player: Body = {} if name is None else {"player": name}
        return await self.tell("mpris.request", player | members)

    # --- packets ---

    @override
    def received(self, peer: FakePeer, packet: FakePacket) -> None:
        body = packet.body
        if isinstance(names := body.get("playerList"), list):
            self._received_list(peer, packet, [str(name) for name in names])
            return
        name = body.get("player")
        if not isinstance(name, str):
            return
        if body.get("transferringAlbumArt"):
            key = (name, str(body.get("albumArtUrl")))
            if key in self._wanted:
                self._wanted.discard(key)
                self.device.run_task(self._fetch(peer, packet, *key))
            return
        self.states[name] = self.states.get(name, {}) | body
        peer.emit("player_state", packet, player=name)
        self._want_art(peer, name)

    def _received_list(
        self, peer: FakePeer, packet: FakePacket, names: list[str]
    ) -> None:
        fresh = [name for name in names if name not in self.names]
        self.names = names
        self.offers_art = bool(packet.body.get("supportAlbumArtPayload"))
        self.states = {name: self.states.get(name, {}) for name in names}
        listed: list[JsonValue] = [*names]
        peer.emit("players", packet, names=listed)
        if self.asks_at_once:
            ask: Body = {"requestNowPlaying": True, "requestVolume": True}
            for name in fresh:
                peer.send("mpris.request", ask | {"player": name})

    def _want_art(self, peer: FakePeer, name: str) -> None:
        """Fetch a picture that is new, if that is how this device is."""
        url = self.states[name].get("albumArtUrl")
        if not self.fetches_art or not isinstance(url, str) or url in self.art:
            return
        # Others can be had from the network by themselves.
        if self.offers_art and url.startswith(("file:", "kdeconnect:")):
            self._wanted.add((name, url))
            peer.send("mpris.request", {"player": name, "albumArtUrl": url})

    async def _fetch(
        self, peer: FakePeer, packet: FakePacket, name: str, url: str
    ) -> None:
        if (packet.payload_size or 0) > MAX_ART:
            peer.emit("fetch_failed", packet, reason="too large")
            return
        try:
            async with asyncio.timeout(self.device.payloads.timeout):
                data = await fetch_payload(peer, packet)
        except (OSError, PayloadError) as error:
            peer.emit("fetch_failed", packet, reason=str(error))
            return
        self.art[url] = data
        digest = hashlib.sha256(data).hexdigest()
        peer.emit(
            "album_art", packet, player=name, url=url, size=len(data), sha256=digest
        )
