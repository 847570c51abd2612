"""The lobby's messages decoded and encoded, beside a plain codec of json and struct.

The plain one is what the lobby itself is made of: the standard library's decoder, its
encoder without spaces, UTF-16 through struct, each block decoded twice. Both run by turns in
the same process, so that the ratio counts and not the machine.
"""

from collections.abc import Callable
import json
import random
import struct
import time
from typing import Any, Final

from custom_components.rumpus.protocols.faf import (
    QDataStreamProtocol,
    SimpleJsonProtocol,
)

DECODED: Final = 2.0
"""How many times as many messages must be decoded."""
ENCODED: Final = 1.5
ROUNDS: Final = 15
ROUND: Final = 0.02
"""Seconds of one round, about."""

type Work = Callable[[Any], Any]

_SPACELESS: Final = json.JSONEncoder(separators=(",", ":"))
_LENGTH: Final = struct.Struct("!I")


def plain_line(message: dict[str, Any]) -> bytes:
    """Encode a message as a line."""
    return (_SPACELESS.encode(message) + "\n").encode()


def read_plain_line(line: bytes) -> Any:
    """Decode a line."""
    return json.loads(line.strip())


def plain_block(message: dict[str, Any]) -> bytes:
    """Encode a message as a block behind its length."""
    text = _SPACELESS.encode(message).encode("utf-16-be")
    block = bytearray(_LENGTH.pack(len(text)))
    block += text
    return _LENGTH.pack(len(block)) + block


def _read_text(block: bytes, start: int) -> tuple[int, str]:
    (size,) = _LENGTH.unpack(block[start : start + 4])
    end = start + 4 + size
    return end, block[start + 4 : end].decode("utf-16-be")


def read_plain_block(block: bytes) -> Any:
    """Decode a block without its length: the first text, then all of them again."""
    _, first = _read_text(block, 0)
    message = json.loads(first)
    position = 0
    while len(block) - position > 4:
        position, text = _read_text(block, position)
        part = json.loads(text)
        if text != first:
            message.update(part)
    return message


def player(chance: random.Random, number: int) -> dict[str, Any]:
    """Return a player as the lobby describes one: with all digits of the ratings."""
    ratings: dict[str, Any] = {
        board: {
            "rating": [chance.uniform(0, 2500), chance.uniform(60, 500)],
            "number_of_games": chance.randrange(5000),
        }
        for board in ("global", "ladder_1v1", "tmm_2v2", "tmm_4v4_full_share")
    }
    return {
        "id": 100_000 + number,
        "login": f"Commander_{number}",
        "avatar": {
            "url": f"https://content.example.com/avatars/{number % 50}.png",
            "tooltip": "Winner of a cup",
        },
        "country": "DE",
        "clan": "ABC",
        "ratings": ratings,
        "global_rating": ratings["global"]["rating"],
        "ladder_rating": ratings["ladder_1v1"]["rating"],
        "number_of_games": ratings["global"]["number_of_games"],
    }


def game(chance: random.Random, number: int) -> dict[str, Any]:
    """Return a game of six, open or running."""
    is_open = number % 2 == 0
    ids = [chance.randrange(400_000) for _ in range(6)]
    teams = {2: ids[:3], 3: ids[3:]}
    return {
        "command": "game_info",
        "visibility": "public",
        "password_protected": False,
        "uid": 24_000_000 + number,
        "title": "3v3 all welcome, 1000 and more",
        "state": "open" if is_open else "playing",
        "game_type": "custom",
        "featured_mod": "faf",
        "sim_mods": {},
        "mapname": "seton's_clutch.v0003",
        "map_file_path": "maps/seton's_clutch.v0003.zip",
        "host": f"Commander_{number}",
        "num_players": 6,
        "max_players": 8,
        "hosted_at": "2026-11-21T08:17:39.679303+00:00",
        "launched_at": None if is_open else 1795249062.6857271 + number,
        "rating_type": "global",
        "rating_min": None if is_open else 500.0,
        "rating_max": None,
        "enforce_rating_range": False,
        "teams_ids": [{"team_id": t, "player_ids": team} for t, team in teams.items()],
        "teams": {str(t): [f"Commander_{n}" for n in ns] for t, ns in teams.items()},
    }


def messages() -> dict[str, dict[str, Any]]:
    """Return what is measured: what comes all the time, then what comes once."""
    chance = random.Random(6)
    players = [player(chance, number) for number in range(1500)]
    games = [game(chance, number) for number in range(300)]
    return {
        "game_info, open": games[0],
        "game_info, playing": games[1],
        "player_info": {"command": "player_info", "players": players[:1]},
        "300 games": {"command": "game_info", "games": games},
        "1,500 players": {"command": "player_info", "players": players},
    }


def measure(ours: Work, plain: Work, value: Any) -> tuple[float, float]:
    """Return how often both can do that in a second: the best of rounds by turns."""
    start = time.perf_counter()
    plain(value)
    count = max(1, int(ROUND / (time.perf_counter() - start)))
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for index, work in enumerate((ours, plain)):
            start = time.perf_counter()
            for _ in range(count):
                work(value)
            best[index] = min(best[index], time.perf_counter() - start)
    return count / best[0], count / best[1]


async def run() -> None:
    """Measure and print."""
    print("FAF lobby, messages/s         bytes      rumpus       plain   ratio")
    for name, message in messages().items():
        line, block = plain_line(message), plain_block(message)
        assert SimpleJsonProtocol.encode_message(message) == line
        assert QDataStreamProtocol.encode_message(message) == block
        body = block[4:]
        assert SimpleJsonProtocol.decode_message(line) == read_plain_line(line)
        assert QDataStreamProtocol.decode_message(body) == read_plain_block(body)
        # What comes once has no aim of its own: the burst as a whole has.
        has_aim = len(line) < 10_000
        print(name)
        for way, ours, plain, value, aim in (
            ("json", SimpleJsonProtocol.decode_message, read_plain_line, line, DECODED),
            ("json", SimpleJsonProtocol.encode_message, plain_line, message, ENCODED),
            (
                "qds",
                QDataStreamProtocol.decode_message,
                read_plain_block,
                body,
                DECODED,
            ),
            ("qds", QDataStreamProtocol.encode_message, plain_block, message, ENCODED),
        ):
            title = f"  {way} {'decoded' if aim == DECODED else 'encoded'}"
            size = len(line if way == "json" else block)
            _row(title, size, *measure(ours, plain, value), aim if has_aim else None)


def _row(title: str, size: int, ours: float, plain: float, aim: float | None) -> None:
    ratio = ours / plain
    told = "" if aim is None or ratio >= aim else f"  too slow: the aim is {aim}x"
    print(f"{title:20} {size:14,} {ours:11,.0f} {plain:11,.0f} {ratio:6.2f}x{told}")
