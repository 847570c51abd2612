"""How a fake KDE Connect device makes a link, in both roles (section 5)."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.kdeconnect_misbehave import Misbehave
from tests.fakes.kdeconnect_peer import LineReader
from tests.fakes.kdeconnect_tls import (
    TlsChannel,
    close_stream,
    common_name,
    tls_context,
)
from tests.fakes.kdeconnect_wire import (
    IDENTITY,
    MAX_IDENTITY,
    Body,
    FakeIdentity,
    FakePacket,
    WireError,
    decode_packet,
    encode_packet,
)

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice

_HANDSHAKE_TIMEOUT = 10


class LinkFailedError(Exception):
    """A connection ended before it was a link."""


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that is set up and checked."""

    channel: TlsChannel
    lines: LineReader
    identity: FakeIdentity
    certificate: bytes


@dataclass(frozen=True, slots=True)
class Target:
    """What a caller believes of the device it calls."""

    device_id: str | None = None
    protocol: int | None = None
    announced: FakeIdentity | None = None  # the only one there is with protocol 7


class LinkSetup:
    """One connection on its way to become a link."""

    def __init__(
        self,
        device: FakeDevice,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Take over a connection; it is closed when the set-up fails."""
        self._device = device
        self._reader = reader
        self._writer = writer

    @property
    def _caller_timeout(self) -> float | None:
        if Misbehave.NO_TLS in self._device.misbehave:
            return None
        return self._device.caller_timeout

    async def call(self, target: Target) -> NewLink:
        """Act as caller: we are the TLS server."""
        try:
            await self._stop_here(Misbehave.HALF_OPEN)
            self._send_clear_identity(target)
            await self._stop_here(Misbehave.NO_TLS)
            channel = await self._start_tls(server=True)
            # Without a datagram before, the version is not known: assume the newest.
            protocol = target.protocol
            if protocol is None:
                protocol = target.announced.protocol if target.announced else 8
            return await self._finish(channel, target.announced, protocol)
        except BaseException:
            await self._give_up()
            raise

    async def answer(self) -> NewLink:
        """Act as called: we are the TLS client, and have a limit of time."""
        try:
            await self._stop_here(Misbehave.HALF_OPEN)
            try:
                async with asyncio.timeout(self._caller_timeout):
                    identity = await self._read_clear_identity()
                    await self._stop_here(Misbehave.NO_TLS)
                    channel = await self._start_tls(server=False)
            except TimeoutError:
                raise LinkFailedError("the caller took too long") from None
            return await self._finish(channel, identity, identity.protocol)
        except BaseException:
            await self._give_up()
            raise

    # --- clear text ---

    def _send_clear_identity(self, target: Target) -> None:
        device = self._device
        body = device.identity_body("clear")
        if target.device_id is not None and device.sends_target:
            body.setdefault("targetDeviceId", target.device_id)
            version = target.protocol or 8
            # Android writes this number as text.
            body.setdefault(
                "targetProtocolVersion",
                str(version) if device.kind == "phone" else version,
            )
        line = _identity_line(device, body, big=Misbehave.BIG_IDENTITY)
        if Misbehave.TRAILING_DATA in device.misbehave:
            line += b'{"id":1,"type":"kdeconnect.ping","body":{}}\n'
        self._writer.write(line)

    async def _read_clear_identity(self) -> FakeIdentity:
        buffer = b""
        while True:
            data = await self._reader.read(MAX_IDENTITY + 1 - len(buffer))
            if not data:
                raise LinkFailedError("closed before an identity came")
            buffer += data
            while b"\n" in buffer:
                line, _, buffer = buffer.partition(b"\n")
                if len(line) >= MAX_IDENTITY:
                    raise LinkFailedError("identity too long")
                try:
                    identity = self._check_clear_identity(line)
                except WireError as error:
                    # Ignored: the caller may try again until its time is over.
                    if self._device.caller_timeout is None:
                        raise LinkFailedError(str(error)) from error
                    continue
                if buffer:
                    raise LinkFailedError("data after the clear identity")
                return identity
            if len(buffer) >= MAX_IDENTITY:
                raise LinkFailedError("identity too long")

    def _check_clear_identity(self, line: bytes) -> FakeIdentity:
        device = self._device
        strict = device.protocol >= 8
        identity = FakeIdentity.parse(decode_packet(line), strict=strict)
        if identity.device_id == device.device_id:
            raise WireError("our own id")
        if strict:
            if identity.target_id not in {None, device.device_id}:
                raise WireError("meant for another device")
            if identity.target_protocol not in {None, device.protocol}:
                raise WireError("meant for another version")
        device.check_version(identity)
        return identity

    # --- TLS ---

    async def _start_tls(self, *, server: bool) -> TlsChannel:
        device = self._device
        if Misbehave.WRONG_TLS_ROLE in device.misbehave:
            server = not server
        credentials = device.presented_credentials()
        bare = Misbehave.NO_CERTIFICATE in device.misbehave and not server
        context = tls_context(
            None if bare else credentials, server=server, tls13=device.tls13
        )
        channel = TlsChannel(self._reader, self._writer, context, server=server)
        try:
            async with asyncio.timeout(_HANDSHAKE_TIMEOUT):
                await channel.handshake()
        except TimeoutError:
            raise LinkFailedError("TLS took too long") from None
        except OSError as error:
            raise LinkFailedError(str(error)) from error
        return channel

    async def _finish(
        self, channel: TlsChannel, first: FakeIdentity | None, protocol: int
    ) -> NewLink:
        device = self._device
        lines = LineReader(channel)
        certificate = channel.peer_certificate
        if certificate is None:
            raise LinkFailedError("no certificate")
        if first is not None:
            device.check_certificate(first.device_id, certificate)
        identity = first
        if protocol >= 8 and device.protocol >= 8:
            await self._send_second_identity(channel)
            identity = await self._read_second_identity(lines)
            if identity.protocol != protocol:
                raise LinkFailedError("the version changed")
            if first is not None and identity.device_id != first.device_id:
                raise LinkFailedError("the id changed")
        if identity is None:
            raise LinkFailedError("no identity")
        device.check_certificate(identity.device_id, certificate)
        if common_name(certificate) != identity.device_id:
            raise LinkFailedError("the certificate is another device's")
        return NewLink(channel, lines, identity, certificate)

    async def _send_second_identity(self, channel: TlsChannel) -> None:
        device = self._device
        if Misbehave.NO_SECOND_IDENTITY in device.misbehave:
            with contextlib.suppress(OSError):
                while await channel.read():
                    pass
            raise LinkFailedError("closed while waiting for our second identity")
        if Misbehave.OTHER_SECOND_PACKET in device.misbehave:
            channel.write(encode_packet(FakePacket("kdeconnect.ping")))
            return
        body = device.identity_body("secure")
        if Misbehave.SWAPPED_ID in device.misbehave:
            body["deviceId"] = device.other_id
        if Misbehave.CHANGED_VERSION in device.misbehave:
            body["protocolVersion"] = device.protocol + 1
        channel.write(_identity_line(device, body, big=Misbehave.BIG_SECOND_IDENTITY))

    async def _read_second_identity(self, lines: LineReader) -> FakeIdentity:
        try:
            async with asyncio.timeout(self._device.second_identity_timeout):
                line = await lines.read_line(MAX_IDENTITY)
            if line is None:
                raise LinkFailedError("closed before the second identity came")
            return FakeIdentity.parse(decode_packet(line))
        except TimeoutError:
            raise LinkFailedError("no second identity came") from None
        except (OSError, WireError) as error:
            raise LinkFailedError(f"second identity: {error}") from error

    # --- ends ---

    async def _stop_here(self, misbehave: Misbehave) -> None:
        """Say nothing more, if we are to misbehave so, until the other side closes."""
        if misbehave not in self._device.misbehave:
            return
        with contextlib.suppress(OSError):
            while await self._reader.read(65536):
                pass
        raise LinkFailedError("closed while we were silent")

    async def _give_up(self) -> None:
        await close_stream(self._writer)


def _identity_line(device: FakeDevice, body: Body, *, big: Misbehave) -> bytes:
    if big in device.misbehave:
        body["padding"] = "x" * (MAX_IDENTITY + 1000)
    return encode_packet(FakePacket(IDENTITY, body), text_id=device.text_id)
