"""Our own client: the facade that Home Assistant uses, without Home Assistant."""

from collections.abc import Awaitable, Callable, Mapping
import logging
from typing import Final, override
from urllib.parse import urlsplit

import aiohttp

from .client import Client, Credentials, Found, Plain, State
from custom_components.rumpus.protocols.airplay.connection import AirPlayConnection
from custom_components.rumpus.protocols.airplay.pairing import verify
from custom_components.rumpus.protocols.airplay.timing import Timing as AirPlayTiming
from custom_components.rumpus.protocols.apple.const import AppleProtocol
from custom_components.rumpus.protocols.apple.device import AppleDevice
from custom_components.rumpus.protocols.apple.enums import (
    Feature,
    InputAction,
    Key,
    RepeatState,
    ShuffleState,
)
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.apple.pairing import start_pairing
from custom_components.rumpus.protocols.apple.scan import scan_unicast
from custom_components.rumpus.protocols.apple.services import FoundDevice
from custom_components.rumpus.protocols.errors import RumpusError
from custom_components.rumpus.protocols.hap.credentials import parse_credentials
from tests.fakes.apple_tv import FakeAppleTv
from tests.interop.report import CheckError

_TIMEOUT: Final = 20.0
_LOGGER: Final = logging.getLogger(__name__)
_PLAYING: Final = (
    *("title", "artist", "album", "genre", "total_time", "position"),
    *("series_name", "season_number", "episode_number", "content_identifier"),
    *("itunes_store_identifier", "hash", "device_state", "media_type"),
    *("shuffle", "repeat", "artwork_id"),
)

type _Action = Callable[..., Awaitable[object]]


class OurClient(Client):
    """Rumpus."""

    name = "Rumpus"

    def __init__(self, mdns_port: int) -> None:
        """`mdns_port` is where all devices answer."""
        self._port = mdns_port
        self._identity = ClientIdentity.create("Rumpus")
        self._session: aiohttp.ClientSession | None = None
        self._device: AppleDevice | None = None

    @property
    def device(self) -> AppleDevice:
        """The facade."""
        assert self._device is not None
        return self._device

    @override
    async def start(self) -> None:
        """Be ready to fetch pictures."""
        self._session = aiohttp.ClientSession()

    @override
    async def stop(self) -> None:
        """End that."""
        await self.close()
        if self._session is not None:
            await self._session.close()

    @override
    async def find(self, *devices: FakeAppleTv) -> list[Found]:
        found = [await self._find(device) for device in devices]
        return sorted(
            (
                Found(
                    device.name,
                    frozenset(device.identifiers),
                    device.info.raw_model,
                    device.info.version,
                    device.is_asleep,
                    {
                        service.protocol.value: (
                            service.port,
                            service.identifier,
                            service.pairing.name.lower().replace("_", ""),
                            service.is_enabled,
                        )
                        for service in device.services
                    },
                )
                for device in found
            ),
            key=lambda device: device.name,
        )

    async def _find(self, device: FakeAppleTv) -> FoundDevice:
        found = await scan_unicast([device.address], port=self._port)
        if len(found) != 1:
            raise CheckError(f"{len(found)} devices at {device.address}")
        return found[0]

    @override
    async def pair(self, device: FakeAppleTv, protocol: str, pin: str) -> str:
        found = await self._find(device)
        pairing = start_pairing(found, AppleProtocol(protocol), self._identity)
        try:
            await pairing.begin()
            return await pairing.finish(pin)
        except RumpusError as error:
            raise CheckError(f"{type(error).__name__}: {error}") from error
        finally:
            await pairing.close()

    @override
    async def connect(
        self, device: FakeAppleTv, credentials: Credentials, *protocols: str
    ) -> None:
        found = await self._find(device)
        services = tuple(s for s in found.services if s.protocol.value in protocols)
        limited = FoundDevice(
            found.name, found.address, services, found.is_asleep, found.info
        )

        async def resolve() -> FoundDevice:
            return limited

        self._device = AppleDevice(
            limited,
            {AppleProtocol(name): text for name, text in credentials.items()},
            self._identity,
            resolve=resolve,
            logger=_LOGGER,
            fetch_artwork=self._fetch,
        )
        self._device.start()
        await self._device.connected(_TIMEOUT)

    async def _fetch(self, url: str) -> tuple[bytes, str] | None:
        assert self._session is not None
        if urlsplit(url).scheme != "http":
            return None
        async with self._session.get(url) as response:
            if response.status != 200:
                return None
            return await response.read(), response.content_type

    @override
    async def playing(self) -> Mapping[str, Plain]:
        playing = self.device.playing
        told: dict[str, Plain] = {name: getattr(playing, name) for name in _PLAYING}
        app = self.device.app
        told["app"] = app.identifier if app else None
        told["app_name"] = app.name if app else None
        return told

    @override
    async def state(self) -> State:
        device = self.device
        return State(
            device.power.value,
            round(device.volume or 0.0, 1),
            tuple(sorted(output.name or "" for output in device.output_devices)),
            {
                feature.value.replace("_", ""): device.feature(feature).value
                for feature in Feature
            },
        )

    @override
    async def artwork(self) -> bytes:
        found = await self.device.artwork()
        return found.data[:64] if found else b""

    @override
    async def do(self, action: str, *arguments: Plain) -> Plain:
        done = await self._action(action)(*arguments)
        return done if isinstance(done, str | int | float) else None

    def _action(self, action: str) -> _Action:
        device = self.device
        by_name: dict[str, _Action] = {
            "play": device.play,
            "pause": device.pause,
            "play_pause": device.play_pause,
            "stop": device.stop_playing,
            "next": device.next_track,
            "previous": device.previous_track,
            "skip_forward": device.skip,
            "skip_backward": lambda seconds: device.skip(-seconds),
            "seek": device.seek,
            "set_volume": device.set_volume,
            "volume_up": device.volume_up,
            "volume_down": device.volume_down,
            "add_outputs": device.add_output_devices,
            "remove_outputs": device.remove_output_devices,
            "set_outputs": device.set_output_devices,
            "turn_on": device.turn_on,
            "turn_off": device.turn_off,
            "launch": device.launch,
            "switch_account": device.switch_account,
            "text_get": device.text_get,
            "text_set": device.text_set,
            "text_append": device.text_append,
            "text_clear": device.text_clear,
            "swipe": device.swipe,
            "click": device.click,
        }
        if action in by_name:
            return by_name[action]
        word, _, rest = action.rpartition("_")
        if word == "shuffle":
            return lambda: device.set_shuffle(ShuffleState(rest))
        if word == "repeat":
            return lambda: device.set_repeat(RepeatState(rest))
        if rest in {"double", "hold"} and action != "home_hold":
            return lambda: device.press(Key(word), InputAction(rest))
        return lambda: device.press(Key(action))

    @override
    async def names(self, what: str) -> list[str]:
        if what == "apps":
            return sorted(app.name or "" for app in await self.device.apps())
        return sorted(account.name for account in await self.device.accounts())

    async def verify(self, device: FakeAppleTv, credentials: str) -> None:
        """Verify with credentials for AirPlay alone, without a session."""
        timing = AirPlayTiming()
        connection = await AirPlayConnection.connect(
            device.address, device.airplay_port, timing=timing
        )
        try:
            parsed = parse_credentials(credentials)
            await verify(connection, parsed, name=self._identity.name)
        finally:
            await connection.close()

    @override
    async def close(self) -> None:
        device, self._device = self._device, None
        if device is not None:
            await device.stop()
