"""What both framings of the lobby over TCP have in common."""

from abc import abstractmethod
import asyncio
from collections.abc import Iterable
from typing import Final, override

from ..errors import DisconnectedError, MessageTooLargeError
from ..json_lines import JsonObject, JsonValue
from ..stream import MAX_WRITE_BUFFER, MessageStream
from .text import MalformedMessageError

#: Bytes of one message, where a framing has no bound of its own.
MAX_MESSAGE: Final = 16 * 1024 * 1024


class OversizedMessageError(MessageTooLargeError, MalformedMessageError):
    """A message of more bytes than are taken; close the connection after it."""


class IncompleteMessageError(DisconnectedError, asyncio.IncompleteReadError):
    """The connection ended in the middle of a message."""

    def __init__(self, partial: bytes, expected: int | None) -> None:
        """Say how many bytes came, and of how many; never which."""
        DisconnectedError.__init__(
            self, f"Connection ended after {len(partial)} of {expected} bytes"
        )
        self.partial = partial
        self.expected = expected


class Protocol(MessageStream[JsonValue]):
    """Messages of the lobby, both ways, over one TCP connection.

    The FAF reference, section 4.2, with the bounds of MessageStream: writing never waits
    but fails when the other side reads nothing, and closing always has an end. Besides,
    nothing can be sent any more once reading has found the end.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        max_message: int = MAX_MESSAGE,
        max_write_buffer: int = MAX_WRITE_BUFFER,
    ) -> None:
        """Take over a connection; both limits are in bytes."""
        super().__init__(
            reader,
            writer,
            max_message=max_message,
            max_write_buffer=max_write_buffer,
        )
        #: When the other side last sent anything, as the loop's time in seconds.
        self.last_heard = asyncio.get_running_loop().time()
        self._is_reset = False  # rather than ended in good order

    @staticmethod
    @abstractmethod
    @override
    def encode_message(message: JsonValue) -> bytes:
        """Return all the bytes of a message on the wire, for the ``*_raw`` methods.

        Raises ProtocolError for what JSON cannot carry.
        """

    @staticmethod
    @abstractmethod
    @override
    def decode_message(data: bytes) -> JsonValue:
        """Return what the body of a message holds: JSON of any kind.

        Raises MalformedMessageError.
        """

    @override
    async def read_message(self) -> JsonObject:
        """Wait for the next message.

        Raises DisconnectedError at the end, IncompleteMessageError in the middle of a
        message, OversizedMessageError, and MalformedMessageError for anything that is no
        JSON object: behind that, the next message can be read.
        """
        try:
            body = await self._read_body()
        except MessageTooLargeError as err:
            problem = str(err)
        else:
            message = self.decode_message(body)
            if not isinstance(message, dict):
                raise MalformedMessageError("JSON, but no object")
            return message
        raise OversizedMessageError(problem)

    async def _read_body(self) -> bytes:
        """Wait for the bytes of the next message, without what frames them.

        A framing has either this or a `read_message` of its own.
        """
        raise NotImplementedError

    @property
    def reader(self) -> asyncio.StreamReader:
        """Where messages come from; not to be read by anybody else."""
        return self._reader

    @property
    def writer(self) -> asyncio.StreamWriter:
        """Where messages go, for what is asked of its transport."""
        return self._writer

    @override
    def write_message(self, message: JsonValue) -> None:
        """Put a message into the write buffer, for what nobody waits for.

        Raises DisconnectedError, before anything is encoded, and ProtocolError.
        """
        self._require_connection()
        super().write_message(message)

    @override
    def write_messages(self, messages: Iterable[JsonValue]) -> None:
        """Put messages into the write buffer: all of them or, on an error, none.

        Raises DisconnectedError, before anything is encoded, and ProtocolError.
        """
        self._require_connection()
        super().write_messages(messages)

    @override
    async def _fill(self) -> None:
        while True:
            try:
                await super()._fill()
            except DisconnectedError as err:
                if self._reader.exception() is not None:
                    self._rescue()
                    continue
                if self._is_reset:
                    raise DisconnectedError("Connection lost") from err
                raise
            self.last_heard = asyncio.get_running_loop().time()
            return

    def _rescue(self) -> None:
        """Have what came before a reset read, which asyncio does not hand out any more.

        The lobby's last words tell why it hangs up: nobody may come back after a kick.
        """
        self._is_reset = True
        self._reader.set_exception(None)  # type: ignore[arg-type]
        self._reader.feed_eof()
