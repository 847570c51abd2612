"""One console, as programs use it: a session with all its services."""

from collections.abc import Callable
import logging
from typing import Final
from uuid import UUID

from .const import PORT
from .discovery import DiscoveredConsole, Discoverer
from .enums import (
    DisconnectReason,
    PairedIdentityState,
    ServiceChannel,
    TitleLocation,
)
from .events import ConsoleEvent
from .messages import ActiveSurfaceChange, ConsoleStatus, Message
from .services.broadcast import BroadcastService
from .services.input import InputService
from .services.media import MediaService
from .services.text import TextService
from .services.title import TitleChannel
from .services.tv import TvService
from .timing import Timing
from .tokens import Tokens

_LOGGER = logging.getLogger(__name__)

#: What `Console.connect` opens, in the order of the official client (section 9).
OPENED_CHANNELS: Final = (
    ServiceChannel.SYSTEM_INPUT,
    ServiceChannel.SYSTEM_MEDIA,
    ServiceChannel.SYSTEM_TEXT,
    ServiceChannel.SYSTEM_INPUT_TV_REMOTE,
)


class Console:
    """A console that may be connected, and may be connected again.

    The services stay the same objects all the time; with no link they know nothing and
    refuse to do anything. Nothing here connects by itself, see `protocols/reconnect.py`.
    """

    input: InputService
    media: MediaService
    text: TextService
    tv: TvService
    broadcast: BroadcastService
    """Its channel is opened by the first one who needs it, see `open_channel`."""

    def __init__(
        self,
        discoverer: Discoverer,
        *,
        live_id: str,
        address: str,
        port: int = PORT,
        client_uuid: UUID,
        timing: Timing = Timing(),
    ) -> None:
        """Know a console by its Live ID and where it was last; nothing is sent yet.

        The client uuid stands for this installation: consoles count devices by it.
        """
        raise NotImplementedError

    # Where it is, and what is known of it.

    @property
    def live_id(self) -> str:
        """The id that the console's certificate has to name."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """The address that the next connect goes to."""
        raise NotImplementedError

    @property
    def port(self) -> int:
        """The UDP port that the next connect goes to."""
        raise NotImplementedError

    def move(self, address: str, port: int = PORT) -> None:
        """Look for the console elsewhere from the next connect on; a link stays."""
        raise NotImplementedError

    @property
    def name(self) -> str | None:
        """The name its user gave it, as last discovered; None before the first time."""
        raise NotImplementedError

    @property
    def discovered(self) -> DiscoveredConsole | None:
        """What the console said of itself before the last connect."""
        raise NotImplementedError

    @property
    def is_connected(self) -> bool:
        """Whether there is a session: from the end of `connect` to LinkLost."""
        raise NotImplementedError

    @property
    def is_authenticated(self) -> bool:
        """Whether the session is that of a signed-in user."""
        raise NotImplementedError

    @property
    def participant_id(self) -> int | None:
        """Our number in the session; None without one."""
        raise NotImplementedError

    @property
    def status(self) -> ConsoleStatus | None:
        """Build, locale and active titles, as last told; None without a session."""
        raise NotImplementedError

    @property
    def pairing_state(self) -> PairedIdentityState | int | None:
        """Whether the console knows our user; None without a session."""
        raise NotImplementedError

    @property
    def surface(self) -> ActiveSurfaceChange | None:
        """What kind of picture is shown; None when the console did not tell."""
        raise NotImplementedError

    @property
    def channels(self) -> frozenset[ServiceChannel]:
        """The channels that can be used now; CORE is always among them with a session."""
        raise NotImplementedError

    def subscribe(self, callback: Callable[[ConsoleEvent], None]) -> Callable[[], None]:
        """Get all events from now on, until the returned function is called."""
        raise NotImplementedError

    # Sessions.

    async def connect(self, tokens: Tokens | None = None) -> PairedIdentityState | int:
        """Begin a session and open the channels of the services; with one, do nothing.

        A channel that the console refuses, or says nothing about, is only not open. No
        LinkLost follows a connect that failed.

        Raises PeerTimeoutError when nobody answers at the address, or does not any more;
        ConsoleMismatchError when that is another console; ConnectRefusedError with the
        console's result; DisconnectedError when the session is gone again, be it that
        `disconnect` was called; ProtocolError when the console's certificate is unusable.
        """
        raise NotImplementedError

    async def disconnect(
        self, reason: DisconnectReason = DisconnectReason.APP_CLOSE
    ) -> None:
        """End the session, or the attempt to make one. Never raises; emits nothing.

        All who wait for something get DisconnectedError.
        """
        raise NotImplementedError

    async def power_off(self) -> None:
        """Switch the console off and end the session; emits LinkLost that says off.

        Returns when the console has said that it goes off, or has fallen silent. Raises
        RejectedError when it refuses, PeerTimeoutError when it stays on (consoles do so
        while an update installs), DisconnectedError without a session.
        """
        raise NotImplementedError

    # What is not the business of a service.

    async def send(
        self, message: Message, channel: ServiceChannel = ServiceChannel.CORE
    ) -> None:
        """Send a message and wait for its ack; it is never executed twice.

        Raises RejectedError, PeerTimeoutError when there is no ack, DisconnectedError,
        ChannelError when the channel is not open.
        """
        raise NotImplementedError

    def send_nowait(
        self, message: Message, channel: ServiceChannel = ServiceChannel.CORE
    ) -> None:
        """Send a message that the console shall not ack; it may get lost.

        Raises DisconnectedError, ChannelError.
        """
        raise NotImplementedError

    async def open_channel(self, channel: ServiceChannel) -> None:
        """Open a channel that `connect` leaves shut, or one that it could not open.

        Raises ChannelError when the console refuses it or says nothing, and what `send`
        raises.
        """
        raise NotImplementedError

    async def open_title_channel(self, title_id: int) -> TitleChannel:
        """Open the channel of a running title, for titles that have a companion protocol.

        Raises what `open_channel` does.
        """
        raise NotImplementedError

    async def launch_title(
        self, uri: str, location: TitleLocation = TitleLocation.FULL
    ) -> None:
        """Ask the console to start a title and wait for it to show up.

        Consoles take the message and ignore it since 2019 (section 7.6): then this raises
        TitleNotLaunchedError. Raises what `send` does, too.
        """
        raise NotImplementedError

    async def record(self, start_delta: int, end_delta: int = 0) -> None:
        """Record what was played, from so many seconds ago (negative) to so many.

        Only a signed-in session has an effect (section 7.11). Raises what `send` does.
        """
        raise NotImplementedError
