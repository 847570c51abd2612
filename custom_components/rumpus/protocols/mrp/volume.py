"""The volume of the device and of those that play along (part B, section 4.6)."""

from collections.abc import Callable, Mapping
from typing import Final

from ..errors import UnsupportedError
from . import messages
from .device_info import MAX_OUTPUT_DEVICES
from .enums import VolumeCapability
from .events import MrpEvent, OutputVolumeChanged, VolumeChanged, VolumeControlsChanged
from .metadata import MAX_IDENTIFIER
from .models import VolumeControls
from .proto import mrp_pb2 as pb
from .session import MrpSession
from .timing import Timing
from .waiting import Reports

MAX_VOLUME: Final = 100.0
STEP: Final = 5.0
"""Percent, where the device itself has no steps."""

type Level = tuple[str, float]
"""Whose volume, and what it is."""


class Volume:
    """Volumes in percent, to one decimal as devices round them."""

    def __init__(
        self,
        session: Callable[[], MrpSession],
        publish: Callable[[MrpEvent], None],
        timing: Timing,
    ) -> None:
        """Begin with nothing known; `session` raises DisconnectedError without one."""
        self._session = session
        self._publish = publish
        self._timing = timing
        self._levels: dict[str, float] = {}
        self._flags = VolumeControls()
        self.uid: str | None = None
        """How the device calls itself where volumes are concerned."""
        self.reports: Reports[Level] = Reports()

    @property
    def controls(self) -> VolumeControls:
        """Return what can be done: nothing while the device has no id."""
        return VolumeControls() if self.uid is None else self._flags

    @property
    def level(self) -> float | None:
        """Return the device's own volume, None while it is not known."""
        return None if self.uid is None else self._levels.get(self.uid)

    @property
    def levels(self) -> Mapping[str, float]:
        """Return all volumes that are known, by the ids of the devices."""
        return self._levels

    def rename(self, uid: str | None) -> None:
        """Take over another id: the device joined a cluster, or left one."""
        if uid == self.uid:
            return
        controls, level = self.controls, self.level
        self.uid = uid
        if self.controls != controls:
            self._publish(VolumeControlsChanged(self.controls))
        if self.level != level:
            self._publish(VolumeChanged(self.level))

    def set_availability(self, message: pb.VolumeControlAvailabilityMessage) -> None:
        """Take over what can be done to the device's own volume."""
        before = self.controls
        self._flags = VolumeControls(
            message.volume_control_available,
            VolumeCapability(int(message.volume_capabilities) & 0b11),
        )
        if self.controls != before:
            self._publish(VolumeControlsChanged(self.controls))

    def set_capabilities(
        self, message: pb.VolumeControlCapabilitiesDidChangeMessage
    ) -> None:
        """Take over the same, told of one output device."""
        if self.uid is not None and message.output_device_uid == self.uid:
            self.set_availability(message.capabilities)

    def set_level(self, message: pb.VolumeDidChangeMessage) -> None:
        """Take over a volume."""
        uid, share = message.output_device_uid, message.volume
        if not message.HasField("volume") or not 0 <= share <= 1:  # NaN is not
            return
        self._set(uid, round(share * MAX_VOLUME, 1))

    def set_descriptor(self, message: pb.AVOutputDeviceDescriptor) -> None:
        """Take over the volume in the description of an output device."""
        if message.HasField("volume") and 0 <= message.volume <= 1:
            self._set(message.unique_identifier, round(message.volume * MAX_VOLUME, 1))

    async def set(self, level: float, output_device: str | None = None) -> None:
        """Set a volume, and wait until the device reports it.

        Raises ValueError past 0..100, UnsupportedError for a device that has no absolute
        volume, DisconnectedError and PeerTimeoutError.
        """
        if not 0 <= level <= MAX_VOLUME:
            raise ValueError("A volume is from 0 to 100")
        uid = self.uid if output_device is None else output_device
        if uid is None or (uid == self.uid and not self.controls.is_absolute):
            raise UnsupportedError("The volume of the device cannot be set")
        session = self._session()
        message = messages.set_volume(level / MAX_VOLUME, uid)
        if self._levels.get(uid) == round(level, 1):
            session.send(message)
            return
        await self.wait(lambda: session.send(message), uid)

    async def step(self, key: Callable[[], None], direction: int) -> None:
        """Go one step up (1) or down (-1); `key` presses the key for it.

        Raises UnsupportedError, DisconnectedError and PeerTimeoutError.
        """
        controls, level = self.controls, self.level
        if not controls.is_absolute and not controls.is_relative:
            raise UnsupportedError("The volume of the device cannot be changed")
        end = MAX_VOLUME if direction > 0 else 0.0
        if controls.is_absolute and level == end:
            return
        if not controls.is_relative:
            target = (level or 0.0) + direction * STEP
            await self.set(min(max(target, 0.0), MAX_VOLUME))
        elif controls.is_absolute and self.uid is not None:
            await self.wait(key, self.uid)
        else:
            key()

    async def wait(self, ask: Callable[[], None], uid: str) -> None:
        """Ask for another volume and wait until it is reported."""
        await self.reports.after(
            ask, lambda report: report[0] == uid, self._timing.change
        )

    def _set(self, uid: str, level: float) -> None:
        if not 0 < len(uid) <= MAX_IDENTIFIER:
            return
        old = self._levels.get(uid)
        if old is None and len(self._levels) >= MAX_OUTPUT_DEVICES:
            del self._levels[next(key for key in self._levels if key != self.uid)]
        self._levels[uid] = level
        self.reports.report((uid, level))
        if level == old:
            return
        if uid == self.uid:
            self._publish(VolumeChanged(level))
        self._publish(OutputVolumeChanged(uid, level))
