"""The lobby over a WebSocket: its own, or a bridge to its lines (the FAF reference, section 2)."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
import contextlib
import ipaddress
import re
import socket
import ssl
from types import MappingProxyType
from typing import Final, Literal

import aiohttp
from yarl import URL

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from ..json_lines import JsonObject
from ..stream import CLOSE_TIMEOUT, MAX_WRITE_BUFFER, READS_PER_TURN, STALL_TIMEOUT
from .errors import (
    CertificateFlaw,
    NoTlsError,
    NoWebSocketError,
    PlainRedirectError,
    UntrustedError,
)
from .protocol import OversizedMessageError
from .text import MalformedMessageError, decode_text, encode_text
from .transports import CONNECT_TIMEOUT, format_address

#: Bytes of one frame: all players and all games are in one.
MAX_FRAME: Final = 16 * 1024 * 1024
#: Bytes of a message that comes in several frames.
MAX_BUFFER: Final = 16 * 1024 * 1024
#: Frames that may wait for their turn; with MAX_WRITE_BUFFER, which is for their bytes.
MAX_WAITING: Final = 4096

_BARE_HOST: Final = re.compile(
    r"([a-z]+://[^/?#]+)(?=[?#]|\Z)", re.ASCII | re.IGNORECASE
)
_SECURE, _PLAIN = "wss", "ws"
#: What is wrong with a certificate, by the numbers that OpenSSL has for it.
_FLAWS: Final[Mapping[int, CertificateFlaw]] = MappingProxyType(
    {
        **dict.fromkeys((9, 10), CertificateFlaw.DATE),
        **dict.fromkeys((2, 18, 19, 20, 21), CertificateFlaw.ISSUER),
        **dict.fromkeys((62, 64), CertificateFlaw.NAME),
    }
)
_BLANKS: Final = re.compile(rb"\s*")

_CARRIERS: Final = {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}
_SIGNS_OF_LIFE: Final = {
    *_CARRIERS,
    aiohttp.WSMsgType.PING,
    aiohttp.WSMsgType.PONG,
}

type _Socket = aiohttp.ClientWebSocketResponse[Literal[False]]


class FrameBuffer:
    """Makes messages of frames: native lobbies send one in each, bridges any bytes.

    The FAF reference, section 2.3. A message ends with LF, or with its frame.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._buffer = bytearray()
        self._searched = 0
        # Bytes that the buffer must have until it is worth another look: a line that
        # comes byte by byte must not be decoded at each.
        self._next_try = 0

    def feed(self, frame: bytes) -> None:
        """Take a frame. Raises OversizedMessageError for more than MAX_BUFFER bytes."""
        if len(self._buffer) + len(frame) > MAX_BUFFER:
            raise OversizedMessageError(f"Message of more than {MAX_BUFFER} bytes")
        self._buffer += frame

    def next_message(self) -> JsonObject | None:
        """Return the next message, or None when there is none before the next frame.

        Raises MalformedMessageError for a line that is no JSON object; the next call goes
        on behind it.
        """
        # Blanks between messages count as nothing. All the rest must not be copied for
        # them, each time.
        blanks = _BLANKS.match(self._buffer) if self._searched == 0 else None
        if blanks is not None and blanks.end() > 0:
            del self._buffer[: blanks.end()]
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            self._searched = len(self._buffer)
            return self._try_rest()
        with memoryview(self._buffer) as view:
            line = bytes(view[:end])  # ten times as fast as without the view
        del self._buffer[: end + 1]
        self._searched = self._next_try = 0
        return _decode_object(line)

    def _try_rest(self) -> JsonObject | None:
        """Return the message that ends with its frame, if it does."""
        size = len(self._buffer)
        if size < self._next_try or not self._buffer[-8:].rstrip().endswith(b"}"):
            return None
        try:
            message = _decode_object(bytes(self._buffer))
        except MalformedMessageError:
            self._next_try = 2 * size
            return None
        self._buffer.clear()
        self._searched = self._next_try = 0
        return message


def _decode_object(line: bytes) -> JsonObject:
    message = decode_text(line)
    if not isinstance(message, dict):
        raise MalformedMessageError("JSON, but no object")
    return message


class WebSocketConnection:
    """Messages both ways over one WebSocket; one task reads, any number of tasks write.

    The socket must hand out pings, and text as bytes.
    """

    def __init__(self, websocket: _Socket) -> None:
        """Take over a connected WebSocket."""
        self._socket = websocket
        # aiohttp has no word for dropping a connection at once.
        self._tcp: socket.socket = websocket.get_extra_info("socket")
        self._incoming = FrameBuffer()
        self._outgoing: deque[str] = deque()
        self._unsent = 0
        self._sender: asyncio.Task[None] | None = None
        self._steps = 0
        self._closed = False
        self._is_lost = False  # for sending, while there may be more to read
        #: When the other side last sent a frame of any kind, as the loop's time in seconds.
        self.last_heard = asyncio.get_running_loop().time()

    def is_connected(self) -> bool:
        """Tell whether, for all that is known, messages can still be sent."""
        return not (self._closed or self._is_lost or self._socket.closed)

    # Reading.

    async def read_message(self) -> JsonObject:
        """Wait for the next message.

        Raises DisconnectedError at the end, MalformedMessageError for what is no JSON
        object, and OversizedMessageError; the connection is dropped then.
        """
        while True:
            self._steps += 1
            if self._steps % READS_PER_TURN == 0:
                await asyncio.sleep(0)
            if self._closed:
                raise DisconnectedError("Not connected")
            message = self._incoming.next_message()
            if message is not None:
                return message
            frame = await self._read_frame()
            try:
                self._incoming.feed(frame)
            except OversizedMessageError:
                self.abort()
                raise

    async def _read_frame(self) -> bytes:
        """Wait for a frame and return what is in it: nothing, when it is for the link."""
        message = await self._socket.receive()
        if message.type in _SIGNS_OF_LIFE:
            self.last_heard = asyncio.get_running_loop().time()
            if message.type is aiohttp.WSMsgType.PING:
                await self._pong(message.data)
            if message.type in _CARRIERS:
                frame: bytes = message.data
                return frame
            return b""
        self.abort()
        if message.type is aiohttp.WSMsgType.ERROR:
            code = getattr(message.data, "code", None)
            if code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
                raise OversizedMessageError(f"Frame of more than {MAX_FRAME} bytes")
            raise DisconnectedError("Connection lost")
        raise DisconnectedError("Connection closed by the peer")

    async def _pong(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(STALL_TIMEOUT):
                await self._socket.pong(data)
        except aiohttp.ClientError, OSError:
            self._lose()

    # Writing.

    async def send_message(self, message: JsonObject) -> None:
        """Write a message and wait until it has left.

        Raises DisconnectedError, ProtocolError.
        """
        self.write_message(message)
        if self._sender is not None:
            await asyncio.wait({self._sender})
        self._require_connection()

    def write_message(self, message: JsonObject) -> None:
        """Put a message into the write buffer, for what nobody waits for.

        Raises ProtocolError, and DisconnectedError, also when more than the bounds would
        wait for the peer; the connection is dropped then.
        """
        self._require_connection()
        # A frame of its own, and one line to those that look for lines.
        frame = encode_text(message) + "\n"
        if (
            self._unsent + len(frame) > MAX_WRITE_BUFFER
            or len(self._outgoing) >= MAX_WAITING
        ):
            self.abort()
            raise DisconnectedError("The peer takes less than is sent to it")
        self._outgoing.append(frame)
        self._unsent += len(frame)
        if self._sender is None:
            # What the system takes at once leaves at once.
            task = asyncio.create_task(self._send_all(), eager_start=True)
            if not task.done():
                self._sender = task

    async def _send_all(self) -> None:
        try:
            while self._outgoing:
                frame = self._outgoing.popleft()
                async with asyncio.timeout(STALL_TIMEOUT):
                    await self._socket.send_str(frame)
                self._unsent -= len(frame)
        except aiohttp.ClientError, OSError:
            self._lose()
        finally:
            self._sender = None

    def _lose(self) -> None:
        """Send nothing any more, but read what has come.

        The lobby's last words tell why it hangs up: nobody may come back after a kick.
        """
        self._is_lost = True
        self._shut_down()

    def _require_connection(self) -> None:
        if not self.is_connected():
            raise DisconnectedError("Not connected")

    # Closing.

    async def close(self) -> None:
        """Send what is unsent and close, within some CLOSE_TIMEOUT. Never raises."""
        await self._wait_sent()
        self._closed = True
        try:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_TIMEOUT):
                    await self._socket.close()
        finally:
            self.abort()
        await self._wait_sent()

    async def _wait_sent(self) -> None:
        if self._sender is not None:
            await asyncio.wait({self._sender}, timeout=CLOSE_TIMEOUT)

    def abort(self) -> None:
        """Drop the connection at once, with all that is unsent."""
        self._closed = True
        self._shut_down()

    def _shut_down(self) -> None:
        self._outgoing.clear()
        # A reader that waits finds the end, and so does a task that still writes.
        with contextlib.suppress(OSError):
            self._tcp.shutdown(socket.SHUT_RDWR)


class WebSocketConnector:
    """Connects to a lobby over WebSockets."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str | Callable[[], Awaitable[str]],
        *,
        name: str | None = None,
        allow_plain: bool = False,
        timeout: float = CONNECT_TIMEOUT,
    ) -> None:
        """Take an address, or what finds one for each connection: some hold a credential.

        It must be secure or lead to this computer, unless plain ones are allowed. The name
        is for the log; without one it is the host's, if that is known.
        """
        self._session = session
        self._url = url
        self._name = name
        self._allow_plain = allow_plain
        self._timeout = timeout

    @property
    def name(self) -> str:
        """The name given, or host and port; nothing of the rest of the address."""
        if self._name is None:
            self._name = (
                _host_of(self._url) if isinstance(self._url, str) else "gateway"
            )
        return self._name

    async def connect(self) -> WebSocketConnection:
        """Return a new connection.

        Raises UntrustedError, NoTlsError, NoWebSocketError and DisconnectedError of other
        kinds, PeerTimeoutError, AuthenticationError when a gateway refuses us,
        ProtocolError for an address that must not be used, PlainRedirectError for one that
        leads there; and what finding the address raises.
        """
        found = self._url if isinstance(self._url, str) else await self._url()
        url = _parse(found, allow_plain=self._allow_plain)
        problem: RumpusError
        # What aiohttp raises knows the whole address, so it must not be the context either.
        try:
            async with asyncio.timeout(self._timeout):
                websocket = await self._open(url)
        except (aiohttp.ClientError, OSError, ValueError) as err:
            problem = _problem_of(err)
        else:
            connection = WebSocketConnection(websocket)
            # A gateway may have sent us somewhere else.
            if url.scheme == _PLAIN or _is_secure(websocket):
                return connection
            await connection.close()
            problem = PlainRedirectError(
                "The gateway leads to a connection without TLS"
            )
        raise problem

    async def _open(self, url: URL) -> _Socket:
        return await self._session.ws_connect(
            url,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT),
            autoping=False,
            max_msg_size=MAX_FRAME,
            decode_text=False,
        )


def _is_secure(websocket: _Socket) -> bool:
    """Tell whether there is TLS, and was at each step of the way that led there.

    Who can change what comes over a plain connection chooses where it leads: a certificate
    says nothing then.
    """
    # aiohttp has no other word for the way.
    response = getattr(websocket, "_response", None)
    return bool(websocket.get_extra_info("ssl_object")) and all(
        step.url.scheme in {_SECURE, "https"}
        for step in getattr(response, "history", ())
    )


def _problem_of(err: Exception) -> RumpusError:
    """Return why there is no connection, and nothing of the address."""
    match err:
        case TimeoutError():
            return PeerTimeoutError("No connection in time")
        case aiohttp.WSServerHandshakeError(status=401 | 403):
            return AuthenticationError("The gateway refuses the connection")
        case aiohttp.WSServerHandshakeError(status=status):
            return NoWebSocketError(f"No WebSocket there: status {status}")
        case ssl.SSLCertVerificationError():
            # That of aiohttp is one too, and has the one that says more.
            code = getattr(getattr(err, "certificate_error", err), "verify_code", 0)
            return UntrustedError(_FLAWS.get(code, CertificateFlaw.OTHER))
        case ssl.SSLError():
            return NoTlsError("No TLS there, or none that we accept")
        case aiohttp.ClientConnectorError():
            return DisconnectedError(f"Cannot connect: {type(err).__name__}")
        # Connected, but then there was no answer, or none of HTTP.
        case (
            aiohttp.ClientResponseError()
            | aiohttp.ServerDisconnectedError()
            | aiohttp.ClientOSError()
        ):
            return NoWebSocketError(f"No WebSocket there: {type(err).__name__}")
        case _:
            return DisconnectedError(f"Cannot connect: {type(err).__name__}")


def _parse(text: str, *, allow_plain: bool) -> URL:
    """Return an address as it is, but with a path. Raises ProtocolError for bad ones."""
    try:
        url = URL(_BARE_HOST.sub(r"\1/", text, count=1), encoded=True)
        host = url.host
    except ValueError:
        host = None
    else:
        if host and url.scheme == _SECURE:
            return url
        if host and url.scheme == _PLAIN and (allow_plain or _is_loopback(host)):
            return url
    raise ProtocolError("Not an address to connect to" if not host else "Not secure")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_of(text: str) -> str:
    try:
        url = URL(text, encoded=True)
        return format_address(url.host or "?", url.port or 0)
    except ValueError:
        return "?"
