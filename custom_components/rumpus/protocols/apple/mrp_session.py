"""MRP, as the facade uses it, through the tunnel or over TCP (part B, sections 4 to 8)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final, Protocol, override

from ..errors import UnsupportedError
from ..mrp.enums import HidUsage
from ..mrp.events import (
    ArtworkChanged,
    CommandsChanged,
    InfoChanged,
    Lost,
    MrpEvent,
    OutputDevicesChanged,
    PlayingChanged,
    PowerChanged,
    VolumeChanged,
    VolumeControlsChanged,
)
from .capabilities import (
    Grouping,
    Keys,
    Picturing,
    Powering,
    Seeking,
    Skipping,
    Sounding,
    Telling,
)
from .const import AppleProtocol
from .enums import (
    Feature,
    FeatureState,
    InputAction,
    Key,
    PowerState,
    RepeatState,
    ShuffleState,
)
from .features import MRP_FEATURES, mrp_feature
from .info import MODELS, DeviceInfo, version_of_build
from .keys import MRP_KEYS, MRP_USAGES
from .models import Artwork, OutputDevice, Playing
from .session import Aspect, Listener, Session

if TYPE_CHECKING:
    from .apis import MrpApi

_ASPECTS: Final[Mapping[type[MrpEvent], tuple[Aspect, ...]]] = {
    PlayingChanged: (Aspect.PLAYING,),
    CommandsChanged: (Aspect.FEATURES,),
    ArtworkChanged: (Aspect.ARTWORK,),
    InfoChanged: (Aspect.INFO,),
    PowerChanged: (Aspect.POWER,),
    VolumeChanged: (Aspect.VOLUME,),
    VolumeControlsChanged: (Aspect.VOLUME, Aspect.FEATURES),
    OutputDevicesChanged: (Aspect.OUTPUTS,),
}


class Carrier(Protocol):
    """What a client's messages go through, if that is to be opened and watched."""

    async def open(self) -> MrpApi:
        """Connect, and return a client that has not started."""

    async def close(self) -> None:
        """End it. Never raises."""


class MrpSession(
    Session,
    Keys,
    Skipping,
    Seeking,
    Telling,
    Picturing,
    Powering,
    Sounding,
    Grouping,
):
    """MRP over a carrier; both end together."""

    serves = AppleProtocol.MRP
    features = MRP_FEATURES
    keys = MRP_KEYS

    def __init__(self, carrier: Carrier, listener: Listener) -> None:
        """Take a carrier that is not open."""
        self._carrier = carrier
        self._listener = listener
        self._api: MrpApi | None = None
        self._unsubscribe: Callable[[], None] | None = None

    @property
    def _client(self) -> MrpApi:
        if self._api is None:
            raise RuntimeError("The session is not open")
        return self._api

    @override
    async def open(self) -> None:
        self._api = client = await self._carrier.open()
        self._unsubscribe = client.subscribe(self._on_event)
        await client.start()

    @override
    async def close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        try:
            if self._api is not None:
                await self._api.close()
        finally:
            await self._carrier.close()

    def _on_event(self, event: MrpEvent) -> None:
        if isinstance(event, Lost):
            self._listener.lost(event.error)
            return
        for aspect in _ASPECTS.get(type(event), ()):
            self._listener.changed(aspect)

    @override
    def feature(self, feature: Feature) -> FeatureState:
        return mrp_feature(self._client, feature)

    @property
    @override
    def info(self) -> DeviceInfo:
        told = self._client.device_info
        return DeviceInfo(
            version=version_of_build(told.build) if told.build else None,
            build=told.build,
            model=MODELS.get(told.model) if told.model else None,
            raw_model=told.model,
            output_device_id=told.uid,
        )

    # Keys and media

    @override
    async def press(self, key: Key, action: InputAction) -> None:
        media: Mapping[Key, Callable[[], Awaitable[object]]] = {
            Key.PLAY: self._client.play,
            Key.PAUSE: self._client.pause,
            Key.PLAY_PAUSE: self._client.toggle,
            Key.STOP: self._client.stop,
            Key.NEXT: self._client.next_track,
            Key.PREVIOUS: self._client.previous_track,
            Key.SKIP_FORWARD: self._client.skip_forward,
            Key.SKIP_BACKWARD: self._client.skip_backward,
        }
        if action not in self.keys.get(key, ()):
            raise UnsupportedError(f"MRP does not press {key} like that")
        if (command := media.get(key)) is not None:
            await command()
        elif key is Key.HOME_HOLD:
            await self._client.press(HidUsage.HOME, InputAction.HOLD)
        else:
            await self._client.press(MRP_USAGES[key], action)

    @override
    async def hold(self, key: Key, seconds: float) -> None:
        if InputAction.HOLD not in self.keys.get(key, ()):
            raise UnsupportedError(f"MRP does not hold {key}")
        await self._client.press(MRP_USAGES[key], InputAction.HOLD, hold=seconds)

    @override
    async def skip(self, seconds: float) -> None:
        await self._client.skip(seconds)

    @override
    async def seek(self, position: float) -> None:
        await self._client.seek(position)

    @override
    async def set_shuffle(self, shuffle: ShuffleState) -> None:
        await self._client.set_shuffle(shuffle)

    @override
    async def set_repeat(self, repeat: RepeatState) -> None:
        await self._client.set_repeat(repeat)

    @property
    @override
    def playing(self) -> Playing:
        return self._client.playing

    @override
    async def artwork(self, width: int, height: int | None) -> Artwork | None:
        return await self._client.artwork(width, height)

    # Power and volume

    @property
    @override
    def power(self) -> PowerState:
        return self._client.power

    @override
    async def turn_on(self) -> None:
        await self._client.wake()

    @override
    async def turn_off(self) -> None:
        await self._client.turn_off_by_menu()

    @property
    @override
    def volume(self) -> float | None:
        return self._client.volume if self.can_set else None

    @property
    @override
    def can_step(self) -> bool:
        return self._client.volume_controls.is_available

    @property
    @override
    def can_set(self) -> bool:
        return self._client.volume_controls.is_absolute

    @override
    async def set_volume(self, level: float, output_device: str | None) -> None:
        await self._client.set_volume(level, output_device=output_device)

    @override
    async def volume_up(self) -> None:
        await self._client.volume_up()

    @override
    async def volume_down(self) -> None:
        await self._client.volume_down()

    # Output devices

    @property
    @override
    def output_devices(self) -> tuple[OutputDevice, ...]:
        return self._client.output_devices

    @override
    async def add_output_devices(self, *identifiers: str) -> None:
        await self._client.add_output_devices(*identifiers)

    @override
    async def remove_output_devices(self, *identifiers: str) -> None:
        await self._client.remove_output_devices(*identifiers)

    @override
    async def set_output_devices(self, *identifiers: str) -> None:
        await self._client.set_output_devices(*identifiers)
