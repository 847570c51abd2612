"""A device whose links are in memory, where the order of everything is known."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from typing import override

from ..connections import MemoryTransport
from .support import fake_credentials, our_credentials
from custom_components.rumpus.protocols.json_lines import JsonLinesStream
from custom_components.rumpus.protocols.kdeconnect.const import DeviceType
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import DeviceEvent
from custom_components.rumpus.protocols.kdeconnect.identity import Identity
from custom_components.rumpus.protocols.kdeconnect.link import MAX_UNPAIRED_LINE, Link
from custom_components.rumpus.protocols.kdeconnect.paired import PairedDevice
from custom_components.rumpus.protocols.kdeconnect.payload import Payloads
from custom_components.rumpus.protocols.kdeconnect.tls import TlsContexts


class EndingTransport(MemoryTransport):
    """Tells its protocol when it is closed, as real ones do."""

    protocol: asyncio.StreamReaderProtocol

    @override
    def abort(self) -> None:
        if not self.aborted:
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)
        super().abort()

    @override
    def close(self) -> None:
        self.abort()


class Bench:
    """A device whose links are in memory, and all that it tells."""

    def __init__(self, *, paired: bool = False, protocol: int = 8) -> None:
        self.identity = Identity(
            fake_credentials().device_id, "Phone", DeviceType.PHONE, protocol
        )
        self.certificate = fake_credentials().certificate_der
        self.told: list[DeviceEvent] = []
        self.device = RemoteDevice(
            self.identity,
            our_credentials().certificate,
            paired=self.stored if paired else None,
            payloads=Payloads(TlsContexts(our_credentials()), "127.0.0.1"),
            changed=lambda _, event: self.told.append(event),
        )

    @property
    def stored(self) -> PairedDevice:
        """What would be stored of it."""
        return PairedDevice.create(self.identity, self.certificate, "10.0.0.5", 1717)

    def link(
        self, certificate: bytes | None = None, caller_id: str = ""
    ) -> tuple[Link, asyncio.StreamReader, MemoryTransport]:
        """Make a link, opened by the device unless told otherwise."""
        reader, transport = asyncio.StreamReader(), EndingTransport()
        transport.protocol = asyncio.StreamReaderProtocol(reader)
        writer = asyncio.StreamWriter(
            transport, transport.protocol, reader, asyncio.get_running_loop()
        )
        stream = JsonLinesStream(reader, writer, max_line=MAX_UNPAIRED_LINE)
        link = Link.create(
            stream,
            self.identity,
            certificate or self.certificate,
            "10.0.0.9",
            caller_id or self.identity.device_id,
        )
        return link, reader, transport


@contextlib.asynccontextmanager
async def bench(*, paired: bool = False, protocol: int = 8) -> AsyncIterator[Bench]:
    """Make a device, and close it in the end."""
    made = Bench(paired=paired, protocol=protocol)
    try:
        yield made
    finally:
        await made.device.close()
