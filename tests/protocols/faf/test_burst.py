"""What a login to a full lobby costs, and in how small steps it is taken in.

Times depend on the machine: the measure is what the parser of the standard library takes
for the same bytes: 4 ms on the machine where a login may take 50 ms, 10 ms in one go.
"""

from collections.abc import Callable
import json
import time

from .watching import ME, START, game, games, player, players, queue, queues, welcome
from custom_components.rumpus.protocols.faf.lobby import STEP, Lobby
from custom_components.rumpus.protocols.json_lines import JsonObject

PLAYERS = 1_500
GAMES = 300
ROUNDS = 7


def burst() -> list[JsonObject]:
    """Return what the server says after a login to a lobby of an evening."""
    hosted = (
        game(
            1000 + n,
            "playing" if n % 3 else "open",
            range(n * 4, n * 4 + 4),
            teams={"2": [f"player{n * 4}"], "3": [f"player{n * 4 + 1}"]},
        )
        for n in range(GAMES)
    )
    return [
        welcome(),
        players(player(ME), *(player(n, clan="ABC") for n in range(2, PLAYERS + 1))),
        {"command": "social", "friends": [*range(2, 60)], "foes": [], "power": 0},
        games(*hosted),
        queues(queue("ladder1v1", 60.0), queue("tmm2v2", 60.0)),
    ]


def best_of(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(ROUNDS))


def parse_time(texts: list[str]) -> float:
    started = time.thread_time()
    for text in texts:
        json.loads(text)
    return time.thread_time() - started


def apply_times(messages: list[JsonObject]) -> list[float]:
    """Return how long each step takes."""
    lobby = Lobby()
    times: list[float] = []
    last = time.thread_time()
    for message in messages:
        for _ in lobby.apply(message, 1000.0, START):
            now = time.thread_time()
            times.append(now - last)
            last = now
    assert len(lobby.players) == PLAYERS
    assert len(lobby.games) == GAMES
    assert lobby.is_complete
    return times


def test_a_login_takes_little_time() -> None:
    messages = burst()
    texts = [json.dumps(message) for message in messages]

    yardstick = best_of(lambda: parse_time(texts))
    ours = best_of(lambda: sum(apply_times(messages)))

    # About three times as much, 13 ms.
    assert ours < 12 * yardstick


def test_a_login_is_taken_in_by_small_steps() -> None:
    messages = burst()
    texts = [json.dumps(message) for message in messages]

    yardstick = best_of(lambda: parse_time(texts))
    longest = best_of(lambda: max(apply_times(messages)))

    # About a tenth, 0.4 ms.
    assert longest < 2 * yardstick


def test_number_of_steps() -> None:
    assert len(apply_times(burst())) >= (PLAYERS + GAMES) // STEP


def test_a_second_login_is_taken_in_by_small_steps() -> None:
    messages = burst()
    lobby = Lobby()
    for message in messages:
        list(lobby.apply(message, 1000.0, START))

    list(lobby.apply(welcome(), 1000.0, START))
    list(lobby.apply(players(player(ME)), 1000.0, START))
    steps = list(lobby.apply(games(), 1000.0, START))

    # Everybody else is forgotten, a few at a time.
    assert len(steps) >= (PLAYERS + GAMES) // STEP
    assert set(lobby.players) == {ME}
    assert not lobby.games
