"""Pairing and verification over HTTP (the Apple TV reference, part A, 5.3 and 5.4)."""

from collections.abc import Callable
from typing import Final, Protocol

from .. import plists
from ..apple.identity import ClientIdentity
from ..errors import AuthenticationError, DisconnectedError, ProtocolError, RumpusError
from ..hap import procedures, tlv8
from ..hap.credentials import Credentials, HapCredentials, LegacyCredentials
from ..hap.errors import CredentialsRefusedError, PairingUnavailableError, WrongPinError
from ..plists import PlistDict
from .connection import AirPlayConnection
from .errors import status_error
from .http import DATA_TYPE, PLIST_TYPE, HttpProtocol, Response
from .keys import SessionKeys
from .timing import Timing

MAX_NAME: Final = 64
"""Characters of our name that the device gets to see."""

_USER_AGENT: Final = "AirPlay/320.20"
_WITH_PIN: Final = "3"
_TRANSIENT: Final = "4"
_PROVING: Final = 3


class AirPlayPairing:
    """A pairing with a PIN: begin, ask the user, finish, close.

    After an error it has to begin again, with a new PIN; only a text that can be no PIN
    leaves it as it was.
    """

    def __init__(
        self,
        address: str,
        port: int,
        identity: ClientIdentity,
        *,
        legacy: bool = False,
        timing: Timing | None = None,
    ) -> None:
        """Prepare. The legacy kind is for devices without the second AirPlay."""
        self._address = address
        self._port = port
        self._name = identity.name
        self._is_legacy = legacy
        self._timing = timing or Timing()
        self._connection: AirPlayConnection | None = None
        self._steps: _Steps | None = None
        self._closings = 0

    async def begin(self) -> None:
        """Make the device show its PIN.

        Raises PairingError (busy, back-off, full, unavailable ...),
        PasswordRequiredError, DisconnectedError, PeerTimeoutError, RequestFailedError,
        UnsupportedError, ProtocolError.
        """
        await self.close()
        closings = self._closings
        connection = await AirPlayConnection.connect(
            self._address, self._port, timing=self._timing
        )
        # Every pairing has secrets of its own.
        steps: _Steps = (
            _LegacySteps(self._post)
            if self._is_legacy
            else _HapSteps(self._post, self._name)
        )
        try:
            self._require_not_closed(closings)
            self._connection = connection  # from here on close() reaches it
            await steps.begin()
            self._require_not_closed(closings)
        except BaseException:
            connection.abort()
            raise
        self._steps = steps

    def _require_not_closed(self, closings: int) -> None:
        """Raise DisconnectedError when `close` was called since there were so many."""
        if self._closings != closings:
            raise DisconnectedError("The pairing was closed")

    async def finish(self, pin: str) -> Credentials:
        """Prove the PIN and return what proves our identity from now on.

        Raises WrongPinError, IdentityError for a device that did not prove it, too,
        what `begin` raises, and DisconnectedError when that has not been called.
        """
        if self._steps is None:
            raise DisconnectedError("The pairing has not begun")
        return await self._steps.finish(pin)

    async def close(self) -> None:
        """End the pairing, also one that is just beginning. Never raises."""
        self._closings += 1
        connection, self._connection, self._steps = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _post(
        self, path: str, body: bytes = b"", content_type: str = DATA_TYPE
    ) -> Response:
        if self._connection is None:
            raise DisconnectedError("The pairing was closed")
        is_legacy = content_type == PLIST_TYPE
        return await self._connection.exchange(
            "POST",
            path,
            protocol=HttpProtocol.HTTP,
            headers=_headers(
                self._name, content_type, None if is_legacy else _WITH_PIN
            ),
            body=body,
        )


class _Post(Protocol):
    async def __call__(
        self, path: str, body: bytes = b"", content_type: str = DATA_TYPE
    ) -> Response: ...


class _Steps(Protocol):
    """What differs between the kinds of pairing."""

    async def begin(self) -> None: ...

    async def finish(self, pin: str) -> Credentials: ...


class _HapSteps:
    def __init__(self, post: _Post, name: str) -> None:
        self._post = post
        self._pairing = procedures.Pairing(self._exchange, name=name)

    async def begin(self) -> None:
        response = await self._post("/pair-pin-start")
        _check(response, _refusal(response.status, 1), tlv8.raise_error)
        await self._pairing.begin()

    async def finish(self, pin: str) -> HapCredentials:
        return await self._pairing.finish(pin)

    async def _exchange(self, data: bytes, step: int) -> bytes:
        response = await self._post("/pair-setup", data)
        _check(response, _refusal(response.status, step), tlv8.raise_error)
        return response.body


class _LegacySteps:
    def __init__(self, post: _Post) -> None:
        # Only old devices need it.
        from .legacy import LegacySetup  # noqa: PLC0415

        self._post = post
        self._setup = LegacySetup()
        self._answer: PlistDict = {}

    async def begin(self) -> None:
        response = await self._post("/pair-pin-start", b"", PLIST_TYPE)
        if (error := _refusal(response.status, 1)) is not None:
            raise error
        self._answer = await self._ask(self._setup.start(), 1)

    async def finish(self, pin: str) -> LegacyCredentials:
        request = self._setup.prove(pin, self._answer)
        request = self._setup.exchange_keys(await self._ask(request, _PROVING))
        return self._setup.finish(await self._ask(request, 5))

    async def _ask(self, request: PlistDict, step: int) -> PlistDict:
        body = plists.dumps(request)
        response = await self._post("/pair-setup-pin", body, PLIST_TYPE)
        if (error := _refusal(response.status, step)) is not None:
            raise error
        return plists.loads_dict(response.body)


async def verify(
    connection: AirPlayConnection, credentials: Credentials, *, name: str
) -> SessionKeys | None:
    """Prove who we are on a connection, which is encrypted from then on.

    Returns the keys of its session; none for legacy credentials, which encrypt nothing.
    The name is ours. Raises CredentialsRefusedError, IdentityError for another device
    than ours, VerificationUnavailableError, PasswordRequiredError, UnsupportedError,
    RequestFailedError, DisconnectedError, PeerTimeoutError, ProtocolError.
    """
    if isinstance(credentials, LegacyCredentials):
        await _verify_legacy(connection, credentials, name)
        return None
    if isinstance(credentials, HapCredentials):
        exchange = _Exchange(connection, "/pair-verify", _headers(name, hkp=_WITH_PIN))
        keys = SessionKeys(await procedures.verify(credentials, exchange))
    else:
        headers = _headers(name, hkp=_TRANSIENT)
        # Some devices want it; whether this one does, the next answer tells.
        await connection.exchange(
            "POST", "/pair-pin-start", protocol=HttpProtocol.HTTP, headers=headers
        )
        exchange = _Exchange(connection, "/pair-setup", headers)
        keys = SessionKeys(await procedures.transient(exchange))
    connection.encrypt(keys.control())
    return keys


async def _verify_legacy(
    connection: AirPlayConnection, credentials: LegacyCredentials, name: str
) -> None:
    from .legacy import LegacyVerify  # noqa: PLC0415

    procedure = LegacyVerify(credentials)
    exchange = _Exchange(connection, "/pair-verify", _headers(name))
    await exchange(procedure.answer(await exchange(procedure.start(), 1)), 3)


class _Exchange:
    """Carries messages of verification."""

    def __init__(
        self, connection: AirPlayConnection, path: str, headers: dict[str, str]
    ) -> None:
        self._connection = connection
        self._path = path
        self._headers = headers

    async def __call__(self, data: bytes, step: int) -> bytes:
        response = await self._connection.exchange(
            "POST",
            self._path,
            protocol=HttpProtocol.HTTP,
            headers=self._headers,
            body=data,
        )
        _check(response, status_error(response.status), tlv8.raise_verify_error)
        return response.body


def _check(
    response: Response,
    error: RumpusError | None,
    raise_reason: Callable[[tlv8.Items], None],
) -> None:
    """Raise the error of a status, or the reason that its body gives for it."""
    if error is None:
        return
    try:
        items = tlv8.decode(response.body)
    except ProtocolError:
        raise error from None
    raise_reason(items)
    raise error


def _refusal(status: int, step: int) -> RumpusError | None:
    """Return what a status means in a pairing with a PIN."""
    error = status_error(status)
    if step == _PROVING and isinstance(error, AuthenticationError):
        return WrongPinError("The PIN is wrong")
    if isinstance(error, CredentialsRefusedError):
        return PairingUnavailableError("The device does not pair now")
    return error


def _headers(
    name: str, content_type: str = DATA_TYPE, hkp: str | None = None
) -> dict[str, str]:
    """Return the headers of pairing; newer devices show no PIN to nobody."""
    headers = {"User-Agent": _USER_AGENT, "Connection": "keep-alive"}
    if hkp is not None:
        headers["X-Apple-HKP"] = hkp
    headers["Content-Type"] = content_type
    headers["X-Apple-Client-Name"] = _printable(name)
    return headers


def _printable(name: str) -> str:
    return "".join(char for char in name if char.isprintable())[:MAX_NAME]
