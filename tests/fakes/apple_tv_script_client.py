"""A small controller for the tests of the fake Apple TV; shares no code with ours."""

import asyncio
from collections.abc import Callable
import hashlib
import secrets
import struct
from types import TracebackType
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)

from tests.fakes.apple_tv_crypto import (
    ChannelCipher,
    Tag,
    hkdf,
    seal,
    tlv_decode,
    tlv_encode,
    unseal,
)
from tests.fakes.apple_tv_dns import Labels, read_name
from tests.fakes.apple_tv_opack import OpackValue, pack, unpack_dict
from tests.fakes.apple_tv_srp import HAP, Group

type Message = dict[str, OpackValue]
type Answer = Callable[[bytes], bytes | None]

IDENTIFIER = b"0a0b0c0d-0000-4000-8000-000000000001"


class PairingError(Exception):
    """The device answered with an Error item."""

    def __init__(self, code: int, delay: int | None) -> None:
        super().__init__(code, delay)
        self.code = code
        self.delay = delay


def _shortest(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8)


class SrpClient:
    """The controller's side of one exchange."""

    def __init__(self, group: Group, user: str, secret: int | None = None) -> None:
        self._group = group
        self._user = user.encode()
        self._secret = secret or secrets.randbits(256)
        self._a = pow(group.generator, self._secret, group.prime)
        self.public = _shortest(self._a)
        self.key = b""
        self.expected = b""

    def prove(self, password: str, salt: bytes, public: bytes) -> bytes:
        """Return our proof; `key` and the `expected` proof are there then."""
        group, size = self._group, self._group.size
        b = int.from_bytes(public)
        inner = group.digest(self._user + b":" + password.encode())
        x = int.from_bytes(group.digest(salt + inner))
        prime = group.prime.to_bytes(size)
        k = int.from_bytes(group.digest(prime + group.generator.to_bytes(size)))
        u = int.from_bytes(group.digest(self._a.to_bytes(size) + b.to_bytes(size)))
        base = b - k * pow(group.generator, x, group.prime)
        shared = pow(base, self._secret + u * x, group.prime)
        self.key = group.key(_shortest(shared))
        pairs = zip(
            group.digest(prime),
            group.digest(bytes((group.generator,))),
            strict=True,
        )
        mixed = bytes(one ^ two for one, two in pairs)
        proof = group.digest(
            mixed
            + group.digest(self._user)
            + salt
            + self.public
            + _shortest(b)
            + self.key
        )
        self.expected = group.digest(self.public + proof + self.key)
        return proof


class Controller:
    """Who pairs and verifies; it keeps what it learned of the device."""

    def __init__(self, identifier: bytes = IDENTIFIER) -> None:
        self.identifier = identifier
        self.key = Ed25519PrivateKey.generate()
        self.device_id = b""
        self.device_key = b""
        self.name: str | None = "Script"

    @property
    def public(self) -> bytes:
        """The long-term public key."""
        return self.key.public_key().public_bytes_raw()

    def setup_start(self, *, transient: bool = False) -> bytes:
        """Return M1."""
        items = [(Tag.METHOD, b"\0"), (Tag.STATE, b"\1")]
        return tlv_encode(items + ([(Tag.FLAGS, b"\x10")] if transient else []))

    def prove(self, m2: bytes, pin: str) -> tuple[SrpClient, bytes]:
        """Return what goes on, and M3."""
        items = checked(m2)
        srp = SrpClient(HAP, "Pair-Setup")
        proof = srp.prove(pin, items[Tag.SALT], items[Tag.PUBLIC_KEY])
        tlv = [(Tag.STATE, b"\3"), (Tag.PUBLIC_KEY, srp.public), (Tag.PROOF, proof)]
        return srp, tlv_encode(tlv)

    def exchange(self, srp: SrpClient, m4: bytes) -> bytes:
        """Check M4 and return M5."""
        assert checked(m4)[Tag.PROOF] == srp.expected, "the device's proof is wrong"
        key = hkdf(srp.key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
        prefix = hkdf(
            srp.key,
            "Pair-Setup-Controller-Sign-Salt",
            "Pair-Setup-Controller-Sign-Info",
        )
        signature = self.key.sign(prefix + self.identifier + self.public)
        items = [
            (Tag.IDENTIFIER, self.identifier),
            (Tag.PUBLIC_KEY, self.public),
            (Tag.SIGNATURE, signature),
        ]
        if self.name is not None:
            items.append((Tag.NAME, pack({"name": self.name})))
        sealed = seal(key, "PS-Msg05", tlv_encode(items))
        return tlv_encode([(Tag.STATE, b"\5"), (Tag.ENCRYPTED_DATA, sealed)])

    def finish(self, srp: SrpClient, m6: bytes) -> dict[int, bytes]:
        """Check M6, return what is in it. Raises InvalidSignature."""
        key = hkdf(srp.key, "Pair-Setup-Encrypt-Salt", "Pair-Setup-Encrypt-Info")
        sealed = checked(m6)[Tag.ENCRYPTED_DATA]
        inner = tlv_decode(unseal(key, "PS-Msg06", sealed))
        prefix = hkdf(
            srp.key, "Pair-Setup-Accessory-Sign-Salt", "Pair-Setup-Accessory-Sign-Info"
        )
        self.device_id, self.device_key = inner[Tag.IDENTIFIER], inner[Tag.PUBLIC_KEY]
        Ed25519PublicKey.from_public_bytes(self.device_key).verify(
            inner[Tag.SIGNATURE], prefix + self.device_id + self.device_key
        )
        return inner

    def pair(self, answer: Answer, pin: str) -> dict[int, bytes]:
        """Do all of it with something that answers."""
        srp, m3 = self.prove(_given(answer(self.setup_start())), pin)
        m5 = self.exchange(srp, _given(answer(m3)))
        return self.finish(srp, _given(answer(m5)))

    def verify_start(self) -> tuple[X25519PrivateKey, bytes]:
        """Return what goes on, and M1."""
        private = X25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        return private, tlv_encode([(Tag.STATE, b"\1"), (Tag.PUBLIC_KEY, public)])

    def verify_answer(
        self, private: X25519PrivateKey, m2: bytes
    ) -> tuple[bytes, bytes]:
        """Check M2, return the secret and M3. Raises InvalidSignature."""
        items = checked(m2)
        theirs, ours = items[Tag.PUBLIC_KEY], private.public_key().public_bytes_raw()
        secret = private.exchange(X25519PublicKey.from_public_bytes(theirs))
        key = hkdf(secret, "Pair-Verify-Encrypt-Salt", "Pair-Verify-Encrypt-Info")
        inner = tlv_decode(unseal(key, "PV-Msg02", items[Tag.ENCRYPTED_DATA]))
        assert inner[Tag.IDENTIFIER] == self.device_id, "another device"
        Ed25519PublicKey.from_public_bytes(self.device_key).verify(
            inner[Tag.SIGNATURE], theirs + self.device_id + ours
        )
        signature = self.key.sign(ours + self.identifier + theirs)
        answer = [(Tag.IDENTIFIER, self.identifier), (Tag.SIGNATURE, signature)]
        sealed = seal(key, "PV-Msg03", tlv_encode(answer))
        m3 = tlv_encode([(Tag.STATE, b"\3"), (Tag.ENCRYPTED_DATA, sealed)])
        return secret, m3

    def verify(self, answer: Answer) -> bytes:
        """Do all of it with something that answers, return the secret."""
        private, m1 = self.verify_start()
        secret, m3 = self.verify_answer(private, _given(answer(m1)))
        assert checked(_given(answer(m3)))[Tag.STATE] == b"\4"
        return secret


def checked(data: bytes) -> dict[int, bytes]:
    """Read a TLV. Raises PairingError when it is an Error."""
    items = tlv_decode(data)
    if Tag.ERROR in items:
        delay = items.get(Tag.RETRY_DELAY)
        seconds = None if delay is None else int.from_bytes(delay, "little")
        raise PairingError(items[Tag.ERROR][0], seconds)
    return items


def _given(data: bytes | None) -> bytes:
    assert data is not None, "no answer"
    return data


class CompanionScript:
    """A Companion client that does what it is told."""

    def __init__(self, controller: Controller, installation: str | None) -> None:
        self.controller = controller
        self.installation = installation
        self.events: list[Message] = []
        self._cipher: ChannelCipher | None = None
        self._transfer = 1000
        self._reader = asyncio.StreamReader()
        self._writer: asyncio.StreamWriter | None = None

    @classmethod
    async def connect(
        cls,
        address: str,
        port: int,
        controller: Controller | None = None,
        installation: str | None = "a1b2c3d4e5f6",
    ) -> Self:
        """Open the connection."""
        self = cls(controller or Controller(), installation)
        self._reader, self._writer = await asyncio.open_connection(address, port)
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            try:
                await self._writer.wait_closed()
            except ConnectionError:
                return

    def write(self, data: bytes) -> None:
        """Send any bytes."""
        assert self._writer is not None
        self._writer.write(data)

    def send(self, kind: int, payload: bytes) -> None:
        """Send a frame."""
        header = bytes((kind,)) + len(payload).to_bytes(3)
        if payload and self._cipher is not None:
            header = bytes((kind,)) + (len(payload) + 16).to_bytes(3)
            payload = self._cipher.encrypt(payload, header)
        self.write(header + payload)

    async def receive(self) -> tuple[int, bytes]:
        """Return the next frame. Raises IncompleteReadError at the end."""
        async with asyncio.timeout(5):
            header = await self._reader.readexactly(4)
            payload = await self._reader.readexactly(int.from_bytes(header[1:]))
        if payload and self._cipher is not None:
            payload = self._cipher.decrypt(payload, header)
        return header[0], payload

    async def until_end(self) -> bytes:
        """Return what comes until the device closes the connection."""
        async with asyncio.timeout(5):
            try:
                return await self._reader.read()
            except ConnectionError:
                return b""

    async def authenticate(self, kind: int, tlv: bytes) -> bytes:
        """Send a pairing message and return the answer."""
        self.send(kind, pack({"_pd": tlv, "_auTy": 4}))
        answered, payload = await self.receive()
        assert answered in (4, 6)
        data = unpack_dict(payload)["_pd"]
        assert isinstance(data, bytes)
        return data

    async def pair(self, pin: str) -> dict[int, bytes]:
        """Pair."""
        controller = self.controller
        m2 = await self.authenticate(3, controller.setup_start())
        srp, m3 = controller.prove(m2, pin)
        m5 = controller.exchange(srp, await self.authenticate(4, m3))
        return controller.finish(srp, await self.authenticate(4, m5))

    async def verify(self) -> None:
        """Verify, and encrypt from then on."""
        private, m1 = self.controller.verify_start()
        m2 = await self.authenticate(5, m1)
        secret, m3 = self.controller.verify_answer(private, m2)
        checked(await self.authenticate(6, m3))
        self._cipher = ChannelCipher(
            hkdf(secret, "", "ClientEncrypt-main"),
            hkdf(secret, "", "ServerEncrypt-main"),
            12,
        )

    async def message(self) -> Message:
        """Return the next message."""
        while True:
            kind, payload = await self.receive()
            if kind == 8:
                return unpack_dict(payload)

    async def event(self, name: str) -> Message:
        """Return the content of the next such event that was not returned yet."""
        while True:
            for event in self.events:
                if event["_i"] == name:
                    self.events.remove(event)
                    content = event["_c"]
                    assert isinstance(content, dict)
                    return content
            message = await self.message()
            assert message["_t"] == 1
            self.events.append(message)

    async def ask(self, name: str, /, **content: OpackValue) -> Message:
        """Send a request, return the whole answer; events are kept."""
        self._transfer += 1
        number = self._transfer
        self.send(8, pack({"_i": name, "_t": 2, "_c": content, "_x": number}))
        while True:
            message = await self.message()
            if message["_t"] == 1:
                self.events.append(message)
                continue
            assert message["_x"] == number
            return message

    async def content(self, name: str, /, **content: OpackValue) -> Message:
        """Send a request that must not fail, return the answer's content."""
        answer = await self.ask(name, **content)
        assert "_em" not in answer, answer
        found = answer["_c"]
        assert isinstance(found, dict)
        return found

    async def code(self, name: str, /, **content: OpackValue) -> OpackValue:
        """Send a request that fails, return the code."""
        return (await self.ask(name, **content))["_ec"]

    def tell(self, name: str, /, **content: OpackValue) -> None:
        """Send an event."""
        self._transfer += 1
        message: Message = {"_i": name, "_t": 1, "_c": content, "_x": self._transfer}
        self.send(8, pack(message))

    async def start_session(self) -> int:
        """Tell who we are and begin, return the session id."""
        await self.content("_systemInfo", _i=self.installation, name="Script")
        await self.content("_touchStart", _height=1000.0, _width=1000.0, _tFl=0)
        answer = await self.content(
            "_sessionStart", _srvT="com.apple.tvremoteservices", _sid=5
        )
        number = answer["_sid"]
        assert isinstance(number, int)
        return number << 32 | 5

    async def press(self, button: int) -> None:
        """Press and release a button."""
        await self.content("_hidC", _hBtS=1, _hidC=button)
        await self.content("_hidC", _hBtS=2, _hidC=button)


def read_records(data: bytes) -> list[tuple[Labels, int, bytes, int]]:
    """Return a DNS message's records: name, type, data, and where its data begins."""
    counts = struct.unpack_from(">HHHHHH", data)
    at = 12
    for _ in range(counts[2]):
        _, at = read_name(data, at)
        at += 4
    records = []
    for _ in range(sum(counts[3:])):
        name, at = read_name(data, at)
        kind, _, _, size = struct.unpack_from(">HHIH", data, at)
        at += 10
        records.append((name, kind, data[at : at + size], at))
        at += size
    assert at == len(data)
    return records


def sha256(data: bytes) -> str:
    """Return the digest of something long."""
    return hashlib.sha256(data).hexdigest()
