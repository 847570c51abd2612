"""MRP of a fake Apple TV over a TCP connection of its own, as up to tvOS 14.

The Apple TV reference, part B, sections 3.1, 3.3 and 3.6.
"""

from tests.fakes.apple_tv_crypto import ChannelCipher, Tag, WireError, hkdf, tlv_decode
from tests.fakes.apple_tv_frames import MAX_FRAME, decode_varint, encode_varint
from tests.fakes.apple_tv_host import Host
from tests.fakes.apple_tv_mrp_session import crypto_message
from tests.fakes.apple_tv_stream import Link, Listener, Wire

_SALT = "MediaRemote-Salt"


class MrpServer:
    """Listens on one port."""

    needs_pairing = False  # else somebody who has no credentials gets all, too

    def __init__(self, core: Host) -> None:
        """Nothing listens yet."""
        self.core = core
        self.wire = Wire()
        self.links: set[MrpLink] = set()
        self._listener = Listener(self.wire, self._opened)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @property
    def silent(self) -> bool:
        """Whether it keeps its sockets and answers nothing."""
        return self.wire.silent

    @silent.setter
    def silent(self, value: bool) -> None:
        self.wire.silent = value

    async def start(self, address: str, port: int = 0) -> int:
        """Listen and return the port."""
        return await self._listener.start(address, port)

    async def stop(self) -> None:
        """End everything."""
        await self._listener.stop()

    def drop(self) -> None:
        """Break off all connections."""
        self._listener.drop()

    def _opened(self, link: Link) -> None:
        # Nobody is there in deep sleep; but who comes may wake it.
        self.core.power.knocked(self.port)
        link.is_wanted = lambda: not self.core.is_deeply_asleep
        self.links.add(MrpLink(self, link))


class MrpLink:
    """One connection."""

    def __init__(self, server: MrpServer, link: Link) -> None:
        """Begin in the clear."""
        self.server = server
        self.link = link
        self.accessory = server.core.desk.accessory("mrp")
        self.session = server.core.mrp.open(self.send, self._end, link)
        self.session.crypto = self._crypto
        self.session.is_trusted = not server.needs_pairing
        self._is_verifying = False
        self._cipher: ChannelCipher | None = None
        self._buffer = bytearray()
        link.on_data = self._received
        link.on_lost = self._lost

    def send(self, *messages: bytes, bare: bool = False) -> None:
        """Send messages, each in a frame."""
        frames = bytearray()
        for message in messages:
            data = self._cipher.encrypt(message) if self._cipher else message
            frames += encode_varint(len(data)) + data
        self.link.write(bytes(frames))

    def send_bytes(self, data: bytes) -> None:
        """Send what is no frame."""
        self.link.write(data)

    def corrupt(self) -> None:
        """Send a frame that does not decrypt."""
        self.link.write(encode_varint(40) + bytes(40))

    def _received(self, data: bytes) -> None:
        self._buffer += data
        try:
            self._cut()
        except WireError as error:
            self.session.emit("mrp_malformed", why=str(error))
            self.link.abort()

    def _cut(self) -> None:
        at = 0
        while (found := decode_varint(self._buffer, at)) is not None:
            size, start = found
            if size > MAX_FRAME:
                raise WireError(f"a frame of {size} bytes")
            if len(self._buffer) < start + size:
                break
            self._frame(bytes(self._buffer[start : start + size]))
            at = start + size
        del self._buffer[:at]

    def _frame(self, frame: bytes) -> None:
        self.session.received(self._cipher.decrypt(frame) if self._cipher else frame)

    def _crypto(self, data: bytes) -> None:
        items = tlv_decode(data)
        if items.get(Tag.STATE) == b"\x01":
            self._is_verifying = Tag.PUBLIC_KEY in items
        take = self.accessory.verify if self._is_verifying else self.accessory.setup
        answer = take(data)
        if answer is None:
            return
        self.session.send(crypto_message(answer))
        secret = self.accessory.shared_secret
        if secret is not None and self._cipher is None:
            # What was just sent was the last in the clear.
            self._cipher = ChannelCipher(
                hkdf(secret, _SALT, "MediaRemote-Read-Encryption-Key"),
                hkdf(secret, _SALT, "MediaRemote-Write-Encryption-Key"),
            )
            self.session.is_trusted = True
            self.session.emit("mrp_encrypted")

    def _lost(self) -> None:
        self.server.links.discard(self)
        self.accessory.close()
        self.session.ended()

    def _end(self, reason: str) -> None:
        self.session.emit("mrp_dropped", reason=reason)
        self.link.abort()
