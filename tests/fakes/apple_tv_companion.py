"""The Companion link of a fake Apple TV: connections, frames, encryption, events.

The Apple TV reference, part A, sections 4.1 to 4.4 and 4.10.
"""

import secrets
from typing import TYPE_CHECKING

from tests.fakes.apple_tv_commands import CommandError, Commands, Message
from tests.fakes.apple_tv_crypto import ChannelCipher, WireError, hkdf
from tests.fakes.apple_tv_hap import Procedure
from tests.fakes.apple_tv_opack import OpackValue, pack, unpack_dict
from tests.fakes.apple_tv_stream import Link, Listener, Wire

if TYPE_CHECKING:
    from tests.fakes.apple_tv import FakeAppleTv

NO_OP, PS_START, PS_NEXT, PV_START, PV_NEXT, E_OPACK = 1, 3, 4, 5, 6, 8
EVENT, REQUEST, RESPONSE = 1, 2, 3


class CompanionServer:
    """All connections. Attributes are switches that may be changed at any time."""

    # Bad behaviour.
    mute: set[str]  # requests that get no answer
    errors: dict[str, CommandError]  # requests that fail
    answer_delay = 0.0  # seconds before each answer to a request
    answers_twice = False
    nameless: set[str]  # requests whose answer lacks `_i`, as it may
    sends_pointers = True
    close_after: int | None = None  # frames until the connection is closed

    def __init__(self, device: FakeAppleTv) -> None:
        self.mute = set()
        self.nameless = {"_sessionStart"}
        self.errors = {}
        self.wire = Wire()
        self._device = device
        self._listener = Listener(self.wire, self._opened)
        self.connections: list[CompanionConnection] = []
        self.commands = Commands(device)

    async def start(self, address: str, port: int = 0) -> int:
        """Listen, return the port."""
        self._listener = Listener(self.wire, self._opened)
        return await self._listener.start(address, port)

    async def stop(self) -> None:
        """Close everything."""
        await self._listener.stop()

    def drop(self) -> None:
        """Break off all connections."""
        self._listener.drop()

    @property
    def connection(self) -> CompanionConnection:
        """The newest verified connection. Raises LookupError."""
        for connection in reversed(self.connections):
            if connection.cipher is not None:
                return connection
        raise LookupError("nobody is connected")

    def release(self) -> None:
        """Handle what came while the network was asleep."""
        for connection in tuple(self.connections):
            connection.release()

    def power_changed(self) -> None:
        """Tell the subscribers."""
        state = self._device.power.attention
        for name in self._device.flavour.status_events:
            for connection in self.connections:
                # Without an id of its own a client never gets this one.
                if name == "SystemStatus" or connection.installation is not None:
                    connection.tell(name, {"state": state})

    def media_changed(self) -> None:
        """Tell the subscribers what can be done, after each change of the volume too."""
        for connection in self.connections:
            self.tell_media(connection)

    def tell_media(self, connection: CompanionConnection) -> None:
        """Tell one subscriber."""
        connection.tell("_iMC", {"_mcF": self._device.media_flags})

    def focus_changed(self) -> None:
        """Tell everybody with a text session that a field has, or lost, the focus."""
        if not self._device.flavour.tells_focus:
            return
        for connection in self.connections:
            if connection.is_text_started:
                name = "_tiStarted" if self._device.text_field else "_tiStopped"
                connection.event(name, self.commands.text_content(connection))

    def evict(self, newcomer: CompanionConnection) -> None:
        """Close older connections of the same installation."""
        if not self._device.flavour.evicts_twins or newcomer.installation is None:
            return
        for other in tuple(self.connections):
            if other is not newcomer and other.installation == newcomer.installation:
                self._device.emit("evicted", client=other.number)
                other.link.close()

    def _opened(self, link: Link) -> None:
        connection = CompanionConnection(self._device, self, link)
        link.on_data = connection.received
        link.on_lost = connection.lost
        self.connections.append(connection)
        self._device.power.knocked(self._device.companion_port)


class CompanionConnection:
    """One client."""

    _numbers = iter(range(1, 1 << 31))

    def __init__(
        self, device: FakeAppleTv, server: CompanionServer, link: Link
    ) -> None:
        self.number = next(self._numbers)
        self.link = link
        self._device = device
        self._server = server
        self._accessory = device.desk.accessory("companion")
        self._buffer = bytearray()
        self._frames = 0
        self._secret = b""
        self.cipher: ChannelCipher | None = None
        # What the client did.
        self.system_info: Message = {}
        self.installation: str | None = None
        self.interests: set[str] = set()
        self.session_id: int | None = None
        self.has_tvrc = False
        self.has_touch = False
        self.is_text_started = False
        self.text_session = b""
        self.pressed: dict[int, float] = {}

    # What comes

    def received(self, data: bytes) -> None:
        """Take bytes."""
        self._buffer += data
        self.release()

    def release(self) -> None:
        """Handle the frames that are complete, unless the network sleeps."""
        buffer = self._buffer
        while len(buffer) >= 4 and not self._device.power.is_deep:
            end = 4 + int.from_bytes(buffer[1:4])
            if len(buffer) < end:
                return
            header, payload = bytes(buffer[:4]), bytes(buffer[4:end])
            del buffer[:end]
            try:
                if payload and self.cipher is not None:
                    payload = self.cipher.decrypt(payload, header)
                self._frame(header[0], payload)
            except WireError as error:
                self._device.emit("malformed", client=self.number, why=str(error))
                self.link.close()
                return

    def _frame(self, kind: int, payload: bytes) -> None:
        if kind == NO_OP:
            self._device.emit("no_op", client=self.number)
        elif kind in (PS_START, PS_NEXT):
            self._authenticate("setup", PS_NEXT, payload)
        elif kind in (PV_START, PV_NEXT):
            self._authenticate("verify", PV_NEXT, payload)
        elif kind == E_OPACK:
            if self.cipher is None:
                raise WireError("a message before the verification")
            self._message(unpack_dict(payload))
        else:
            self._device.emit("unknown_frame", client=self.number, type=kind)

    def _authenticate(self, procedure: Procedure, kind: int, payload: bytes) -> None:
        data = unpack_dict(payload).get("_pd")
        if not isinstance(data, bytes):
            raise WireError("no pairing data")
        accessory = self._accessory
        is_setup = procedure == "setup"
        answer = accessory.setup(data) if is_setup else accessory.verify(data)
        if answer is not None:
            content: Message = {"_pd": answer}
            if is_setup:
                content["_pwTy"] = 1
            self.frame(kind, pack(content))
        secret = accessory.shared_secret
        if secret is not None and secret != self._secret:
            self._secret = secret
            self.cipher = ChannelCipher(
                hkdf(secret, "", "ServerEncrypt-main"),
                hkdf(secret, "", "ClientEncrypt-main"),
                12,
            )
            self._device.emit("companion_verified", client=self.number)

    def _message(self, message: Message) -> None:
        name, kind = message.get("_i"), message.get("_t")
        content = message.get("_c", {})
        if not isinstance(name, str) or not isinstance(content, dict):
            raise WireError("a message without a name or content")
        if kind == EVENT:
            try:
                self._server.commands.event(self, name, content)
            except CommandError as error:
                raise WireError(f"{name}: {error}") from error
        elif kind == REQUEST:
            self._device.emit("request", client=self.number, name=name)
            self._request(name, content, message.get("_x"))

    def _request(self, name: str, content: Message, transfer: OpackValue) -> None:
        server = self._server
        answer: Message = {"_t": RESPONSE, "_x": transfer}
        if name not in server.nameless:
            answer = {"_i": name, **answer}
        then = None
        try:
            if name in server.errors:
                raise server.errors[name]
            found = server.commands.request(self, name, content)
            if found is None:
                return
            answer["_c"], then = found
        except CommandError as error:
            answer |= {"_ec": error.code, "_ed": error.domain, "_em": error.message}
            self._device.emit("refused", client=self.number, name=name, code=error.code)
        if name not in server.mute:

            def send() -> None:
                for _ in range(1 + server.answers_twice):
                    self.message(answer)

            self._device.later(server.answer_delay, send)
        if then is not None:
            self._device.later(server.answer_delay, then)

    # What goes

    def frame(self, kind: int, payload: bytes) -> None:
        """Send a frame, encrypted if we are."""
        self.link.write(self.encoded(kind, payload))
        self._frames += 1
        limit = self._server.close_after
        if limit is not None and self._frames >= limit:
            self.link.close()

    def encoded(self, kind: int, payload: bytes) -> bytes:
        """Return the bytes of a frame; it must be sent then."""
        if not payload or self.cipher is None:
            return bytes((kind,)) + len(payload).to_bytes(3) + payload
        header = bytes((kind,)) + (len(payload) + 16).to_bytes(3)
        return header + self.cipher.encrypt(payload, header)

    def message(self, message: Message) -> None:
        """Send a message to a client that is still there."""
        if self.link.is_open:
            self.frame(E_OPACK, pack(message, pointers=self._server.sends_pointers))

    def event(self, name: str, content: Message) -> None:
        """Send an event, whether it was asked for or not."""
        number = secrets.randbits(16)
        self.message({"_i": name, "_x": number, "_t": EVENT, "_c": content})

    def tell(self, name: str, content: Message) -> None:
        """Send an event if it was asked for."""
        if name in self.interests and self.cipher is not None:
            self.event(name, content)

    def lost(self) -> None:
        """The connection is gone."""
        self._accessory.close()
        if self in self._server.connections:
            self._server.connections.remove(self)
        self._device.emit("companion_lost", client=self.number)
