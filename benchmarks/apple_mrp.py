"""MRP: SetState messages a second that become a published state, on one core.

From the bytes of a message to a listener that is told what is played. Two programs do the
same work in processes of their own, taking turns: `apple_mrp_ours` with this project's
code and `apple_mrp_peer` with pyatv, on the same Python and the same release of protobuf.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import sys
from typing import Final

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb

ROOT: Final = Path(__file__).parent.parent
PEER_PYTHON: Final = ROOT / ".cache/apple-peer/bin/python"
ROUNDS: Final = 5
SECONDS: Final = 0.3
TIMEOUT: Final = 60.0
TARGET: Final = 64_000
"""Messages about a film a second that have to be reached."""

APP: Final = "com.example.player"
VARIANTS: Final = 16
"""Different messages that follow each other, so that each one changes something."""
_FILM: Final = (1, 2, 3, 18, 19)
_SONG: Final = (*range(1, 13), 18, 19, 20, 22, 23, 45, 46, 47, 122, 125, 132, 135)


def _state(number: int, commands: tuple[int, ...]) -> pb.ProtocolMessage:
    message = pb.ProtocolMessage(
        type=pb.MESSAGE_TYPE_SET_STATE,
        error_code=pb.ERROR_CODE_NO_ERROR,
        unique_identifier="00000000-0000-4000-8000-0000000000AA",
    )
    state = message.set_state
    state.playback_state = pb.PLAYBACK_STATE_PLAYING
    state.display_name = "Player"
    path = state.player_path
    path.client.process_identifier = 123
    path.client.bundle_identifier = APP
    path.client.display_name = "Player"
    path.player.identifier = "MediaRemote-DefaultPlayer"
    for command in commands:
        state.supported_commands.supported_commands.add(command=command, enabled=True)
    state.playback_queue.location = 0
    item = state.playback_queue.content_items.add(identifier=f"item {number}")
    item.metadata.title = f"Title {number}"
    item.metadata.duration = 3600.0
    item.metadata.elapsed_time = 60.0 + number
    item.metadata.elapsed_time_timestamp = 721692800.0
    item.metadata.playback_rate = 1.0
    item.metadata.media_type = pb.MEDIA_TYPE_VIDEO
    return message


def _song(number: int) -> pb.ProtocolMessage:
    message = _state(number, _SONG)
    metadata = message.set_state.playback_queue.content_items[0].metadata
    metadata.media_type = pb.MEDIA_TYPE_AUDIO
    metadata.track_artist_name = "An artist of some length"
    metadata.album_name = "An album of some length"
    metadata.album_artist_name = "Various artists"
    metadata.genre = "Pop"
    metadata.composer = "A composer"
    metadata.track_number = number
    metadata.disc_number = 1
    metadata.artwork_available = True
    metadata.artwork_mime_type = "image/jpeg"
    metadata.artwork_identifier = f"artwork {number}"
    metadata.content_identifier = f"content {number}"
    metadata.itunes_store_identifier = 1_000_000 + number
    metadata.is_explicit_item = False
    metadata.now_playing_info_data = bytes(200)
    return message


def work() -> dict[str, list[str]]:
    """Return the messages of each kind, in hexadecimal, and what brings them in front."""
    front = pb.ProtocolMessage(type=pb.MESSAGE_TYPE_SET_NOW_PLAYING_CLIENT)
    front.set_now_playing_client.client.bundle_identifier = APP
    kinds = {
        "front": [front],
        "film": [_state(number, _FILM) for number in range(VARIANTS)],
        "song": [_song(number) for number in range(VARIANTS)],
    }
    return {
        kind: [message.SerializeToString().hex() for message in messages]
        for kind, messages in kinds.items()
    }


class Worker:
    """A program that measures what it is told to."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Take a program that has been started."""
        self._process = process

    async def measure(self, kind: str) -> float:
        """Return how many messages of a kind it publishes in a second."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"kind": kind, "seconds": SECONDS}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(TIMEOUT):
            return float(await self._process.stdout.readline())


@asynccontextmanager
async def worker(python: Path, module: str) -> AsyncIterator[Worker]:
    """Run one of the two programs."""
    process = await asyncio.create_subprocess_exec(
        python,
        *("-W", "ignore", "-m", module),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(work()).encode() + b"\n")
        yield Worker(process)
    finally:
        process.stdin.close()
        await process.wait()


async def run() -> None:
    """Measure and print."""
    async with worker(Path(sys.executable), "benchmarks.apple_mrp_ours") as ours:
        if PEER_PYTHON.exists():
            async with worker(PEER_PYTHON, "benchmarks.apple_mrp_peer") as peer:
                await _compare(ours, peer)
        else:
            await _compare(ours, None)
            print("pyatv is not installed here: nothing to compare.")


async def _compare(ours: Worker, peer: Worker | None) -> None:
    print("MRP, SetState to a published state/s   rumpus        pyatv    ratio")
    for kind in ("film", "song"):
        # In turns, and the best of each: what disturbs one disturbs both.
        best = best_of_peer = 0.0
        for _ in range(ROUNDS):
            best = max(best, await ours.measure(kind))
            if peer is not None:
                best_of_peer = max(best_of_peer, await peer.measure(kind))
        if best_of_peer:
            ratio = best / best_of_peer
            print(f"{kind:32} {best:12,.0f} {best_of_peer:12,.0f} {ratio:7.1f}x")
        else:
            print(f"{kind:32} {best:12,.0f} {'-':>12} {'-':>8}")
        if kind == "film" and best < TARGET:
            print(f"  too slow: the aim is {TARGET:,}")
