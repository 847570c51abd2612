"""The connection to AirPlay's port (the Apple TV reference, part A, section 5.1)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import re
import secrets
from typing import Final, Self

from ..errors import (
    DisconnectedError,
    MessageTooLargeError,
    PeerTimeoutError,
    ProtocolError,
    RumpusError,
)
from ..hap.crypto import ChannelCipher
from .errors import status_error
from .http import (
    MAX_BODY,
    MAX_HEAD,
    HttpParser,
    HttpProtocol,
    Request,
    Response,
    encode_request,
)
from .timing import Timing
from .wire import Closed, Wire

MAX_UNASKED: Final = MAX_HEAD + MAX_BODY
"""Bytes that a device may send while it was asked nothing: late answers."""
MAX_STRAYS: Final = 64
"""Messages that answer nothing, until the next answer."""
MAX_ABANDONED: Final = 16
"""Requests without an answer, after which the device counts as gone."""

USER_AGENT: Final = "AirPlay/550.10"

_NUMBER: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


def _cseq(message: Request | Response) -> int | None:
    number = message.headers.get("cseq", "")
    return int(number) if _NUMBER.fullmatch(number) else None


@dataclass(slots=True)
class _Waiter:
    cseq: int | None
    """None for HTTP, whose answers come in order."""
    answer: asyncio.Future[Response]


class AirPlayConnection:
    """Requests and their responses, one at a time.

    RTSP's responses are told apart by their numbers, so that a late one is dropped. Those
    of HTTP are not: a request of HTTP that was given up ends the connection.
    """

    def __init__(self, *, timing: Timing | None = None) -> None:
        """Prepare; `connect` makes one that is connected."""
        self._timing = timing or Timing()
        self._wire = Wire(self._on_data, self._on_closed)
        self._parser = HttpParser()
        self._lock = asyncio.Lock()
        self._waiter: _Waiter | None = None
        self._abandoned: set[int] = set()
        self._strays = 0
        self._cseq = 0
        self._was_answered = False
        self._dacp_id = f"{secrets.randbits(64):016X}"
        self._active_remote = secrets.randbits(32)
        self._session_id = secrets.randbits(32)
        #: Is told once when the device ends the connection, or something forces us to.
        self.closed: Closed | None = None

    @classmethod
    async def connect(
        cls, address: str, port: int, *, timing: Timing | None = None
    ) -> Self:
        """Return a new connection. Raises DisconnectedError, PeerTimeoutError."""
        connection = cls(timing=timing)
        await connection._wire.connect(address, port, connection._timing.connect)
        return connection

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        return self._wire.is_connected

    @property
    def session_uri(self) -> str:
        """What requests about the session as a whole are sent to."""
        address = self._wire.own_address
        if ":" in address:
            address = f"[{address}]"
        return f"rtsp://{address}/{self._session_id}"

    def encrypt(self, cipher: ChannelCipher) -> None:
        """Encrypt all from here on; what came behind the last answer already is."""
        rest = self._parser.take_rest()
        self._wire.encrypt(cipher)
        if rest:
            self._wire.data_received(rest)

    async def request(
        self,
        method: str,
        uri: str,
        *,
        protocol: HttpProtocol = HttpProtocol.RTSP,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float | None = None,
    ) -> Response:
        """Send a request and return the response that says yes.

        Raises what a status stands for: CredentialsRefusedError, PasswordRequiredError,
        UnsupportedError, RequestFailedError; and what `exchange` raises.
        """
        response = await self.exchange(
            method, uri, protocol=protocol, headers=headers, body=body, timeout=timeout
        )
        if (error := status_error(response.status)) is not None:
            raise error
        return response

    async def exchange(
        self,
        method: str,
        uri: str,
        *,
        protocol: HttpProtocol = HttpProtocol.RTSP,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float | None = None,
    ) -> Response:
        """Send a request and return the response, whatever its status.

        It may take `timeout` seconds, or what the timing says. Raises DisconnectedError,
        PeerTimeoutError, ProtocolError.
        """
        if timeout is None:
            timing = self._timing
            timeout = timing.request if self._was_answered else timing.first_request
        try:
            async with asyncio.timeout(timeout), self._lock:
                return await self._exchange(method, uri, protocol, headers or {}, body)
        except TimeoutError as err:
            raise PeerTimeoutError(f"The device did not answer {method}") from err

    async def close(self) -> None:
        """Close the connection. Never raises."""
        self._fail_waiter(DisconnectedError("The connection was closed"))
        await self._wire.close(self._timing.close)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._wire.abort()
        self._fail_waiter(DisconnectedError("The connection was closed"))

    async def _exchange(
        self,
        method: str,
        uri: str,
        protocol: HttpProtocol,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Response:
        cseq = None
        if protocol is HttpProtocol.RTSP:
            cseq = self._cseq
            self._cseq += 1
            headers = {**self._rtsp_headers(cseq), **headers}
        data = encode_request(Request(method, uri, protocol, headers, body))
        self._drop_late()
        self._wire.write(data)
        answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiter = _Waiter(cseq, answer)
        try:
            response = await answer
        except asyncio.CancelledError:
            if not answer.cancelled():
                answer.exception()  # which nobody else fetches
            self._abandon(cseq)
            raise
        finally:
            self._waiter = None
        self._was_answered = True
        return response

    def _rtsp_headers(self, cseq: int) -> dict[str, str]:
        return {
            "CSeq": str(cseq),
            "DACP-ID": self._dacp_id,
            "Active-Remote": str(self._active_remote),
            "Client-Instance": self._dacp_id,
            "User-Agent": USER_AGENT,
        }

    def _abandon(self, cseq: int | None) -> None:
        """Give up a request that was sent."""
        if cseq is not None:
            self._abandoned.add(cseq)
        if cseq is None or len(self._abandoned) > MAX_ABANDONED:
            self._wire.fail(PeerTimeoutError("The device does not answer any more"))

    def _on_data(self, data: bytes) -> None:
        self._parser.feed(data)
        while (waiter := self._waiter) is not None and not waiter.answer.done():
            if (message := self._parser.next_message()) is None:
                return
            if isinstance(message, Response) and self._is_answer(message, waiter):
                waiter.answer.set_result(message)
            else:
                self._count_stray()
        if self._parser.waiting > MAX_UNASKED:
            raise MessageTooLargeError("The device sends what nobody has asked for")

    def _count_stray(self) -> None:
        self._strays += 1
        if self._strays > MAX_STRAYS:
            raise ProtocolError("The device says what nobody has asked for")

    def _is_answer(self, message: Response, waiter: _Waiter) -> bool:
        cseq = _cseq(message)
        if message.protocol == HttpProtocol.RTSP and cseq in self._abandoned:
            self._abandoned.discard(cseq)
            return False
        if waiter.cseq is None:
            return True
        return cseq == waiter.cseq or (cseq is None and not self._abandoned)

    def _drop_late(self) -> None:
        """Drop what came before the request that it would be taken as the answer of."""
        self._strays = 0
        try:
            while (message := self._parser.next_message()) is not None:
                self._count_stray()
                if (cseq := _cseq(message)) is not None:
                    self._abandoned.discard(cseq)
        except RumpusError as err:
            self._wire.fail(err)
            raise

    def _on_closed(self, error: RumpusError | None) -> None:
        self._fail_waiter(error or DisconnectedError("The device hung up"))
        if self.closed is not None:
            self.closed(error)

    def _fail_waiter(self, error: RumpusError) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.answer.done():
            waiter.answer.set_exception(error)
