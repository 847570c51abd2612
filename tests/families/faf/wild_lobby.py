"""A lobby that has gone wild, as a program: it lets us in and sends whatever it can think of.

`python -m tests.families.faf.wild_lobby SECONDS` prints its port, serves one login over JSON
lines for so long as it is told, and prints how many messages it has got rid of.
"""

import asyncio
import json
import random
import sys
from typing import Any

PLAYERS = 1500
GAMES = 2500
FOLLOWED = "Rhiza"
_TEXT = "x" * 2000


def player(player_id: int, login: str, chance: random.Random) -> dict[str, Any]:
    """Return somebody, with a rating that is never the same."""
    return {
        "id": player_id,
        "login": login,
        "clan": "SER",
        "country": "DE",
        "ratings": {
            f"board_{chance.randrange(400)}": {"rating": [1, 1], "number_of_games": 1},
            "global": {"rating": [chance.gauss(1500, 300), 90.0], "number_of_games": 1},
        },
    }


def game(uid: int, state: str, chance: random.Random) -> dict[str, Any]:
    """Return a game in which the followed player may be."""
    return {
        "command": "game_info",
        "uid": uid,
        "state": state,
        "title": f"{_TEXT}{chance.random()}",
        "host": chance.choice((FOLLOWED, "somebody")),
        "game_type": chance.choice(("custom", "matchmaker")),
        "featured_mod": "faf",
        "mapname": f"map_{chance.randrange(10_000)}",
        "num_players": 4,
        "max_players": 8,
        "hosted_at": None,
        "launched_at": None,
        "teams_ids": [{"team_id": 2, "player_ids": [1, chance.randrange(2, PLAYERS)]}],
    }


def queue(number: int, chance: random.Random) -> dict[str, Any]:
    """Return one of many queues."""
    return {
        "queue_name": f"queue{number}",
        "queue_pop_time": "2026-11-21T08:17:59.065114+00:00",
        "queue_pop_time_delta": chance.uniform(0, 90),
        "num_players": chance.randrange(1000),
        "team_size": 1,
        "boundary_80s": [[0, 1]] * 20,
        "boundary_75s": [],
    }


def burst(chance: random.Random) -> list[dict[str, Any]]:
    """Return what comes after a login."""
    names = [FOLLOWED, *(f"player{number}" for number in range(2, PLAYERS))]
    everybody = [player(n, name, chance) for n, name in enumerate(names, 1)]
    return [
        {"command": "welcome", "me": player(2, "player2", chance)},
        {"command": "player_info", "players": everybody},
        {"command": "social", "friends": list(range(50)), "foes": []},
        {"command": "game_info", "games": []},
    ]


def wild(chance: random.Random) -> dict[str, Any]:
    """Return a message that a client has to take, or something like it."""
    match chance.randrange(8):
        case 0:
            return {
                "command": "player_info",
                "players": [player(1, FOLLOWED, chance)] * 3,
            }
        case 1:
            gone = {**player(1, FOLLOWED, chance), "state": "offline"}
            return {"command": "player_info", "players": [gone]}
        case 2 | 3 | 4:
            state = chance.choice(("open", "playing", "closed", "melting"))
            return game(chance.randrange(GAMES), state, chance)
        case 5:
            number = chance.randrange(5000)
            return {"command": "matchmaker_info", "queues": [queue(number, chance)]}
        case 6:
            return {"command": "notice", "style": "info", "text": f"<b>{_TEXT}</b>"}
        case _:
            return {"command": "match_found", "queue_name": _TEXT}


def say(number: int) -> None:
    """Tell a number to who has started us."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


async def main(seconds: float) -> None:
    """Serve one client, then tell how it went."""
    chance = random.Random(1)
    messages = [
        json.dumps(wild(chance), separators=(",", ":")).encode() + b"\n"
        for _ in range(2000)
    ]
    begin = b"".join(json.dumps(one).encode() + b"\n" for one in burst(chance))
    sent = 0
    is_over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        reads = asyncio.create_task(answer(reader, writer))
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(reads)
                reads = asyncio.create_task(answer(reader, writer))
                while True:
                    writer.write(b"".join(chance.choices(messages, k=50)))
                    await writer.drain()
                    sent += 50
        except TimeoutError:
            reads.cancel()
        finally:
            is_over.set()
            writer.close()

    async def answer(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while line := await reader.readline():
            match json.loads(line)["command"]:
                case "ask_session":
                    writer.write(b'{"command":"session","session":7}\n')
                case "auth" | "hello":
                    writer.write(begin)
                    return
                case "ping":
                    writer.write(b'{"command":"pong"}\n')

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    say(server.sockets[0].getsockname()[1])
    await is_over.wait()
    say(sent)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
