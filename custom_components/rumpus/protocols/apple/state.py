"""What is known about a device, out of all its sessions, and what of it is news."""

# The capabilities are abstract, and asked for by their class.
# mypy: disable-error-code="type-abstract"

from collections.abc import Callable
from dataclasses import replace

from .capabilities import Grouping, Sounding, Telling, Typing
from .enums import PowerState
from .events import (
    AppleEvent,
    ArtworkChanged,
    FeaturesChanged,
    FocusChanged,
    InfoChanged,
    OutputDevicesChanged,
    PlayingChanged,
    PowerChanged,
    VolumeChanged,
)
from .info import DeviceInfo, OperatingSystem
from .models import IDLE, OutputDevice, Playing
from .power import witness
from .routing import Router
from .session import Aspect, Session


class State:
    """What the facade tells; nothing is published that was told before."""

    def __init__(
        self, router: Router, found: DeviceInfo, publish: Callable[[AppleEvent], None]
    ) -> None:
        """Begin with what was found."""
        self._router = router
        self._found = found
        self._told = publish
        # What is held back until everything else is known.
        self._held: list[AppleEvent] | None = None
        self._shape: tuple[object, ...] = _shape(IDLE)
        self.playing = IDLE
        self.power = PowerState.UNKNOWN
        self.volume: float | None = None
        self.output_devices: tuple[OutputDevice, ...] = ()
        self.focus: bool | None = None
        self.info = found
        self._looks: dict[Aspect, Callable[[], None]] = {
            Aspect.PLAYING: self._look_at_playing,
            Aspect.ARTWORK: lambda: self._publish(ArtworkChanged()),
            Aspect.POWER: self._look_at_power,
            Aspect.VOLUME: self._look_at_volume,
            Aspect.OUTPUTS: self._look_at_outputs,
            Aspect.FOCUS: self._look_at_focus,
            Aspect.FEATURES: self._look_at_features,
            Aspect.INFO: self._look_at_info,
        }

    def found(self, info: DeviceInfo) -> None:
        """Take note of what a search has told."""
        self._found = info
        self._look_at_info()

    def look_at(self, aspect: Aspect) -> None:
        """Look at what may have changed."""
        self._looks[aspect]()

    def look_at_all(self, reason: AppleEvent) -> None:
        """Look at everything, since another session serves it now, or none.

        All of it is known before any of it is told, the reason first.
        """
        self._held = held = [reason]
        self._look_at_playing()
        self._look_at_power()
        self._look_at_volume()
        self._look_at_outputs()
        self._look_at_focus()
        self._look_at_info()
        self._held = None
        for event in held:
            if not isinstance(event, FeaturesChanged):
                self._told(event)
        self._told(FeaturesChanged())

    def _publish(self, event: AppleEvent) -> None:
        if self._held is not None:
            self._held.append(event)
        else:
            self._told(event)

    def _look_at_playing(self) -> None:
        session = self._router.first(Telling)
        playing = IDLE if session is None else session.playing
        if playing == self.playing:
            return
        self.playing = playing
        self._publish(PlayingChanged(playing))
        if (shape := _shape(playing)) != self._shape:
            self._shape = shape
            self._publish(FeaturesChanged())

    def _look_at_power(self) -> None:
        old, self.power = self.power, witness(self._router)
        if self.power is not old:
            self._publish(PowerChanged(old, self.power))
            self._publish(FeaturesChanged())

    def _look_at_volume(self) -> None:
        volumes = (session.volume for session in self._router.sessions(Sounding))
        volume = next((volume for volume in volumes if volume is not None), None)
        if volume != self.volume:
            self.volume = volume
            self._publish(VolumeChanged(volume))

    def _look_at_outputs(self) -> None:
        session = self._router.first(Grouping)
        devices = () if session is None else session.output_devices
        if devices != self.output_devices:
            self.output_devices = devices
            self._publish(OutputDevicesChanged(devices))

    def _look_at_focus(self) -> None:
        session = self._router.first(Typing)
        focus = None if session is None else session.focus
        if focus is not self.focus:
            self.focus = focus
            self._publish(FocusChanged(focus))

    def _look_at_features(self) -> None:
        """Tell that they changed; with them goes whether the volume is known."""
        self._look_at_volume()
        self._publish(FeaturesChanged())

    def _look_at_info(self) -> None:
        info = self._found
        for session in self._router.sessions(Session):
            info = filled(info, session.info)
        if info != self.info:
            self.info = info
            self._publish(InfoChanged(info))


def filled(info: DeviceInfo, other: DeviceInfo) -> DeviceInfo:
    """Return the first one with its gaps filled from the other (part B, section 6.5)."""
    return replace(
        info,
        os=other.os if info.os is OperatingSystem.UNKNOWN else info.os,
        version=info.version or other.version,
        build=info.build or other.build,
        model=info.model or other.model,
        raw_model=info.raw_model or other.raw_model,
        mac=info.mac or other.mac,
        output_device_id=info.output_device_id or other.output_device_id,
    )


def _shape(playing: Playing) -> tuple[object, ...]:
    """Return what decides about features that follow from what is played."""
    return (
        playing.device_state,
        playing.title is None,
        playing.artist is None,
        playing.album is None,
        playing.genre is None,
        playing.total_time is None,
        playing.position is None,
        playing.series_name is None,
        playing.season_number is None,
        playing.episode_number is None,
        playing.content_identifier is None,
        playing.itunes_store_identifier is None,
        playing.artwork_id is None,
        playing.app is None,
    )
