"""How a fake console answers those who want to connect (sections 4.3 and 15.5)."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.xbox_crypto import KEY_TYPES, POINT_SIZES, SessionKeys
from tests.fakes.xbox_network import Address
from tests.fakes.xbox_participant import Participant
from tests.fakes.xbox_wire import Reader, Simple, Value, WireError

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

ALLOW_CONSOLE_USERS, ALLOW_AUTHENTICATED, ALLOW_ANONYMOUS, PENDING_FLAG = 1, 2, 4, 8
(
    SUCCESS,
    PENDING,
    UNKNOWN,
    ANONYMOUS_DISABLED,
    DEVICE_LIMIT,
    SMARTGLASS_DISABLED,
    AUTHENTICATION_FAILED,
    SIGN_IN_FAILED,
    SIGN_IN_TIMED_OUT,
    SIGN_IN_REQUIRED,
) = range(10)
FIRST_PARTICIPANT = 31
_MAX_PIECES = 64


@dataclass(frozen=True, slots=True)
class _Request:
    """One ConnectRequest, opened."""

    keys: SessionKeys
    client_uuid: bytes
    point: bytes
    userhash: str = field(repr=False)
    token: str = field(repr=False)
    numbers: tuple[int, int, int]

    @property
    def identity(self) -> tuple[bytes, bytes]:
        return self.client_uuid, self.point


class ConnectDesk:
    """Collects requests and decides."""

    def __init__(self, console: FakeConsole) -> None:
        self._console = console
        self._groups: dict[tuple[object, ...], dict[int, _Request]] = {}
        self._waiting: dict[tuple[bytes, bytes], asyncio.TimerHandle] = {}
        self.next_participant = FIRST_PARTICIPANT
        self.refusal: int | None = None
        self.refusals_left: int | None = None

    def stop(self) -> None:
        """Forget who is half-way in."""
        for timer in self._waiting.values():
            timer.cancel()
        self._waiting.clear()
        self._groups.clear()

    def received(self, packet: Simple, datagram: bytes, address: Address) -> None:
        """Take a ConnectRequest. Raises WireError."""
        request = self._open(packet, datagram)
        anonymous = not (request.userhash or request.token)
        known = self._find(request.identity)
        shown: dict[str, Value] = {
            "host": address[0],
            "client_uuid": request.client_uuid.hex(),
            "number": request.numbers[0],
            "repeated": known is not None,
        }
        self._console.events.emit("connect_request", **shown)
        if self._console.mute_connects:
            return
        if known is not None:
            known.address = address
            known.heard()
            self._answer(request.keys, address, SUCCESS, known.number)
            return
        whole = request if anonymous else self._collect(request, address)
        if whole is not None:
            self._decide(whole, address)

    def _open(self, packet: Simple, datagram: bytes) -> _Request:
        reader = Reader(packet.body)
        client_uuid, key_type = reader.raw(16), reader.number("H")
        credentials = self._console.credentials
        if key_type != credentials.key_type:
            raise WireError(f"a key for another curve than {KEY_TYPES[key_type]}")
        point = reader.raw(POINT_SIZES[key_type])
        reader.raw(16)
        reader.end()
        keys = SessionKeys.agreed(credentials.key, point)
        reader = Reader(keys.open_simple(packet, datagram))
        userhash, token = reader.string(), reader.string()
        numbers = (reader.number("I"), reader.number("I"), reader.number("I"))
        reader.end()
        return _Request(keys, client_uuid, point, userhash, token, numbers)

    def _find(self, identity: tuple[bytes, bytes]) -> Participant | None:
        for participant in self._console.participants.values():
            if participant.identity == identity:
                return participant
        return None

    def _collect(self, request: _Request, address: Address) -> _Request | None:
        number, begin, end = request.numbers
        if not begin <= number < end or end - begin > _MAX_PIECES:
            raise WireError("a request outside of its group")
        key = (address, request.identity, begin, end)
        group = self._groups.setdefault(key, {})
        group[number] = request
        if len(group) < end - begin:
            return None
        del self._groups[key]
        parts = [group[n] for n in range(begin, end)]
        userhash = "".join(part.userhash for part in parts)
        token = "".join(part.token for part in parts)
        return _Request(
            request.keys,
            request.client_uuid,
            request.point,
            userhash,
            token,
            request.numbers,
        )

    def _decide(self, request: _Request, address: Address) -> None:
        console = self._console
        result = self._verdict(request)
        if result == SUCCESS and console.sign_in_delay is not None:
            self._answer(request.keys, address, PENDING, 0)
            if request.identity not in self._waiting:
                loop = asyncio.get_running_loop()
                self._waiting[request.identity] = loop.call_later(
                    console.sign_in_delay, self._signed_in, request, address
                )
            return
        if result != SUCCESS:
            self._answer(request.keys, address, result, 0)
            return
        self._accept(request, address)

    def _signed_in(self, request: _Request, address: Address) -> None:
        del self._waiting[request.identity]
        self._accept(request, address)

    def _accept(self, request: _Request, address: Address) -> None:
        console = self._console
        for old in list(console.participants.values()):
            if old.identity[0] == request.client_uuid:
                console.remove(old, reason="a new key", by="replaced")
        number = self.next_participant
        self.next_participant += 1
        participant = Participant(
            console, number, request.keys, request.identity, address, request.userhash
        )
        console.participants[number] = participant
        self._answer(request.keys, address, SUCCESS, number)
        participant.emit(
            "connected",
            host=address[0],
            client_uuid=request.client_uuid.hex(),
            anonymous=not request.userhash,
        )

    def _verdict(self, request: _Request) -> int:
        console = self._console
        if self.refusal is not None:
            refusal = self.refusal
            if self.refusals_left is not None:
                self.refusals_left -= 1
                if self.refusals_left == 0:
                    self.refusal = self.refusals_left = None
            return refusal
        if not console.smartglass_enabled:
            return SMARTGLASS_DISABLED
        if not (request.userhash or request.token):
            if not console.flags & ALLOW_ANONYMOUS:
                return ANONYMOUS_DISABLED
        elif console.accounts.get(request.userhash) != request.token:
            return AUTHENTICATION_FAILED
        elif not console.flags & (ALLOW_AUTHENTICATED | ALLOW_CONSOLE_USERS):
            return SIGN_IN_FAILED
        elif not console.signed_in:
            return SIGN_IN_REQUIRED
        others = {p.identity[0] for p in console.participants.values()}
        if len(others - {request.client_uuid}) >= console.max_clients:
            return DEVICE_LIMIT
        return SUCCESS

    def _answer(
        self, keys: SessionKeys, address: Address, result: int, participant: int
    ) -> None:
        console = self._console
        console.events.emit("connect_answer", result=result, participant=participant)
        if console.connect_answers_to_lose > 0:
            console.connect_answers_to_lose -= 1
            return
        pairing = console.pairing_state if result == SUCCESS else 0
        data = keys.connect_response(result, pairing, participant)
        console.send_datagram(data, address)
