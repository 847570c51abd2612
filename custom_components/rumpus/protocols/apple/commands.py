"""Everything that a device can be told, each by whoever does it best (part B, 6.3, 8)."""

# The capabilities are abstract, and asked for by their class.
# mypy: disable-error-code="type-abstract"

from collections.abc import Callable

from ..errors import UnsupportedError
from .capabilities import (
    Grouping,
    Hosting,
    Keys,
    Launching,
    Picturing,
    Seeking,
    Skipping,
    Sounding,
    Touching,
    Typing,
)
from .const import MAX_VOLUME, MIN_VOLUME
from .enums import (
    Feature,
    FeatureState,
    InputAction,
    Key,
    RepeatState,
    ShuffleState,
    TouchPhase,
)
from .models import Account, App, Artwork
from .mute import Mute
from .routing import Fit, Router
from .session import Session
from .timing import Timing


def _has(key: Key, action: InputAction) -> Fit[Keys]:
    return lambda offers: action in offers.keys.get(key, ())


def _has_group(offers: type[Sounding]) -> bool:
    return issubclass(offers, Grouping)


class Commands:
    """The commands of the facade; each raises what `AppleDevice` says."""

    def __init__(self, router: Router, timing: Timing) -> None:
        """Take what finds the sessions."""
        self._router = router
        self._timing = timing
        self._mute = Mute()

    async def _serving[C](self, capability: type[C], fits: Fit[C] | None = None) -> C:
        return await self._router.serving(capability, self._timing.command, fits=fits)

    # Keys

    async def press(self, key: Key, action: InputAction = InputAction.SINGLE) -> None:
        """Press a key."""
        if action is InputAction.SINGLE and key is Key.VOLUME_UP:
            await self.volume_up()
        elif action is InputAction.SINGLE and key is Key.VOLUME_DOWN:
            await self.volume_down()
        else:
            session = await self._serving(Keys, _has(key, action))
            if key is Key.PLAY_PAUSE:
                session = self._toggling(action) or session
            await session.press(key, action)

    def _toggling(self, action: InputAction) -> Keys | None:
        """Return the best session whose key does anything now.

        MRP's does nothing for apps that tell it nothing (part B, section 4.2), where
        Companion's is as good as the one of the remote control on the table.
        """
        return next(
            (
                session
                for session in self._router.sessions(Keys)
                if action in session.keys.get(Key.PLAY_PAUSE, ())
                and isinstance(session, Session)
                and session.feature(Feature.PLAY_PAUSE) is FeatureState.AVAILABLE
            ),
            None,
        )

    async def hold(self, key: Key, seconds: float) -> None:
        """Hold a key down for so long; ValueError for a time that is none."""
        if not seconds > 0:
            raise ValueError("A key is held for a positive time")
        session = await self._serving(Keys, _has(key, InputAction.HOLD))
        await session.hold(key, seconds)

    async def play(self) -> None:
        """Play on."""
        await self.press(Key.PLAY)

    async def pause(self) -> None:
        """Pause."""
        await self.press(Key.PAUSE)

    async def play_pause(self) -> None:
        """Pause what plays, play what is paused."""
        await self.press(Key.PLAY_PAUSE)

    async def stop_playing(self) -> None:
        """Stop what plays; `stop` ends the links."""
        await self.press(Key.STOP)

    async def next_track(self) -> None:
        """Go to the next item."""
        await self.press(Key.NEXT)

    async def previous_track(self) -> None:
        """Go to the item before."""
        await self.press(Key.PREVIOUS)

    async def screensaver(self) -> None:
        """Show the screen saver."""
        await self.press(Key.SCREENSAVER)

    async def skip(self, seconds: float) -> None:
        """Skip so far, back if that is negative."""
        await (await self._serving(Skipping)).skip(seconds)

    async def seek(self, position: float) -> None:
        """Go to a position, in seconds; ValueError before the beginning."""
        if not position >= 0:
            raise ValueError("A position is not negative")
        await (await self._serving(Seeking)).seek(position)

    async def set_shuffle(self, shuffle: ShuffleState) -> None:
        """Choose what is shuffled."""
        await (await self._serving(Seeking)).set_shuffle(shuffle)

    async def set_repeat(self, repeat: RepeatState) -> None:
        """Choose what is repeated."""
        await (await self._serving(Seeking)).set_repeat(repeat)

    # Volume

    async def _sounding(self, can: Callable[[Sounding], bool]) -> Sounding:
        """Return the best session that can do this with the volume now."""
        best = await self._serving(Sounding)
        for session in self._router.sessions(Sounding):
            if can(session):
                return session
        return best

    async def set_volume(self, level: float, output_device: str | None = None) -> None:
        """Set the volume, in percent; ValueError outside 0 to 100."""
        if not MIN_VOLUME <= level <= MAX_VOLUME:
            raise ValueError("A volume is from 0 to 100")
        if output_device is None:
            session = await self._sounding(lambda session: session.can_set)
            if not session.can_set:
                raise UnsupportedError("The volume cannot be set to a level")
        else:
            session = await self._serving(Sounding, _has_group)
        await session.set_volume(level, output_device)

    async def volume_up(self) -> None:
        """Go up by one step."""
        session = await self._sounding(lambda session: session.can_step)
        await session.volume_up()

    async def volume_down(self) -> None:
        """Go down by one step."""
        session = await self._sounding(lambda session: session.can_step)
        await session.volume_down()

    async def set_mute(self, is_muted: bool) -> None:
        """Set the volume to nothing, or back to what it was before that.

        Raises UnsupportedError where the volume is not known.
        """
        session = await self._sounding(lambda session: session.volume is not None)
        volume = session.volume
        if volume is None:
            raise UnsupportedError("The volume is not known")
        if not is_muted:
            level = self._mute.unmute(volume)
            if level is not None:
                await session.set_volume(level, None)
            self._mute.forget()
        elif (level := self._mute.mute(volume)) is not None:
            try:
                await session.set_volume(level, None)
            except BaseException:
                self._mute.forget()
                raise
            self._mute.done()

    # Pictures, apps, accounts

    async def artwork(
        self, width: int = 512, height: int | None = None
    ) -> Artwork | None:
        """Return the picture of what is played, None without one."""
        return await (await self._serving(Picturing)).artwork(width, height)

    async def apps(self) -> tuple[App, ...]:
        """Return all apps that can be launched."""
        return await (await self._serving(Launching)).apps()

    async def launch(self, target: str) -> None:
        """Launch the app of an identifier, or whatever opens a URL."""
        await (await self._serving(Launching)).launch(target)

    async def accounts(self) -> tuple[Account, ...]:
        """Return all user accounts."""
        return await (await self._serving(Hosting)).accounts()

    async def switch_account(self, identifier: str) -> None:
        """Go on as another user."""
        await (await self._serving(Hosting)).switch_account(identifier)

    # Text and touch

    async def text_get(self) -> str | None:
        """Return the text of the field that has the focus, None without one."""
        return await (await self._serving(Typing)).text_get()

    async def text_set(self, text: str) -> None:
        """Replace that text."""
        await (await self._serving(Typing)).text_set(text)

    async def text_append(self, text: str) -> None:
        """Add to that text."""
        await (await self._serving(Typing)).text_append(text)

    async def text_clear(self) -> None:
        """Empty that field."""
        await (await self._serving(Typing)).text_clear()

    async def swipe(self, x0: int, y0: int, x1: int, y1: int, duration_ms: int) -> None:
        """Move a finger over the pad, whose corners are 0, 0 and 1000, 1000."""
        await (await self._serving(Touching)).swipe(x0, y0, x1, y1, duration_ms)

    async def touch(self, x: int, y: int, phase: TouchPhase) -> None:
        """Have a finger do one thing at one point of the pad."""
        await (await self._serving(Touching)).touch(x, y, phase)

    async def click(self, action: InputAction = InputAction.SINGLE) -> None:
        """Click with the pad."""
        await (await self._serving(Touching)).click(action)

    # Output devices

    async def add_output_devices(self, *identifiers: str) -> None:
        """Have these play along."""
        await (await self._serving(Grouping)).add_output_devices(*identifiers)

    async def remove_output_devices(self, *identifiers: str) -> None:
        """Have these no longer play along."""
        await (await self._serving(Grouping)).remove_output_devices(*identifiers)

    async def set_output_devices(self, *identifiers: str) -> None:
        """Have these play along and no others."""
        await (await self._serving(Grouping)).set_output_devices(*identifiers)
