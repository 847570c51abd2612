"""The Companion link, as the facade uses it (part A, sections 4.5 to 4.9)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, ClassVar, Final, override

from ..companion.enums import HidButton, MediaFlags
from ..companion.events import (
    AttentionChanged,
    CompanionEvent,
    FocusChanged,
    Lost,
    MediaFlagsChanged,
    VolumeChanged,
)
from ..errors import UnsupportedError
from ..hap.credentials import HapCredentials, parse_credentials
from ..hap.errors import InvalidCredentialsError
from .capabilities import (
    Hosting,
    Keys,
    Launching,
    Powering,
    Skipping,
    Sounding,
    Touching,
    Typing,
)
from .const import AppleProtocol
from .enums import Feature, FeatureState, InputAction, Key, PowerState, TouchPhase
from .keys import COMPANION_BUTTONS, COMPANION_KEYS
from .models import Account, App
from .services import FoundDevice
from .session import Aspect, Context, Listener, Maker, Place, Session

if TYPE_CHECKING:
    from .apis import CompanionApi

DEFAULT_SKIP: Final = 10.0
"""Seconds that a key skips (part B, section 8)."""

_ALWAYS: Final = frozenset(
    {
        *(Feature.UP, Feature.DOWN, Feature.LEFT, Feature.RIGHT, Feature.SELECT),
        *(Feature.MENU, Feature.HOME, Feature.PLAY_PAUSE),
        *(Feature.VOLUME_UP, Feature.VOLUME_DOWN),
        *(Feature.CHANNEL_UP, Feature.CHANNEL_DOWN),
        *(Feature.SCREENSAVER, Feature.GUIDE, Feature.CONTROL_CENTER),
        *(Feature.TURN_ON, Feature.TURN_OFF),
        *(Feature.APP_LIST, Feature.LAUNCH_APP),
        *(Feature.ACCOUNT_LIST, Feature.SWITCH_ACCOUNT),
        *(Feature.TEXT_GET, Feature.TEXT_SET, Feature.TEXT_APPEND, Feature.TEXT_CLEAR),
        Feature.TEXT_FOCUS_STATE,
        *(Feature.SWIPE, Feature.TOUCH, Feature.CLICK),
    }
)
_FLAGS: Final[Mapping[Feature, MediaFlags]] = {
    Feature.PLAY: MediaFlags.PLAY,
    Feature.PAUSE: MediaFlags.PAUSE,
    Feature.NEXT: MediaFlags.NEXT,
    Feature.PREVIOUS: MediaFlags.PREVIOUS,
    Feature.VOLUME: MediaFlags.VOLUME,
    Feature.SET_VOLUME: MediaFlags.VOLUME,
    Feature.SKIP_FORWARD: MediaFlags.SKIP_FORWARD,
    Feature.SKIP_BACKWARD: MediaFlags.SKIP_BACKWARD,
}
_ASPECTS: Final[Mapping[type[CompanionEvent], Aspect]] = {
    AttentionChanged: Aspect.POWER,
    MediaFlagsChanged: Aspect.FEATURES,
    VolumeChanged: Aspect.VOLUME,
    FocusChanged: Aspect.FOCUS,
}


type CompanionFactory = Callable[[str, int, HapCredentials, Context], CompanionApi]


class CompanionSession(
    Session,
    Keys,
    Skipping,
    Powering,
    Sounding,
    Launching,
    Hosting,
    Typing,
    Touching,
):
    """A Companion link; all that it offers is served by one client."""

    serves = AppleProtocol.COMPANION
    features = _ALWAYS | _FLAGS.keys() | {Feature.POWER_STATE}
    keys = COMPANION_KEYS

    def __init__(self, client: CompanionApi, listener: Listener) -> None:
        """Take a client that is not connected."""
        self._client = client
        self._listener = listener
        self._unsubscribe = client.subscribe(self._on_event)

    @override
    async def open(self) -> None:
        await self._client.connect()

    @override
    async def close(self) -> None:
        self._unsubscribe()
        await self._client.close()

    def _on_event(self, event: CompanionEvent) -> None:
        if isinstance(event, Lost):
            self._listener.lost(event.error)
        else:
            self._listener.changed(_ASPECTS[type(event)])

    @override
    def feature(self, feature: Feature) -> FeatureState:
        if feature is Feature.POWER_STATE:
            is_known = self.power is not PowerState.UNKNOWN
            return FeatureState.AVAILABLE if is_known else FeatureState.UNSUPPORTED
        flag = _FLAGS.get(feature)
        if flag is None or flag in self._client.media_flags:
            return FeatureState.AVAILABLE
        return FeatureState.UNAVAILABLE

    # Keys and media

    @override
    async def press(self, key: Key, action: InputAction) -> None:
        media: Mapping[Key, Callable[[], Awaitable[None]]] = {
            Key.PLAY: self._client.play,
            Key.PAUSE: self._client.pause,
            Key.NEXT: self._client.next,
            Key.PREVIOUS: self._client.previous,
            Key.SKIP_FORWARD: lambda: self._client.skip(DEFAULT_SKIP),
            Key.SKIP_BACKWARD: lambda: self._client.skip(-DEFAULT_SKIP),
        }
        if action not in self.keys.get(key, ()):
            raise UnsupportedError(f"Companion does not press {key} like that")
        if (command := media.get(key)) is not None:
            await command()
        else:
            await self._client.press(COMPANION_BUTTONS[key], action)

    @override
    async def hold(self, key: Key, seconds: float) -> None:
        if InputAction.HOLD not in self.keys.get(key, ()):
            raise UnsupportedError(f"Companion does not hold {key}")
        await self._client.hold(COMPANION_BUTTONS[key], seconds)

    @override
    async def skip(self, seconds: float) -> None:
        await self._client.skip(seconds)

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
        await self._client.sleep()

    @property
    @override
    def volume(self) -> float | None:
        return self._client.volume if self.can_set else None

    @property
    @override
    def can_step(self) -> bool:
        return True

    @property
    @override
    def can_set(self) -> bool:
        return MediaFlags.VOLUME in self._client.media_flags

    @override
    async def set_volume(self, level: float, output_device: str | None) -> None:
        if output_device is not None:
            raise UnsupportedError("Companion knows no other devices")
        await self._client.set_volume(level)

    @override
    async def volume_up(self) -> None:
        await self._client.press(HidButton.VOLUME_UP)

    @override
    async def volume_down(self) -> None:
        await self._client.press(HidButton.VOLUME_DOWN)

    # Apps and accounts

    @override
    async def apps(self) -> tuple[App, ...]:
        return await self._client.apps()

    @override
    async def launch(self, target: str) -> None:
        await self._client.launch(target)

    @override
    async def accounts(self) -> tuple[Account, ...]:
        return await self._client.accounts()

    @override
    async def switch_account(self, identifier: str) -> None:
        await self._client.switch_account(identifier)

    # Text and touch

    @property
    @override
    def focus(self) -> bool | None:
        return self._client.focus

    @override
    async def text_get(self) -> str | None:
        return await self._client.text_get()

    @override
    async def text_set(self, text: str) -> None:
        await self._client.text_set(text)

    @override
    async def text_append(self, text: str) -> None:
        await self._client.text_append(text)

    @override
    async def text_clear(self) -> None:
        await self._client.text_clear()

    @override
    async def swipe(self, x0: int, y0: int, x1: int, y1: int, duration_ms: int) -> None:
        await self._client.swipe(x0, y0, x1, y1, duration_ms)

    @override
    async def touch(self, x: int, y: int, phase: TouchPhase) -> None:
        self._client.touch_point(x, y, phase)

    @override
    async def click(self, action: InputAction) -> None:
        await self._client.click(action)


class CompanionMaker(Maker):
    """Links to the Companion service, which nobody enters without credentials."""

    protocol = AppleProtocol.COMPANION
    session: ClassVar[type[Session]] = CompanionSession

    def __init__(self, client: CompanionFactory) -> None:
        """Take what makes the clients."""
        self._client = client

    @override
    def place(
        self, found: FoundDevice, credentials: Mapping[AppleProtocol, str]
    ) -> Place | None:
        service = found.service(self.protocol)
        text = credentials.get(self.protocol)
        if service is None or not service.is_enabled or not service.port or not text:
            return None
        return Place(found.address, service.port, text)

    @override
    def make(self, place: Place, context: Context, listener: Listener) -> Session:
        credentials = parse_credentials(place.credentials)
        if not isinstance(credentials, HapCredentials):
            raise InvalidCredentialsError("These credentials are not for Companion")
        client = self._client(place.address, place.port, credentials, context)
        return CompanionSession(client, listener)
