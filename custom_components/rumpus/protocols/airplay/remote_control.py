"""The session of a remote control (the Apple TV reference, part A, section 6)."""

import asyncio
from collections.abc import Callable
import contextlib
import secrets
from typing import Final
from uuid import uuid4

from .. import plists
from ..apple.identity import ClientIdentity
from ..errors import (
    AuthenticationError,
    DisconnectedError,
    ProtocolError,
    RumpusError,
    UnsupportedError,
)
from ..hap.credentials import HapCredentials, TransientCredentials
from ..plists import PlistDict
from .connection import AirPlayConnection
from .data_channel import DataChannel
from .errors import RequestFailedError
from .event_channel import EventChannel
from .http import PLIST_TYPE
from .info import AirPlayInfo
from .keys import SessionKeys
from .pairing import verify
from .timing import Timing
from .tunnel import Tunnel
from .wire import Closed

SOURCE_VERSION: Final = "550.10"

_MAX_PORT: Final = 65535
_DATA_STREAM: Final = 130
_REMOTE_CONTROL: Final = 2
_CLIENT_TYPE: Final = "1910A70F-DBC0-4242-AF95-115DB30604E1"
_SEED_BITS: Final = 63
"""Of the seed: longer numbers look negative to some readers of property lists."""


class RemoteControlSession:
    """Three connections that live and die together.

    It is used once: what was lost is replaced by a new one.
    """

    def __init__(
        self,
        address: str,
        port: int,
        credentials: HapCredentials | TransientCredentials,
        identity: ClientIdentity,
        timing: Timing | None = None,
    ) -> None:
        """Prepare; the address is a numeric one."""
        self._address = address
        self._port = port
        self._credentials = credentials
        self._identity = identity
        self._timing = timing or Timing()
        self._control: AirPlayConnection | None = None
        self._events: EventChannel | None = None
        self._data: DataChannel | None = None
        self._feedback: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()
        self._error: RumpusError | None = None
        self._is_up = False
        self._tunnel = Tunnel(self.close)
        self._info = AirPlayInfo()
        #: Is told once why a session that was up ended; None when the device ended it in
        #: order. Nothing is told after `close`.
        self.closed: Closed | None = None
        #: Is told what the device tells about itself.
        self.info_changed: Callable[[AirPlayInfo], None] | None = None

    @property
    def is_connected(self) -> bool:
        """Whether all three connections are there."""
        return self._is_up and not self._ended.is_set()

    @property
    def info(self) -> AirPlayInfo:
        """What the device has told about itself, after a moment."""
        return self._info

    @property
    def transport(self) -> Tunnel:
        """What MRP's messages go through."""
        return self._tunnel

    async def connect(self) -> None:
        """Bring the session up.

        Raises CredentialsRefusedError, IdentityError, PasswordRequiredError,
        VerificationUnavailableError, UnsupportedError, RequestFailedError,
        DisconnectedError, PeerTimeoutError, ProtocolError; nothing is left open then.
        """
        if self._control is not None or self._ended.is_set():
            raise RuntimeError("A session is used once")
        try:
            await self._bring_up()
            self._check()
        except BaseException as err:
            reason = self._error
            self._end()
            # One channel that is lost takes the others with it: its error is the reason.
            if reason is not None and isinstance(err, RumpusError):
                raise reason from None
            raise
        self._is_up = True
        self._feedback = asyncio.create_task(self._run_feedback())

    async def close(self) -> None:
        """End the session. Never raises, and may be called at any time."""
        self._ended.set()
        self._tunnel.end(DisconnectedError("The session was closed"))
        timeout = self._timing.close
        feedback = self._stop_feedback()
        closing = [
            channel.close(timeout)
            for channel in (self._data, self._events)
            if channel is not None
        ]
        if self._control is not None:
            closing.append(self._control.close())
        await asyncio.gather(*closing)
        if feedback is not None:
            await asyncio.wait({feedback})

    async def _bring_up(self) -> None:
        timing = self._timing
        self._control = control = await AirPlayConnection.connect(
            self._address, self._port, timing=timing
        )
        control.closed = self._on_lost
        self._check()
        keys = await verify(control, self._credentials, name=self._identity.name)
        if keys is None:
            raise UnsupportedError("These credentials encrypt nothing")
        answer = await self._setup(control, self._session_setup())
        await self._connect_events(keys, _port(answer, "eventPort"))
        await control.request("RECORD", control.session_uri)
        seed = secrets.randbits(_SEED_BITS)
        answer = await self._setup(control, {"streams": [_data_stream(seed)]})
        streams = plists.get_dicts(answer, "streams")
        port = _port(streams[0] if streams else {}, "dataPort")
        self._check()
        self._data = DataChannel(keys.data(seed), self._on_lost)
        await self._data.connect(self._address, port, timing.connect)
        self._tunnel.attach(self._data)

    async def _setup(self, control: AirPlayConnection, body: PlistDict) -> PlistDict:
        response = await control.request(
            "SETUP",
            control.session_uri,
            headers={"Content-Type": PLIST_TYPE},
            body=plists.dumps(body),
        )
        return plists.loads_dict(response.body)

    def _session_setup(self) -> PlistDict:
        identity = self._identity
        return {
            "isRemoteControlOnly": True,
            "osName": identity.os_name,
            "sourceVersion": SOURCE_VERSION,
            "timingProtocol": "None",
            "model": identity.model,
            "deviceID": identity.device_id,
            "osVersion": identity.os_version,
            "osBuildVersion": identity.os_build,
            "macAddress": identity.mac,
            "sessionUUID": str(uuid4()).upper(),
            "name": identity.name,
        }

    async def _connect_events(self, keys: SessionKeys, port: int) -> None:
        """Connect to a port that may not be open yet."""
        timing = self._timing
        left = timing.event_attempts
        while True:
            self._check()
            left -= 1
            self._events = EventChannel(keys.events(), self._on_event, self._on_lost)
            try:
                await self._events.connect(self._address, port, timing.connect)
            except DisconnectedError:
                if left <= 0:
                    raise
            else:
                return
            await self._pause(timing.event_pause)

    async def _pause(self, seconds: float) -> None:
        """Wait, but not longer than the session lasts."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    def _check(self) -> None:
        if self._ended.is_set():
            raise self._error or DisconnectedError("The session has ended")

    def _on_event(self, kind: str, value: PlistDict) -> None:
        if kind == "updateInfo":
            self._info = AirPlayInfo.from_plist(value)
            if self.info_changed is not None:
                self.info_changed(self._info)

    async def _run_feedback(self) -> None:
        """Show the device that we are there, and find out whether it is."""
        control = self._control
        while control is not None and not self._ended.is_set():
            await self._pause(self._timing.feedback)
            try:
                await self._send_feedback(control)
            except RumpusError as err:
                self._on_lost(err)

    async def _send_feedback(self, control: AirPlayConnection) -> None:
        """Ask once more when the answer is an error, as a device may stumble."""
        uri, timeout = "/feedback", self._timing.feedback_timeout
        try:
            await control.request("POST", uri, timeout=timeout)
        except AuthenticationError, RequestFailedError, UnsupportedError:
            await control.request("POST", uri, timeout=timeout)

    def _on_lost(self, error: RumpusError | None) -> None:
        """End the session, since one of its connections has ended."""
        if self._ended.is_set():
            return
        self._error = error or DisconnectedError("The device has ended the session")
        self._end()
        if self._is_up:
            try:
                if self.closed is not None:
                    self.closed(error)
            finally:  # who waits there has to know, whatever happens here
                self._tunnel.end(error)

    def _end(self) -> None:
        self._ended.set()
        self._stop_feedback()
        for channel in (self._data, self._events, self._control):
            if channel is not None:
                channel.abort()

    def _stop_feedback(self) -> asyncio.Task[None] | None:
        """Cancel the task, unless it is what calls this; return the one to wait for."""
        task = self._feedback
        if task is None or task is asyncio.current_task():
            return None
        task.cancel()
        return task


def _data_stream(seed: int) -> PlistDict:
    return {
        "type": _DATA_STREAM,
        "controlType": _REMOTE_CONTROL,
        "channelID": str(uuid4()).upper(),
        "clientTypeUUID": _CLIENT_TYPE,
        "clientUUID": str(uuid4()).upper(),
        "seed": seed,
        "wantsDedicatedSocket": True,
    }


def _port(answer: PlistDict, key: str) -> int:
    port = plists.get_int(answer, key)
    if port is None or not 0 < port <= _MAX_PORT:
        raise ProtocolError(f"A SETUP without {key}")
    return port
