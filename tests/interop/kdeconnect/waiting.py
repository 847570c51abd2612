"""Waiting for the state of other programs, which can only be asked for."""

import asyncio
from collections.abc import Awaitable, Callable
import time
from typing import Final

# What is waited for mostly comes at once: this is for machines that are busy.
PATIENCE: Final = 45.0
_PAUSE: Final = 0.05


class TooLateError(Exception):
    """Something that should have happened did not; the message says what."""


async def until[T](
    look: Callable[[], Awaitable[T | None]],
    what: str,
    patience: float = PATIENCE,
) -> T:
    """Look again and again until the answer is neither None nor False, and return it.

    Raises TooLateError after ``patience`` seconds. Errors of ``look`` go through.
    """
    end = time.monotonic() + patience
    while True:
        answer = await look()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > end:
            raise TooLateError(f"{what}: not within {patience:g} s")
        await asyncio.sleep(_PAUSE)


async def until_true(
    look: Callable[[], bool], what: str, patience: float = PATIENCE
) -> None:
    """Wait until a condition of this program holds."""

    async def ask() -> bool:
        return look()

    await until(ask, what, patience)
