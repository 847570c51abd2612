"""Pairing over TCP (the Apple TV reference, part B, section 3.6)."""

from typing import Final

from ..apple.identity import ClientIdentity
from ..errors import DisconnectedError, RumpusError
from ..hap.credentials import HapCredentials, new_client_id
from ..hap.procedures import Pairing, verify
from .session import MrpSession
from .tcp import TcpTransport
from .timing import Timing

_SETUP: Final = 2
"""The state of the very first message."""


class MrpPairing:
    """One try to pair. After an error it is over: close it and begin with a new one."""

    def __init__(
        self,
        address: str,
        port: int,
        identity: ClientIdentity,
        *,
        timing: Timing | None = None,
    ) -> None:
        """Prepare for the device at that address."""
        self._address = address
        self._port = port
        self._identity = identity
        self._timing = timing or Timing()
        self._session: MrpSession | None = None
        self._pairing: Pairing | None = None
        # How often it was closed: somebody may do that while `begin` connects.
        self._closings = 0

    async def begin(self) -> None:
        """Let the device show its PIN.

        Raises DisconnectedError, PeerTimeoutError, ProtocolError, PairingError.
        """
        await self.close()
        closings = self._closings
        transport = await TcpTransport(self._timing).connect(self._address, self._port)
        session = MrpSession(transport, self._timing, lambda _: None, lambda _: None)
        try:
            self._require_not_closed(closings)
            self._session = session  # from here on close() reaches it
            session.start()
            client_id = new_client_id()
            await session.introduce(self._identity, client_id)

            async def exchange(data: bytes, step: int) -> bytes:
                return await session.exchange(data, _SETUP if step == 1 else 0)

            pairing = Pairing(
                exchange, name=self._identity.name, client_id=client_id.encode()
            )
            await pairing.begin()
            self._require_not_closed(closings)
        except BaseException as err:
            await session.close()
            _raise_reason(err, session)
            raise
        self._pairing = pairing

    def _require_not_closed(self, closings: int) -> None:
        """Raise DisconnectedError when `close` was called since there were so many."""
        if self._closings != closings:
            raise DisconnectedError("The pairing was closed")

    async def finish(self, pin: str) -> HapCredentials:
        """Prove that we see the PIN, and return the credentials of the new pairing.

        They are verified on the same connection: newer devices forget a pairing
        otherwise. Raises what `begin` does, WrongPinError among it, and
        DisconnectedError when that has not been called.
        """
        pairing, session = self._pairing, self._session
        if pairing is None or session is None:
            raise DisconnectedError("The pairing has not begun")

        async def exchange(data: bytes, step: int) -> bytes:
            return await session.exchange(data, 0)

        try:
            credentials = await pairing.finish(pin)
            await verify(credentials, exchange)
        except RumpusError as err:
            _raise_reason(err, session)
            raise
        finally:
            await self.close()
        return credentials

    async def close(self) -> None:
        """End the connection, also one that is just being made. Never raises."""
        self._closings += 1
        session, self._session, self._pairing = self._session, None, None
        if session is not None:
            await session.close()


def _raise_reason(error: BaseException, session: MrpSession) -> None:
    """Raise why the connection ended, if it is that which went wrong."""
    if isinstance(error, DisconnectedError) and session.error is not None:
        raise session.error from None
