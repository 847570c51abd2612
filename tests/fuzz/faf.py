"""Broken input to every decoder of the lobby: read or refused, and nothing else.

What is read as JSON must be what the standard library reads, and must be written again as
the same. Messages that are JSON, but say what no lobby would say, go through a whole model.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, datetime
import json
from pathlib import Path
import time
from typing import Any, Final

from .mutation import Mutator
from .smartglass import CHUNK, SLOWEST, FuzzError, Report
from custom_components.rumpus.protocols.errors import DisconnectedError, RumpusError
from custom_components.rumpus.protocols.faf import (
    Protocol,
    QDataStreamProtocol,
    SimpleJsonProtocol,
)
from custom_components.rumpus.protocols.faf.gpgnet import unwrap, wrap
from custom_components.rumpus.protocols.faf.gpgnet_binary import (
    GpgNetStream,
    decode,
    encode,
)
from custom_components.rumpus.protocols.faf.lobby import Lobby
from custom_components.rumpus.protocols.faf.text import (
    MalformedMessageError,
    decode_text,
    encode_text,
)
from custom_components.rumpus.protocols.faf.websocket import FrameBuffer
from tests.protocols.connections import in_memory

VECTORS: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "protocols/faf/vectors.json").read_text("utf-8")
)
UTC_NOW: Final = datetime(2026, 11, 21, tzinfo=UTC)
RESET_EVERY: Final = 500
"""Messages after which the model begins anew, as after a reconnect."""
ODD_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 9001, 2**31, 2**63, 2**70, -0.0, 1e308, 0.5),
    *(float("nan"), float("inf"), "", "0", "9001", "offline", "closed", "open"),
    *("x" * 3000, "\u202e\0\n\ud7ff", "<b>&amp;</b>", "2026-11-21T08:17:59+00:00"),
    *([], {}, [[]], [None], [9001, 9001], {"": None}, [[1.0]], {"team_id": -1}),
    *([{}] * 20, {str(number): "" for number in range(100)}, {"rating": ["a", "b"]}),
)

type Target = Callable[[bytes], Awaitable[None] | None]
type Targets = Sequence[tuple[int, str, Callable[[], bytes], Target]]


class FafFuzzer:
    """Runs mutated input through every decoder."""

    def __init__(self, seed: int) -> None:
        """Prepare the same input for the same seed."""
        lines = [*VECTORS["captured"], *(v["line"] for v in VECTORS["encoded"])]
        self._messages: list[Any] = [json.loads(line) for line in lines]
        blocks = [QDataStreamProtocol.encode_message(m) for m in self._messages]
        blocks += [bytes.fromhex("00000040" + data) for data, _ in VECTORS["decoded"]]
        self._lines = [line.encode() + b"\n" for line in lines]
        self._blocks = blocks
        self._binary = [bytes.fromhex(v["hex"]) for v in VECTORS["gpgnet_binary"]]
        self._mutator = Mutator([*self._lines, *blocks, *self._binary], seed)
        self._lobby = Lobby()
        self._applied = 0

    def run(self, count: int) -> Report:
        """Decode so many inputs. Raises FuzzError for the first that goes wrong."""
        return asyncio.run(self._run(count))

    async def _run(self, count: int) -> Report:
        report = Report()
        line, block, binary = (
            self._maker(corpus) for corpus in (self._lines, self._blocks, self._binary)
        )
        targets: Targets = (
            (100, "json", line, self._read_text),
            (100, "block", block, self._read_block),
            (40, "block strings", block, self._read_strings),
            (60, "frames", line, self._read_frames),
            (30, "json stream", line, self._read_lines),
            (30, "block stream", block, self._read_blocks),
            (60, "gpgnet binary", binary, self._read_binary),
            (20, "gpgnet stream", binary, self._read_game),
            (100, "odd message", self._odd_message, self._apply),
            (60, "broken message", line, self._apply),
        )
        while report.count < count:
            await self._run_some(targets, report, min(CHUNK, count - report.count))
            await asyncio.sleep(0)
        return report

    async def _run_some(self, targets: Targets, report: Report, count: int) -> None:
        weights = [weight for weight, *_ in targets]
        for _, name, make, target in self._mutator.chance.choices(
            targets, weights, k=count
        ):
            data = make()
            start = time.process_time()
            try:
                if (waiting := target(data)) is not None:
                    await waiting
            except RumpusError:
                report.refused += 1
            except Exception as err:
                raise FuzzError(f"{name} {data.hex()}") from err
            passed = time.process_time() - start
            if passed > SLOWEST:
                raise FuzzError(f"{name} took {passed:.3f} s: {data.hex()}")
            report.slowest = max(report.slowest, passed)
            report.by_target[name] = report.by_target.get(name, 0) + 1
        report.count += count

    # Input.

    def _maker(self, corpus: Sequence[bytes]) -> Callable[[], bytes]:
        chance = self._mutator.chance
        return lambda: self._mutator.mutated(chance.choice(corpus))

    def _odd_message(self) -> bytes:
        """Return a message with one to four values in it that no lobby would send."""
        chance = self._mutator.chance
        message = json.loads(json.dumps(chance.choice(self._messages)))
        for _ in range(chance.randint(1, 4)):
            _change(message, deepcopy(chance.choice(ODD_VALUES)), chance.random)
        return encode_text(message).encode()

    # Targets.

    def _read_text(self, data: bytes) -> None:
        expected = _reference(data)
        try:
            value = decode_text(data)
        except MalformedMessageError:
            if expected is not None:
                raise AssertionError("Refused what JSON is") from None
            raise
        assert repr(value) == expected
        written = encode_text(value)
        assert written == json.dumps(value, separators=(",", ":"))
        assert repr(decode_text(written)) == repr(value)

    def _read_block(self, data: bytes) -> None:
        message = QDataStreamProtocol.decode_message(data[4:])
        written = QDataStreamProtocol.encode_message(message)
        is_short = isinstance(message, dict) and message.get("command") in {
            "ping",
            "pong",
        }
        again = QDataStreamProtocol.decode_message(written[4:])
        assert is_short or repr(again) == repr(message)

    def _read_strings(self, data: bytes) -> None:
        texts = list(QDataStreamProtocol.read_block(data[4:]))
        packed = QDataStreamProtocol.pack_message(*texts)
        assert data[4:].startswith(packed[4:])

    def _read_frames(self, data: bytes) -> None:
        frames, place = FrameBuffer(), self._mutator.chance.randrange(len(data) + 1)
        for frame in (data[:place], data[place:]):
            frames.feed(frame)
            while frames.next_message() is not None:
                pass

    async def _read_lines(self, data: bytes) -> None:
        reader, writer, _ = in_memory()
        await _read_all(reader, SimpleJsonProtocol(reader, writer), data)

    async def _read_blocks(self, data: bytes) -> None:
        reader, writer, _ = in_memory()
        await _read_all(reader, QDataStreamProtocol(reader, writer), data)

    def _read_binary(self, data: bytes) -> None:
        message = decode(data)
        assert unwrap(wrap(message.command, message.args)) == message
        if message.command:
            assert decode(encode(message)).command == message.command

    async def _read_game(self, data: bytes) -> None:
        reader, writer, _ = in_memory()
        await _read_all(reader, GpgNetStream(reader, writer), data)

    def _apply(self, data: bytes) -> None:
        message = decode_text(data)
        if not isinstance(message, dict):
            return
        unwrap(message)
        self._applied += 1
        if self._applied % RESET_EVERY == 0:
            self._lobby.reset()
        for _ in self._lobby.apply(message, self._applied / 10, UTC_NOW):
            pass


def _reference(data: bytes) -> str | None:
    """Return what the standard library reads, or None."""
    try:
        return repr(json.loads(data.strip().decode("utf-8-sig", "surrogatepass")))
    except ValueError, RecursionError:
        return None


async def _read_all(
    reader: asyncio.StreamReader, stream: Protocol | GpgNetStream, data: bytes
) -> None:
    """Read messages to the end, or to the first that is none."""
    reader.feed_data(data)
    reader.feed_eof()
    with suppress(DisconnectedError):
        while True:
            await stream.read_message()


def _change(node: Any, value: Any, chance: Callable[[], float]) -> None:
    """Put a value somewhere into a message."""
    while True:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        if not keys:
            return
        key = keys[int(chance() * len(keys))]
        below = node[key]
        if not isinstance(below, (dict, list)) or chance() < 0.25:
            node[key] = value
            return
        node = below
