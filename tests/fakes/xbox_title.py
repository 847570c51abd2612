"""The companion channel of a title, with its encrypted stream (section 12.5)."""

import asyncio
from collections.abc import Coroutine
import contextlib
import os
import struct
from typing import TYPE_CHECKING, override

from tests.fakes.xbox_crypto import AuxCipher
from tests.fakes.xbox_models import GAME
from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_service import Service
from tests.fakes.xbox_wire import Fields, Value, WireError, number_of

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole


class TitleService(Service):
    """Says hello, tells where the stream is, and echoes what comes there."""

    name = "title"

    def __init__(self, console: FakeConsole) -> None:
        super().__init__(console)
        self.title_ids = {GAME.title_id}
        self.says_hello = True  # before the connection info, too
        self.answers_hello = True
        self.breaks_mac = False  # of the frames that it sends
        self.echoes = True
        self._servers: dict[int, asyncio.Server] = {}
        self._writers: dict[asyncio.StreamWriter, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @override
    def received(
        self,
        participant: Participant,
        channel: Channel,
        name: str,
        fields: Fields,
        sequence: int,
    ) -> bool:
        if name != "auxiliary_stream":
            return False
        if number_of(fields, "connection_info_flag") == 0:
            participant.emit("aux_hello", sequence=sequence)
            if self.answers_hello and channel.number not in self._servers:
                self._run(self._serve(participant, channel))
        return True

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, participant: Participant, channel: Channel) -> None:
        key, server_iv, client_iv = (os.urandom(16) for _ in range(3))
        mac = os.urandom(32)

        def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._writers[writer] = channel.number
            incoming = AuxCipher(key, client_iv, mac)
            outgoing = AuxCipher(key, server_iv, mac)
            work = self._echo(participant, reader, writer, incoming, outgoing)
            self._run(work)

        server = await asyncio.start_server(accept, self.console.address, 0)
        if (
            channel.number not in participant.channels
            or channel.number in self._servers
        ):
            server.close()
            return
        self._servers[channel.number] = server
        port = server.sockets[0].getsockname()[1]
        endpoints: list[Value] = [{"ip": self.console.address, "port": str(port)}]
        info: Fields = {
            "crypto_key": key.hex(),
            "server_iv": server_iv.hex(),
            "client_iv": client_iv.hex(),
            "sign_hash": mac.hex(),
            "endpoints": endpoints,
        }
        if self.says_hello:
            hello: Fields = {"connection_info_flag": 0, "connection_info": None}
            participant.send("auxiliary_stream", hello, channel.number)
        told: Fields = {"connection_info_flag": 1, "connection_info": info}
        participant.send("auxiliary_stream", told, channel.number)

    async def _echo(
        self,
        participant: Participant,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        incoming: AuxCipher,
        outgoing: AuxCipher,
    ) -> None:
        participant.emit("aux_connected")
        reason = "closed"
        try:
            while True:
                head = await reader.readexactly(4)
                size = struct.unpack(">H", head[2:])[0]
                rest = await reader.readexactly(((size + 15) & ~15) + 32)
                plaintext = incoming.open(head + rest)
                participant.emit("aux_data", size=len(plaintext))
                if self.echoes:
                    frame = outgoing.seal(plaintext)
                    if self.breaks_mac:
                        frame = frame[:-1] + bytes([frame[-1] ^ 1])
                    writer.write(frame)
                    await writer.drain()
        except WireError as error:
            reason = str(error)
        except OSError, EOFError:
            pass
        finally:
            self._writers.pop(writer, None)
            writer.close()
            participant.emit("aux_closed", reason=reason)
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def drop_streams(self) -> None:
        """End all streams at once."""
        for writer in list(self._writers):
            writer.transport.abort()

    @override
    def closed(self, participant: Participant, channel: Channel) -> None:
        server = self._servers.pop(channel.number, None)
        if server is not None:
            server.close()
        for writer, number in list(self._writers.items()):
            if number == channel.number:
                writer.transport.abort()

    async def stopped(self) -> None:
        """Wait until everything is closed."""
        self.drop_streams()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
