"""The machine proof that a login needs (the FAF reference, section 6.3)."""

import asyncio
import contextlib
import os
from pathlib import Path
import signal
from typing import Final, Protocol

from .errors import ProofFailedError

HELPER_TIMEOUT: Final = 30.0
"""Seconds that the helper may take; its first run takes up to 15."""
MAX_OUTPUT: Final = 64 * 1024
"""Bytes that are taken of what the helper prints."""
MIN_PROOF: Final = 32
"""Characters that a proof has at least."""

#: All that the helper sees of our environment, which may hold secrets of the system.
_PASSED_ON: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ")
_ANY: Final = "rumpus-has-no-proof-of-its-machine"


class Proof(Protocol):
    """What makes the machine proof for a session."""

    async def prove(self, session: int) -> str:
        """Return the proof for the session of that number; raises ProofFailedError."""
        ...


class AnyProof:
    """Says no more than that there is no proof, which self-run lobbies take."""

    async def prove(self, session: int) -> str:
        """Return a text that is no proof."""
        return _ANY


class HelperProof:
    """Has a program of the user's choice make the proof.

    It is started with the number of the session as its only argument, and its standard
    output is the proof. Nothing that it prints is logged.
    """

    def __init__(self, path: Path | str, *, timeout: float = HELPER_TIMEOUT) -> None:
        """Take where the program is, and the seconds that it may take."""
        self._path = path
        self._timeout = timeout

    async def prove(self, session: int) -> str:
        """Run the program; raises ProofFailedError."""
        try:
            process = await asyncio.create_subprocess_exec(
                os.fspath(self._path),
                str(session),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={
                    name: os.environ[name] for name in _PASSED_ON if name in os.environ
                },
                # So that what it starts in turn ends with it.
                start_new_session=True,
            )
        except (OSError, ValueError) as err:
            # Its text holds the path, and may hold more of the system.
            problem = type(err).__name__
        else:
            return _checked(*await self._finish(process))
        raise ProofFailedError(f"The helper cannot be started: {problem}")

    async def _finish(self, process: asyncio.subprocess.Process) -> tuple[int, bytes]:
        """Return how the program ended and what it printed; it is gone afterwards."""
        try:
            async with asyncio.timeout(self._timeout):
                output = await _read(process)
                return await process.wait(), output
        except TimeoutError:
            raise ProofFailedError("The helper took too long") from None
        finally:
            await _end(process)


async def _read(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None  # noqa: S101 - there is a pipe, for the type
    output = bytearray()
    while chunk := await process.stdout.read(MAX_OUTPUT):
        output += chunk
        if len(output) > MAX_OUTPUT:
            raise ProofFailedError(f"The helper prints more than {MAX_OUTPUT} bytes")
    return bytes(output)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill the program and what it has started, unless it has ended by itself."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _checked(code: int, output: bytes) -> str:
    if code != 0:
        raise ProofFailedError(f"The helper has failed with code {code}")
    proof = output.decode("ascii", "replace").strip()
    if len(proof) < MIN_PROOF or not (proof.isascii() and proof.isprintable()):
        raise ProofFailedError("The helper has printed no proof")
    if " " in proof:
        raise ProofFailedError("The helper has printed more than a proof")
    return proof
