"""What the check prints: steps as they pass, then tables."""

from collections.abc import AsyncIterator, Sequence
import contextlib
from dataclasses import dataclass, field
import time


class CheckError(Exception):
    """Something is not as it should be; the text says what."""


@dataclass(slots=True)
class Report:
    """The steps so far."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def step(self, what: str) -> AsyncIterator[None]:
        """Time one step and print how it went; a failure is remembered and raised."""
        started = time.monotonic()
        try:
            yield
        except Exception as err:
            self.failures.append(f"{what}: {type(err).__name__}: {err}")
            print(f"  FAILED  {self.failures[-1]}", flush=True)
            raise
        self.passed += 1
        print(f"  ok {time.monotonic() - started:5.1f} s  {what}", flush=True)


def require(condition: bool, text: str) -> None:
    """Raise CheckError unless a condition holds."""
    if not condition:
        raise CheckError(text)


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, widest: int = 48
) -> str:
    """Return rows in columns under a head."""
    cells = [
        [text if len(text) <= widest else text[: widest - 1] + "…" for text in row]
        for row in (head, *rows)
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = [
        "  ".join(
            text.ljust(width) for text, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
