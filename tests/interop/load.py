"""What the processors of the machine do besides the checks."""

from dataclasses import dataclass
import os
from pathlib import Path
import time
from typing import Final, Self

# More than this part of all processors is taken by others on a machine that is busy.
BUSY: Final = 0.1
_PROC: Final = Path("/proc")
# All threads of the kernel are children of this one: they work for whoever keeps them busy.
_KERNEL: Final = 2
# Fields of /proc/PID/stat behind the name: parent, and own and waited-for children's time.
_PARENT: Final = 1
_TIMES: Final = slice(11, 15)
# Fields of the first line of /proc/stat: user, nice, system, waiting for disks, and stolen
# by other machines.
_BUSY_FIELDS: Final = (1, 2, 3, 5, 8)


@dataclass(frozen=True, slots=True)
class Load:
    """The time so far, in seconds: by the clock, of all processors, and of it our own."""

    clock: float
    all: float
    ours: float

    @classmethod
    def now(cls) -> Self:
        """Read it; zero where the system does not tell."""
        try:
            return cls(time.monotonic(), _all(), _ours())
        except OSError:
            return cls(time.monotonic(), 0.0, 0.0)

    def others_since(self, before: Load) -> float:
        """Return how many processors were taken by others, on average, since an earlier look.

        What waited for disks counts as taken.
        """
        seconds = max(self.clock - before.clock, 0.001)
        return max(0.0, (self.all - before.all - (self.ours - before.ours)) / seconds)


def is_busy(others: float) -> bool:
    """Tell whether others have taken so many processors that it shows in measurements."""
    return others > BUSY * (os.cpu_count() or 1)


def _ticks() -> int:
    return os.sysconf("SC_CLK_TCK")


def _all() -> float:
    fields = (_PROC / "stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    return sum(int(fields[number]) for number in _BUSY_FIELDS) / _ticks()


def _ours() -> float:
    """Return the time of this process, its descendants, and the kernel."""
    parents: dict[int, int] = {}
    times: dict[int, int] = {}
    for folder in _PROC.iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended
            continue
        fields = text.rpartition(")")[2].split()
        pid = int(folder.name)
        parents[pid] = int(fields[_PARENT])
        times[pid] = sum(int(field) for field in fields[_TIMES])
    return sum(times[pid] for pid in parents if _is_ours(pid, parents)) / _ticks()


def _is_ours(pid: int, parents: dict[int, int]) -> bool:
    own = os.getpid()
    while pid > 0:
        if pid in {own, _KERNEL}:
            return True
        pid = parents.get(pid, 0)
    return False
