"""Game streaming, up to where Nano begins (the Nano reference, section 3).

It works in the session of the user who is signed in on the console; others get an error.
"""

import asyncio
from collections.abc import Callable
import contextlib
from dataclasses import dataclass
import logging
from typing import Final, override

from ...errors import PeerTimeoutError, ProtocolError, RumpusError
from ...json_lines import JsonObject
from .answers import Answer
from .broadcast_models import (
    OFFICIAL,
    BroadcastErrorType,
    BroadcastMessage,
    PreviewStatus,
    StartStream,
    StopStream,
    StreamConfiguration,
    StreamFailed,
    StreamingEnabled,
    StreamState,
    StreamStateChanged,
    decode_broadcast,
)
from .link import ChannelLink, Emit, Service

_LOGGER = logging.getLogger(__name__)

ENABLED_TIMEOUT: Final = 5.0
"""Seconds for the console to say whether it allows streaming; it does so unasked."""
START_TIMEOUT: Final = 10.0
"""Seconds for the console to begin with streaming."""
STOP_TIMEOUT: Final = 3.0
"""Seconds for the console to end streaming."""
MAJOR_VERSION: Final = 6
"""The version of the protocol that we speak."""


class BroadcastError(RumpusError):
    """The console does not stream; `error` says why, `value` is the console's number."""

    def __init__(
        self, error: BroadcastErrorType | int, value: int | None = None
    ) -> None:
        """Take what the console said, or what it would say."""
        name = error.name.lower() if isinstance(error, BroadcastErrorType) else error
        super().__init__(f"The console does not stream: {name}")
        self.error = error
        self.value = value


@dataclass(frozen=True, slots=True)
class StreamSession:
    """A stream that the console has ready: where Nano connects to."""

    session_id: str
    tcp_port: int
    udp_port: int
    is_wireless: bool | None = None
    link_speed: int | None = None


class BroadcastService(Service):
    """Starts and stops the streaming of the console's screen.

    Whoever wants to know more than `start` and `stop` return subscribes to the messages.
    """

    def __init__(self, link: ChannelLink, emit: Emit) -> None:
        """Use a channel that may not be open yet."""
        super().__init__(link, emit)
        self._turns = asyncio.Lock()
        self._listeners: list[Callable[[BroadcastMessage], None]] = []
        self._enabled: StreamingEnabled | None = None
        self._preview: PreviewStatus | None = None
        self._state: StreamStateChanged | None = None
        self._failure: StreamFailed | None = None
        # What INITIALIZING and STARTED told of the stream that is being started.
        self._told: dict[StreamState | int, StreamStateChanged] = {}
        self._enabling: Answer[StreamingEnabled] | None = None
        self._starting: Answer[StreamSession] | None = None
        self._ending: Answer[bool] | None = None

    @property
    def enabled(self) -> StreamingEnabled | None:
        """Whether the console allows streaming, None as long as it has not said so."""
        return self._enabled

    @property
    def preview(self) -> PreviewStatus | None:
        """Whether the console takes part in previews, None as long as it has not said so."""
        return self._preview

    @property
    def state(self) -> StreamStateChanged | None:
        """How far streaming is, None as long as the console has not said so."""
        return self._state

    @property
    def failure(self) -> StreamFailed | None:
        """Why streaming did not work, as last told since the last start."""
        return self._failure

    def subscribe(
        self, listener: Callable[[BroadcastMessage], None]
    ) -> Callable[[], None]:
        """Call a listener with all that the console says; return what ends that."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unsubscribe

    @override
    def closed(self) -> None:
        """The channel is gone: nothing is known, and whoever waits fails."""
        self._enabled = None
        self._preview = None
        self._state = None
        self._failure = None
        for answer in (self._enabling, self._starting, self._ending):
            if answer is not None:
                answer.lose()
        super().closed()

    # What Nano wants.

    async def start(
        self,
        configuration: StreamConfiguration = OFFICIAL,
        *,
        requery_preview_status: bool = False,
    ) -> StreamSession:
        """Have the console begin, and return where the stream is to be had.

        When that fails or is cancelled, the console is told to stop. Raises BroadcastError
        when it does not stream, PeerTimeoutError when it does not answer in time, and
        what ChannelLink.send_json raises.
        """
        period = self._period
        async with self._turns:
            self._require_period(period)
            self._check(await self._wait_enabled())
            self._told.clear()
            self._failure = None
            answer = self._starting = Answer[StreamSession]()
            request = StartStream(configuration, requery_preview_status)
            try:
                await self._send_for(answer, request.to_json())
                return await answer.wait(START_TIMEOUT)
            except BaseException:
                # It may stream all the same, to nobody.
                if self._gone is not None:
                    self._run_behind(self._send_stop())
                raise
            finally:
                self._starting = None

    async def stop(self) -> bool:
        """Have the console end; return whether it said that it did.

        Raises what ChannelLink.send_json raises.
        """
        period = self._period
        async with self._turns:
            self._require_period(period)
            answer = self._ending = Answer[bool]()
            try:
                await self._send_for(answer, StopStream().to_json())
                # Nobody knows whether all consoles say so.
                with contextlib.suppress(PeerTimeoutError):
                    return await answer.wait(STOP_TIMEOUT)
                return False
            finally:
                self._ending = None

    async def _send_for(
        self, answer: Answer[StreamSession] | Answer[bool], body: JsonObject
    ) -> None:
        """Send what leads to an answer, which is worth more than the acks."""
        try:
            await self._link.send_json(body)
        except PeerTimeoutError:
            if not answer.is_given:
                raise

    async def _wait_enabled(self) -> StreamingEnabled:
        if self._enabled is not None:
            return self._enabled
        answer = self._enabling = Answer[StreamingEnabled]()
        try:
            return await answer.wait(ENABLED_TIMEOUT)
        finally:
            self._enabling = None

    @staticmethod
    def _check(enabled: StreamingEnabled) -> None:
        if not enabled.is_enabled:
            raise BroadcastError(BroadcastErrorType.STREAMING_DISABLED)
        if enabled.major_version not in (None, MAJOR_VERSION):
            raise BroadcastError(
                BroadcastErrorType.VERSION_MISMATCH, enabled.major_version
            )

    async def _send_stop(self) -> None:
        with contextlib.suppress(RumpusError):
            await self._link.send_json(StopStream().to_json())

    # What the console says.

    @override
    def received_json(self, obj: JsonObject) -> None:
        """Take what the console says; what is of no use is ignored."""
        try:
            message = decode_broadcast(obj)
        except ProtocolError:
            return
        match message:
            case StreamingEnabled():
                self._enabled = message
                if self._enabling is not None:
                    self._enabling.give(message)
            case StreamStateChanged():
                self._state = message
                self._step(message)
            case StreamFailed():
                self._failure = message
                if self._starting is not None:
                    self._starting.fail(BroadcastError(message.error, message.value))
            case PreviewStatus():
                self._preview = message
            case _:
                pass
        for listener in tuple(self._listeners):
            try:
                listener(message)
            except Exception:
                _LOGGER.exception("A listener failed")

    def _step(self, message: StreamStateChanged) -> None:
        if message.state == StreamState.STOPPED:
            if self._ending is not None:
                self._ending.give(True)
            if self._starting is not None and self._told:
                self._starting.fail(BroadcastError(BroadcastErrorType.FAILED_TO_START))
        if self._starting is None or message.session_id is None:
            return
        self._told[message.state] = message
        # Datagrams overtake each other, so that either may come first.
        first = self._told.get(StreamState.INITIALIZING)
        second = self._told.get(StreamState.STARTED)
        if first is None or second is None or first.session_id != second.session_id:
            return
        if first.session_id is None or first.tcp_port is None or first.udp_port is None:
            self._starting.fail(ProtocolError("A stream without ports"))
            return
        self._starting.give(
            StreamSession(
                first.session_id,
                first.tcp_port,
                first.udp_port,
                second.is_wireless,
                second.link_speed,
            )
        )
