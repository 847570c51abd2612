"""The client of MRP: all that an Apple TV or a HomePod can be asked (part B, section 4)."""

from collections.abc import Callable, Mapping
import contextlib
import time
from typing import Final, override

from ..apple.enums import InputAction, RepeatState, ShuffleState
from ..apple.identity import ClientIdentity
from ..apple.models import Artwork, ArtworkFetcher
from ..errors import PeerTimeoutError
from ..hap.credentials import HapCredentials
from . import messages
from .artwork import ArtworkLoader
from .device_info import MAX_OUTPUT_DEVICES
from .enums import Command, HidUsage, TextAction, TouchPhase
from .keyboard import MAX_INPUT
from .link import MrpLink
from .metadata import MAX_IDENTIFIER
from .models import CommandInfo, CommandResult, Queue, VolumeControls
from .playing import artwork_id
from .proto import mrp_pb2 as pb
from .remote import Remote
from .timing import Timing
from .transport import MessageTransport

DEFAULT_WIDTH: Final = 512
"""Of pictures, in pixels."""


class MrpClient(MrpLink):
    """One session with a device and all that can be done in it.

    Whatever asks the device raises DisconnectedError, also when the connection ends
    meanwhile, and PeerTimeoutError.
    """

    def __init__(
        self,
        transport: MessageTransport,
        identity: ClientIdentity,
        *,
        client_id: str,
        credentials: HapCredentials | None = None,
        timing: Timing | None = None,
        fetch_artwork: ArtworkFetcher | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Take a transport that is connected; see `MrpLink`.

        Without `fetch_artwork` pictures that are on the internet are not shown.
        """
        super().__init__(
            transport,
            identity,
            client_id=client_id,
            credentials=credentials,
            timing=timing,
            clock=clock,
        )
        media = self._media
        self._remote = Remote(self._session, media, self._timing)
        self._artwork = ArtworkLoader(
            self._session, lambda: media.player, fetch_artwork
        )

    # What the device told

    @property
    def volume(self) -> float | None:
        """Return the volume in percent; None while the device has not told it."""
        return self._volume.level

    @property
    def volume_controls(self) -> VolumeControls:
        """Return what can be done to the volume."""
        return self._volume.controls

    @property
    def volumes(self) -> Mapping[str, float]:
        """Return all volumes that are known, in percent, by the ids of devices."""
        return self._volume.levels

    @property
    def queue(self) -> Queue:
        """Return what is played one after the other."""
        return self._media.queue

    @property
    def has_artwork(self) -> bool:
        """Whether what is played has a picture."""
        return artwork_id(self._media.item) is not None

    def command_info(self, command: Command, /) -> CommandInfo | None:
        """Return what is known of a command of the player in front; None if nothing."""
        return self._media.command(command)

    # Commands, which raise CommandRejectedError

    async def command(
        self, command: Command, options: pb.CommandOptions | None = None
    ) -> CommandResult:
        """Send any command and return how it was taken."""
        return await self._remote.command(command, options)

    async def play(self) -> CommandResult:
        """Play."""
        return await self._remote.command(Command.PLAY)

    async def pause(self) -> CommandResult:
        """Pause."""
        return await self._remote.command(Command.PAUSE)

    async def toggle(self) -> CommandResult | None:
        """Pause or play; None when there is nothing to do either to."""
        return await self._remote.toggle()

    async def stop(self) -> CommandResult:
        """Stop."""
        return await self._remote.command(Command.STOP)

    async def next_track(self) -> CommandResult:
        """Go to the next item."""
        return await self._remote.command(Command.NEXT_TRACK)

    async def previous_track(self) -> CommandResult:
        """Go to the previous item."""
        return await self._remote.command(Command.PREVIOUS_TRACK)

    async def skip(self, seconds: float, /) -> CommandResult:
        """Skip by seconds, back if there are less than none."""
        if seconds < 0:
            return await self._remote.skip(Command.SKIP_BACKWARD, -seconds)
        return await self._remote.skip(Command.SKIP_FORWARD, seconds)

    async def skip_forward(self) -> CommandResult:
        """Skip by as much as the player likes."""
        return await self._remote.skip(Command.SKIP_FORWARD, None)

    async def skip_backward(self) -> CommandResult:
        """Skip back by as much as the player likes."""
        return await self._remote.skip(Command.SKIP_BACKWARD, None)

    async def seek(self, position: float, /) -> CommandResult:
        """Go on at a position, in seconds."""
        return await self._remote.seek(position)

    async def set_shuffle(self, shuffle: ShuffleState, /) -> CommandResult:
        """Choose what is shuffled."""
        return await self._remote.set_shuffle(shuffle)

    async def set_repeat(self, repeat: RepeatState, /) -> CommandResult:
        """Choose what is repeated."""
        return await self._remote.set_repeat(repeat)

    # Keys and gestures

    async def press(
        self,
        usage: HidUsage,
        action: InputAction = InputAction.SINGLE,
        *,
        hold: float | None = None,
    ) -> None:
        """Press a key; `hold` is for how many seconds, where it is held."""
        await self._remote.press(usage, action, hold)

    async def touch(self, x: int, y: int, phase: TouchPhase) -> None:
        """Tell where a finger is on a pad of 1000 by 1000.

        This and the other gestures raise UnsupportedError when the device takes none.
        """
        await self._remote.touch(x, y, phase)

    async def tap(self, x: int, y: int) -> None:
        """Tap the pad."""
        await self._remote.tap(x, y)

    async def swipe(self, x0: int, y0: int, x1: int, y1: int, duration_ms: int) -> None:
        """Swipe across the pad."""
        await self._remote.swipe((x0, y0), (x1, y1), duration_ms)

    # Power

    async def wake(self) -> None:
        """Wake the device; that it did is told as PowerChanged."""
        self._session().send(messages.make(pb.MESSAGE_TYPE_WAKE_DEVICE))

    async def turn_off_by_menu(self) -> None:
        """Send the device to sleep as a user would: up to tvOS 17 (section 4.7)."""
        await self._remote.turn_off_by_menu()

    # Volume

    async def set_volume(
        self, level: float, /, output_device: str | None = None
    ) -> None:
        """Set the volume, in percent, and wait until it is reported.

        Of the device itself, or of an output device by its id. Raises ValueError past
        0..100 and UnsupportedError for a device without an absolute volume.
        """
        if output_device == self.device_info.identifier:
            # As one of those that play along it has another id than for its volume.
            output_device = None
        await self._volume.set(level, output_device)

    async def volume_up(self) -> None:
        """Go one step up; raises UnsupportedError without a volume."""
        await self._volume.step(lambda: self._remote.step(HidUsage.VOLUME_UP), 1)

    async def volume_down(self) -> None:
        """Go one step down; raises UnsupportedError without a volume."""
        await self._volume.step(lambda: self._remote.step(HidUsage.VOLUME_DOWN), -1)

    # Output devices

    async def add_output_devices(self, *identifiers: str) -> None:
        """Let devices play along, by their ids; ValueError for what can be none."""
        await self._modify(messages.modify_outputs(adding=_proper(identifiers)))

    async def remove_output_devices(self, *identifiers: str) -> None:
        """Let devices play along no more."""
        await self._modify(messages.modify_outputs(removing=_proper(identifiers)))

    async def set_output_devices(self, *identifiers: str) -> None:
        """Let these play, and no others."""
        await self._modify(messages.modify_outputs(setting=_proper(identifiers)))

    async def _modify(self, message: pb.ProtocolMessage) -> None:
        session = self._session()
        # Nothing is reported where nothing changes: then this takes its time.
        with contextlib.suppress(PeerTimeoutError):
            await self._infos.after(
                lambda: session.send(message), lambda _: True, self._timing.change
            )

    # Pictures and text

    async def artwork(
        self, width: int = DEFAULT_WIDTH, height: int | None = None
    ) -> Artwork | None:
        """Return the picture of what is played, in about that size; None without one."""
        return await self._artwork.get(width, height)

    async def text_input(self, text: str, action: TextAction = TextAction.SET) -> None:
        """Type into the focused field, as devices up to tvOS 12 take it.

        Raises ValueError past MAX_INPUT characters.
        """
        if len(text) > MAX_INPUT:
            raise ValueError(f"More than {MAX_INPUT} characters")
        self._session().send(messages.text_input(text, action))

    @override
    def _forget_artwork(self) -> None:
        self._artwork.forget(artwork_id(self._media.item))


def _proper(identifiers: tuple[str, ...]) -> tuple[str, ...]:
    if len(identifiers) > MAX_OUTPUT_DEVICES:
        raise ValueError(f"More than {MAX_OUTPUT_DEVICES} output devices")
    if not all(0 < len(identifier) <= MAX_IDENTIFIER for identifier in identifiers):
        raise ValueError("This can be no output device")
    return identifiers
