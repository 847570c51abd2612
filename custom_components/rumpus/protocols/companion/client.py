"""A client of the Companion link (the Apple TV reference, part A, section 4)."""

import asyncio
from collections.abc import Callable, Coroutine
import contextlib
import itertools
import logging
import re
import secrets
from typing import Final

from ..apple.enums import InputAction, PowerState, TouchPhase
from ..apple.identity import ClientIdentity
from ..apple.models import Account, App
from ..errors import DisconnectedError, PeerTimeoutError, RumpusError
from ..hap.credentials import HapCredentials
from ..opack import OpackDict
from .attention import STATUS_EVENTS, Attention
from .buttons import Buttons
from .connection import CompanionConnection
from .enums import AttentionState, HidButton, MediaCommand, MediaFlags, power_state
from .errors import CommandFailedError
from .events import CompanionEvent, Lost
from .keyboard import FOCUS_EVENTS, Keyboard
from .media import DEFAULT_SKIP, Media
from .messages import get_int, get_named
from .system_info import SystemInfo, own_info
from .timing import Timing
from .touch import TouchPad

_LOGGER = logging.getLogger(__name__)

MAX_APPS: Final = 2000
"""Apps that are taken from a list."""
MAX_ACCOUNTS: Final = 100
"""User accounts that are taken from a list."""

MEDIA_EVENT: Final = "_iMC"
INTERESTS: Final = (MEDIA_EVENT, *STATUS_EVENTS)

_SERVICE: Final = "com.apple.tvremoteservices"
_PROTOCOL_VERSION: Final = "1.2"
_SESSION_ID_BITS: Final = 32
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""How a URL begins; the identifier of an app has no colon."""


class CompanionClient:
    """One session with a device, from `connect` until it is lost or closed.

    It connects once; for the next session there has to be a new client. Commands raise
    DisconnectedError without a session, PeerTimeoutError, CommandFailedError when the
    device refuses, and ProtocolError for what cannot be sent.
    """

    def __init__(
        self,
        address: str,
        port: int,
        credentials: HapCredentials,
        identity: ClientIdentity,
        *,
        timing: Timing | None = None,
    ) -> None:
        """Prepare for the device at that address."""
        self._credentials = credentials
        self._identity = identity
        self._timing = timing or Timing()
        self._connection = CompanionConnection(address, port, self._timing, self)
        self._buttons = Buttons(self._connection, self._timing)
        self._touch = TouchPad(self._connection, self._buttons, self._timing)
        self._media = Media(self._connection, self._timing, self._emit)
        self._keyboard = Keyboard(self._connection, self._emit)
        self._attention = Attention(self._connection, self._emit)
        self._listeners: dict[int, Callable[[CompanionEvent], None]] = {}
        self._listener_ids = itertools.count()
        self._was_used = False
        self._is_up = False
        self._is_closing = False
        self._is_fetched = asyncio.Event()
        self._session_id = 0
        self._system_info = SystemInfo()

    # What is known.

    @property
    def is_connected(self) -> bool:
        """Whether the session is up."""
        return self._is_up and self._connection.is_open

    @property
    def system_info(self) -> SystemInfo:
        """What the device has said about itself."""
        return self._system_info

    @property
    def attention(self) -> AttentionState | int | None:
        """How much the device is with us; None when it has not said so."""
        return self._attention.state

    @property
    def power(self) -> PowerState:
        """What that says about the power."""
        return power_state(self._attention.state)

    @property
    def media_flags(self) -> MediaFlags:
        """What media control can do at present."""
        return self._media.flags

    @property
    def volume(self) -> float | None:
        """The volume, from 0 to 100; None when there is none or it is not known yet."""
        return self._media.volume

    @property
    def focus(self) -> bool | None:
        """Whether a text field has the focus; None for a device without a keyboard."""
        return self._keyboard.focus

    @property
    def has_touch(self) -> bool:
        """Whether the device takes gestures."""
        return self._touch.is_available

    def subscribe(
        self, callback: Callable[[CompanionEvent], None]
    ) -> Callable[[], None]:
        """Call back for every event; returns what ends that."""
        listener_id = next(self._listener_ids)
        self._listeners[listener_id] = callback

        def unsubscribe() -> None:
            self._listeners.pop(listener_id, None)

        return unsubscribe

    # Beginning and end.

    async def connect(self) -> None:
        """Connect, prove who we are, and bring the session up (section 4.4).

        Raises DisconnectedError, PeerTimeoutError, ProtocolError (DecryptionError among
        it), CommandFailedError, and AuthenticationError when the pairing does not count
        any more; nothing is left of the connection then.
        """
        if self._was_used:
            raise DisconnectedError("A client connects only once")
        self._was_used = True
        try:
            await self._connection.open(self._credentials)
            await self._bring_up()
        except BaseException as err:
            self._connection.abort()
            await self._connection.close()
            # Whoever waited was told that the connection is gone; this is why.
            reason = self._connection.error
            if isinstance(err, DisconnectedError) and reason is not None:
                raise reason from err
            raise
        self._is_up = True
        self._connection.watch(self._probe)

    async def _bring_up(self) -> None:
        request = self._connection.request
        info = own_info(self._identity, self._credentials.client_id)
        self._system_info = SystemInfo.decode(await request("_systemInfo", info))
        await self._together(self._touch.start, self._start_session)
        await self._together(self._start_remote, self._keyboard.start, self._listen)
        if not self._connection.is_open:
            raise DisconnectedError("The device has ended the session")

    async def _together(self, *jobs: Callable[[], Coroutine[None, None, None]]) -> None:
        """Do what begins with a request each: they are sent at once.

        Raises the first error; nothing goes on then.
        """
        loop = asyncio.get_running_loop()
        with self._connection.together():
            tasks = [asyncio.Task(job(), loop=loop, eager_start=True) for job in jobs]
        try:
            for task in tasks:
                await task
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _start_session(self) -> None:
        own = secrets.randbits(_SESSION_ID_BITS)
        answer = await self._connection.request(
            "_sessionStart", {"_srvT": _SERVICE, "_sid": own}
        )
        theirs = (get_int(answer, "_sid") or 0) % (1 << _SESSION_ID_BITS)
        self._session_id = theirs << _SESSION_ID_BITS | own

    async def _start_remote(self) -> None:
        try:
            await self._connection.request(
                "TVRCSessionStart",
                {"ProtocolVersionKey": _PROTOCOL_VERSION},
                timeout=self._timing.optional,
            )
        except (PeerTimeoutError, CommandFailedError) as err:
            _LOGGER.debug("The device is an old one, it seems: %s", err)

    async def _listen(self) -> None:
        """Ask for events, and for what they have not told yet."""
        self._register(MEDIA_EVENT)
        # Some devices never answer that: nothing depends on it.
        self._connection.spawn(self._fetch_attention())
        for name in STATUS_EVENTS:
            self._register(name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.attention):
                await self._is_fetched.wait()

    async def _fetch_attention(self) -> None:
        try:
            await self._attention.try_fetch()
        finally:
            self._is_fetched.set()

    def _register(self, name: str) -> None:
        self._connection.send_event("_interest", {"_regEvents": [name]})

    def _probe(self, attempt: int) -> None:
        """Ask for a sign of life: for what may have changed, or what all devices know."""
        if attempt == 0 and self._attention.answers:
            self._attention.ask()
        else:
            info = own_info(self._identity, self._credentials.client_id)
            self._connection.ask("_systemInfo", info)

    async def close(self) -> None:
        """End the session, if there is one, and the connection. Never raises."""
        was_up, self._is_up = self.is_connected, False
        self._was_used = self._is_closing = True
        self._connection.fail_pending("The Companion link is being closed")
        try:
            if was_up:
                await self._say_goodbye()
        except RumpusError, TimeoutError:
            _LOGGER.debug("The device did not take leave")
        finally:
            await self._connection.close()

    async def _say_goodbye(self) -> None:
        """Undo what brought the session up (section 4.4), all at once."""
        for name in INTERESTS:
            self._connection.send_event("_interest", {"_deregEvents": [name]})
        request = self._connection.request
        async with asyncio.timeout(self._timing.farewell):
            await asyncio.gather(
                request("_sessionStop", {"_srvT": _SERVICE, "_sid": self._session_id}),
                request("_touchStop", {"_i": 1}),
                request("_tiStop"),
                return_exceptions=True,
            )

    # What the connection tells; see its Listener.

    def received(self, name: str, content: OpackDict) -> None:
        """Take an event from the device."""
        if name == MEDIA_EVENT:
            self._media.flags_received(content)
        elif name in STATUS_EVENTS:
            self._attention.received(content)
        elif name in FOCUS_EVENTS:
            self._keyboard.focus_received(content)
        else:
            self._connection.ignored("an event of an unknown name")

    def ended(self, error: RumpusError) -> None:
        """Take the loss of the connection."""
        # While the session comes up `connect` tells.
        if self._is_up:
            self._is_up = False
            self._emit(Lost(error))

    def _emit(self, event: CompanionEvent) -> None:
        if self._is_closing:
            return
        for listener_id, callback in tuple(self._listeners.items()):
            if listener_id not in self._listeners:  # another one has ended it
                continue
            try:
                callback(event)
            except Exception:
                _LOGGER.exception("A listener failed")

    # Buttons and power.

    async def press(
        self, button: HidButton, action: InputAction = InputAction.SINGLE
    ) -> None:
        """Press a button once, twice, or hold it for a second."""
        await self._buttons.press(button, action)

    async def hold(self, button: HidButton, seconds: float) -> None:
        """Hold a button for so many seconds; ValueError for more than a minute."""
        await self._buttons.hold(button, seconds)

    async def wake(self) -> None:
        """Wake the device."""
        await self._buttons.release(HidButton.WAKE)

    async def sleep(self) -> None:
        """Send the device to sleep; some then drop the link before they answer."""
        await self._buttons.release(HidButton.SLEEP)

    async def fetch_attention(self) -> AttentionState | int | None:
        """Ask whether the device is awake; some refuse to tell, or never answer."""
        return await self._attention.fetch()

    # Media control.

    async def media(self, command: MediaCommand) -> None:
        """Send a command that takes no arguments."""
        await self._media.command(command)

    async def play(self) -> None:
        """Go on playing."""
        await self.media(MediaCommand.PLAY)

    async def pause(self) -> None:
        """Pause."""
        await self.media(MediaCommand.PAUSE)

    async def next(self) -> None:
        """Go to the next item."""
        await self.media(MediaCommand.NEXT)

    async def previous(self) -> None:
        """Go to the previous item."""
        await self.media(MediaCommand.PREVIOUS)

    async def skip(self, seconds: float = DEFAULT_SKIP) -> None:
        """Skip forward, or back by a negative number of seconds."""
        await self._media.skip(seconds)

    async def get_volume(self) -> float:
        """Return the volume, from 0 to 100; UnsupportedError when there is none."""
        return await self._media.get_volume()

    async def set_volume(self, volume: float) -> None:
        """Set the volume, from 0 to 100, and wait until the device says it has done so."""
        await self._media.set_volume(volume)

    async def captions(self) -> int | None:
        """Return what the device says about its captions (section 4.6)."""
        return await self._media.captions()

    async def toggle_captions(self) -> None:
        """Switch captions on or off."""
        await self._media.toggle_captions()

    # Apps and accounts.

    async def apps(self) -> tuple[App, ...]:
        """Return the apps that can be launched, at most MAX_APPS."""
        content = await self._connection.request("FetchLaunchableApplicationsEvent")
        named = get_named(content, limit=MAX_APPS)
        return tuple(App(identifier, name) for identifier, name in named)

    async def launch(self, target: str) -> None:
        """Launch the app of that identifier, or open that URL."""
        key = "_urlS" if _URL.match(target) else "_bundleID"
        await self._connection.request("_launchApp", {key: target})

    async def accounts(self) -> tuple[Account, ...]:
        """Return the user accounts, at most MAX_ACCOUNTS."""
        content = await self._connection.request("FetchUserAccountsEvent")
        named = get_named(content, limit=MAX_ACCOUNTS)
        return tuple(Account(identifier, name) for identifier, name in named)

    async def switch_account(self, identifier: str) -> None:
        """Let another user use the device."""
        await self._connection.request(
            "SwitchUserAccountEvent", {"SwitchAccountID": identifier}
        )

    # Touch; coordinates are from 0 to 1000, what is beyond is taken for the edge.

    async def swipe(
        self, x0: float, y0: float, x1: float, y1: float, duration_ms: float
    ) -> None:
        """Swipe in a straight line; ValueError for an impossible duration."""
        await self._touch.swipe(x0, y0, x1, y1, duration_ms)

    def touch_point(self, x: float, y: float, phase: TouchPhase) -> None:
        """Put the finger down, move it or lift it."""
        self._touch.touch(x, y, phase)

    async def click(self, action: InputAction = InputAction.SINGLE) -> None:
        """Click the pad once, twice, or hold it for a second."""
        await self._touch.click(action)

    # The keyboard. What is typed, or was there, is in no log and no error.

    async def text_get(self) -> str | None:
        """Return the text of the field that has the focus; None when none has."""
        return await self._keyboard.get()

    async def text_set(self, text: str) -> None:
        """Replace it; NoTextFieldError when no field has the focus."""
        await self._keyboard.set(text)

    async def text_append(self, text: str) -> None:
        """Type behind it; NoTextFieldError when no field has the focus."""
        await self._keyboard.append(text)

    async def text_clear(self) -> None:
        """Empty the field; NoTextFieldError when none has the focus."""
        await self._keyboard.clear()
