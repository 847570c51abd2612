"""A remote-control session of AirPlay 2: its event channel and its data channel.

The Apple TV reference, part A, section 6.
"""

import asyncio
from collections.abc import Callable
import itertools
import secrets
from typing import TYPE_CHECKING, Final

from tests.fakes.apple_tv_crypto import ChannelCipher, HapFrames, WireError, hkdf
from tests.fakes.apple_tv_frames import (
    FROM_DEVICE,
    REPLY,
    SYNC,
    DataFrame,
    DataFrames,
    pack,
    unpack,
)
from tests.fakes.apple_tv_rtsp import (
    PlistDict,
    PlistValue,
    Responses,
    RtspError,
    encode_request,
    write_plist,
)
from tests.fakes.apple_tv_stream import Link, Listener

if TYPE_CHECKING:
    from tests.fakes.apple_tv_control import Control
    from tests.fakes.apple_tv_mrp_session import MrpSession

REMOTE_CONTROL_STREAM: Final = 130
_NUMBERS: Final = itertools.count(1)


class Channel:
    """An encrypted connection of a session."""

    def __init__(
        self, session: Session, name: str, keys: tuple[bytes, bytes], delay: float
    ) -> None:
        """Listen; `keys` are the one to write with and the one to read with."""
        self.name = name
        self.session = session
        self.link: Link | None = None
        self._frames = HapFrames(ChannelCipher(*keys))
        control = session.control
        self.listener = Listener(control.server.wire, self._opened)
        control.server.listened(self.listener)
        self.port = self.listener.listen(control.server.core.address, delay)
        self.on_open: Callable[[], None] = lambda: None
        self.on_data: Callable[[bytes], None] = lambda data: None

    @property
    def is_open(self) -> bool:
        """Whether the client is connected."""
        return self.link is not None and self.link.is_open

    def write(self, data: bytes) -> None:
        """Send, encrypted."""
        if self.link is not None:
            self.link.write(self._frames.encode(data))

    def corrupt(self) -> None:
        """Send a frame that does not decrypt."""
        if self.link is not None:
            self.link.write(b"\x05\x00" + bytes(5 + 16))

    def _opened(self, link: Link) -> None:
        if self.link is not None:
            # One is all that a session has.
            link.is_wanted = lambda: False
            return
        self.link = link
        link.on_data = self._received
        link.on_lost = self._lost
        link.on_open = self._connected

    def _connected(self) -> None:
        self.session.control.emit(f"{self.name}_channel")
        self.on_open()

    def _received(self, data: bytes) -> None:
        try:
            self.on_data(self._frames.feed(data))
        except (WireError, RtspError) as error:
            self.session.control.emit("airplay_malformed", why=str(error))
            self.session.end(f"{self.name} malformed")

    def _lost(self) -> None:
        self.session.end(f"{self.name} lost")


class Session:
    """What a client has after its first SETUP."""

    def __init__(self, control: Control, secret: bytes, body: PlistDict) -> None:
        """Begin; feedback has to come from now on."""
        self.number = next(_NUMBERS)
        self.control = control
        self.body = body
        self.events: Channel | None = None
        self.data: DataChannel | None = None
        self.is_over = False
        self.is_recording = False
        self._secret = secret
        self._cseq = itertools.count()
        self._answers = Responses()
        self._unanswered: dict[int, asyncio.TimerHandle] = {}
        self._feedback: asyncio.TimerHandle | None = None
        self.feedback()

    # The client's requests

    def open_events(self) -> int:
        """Listen for the event channel and return its port."""
        self.events = Channel(
            self,
            "event",
            # As seen from the device, which is who makes requests here.
            (
                hkdf(self._secret, "Events-Salt", "Events-Write-Encryption-Key"),
                hkdf(self._secret, "Events-Salt", "Events-Read-Encryption-Key"),
            ),
            self.control.server.switches.event_port_delay,
        )
        self.events.on_open = self._begin
        self.events.on_data = self._answered
        return self.events.port

    def record(self) -> None:
        """Take RECORD, which begins the events."""
        self.is_recording = True
        self._begin()

    def open_stream(self, stream: dict[str, PlistValue]) -> PlistDict | None:
        """Listen for a data channel; None for a stream that is not for messages."""
        seed = stream.get("seed")
        is_ours = stream.get("type") == REMOTE_CONTROL_STREAM
        if not is_ours or not isinstance(seed, int) or not self.is_recording:
            return None
        salt = f"DataStream-Salt{seed % 2**64}"
        channel = Channel(
            self,
            "data",
            (
                hkdf(self._secret, salt, "DataStream-Input-Encryption-Key"),
                hkdf(self._secret, salt, "DataStream-Output-Encryption-Key"),
            ),
            self.control.server.switches.data_port_delay,
        )
        self.data = DataChannel(channel)
        return {
            "type": REMOTE_CONTROL_STREAM,
            "streamID": 1,
            "dataPort": channel.port,
        }

    def feedback(self) -> None:
        """Live on for a while."""
        if self._feedback is not None:
            self._feedback.cancel()
        self._feedback = asyncio.get_running_loop().call_later(
            self.control.server.switches.feedback_timeout, self.end, "no feedback"
        )

    def end(self, reason: str) -> None:
        """End all three connections, once."""
        if self.is_over:
            return
        self.is_over = True
        self.control.emit("session_ended", reason=reason)
        for timer in (*self._unanswered.values(), self._feedback):
            if timer is not None:
                timer.cancel()
        for channel in (self.events, self.data.channel if self.data else None):
            if channel is not None:
                channel.listener.close()
        if self.data is not None:
            self.data.end()
        self.control.session = None
        if reason != "teardown":
            self.control.link.abort()

    # The event channel

    def send_update_info(self) -> None:
        """Tell of the device, as it does when something of it changes."""
        if self.events is None or not self.events.is_open:
            return
        switches = self.control.server.switches
        cseq = next(self._cseq)
        value: PlistDict = {
            "type": "updateInfo",
            "value": self.control.server.info(),
        }
        self.events.write(encode_request("POST", "/command", cseq, value))
        self._unanswered[cseq] = asyncio.get_running_loop().call_later(
            switches.event_timeout, self.end, "no answer to an event"
        )

    def _begin(self) -> None:
        """Send the first event when both RECORD and the channel are there."""
        is_open = self.events is not None and self.events.is_open
        sends = self.control.server.switches.sends_update_info
        if is_open and self.is_recording and sends:
            self.send_update_info()

    def _answered(self, data: bytes) -> None:
        self._answers.feed(data)
        while (answer := self._answers.next()) is not None:
            status, cseq = answer
            timer = self._unanswered.pop(cseq, None)
            if timer is None:
                raise RtspError("an answer to nothing")
            timer.cancel()
            self.control.emit("event_answered", status=status, cseq=cseq)


class DataChannel:
    """The data channel, and the messages in it."""

    # Bad behaviour.
    mute_replies = False

    def __init__(self, channel: Channel) -> None:
        """Wait for the client's first frame."""
        self.channel = channel
        self.replies = 0  # of the client to frames of ours
        self._frames = DataFrames()
        self._unreplied: set[int] = set()
        control = channel.session.control
        self.mrp: MrpSession = control.server.core.mrp.open(
            self.send, channel.session.end, control.link
        )
        channel.on_data = self._received

    def send(self, *messages: bytes, bare: bool = False) -> None:
        """Send messages in one frame; a bare one has no length in front."""
        sequence = secrets.randbits(64)
        self._unreplied.add(sequence)
        self.send_frame(
            DataFrame(SYNC, FROM_DEVICE, sequence, pack(messages, bare=bare))
        )

    def send_frame(self, frame: DataFrame) -> None:
        """Send any frame."""
        self.channel.write(frame.encode())

    def end(self) -> None:
        """Forget the messages' session."""
        self.mrp.ended()

    def _received(self, data: bytes) -> None:
        for frame in self._frames.feed(data):
            if frame.kind == REPLY:
                self._replied(frame)
            elif frame.kind == SYNC:
                if not self.mute_replies:
                    self.send_frame(
                        DataFrame(REPLY, "", frame.sequence, write_plist({}))
                    )
                for message in unpack(frame.payload):
                    self.mrp.received(message)
            else:
                raise WireError(f"a frame of kind {frame.kind!r}")

    def _replied(self, frame: DataFrame) -> None:
        if frame.sequence not in self._unreplied or frame.command:
            raise WireError("a reply to nothing")
        self._unreplied.discard(frame.sequence)
        self.replies += 1
