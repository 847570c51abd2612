"""The connection on which the device asks us (the Apple TV reference, part A, 6.3)."""

from collections.abc import Callable
import logging
from typing import Final

from .. import plists
from ..errors import ProtocolError, RumpusError
from ..hap.crypto import ChannelCipher
from ..plists import PlistDict
from ..portions import Portions
from .http import HttpParser, HttpProtocol, Request, Response, encode_response
from .wire import Closed, Wire

MAX_SERVER: Final = 256
"""Characters of the device's name for itself that are sent back to it."""

MAX_KIND: Final = 64
"""Characters of an event's type that are kept."""

_LOGGER: Final = logging.getLogger(__name__)

type EventReceived = Callable[[str, PlistDict], None]
"""Takes the type of an event, like `updateInfo`, and its value."""


class EventChannel:
    """Answers every request, so that the device does not give us up."""

    def __init__(
        self, cipher: ChannelCipher, received: EventReceived, closed: Closed
    ) -> None:
        """Use the cipher of events, and tell these two what happens."""
        self._received = received
        self._parser = HttpParser()
        self._wire = Wire(self._on_data, closed)
        self._wire.encrypt(cipher)
        self._portions = Portions(self._take_one, self._wire.pause, self._wire.resume)

    async def connect(self, address: str, port: int, timeout: float) -> None:
        """Connect. Raises DisconnectedError, PeerTimeoutError."""
        await self._wire.connect(address, port, timeout)

    async def close(self, timeout: float) -> None:
        """Close the connection. Never raises."""
        self._parser = HttpParser()  # lets go of what has come
        await self._wire.close(timeout)

    def abort(self) -> None:
        """Drop the connection at once."""
        self._parser = HttpParser()
        self._wire.abort()

    def _on_data(self, data: bytes) -> None:
        self._parser.feed(data)
        self._portions.run()

    def _take_one(self) -> bool:
        """Answer one request; tell whether there was any."""
        if not self._wire.is_connected:
            return False
        try:
            message = self._parser.next_message()
            if isinstance(message, Request):
                self._wire.write(encode_response(_answer(message)))
                self._handle(message)
        except RumpusError as err:
            self._wire.fail(err)
        except Exception:
            _LOGGER.exception("An event of AirPlay could not be handled")
            self._wire.fail(RumpusError("The event channel has failed"))
        else:
            return message is not None
        return False

    def _handle(self, request: Request) -> None:
        try:
            body = plists.loads_dict(request.body)
        except ProtocolError as err:
            _LOGGER.debug("An event that cannot be read: %s", err)
            return
        kind = plists.get_str(body, "type", limit=MAX_KIND)
        if kind is not None:
            self._received(kind, plists.get_dict(body, "value") or {})


def _answer(request: Request) -> Response:
    headers = {}
    if (cseq := request.headers.get("cseq")) is not None:
        headers["CSeq"] = _one_line(cseq)
    if (server := request.headers.get("server")) is not None:
        headers["Server"] = _one_line(server)
    headers["Audio-Latency"] = "0"
    return Response(200, HttpProtocol.RTSP, headers)


def _one_line(text: str) -> str:
    return "".join(char for char in text[:MAX_SERVER] if char.isprintable())
