"""The facade of one Apple TV or HomePod (part B, sections 6 to 8)."""

from collections.abc import Awaitable, Callable, Mapping
import logging

from ..reconnect import TaskFactory
from .const import AppleProtocol
from .enums import (
    Feature,
    FeatureState,
    InputAction,
    Key,
    PowerState,
    RepeatState,
    ShuffleState,
    TouchPhase,
)
from .events import AppleEvent
from .identity import ClientIdentity
from .info import DeviceInfo
from .link import LinkStatus
from .models import Account, App, Artwork, ArtworkFetcher, OutputDevice, Playing
from .services import FoundDevice
from .timing import Timing

type Resolver = Callable[[], Awaitable[FoundDevice | None]]
"""Tells where the device is now; it must not wake a device that sleeps."""


class AppleDevice:
    """One device with all its links; long-lived, whatever becomes of them.

    Everything happens in the thread of the event loop. Commands raise UnsupportedError
    when nothing that is there can do it, DisconnectedError when there is no link,
    AuthenticationError when the device refuses us, PeerTimeoutError when it does not
    answer, and the errors of the clients for what it refuses.
    """

    def __init__(
        self,
        found: FoundDevice,
        credentials: Mapping[AppleProtocol, str],
        identity: ClientIdentity,
        *,
        resolve: Resolver,
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger],
        fetch_artwork: ArtworkFetcher | None = None,
        timing: Timing = Timing(),
        create_task: TaskFactory | None = None,
    ) -> None:
        """Prepare; nothing is sent yet."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin to connect, again and again."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End all links and whoever waits for them. Never raises; it is final."""
        raise NotImplementedError

    def announce(self, found: FoundDevice) -> None:
        """Take note of where the device is, and try at once what is not connected."""
        raise NotImplementedError

    def set_asleep(self, is_asleep: bool) -> None:
        """Take note that a sleep proxy speaks for the device, or does so no more."""
        raise NotImplementedError

    def wake_links(self) -> None:
        """Try at once what is not connected."""
        raise NotImplementedError

    async def connected(self, timeout: float) -> None:
        """Wait for a link, and for what the first attempts at the others come to.

        Raises what made the attempt at the main link fail when there is none in time.
        """
        raise NotImplementedError

    def subscribe(self, callback: Callable[[AppleEvent], None]) -> Callable[[], None]:
        """Have every event told; the function that is returned ends that."""
        raise NotImplementedError

    @property
    def links(self) -> Mapping[AppleProtocol, LinkStatus]:
        """Return how every link fares."""
        raise NotImplementedError

    @property
    def is_connected(self) -> bool:
        """Whether any link is up."""
        raise NotImplementedError

    @property
    def is_asleep(self) -> bool:
        """Whether a sleep proxy speaks for the device."""
        raise NotImplementedError

    @property
    def found(self) -> FoundDevice:
        """Return where the device is, as far as we know; to be remembered."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Return the name that its owner gave it."""
        raise NotImplementedError

    @property
    def info(self) -> DeviceInfo:
        """Return what it is."""
        raise NotImplementedError

    @property
    def playing(self) -> Playing:
        """Return what is played."""
        raise NotImplementedError

    @property
    def app(self) -> App | None:
        """Return the app that plays, or played last."""
        raise NotImplementedError

    @property
    def power(self) -> PowerState:
        """Return whether it is awake, by its first witness that knows."""
        raise NotImplementedError

    @property
    def volume(self) -> float | None:
        """Return the volume in percent, None without one that can be known."""
        raise NotImplementedError

    @property
    def is_muted(self) -> bool | None:
        """Return whether we have muted it, None where we cannot."""
        raise NotImplementedError

    @property
    def output_devices(self) -> tuple[OutputDevice, ...]:
        """Return what plays along."""
        raise NotImplementedError

    @property
    def focus(self) -> bool | None:
        """Return whether a text field has the focus, None when that is unknown."""
        raise NotImplementedError

    def feature(self, feature: Feature) -> FeatureState:
        """Return whether something can be done or told now (part B, section 7)."""
        raise NotImplementedError

    def is_available(self, *features: Feature) -> bool:
        """Whether all of these can be done or told now."""
        raise NotImplementedError

    async def press(self, key: Key, action: InputAction = InputAction.SINGLE) -> None:
        """Press a key."""
        raise NotImplementedError

    async def hold(self, key: Key, seconds: float) -> None:
        """Hold a key down for so long."""
        raise NotImplementedError

    async def play(self) -> None:
        """Play on."""
        raise NotImplementedError

    async def pause(self) -> None:
        """Pause."""
        raise NotImplementedError

    async def play_pause(self) -> None:
        """Pause what plays, play what is paused."""
        raise NotImplementedError

    async def stop_playing(self) -> None:
        """Stop what plays; `stop` ends the links."""
        raise NotImplementedError

    async def next_track(self) -> None:
        """Go to the next item."""
        raise NotImplementedError

    async def previous_track(self) -> None:
        """Go to the item before."""
        raise NotImplementedError

    async def skip(self, seconds: float) -> None:
        """Skip so far, back if that is negative."""
        raise NotImplementedError

    async def seek(self, position: float) -> None:
        """Go to a position, in seconds."""
        raise NotImplementedError

    async def set_shuffle(self, shuffle: ShuffleState) -> None:
        """Choose what is shuffled."""
        raise NotImplementedError

    async def set_repeat(self, repeat: RepeatState) -> None:
        """Choose what is repeated."""
        raise NotImplementedError

    async def turn_on(self) -> None:
        """Wake the device, also from its deepest sleep; returns when it is awake."""
        raise NotImplementedError

    async def turn_off(self) -> None:
        """Have the device sleep; returns when it says so, where it says anything."""
        raise NotImplementedError

    async def set_volume(self, level: float, output_device: str | None = None) -> None:
        """Set the volume, in percent; ValueError outside 0 to 100."""
        raise NotImplementedError

    async def volume_up(self) -> None:
        """Go up by one step."""
        raise NotImplementedError

    async def volume_down(self) -> None:
        """Go down by one step."""
        raise NotImplementedError

    async def set_mute(self, is_muted: bool) -> None:
        """Set the volume to nothing, or back to what it was before that."""
        raise NotImplementedError

    async def apps(self) -> tuple[App, ...]:
        """Return all apps that can be launched."""
        raise NotImplementedError

    async def launch(self, target: str) -> None:
        """Launch the app of an identifier, or whatever opens a URL."""
        raise NotImplementedError

    async def accounts(self) -> tuple[Account, ...]:
        """Return all user accounts."""
        raise NotImplementedError

    async def switch_account(self, identifier: str) -> None:
        """Go on as another user."""
        raise NotImplementedError

    async def text_get(self) -> str | None:
        """Return the text of the field that has the focus, None without one."""
        raise NotImplementedError

    async def text_set(self, text: str) -> None:
        """Replace that text."""
        raise NotImplementedError

    async def text_append(self, text: str) -> None:
        """Add to that text."""
        raise NotImplementedError

    async def text_clear(self) -> None:
        """Empty that field."""
        raise NotImplementedError

    async def swipe(self, x0: int, y0: int, x1: int, y1: int, duration_ms: int) -> None:
        """Move a finger over the pad, whose corners are 0, 0 and 1000, 1000."""
        raise NotImplementedError

    async def touch(self, x: int, y: int, phase: TouchPhase) -> None:
        """Have a finger do one thing at one point of the pad."""
        raise NotImplementedError

    async def click(self, action: InputAction = InputAction.SINGLE) -> None:
        """Click with the pad."""
        raise NotImplementedError

    async def artwork(
        self, width: int = 512, height: int | None = None
    ) -> Artwork | None:
        """Return the picture of what is played, None without one."""
        raise NotImplementedError

    async def add_output_devices(self, *identifiers: str) -> None:
        """Have these play along."""
        raise NotImplementedError

    async def remove_output_devices(self, *identifiers: str) -> None:
        """Have these no longer play along."""
        raise NotImplementedError

    async def set_output_devices(self, *identifiers: str) -> None:
        """Have these play along and no others."""
        raise NotImplementedError

    async def screensaver(self) -> None:
        """Show the screen saver."""
        raise NotImplementedError
