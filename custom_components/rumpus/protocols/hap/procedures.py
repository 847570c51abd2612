"""Whole procedures over anything that can ask a question and hand back the answer.

Companion, AirPlay and MRP wrap these messages each in their own way; an `Exchange` is all
that they add. What an exchange raises passes through, and errors are those of `pair_setup`
and `pair_verify`.
"""

from typing import Protocol

from .credentials import HapCredentials
from .pair_verify import PairVerify


class Exchange(Protocol):
    """Sends one message of ours and waits for the answer."""

    async def __call__(self, data: bytes, step: int) -> bytes:
        """Return the TLV8 that answers ours.

        The step is 1, 3 or 5, as in M1, M3 and M5. Has to end by itself when no answer
        comes: PeerTimeoutError.
        """


async def verify(credentials: HapCredentials, exchange: Exchange) -> bytes:
    """Prove who we are, check who the device is, and return the shared secret."""
    procedure = PairVerify(credentials)
    m3 = procedure.answer(await exchange(procedure.start(), 1))
    return procedure.finish(await exchange(m3, 3))


async def transient(exchange: Exchange) -> bytes:
    """Pair for this connection only, and return the shared secret."""
    # Who verifies a pairing needs nothing of this.
    from .pair_setup import TransientPairing  # noqa: PLC0415

    procedure = TransientPairing()
    m3 = procedure.prove(await exchange(procedure.start(), 1))
    return procedure.finish(await exchange(m3, 3))


class Pairing:
    """A pairing with a PIN: begin, ask the user, finish.

    After an error a new one, on a new connection, has to begin.
    """

    def __init__(
        self, exchange: Exchange, *, name: str | None, client_id: bytes | None = None
    ) -> None:
        """Prepare; see `PairSetup`."""
        from .pair_setup import PairSetup  # noqa: PLC0415

        self._exchange = exchange
        self._procedure = PairSetup(name=name, client_id=client_id)

    async def begin(self) -> None:
        """Make the device show its PIN."""
        self._procedure.answer_salt(await self._exchange(self._procedure.start(), 1))

    async def finish(self, pin: str) -> HapCredentials:
        """Prove the PIN, exchange identities, and return what proves ours from now on."""
        m4 = await self._exchange(self._procedure.prove(pin), 3)
        m6 = await self._exchange(self._procedure.verify_proof(m4), 5)
        return self._procedure.finish(m6)
