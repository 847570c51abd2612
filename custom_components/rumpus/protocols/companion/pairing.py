"""Pairing over the Companion link (the Apple TV reference, part A, section 4.2)."""

from ..apple.identity import ClientIdentity
from ..errors import DisconnectedError
from ..hap.credentials import HapCredentials
from ..hap.procedures import Pairing
from .connection import AuthenticationExchange, open_stream
from .frames import FrameStream
from .timing import Timing


class CompanionPairing:
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
        self._stream: FrameStream | None = None
        self._pairing: Pairing | None = None
        self._closings = 0

    async def begin(self) -> None:
        """Let the device show its PIN.

        Raises DisconnectedError, PeerTimeoutError, ProtocolError, PairingError.
        """
        await self.close()
        closings = self._closings
        stream = await open_stream(self._address, self._port, self._timing)
        exchange = AuthenticationExchange.pairing(stream, self._timing.authenticate)
        pairing = Pairing(exchange, name=self._identity.name)
        try:
            self._require_not_closed(closings)
            self._stream = stream  # from here on close() reaches it
            await pairing.begin()
            self._require_not_closed(closings)
        except BaseException:
            await stream.close()
            raise
        self._pairing = pairing

    def _require_not_closed(self, closings: int) -> None:
        """Raise DisconnectedError when `close` was called since there were so many."""
        if self._closings != closings:
            raise DisconnectedError("The pairing was closed")

    async def finish(self, pin: str) -> HapCredentials:
        """Prove that we see the PIN, and return the credentials of the new pairing.

        Raises what `begin` does, WrongPinError among it, and DisconnectedError when that
        has not been called.
        """
        if self._pairing is None:
            raise DisconnectedError("The pairing has not begun")
        try:
            return await self._pairing.finish(pin)
        finally:
            await self.close()

    async def close(self) -> None:
        """End the connection, also one that is just being made. Never raises."""
        self._closings += 1
        stream, self._stream, self._pairing = self._stream, None, None
        if stream is not None:
            await stream.close()
