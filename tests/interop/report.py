"""One line per check, a total, and at the very end what failed once more."""

import asyncio
from collections.abc import Awaitable, Callable
import time
import traceback
from typing import Final

# Most need a second; large files on a busy machine take their time.
CHECK_TIMEOUT: Final = 600.0


class CheckError(Exception):
    """What a check found is wrong; the message says what it saw."""


class BusyMachineError(Exception):
    """What a check measured falls short while others have taken the processors.

    That is told and not counted as a failure; results that are wrong always are.
    """


class Report:
    """Runs checks and prints what came out."""

    def __init__(self) -> None:
        """Nothing has run."""
        self.passed = 0
        self.failed: list[str] = []
        self.undecided: list[str] = []
        self._begun = time.monotonic()
        _REPORTS.append(self)

    @property
    def is_fine(self) -> bool:
        """Whether something ran and nothing failed."""
        return bool(self.passed) and not self.failed

    async def check(
        self, title: str, action: Callable[[], Awaitable[str | None]]
    ) -> bool:
        """Run a check, which may return something to show, and print its line."""
        begun = time.monotonic()
        detail: str | None = None
        problem: BaseException | None = None
        try:
            async with asyncio.timeout(CHECK_TIMEOUT):
                detail = await action()
        except Exception as err:  # noqa: BLE001 - whatever goes wrong is the result
            problem = err
        seconds = time.monotonic() - begun
        if problem is None:
            self.passed += 1
            print(
                f"ok   {seconds:5.1f} s  {title}{f' ({detail})' if detail else ''}",
                flush=True,
            )
            return True
        what = f"{title}: {_describe(problem)}"
        is_undecided = isinstance(problem, BusyMachineError)
        (self.undecided if is_undecided else self.failed).append(what)
        word = "busy" if is_undecided else "FAIL"
        print(f"{word} {seconds:5.1f} s  {what}", flush=True)
        return is_undecided

    def total(self) -> None:
        """Print the sum."""
        seconds = time.monotonic() - self._begun
        print(f"{self.passed} passed, {len(self.failed)} failed", flush=True)
        print(f"in {seconds:.0f} s", flush=True)


_REPORTS: Final[list[Report]] = []


def print_end() -> None:
    """Repeat what all reports have that is not fine; the last line is the sum."""
    passed = sum(report.passed for report in _REPORTS)
    failed = [what for report in _REPORTS for what in report.failed]
    undecided = [what for report in _REPORTS for what in report.undecided]
    for word, told in (("busy", undecided), ("FAIL", failed)):
        for what in told:
            print(f"{word} {what}")
    total = f"all in all {passed} passed, {len(failed)} failed"
    if undecided:
        total += f", {len(undecided)} could not be judged on a busy machine"
    print(total, flush=True)


def _describe(problem: BaseException) -> str:
    """Return the kind and text of an error and where in the checks it happened."""
    while isinstance(problem, BaseExceptionGroup):
        problem = problem.exceptions[0]
    where = ""
    for frame in traceback.extract_tb(problem.__traceback__):
        if "/tests/interop/" in frame.filename:
            where = f" [{frame.filename.rpartition('/')[2]}:{frame.lineno}]"
    text = f"{type(problem).__name__}: {problem}".rstrip(": ")
    return " ".join(text.split())[:600] + where
