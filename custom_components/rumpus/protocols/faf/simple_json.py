"""One JSON text on each line: what lobbies speak on port 8002."""

import asyncio
from typing import Final, override

from ..errors import DisconnectedError
from ..json_lines import JsonValue
from ..stream import MAX_WRITE_BUFFER
from .protocol import Protocol
from .text import decode_text, encode_ascii

#: Bytes of one line, without its LF: what lobbies take as well.
MAX_LINE: Final = 10 * 1024 * 1024


class SimpleJsonProtocol(Protocol):
    """Messages as lines that end with LF (the FAF reference, section 3)."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        max_line: int = MAX_LINE,
        max_write_buffer: int = MAX_WRITE_BUFFER,
    ) -> None:
        """Take over a connection; both limits are in bytes."""
        super().__init__(
            reader, writer, max_message=max_line, max_write_buffer=max_write_buffer
        )

    @staticmethod
    @override
    def encode_message(message: JsonValue) -> bytes:
        """Return a message as one line with its LF.

        Raises ProtocolError for what JSON cannot carry.
        """
        return encode_ascii(message) + b"\n"

    # Called as it is: another call in between would take a tenth of its time. What it says
    # about bytes holds for a line, with or without its LF; an empty one is malformed.
    decode_message = staticmethod(decode_text)

    @override
    async def _read_body(self) -> bytes:
        try:
            return await self._read_line()
        except DisconnectedError:
            # What a peer said last counts without its LF, if it ended in good order.
            is_end = self._ended and self._reader.at_eof() and not self._is_reset
            if not (is_end and self._buffer):
                raise
        line = bytes(self._buffer)
        self._buffer.clear()
        return line
