"""What can be told to a fake lobby that runs as a program, one line each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.faf_json import JsonObject
from tests.fakes.line_program import CommandError

if TYPE_CHECKING:
    from tests.fakes.faf_lobby import FakeLobby

type _Answer = JsonObject | None
type _Run = Callable[[FakeLobby, list[str]], _Answer]


@dataclass(frozen=True, slots=True)
class Command:
    """One command, and what follows its name."""

    usage: str
    run: _Run | Callable[[FakeLobby, list[str]], Awaitable[_Answer]]


async def run_command(lobby: FakeLobby, words: list[str]) -> JsonObject:
    """Do what a line says; returns what is to be told. Raises CommandError."""
    command = COMMANDS.get(words[0])
    if command is None:
        raise CommandError("unknown; try help")
    try:
        answer = command.run(lobby, words[1:])
        if isinstance(answer, Awaitable):
            answer = await answer
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        raise CommandError(f"usage: {words[0]} {command.usage}".strip()) from error
    return answer or {}


def _help(lobby: FakeLobby, words: list[str]) -> _Answer:
    return {name: command.usage for name, command in COMMANDS.items()}


def _state(lobby: FakeLobby, words: list[str]) -> _Answer:
    core = lobby.core
    return {
        "sessions": len(lobby.sessions),
        "signed_in": [player.login for _, player in core.signed_in()],
        "players": [player.login for player in core.players.values()],
        "games": {str(uid): str(game.stage) for uid, game in core.games.items()},
        "queues": {name: queue.size for name, queue in core.queues.items()},
    }


def _on(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.sign_on(words[0], *words[1:])
    return None


def _off(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.sign_off(words[0], *words[1:])
    return None


def _host(lobby: FakeLobby, words: list[str]) -> _Answer:
    host, map_name, *title = words
    return {
        "uid": lobby.host_game(host, title=" ".join(title) or None, map_name=map_name)
    }


def _set(lobby: FakeLobby, words: list[str]) -> _Answer:
    uid, name, *rest = words
    value: object = " ".join(rest)
    if name == "max_players":
        value = int(rest[0])
    elif name in ("rating_min", "rating_max"):
        value = float(rest[0])
    elif name not in ("title", "map_name", "password", "featured_mod", "visibility"):
        raise ValueError(name)
    lobby.change_game(int(uid), **{name: value or None})
    return None


def _join(lobby: FakeLobby, words: list[str]) -> _Answer:
    uid, login, *team = words
    lobby.join(login, int(uid), int(team[0]) if team else 3)
    return None


def _leave(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.leave(words[0])
    return None


def _launch(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.launch(int(words[0]))
    return None


def _end(lobby: FakeLobby, words: list[str]) -> _Answer:
    """Change means by what is told, as +12.5 or -9."""
    uid = int(words[0])
    game = lobby.game(uid)
    ratings = {}
    for word in words[1:]:
        login, change = word.rsplit("=", 1)
        rating = lobby.account(login).rating(game.rating_type)
        ratings[login] = (rating.mean + float(change), rating.deviation)
    lobby.end_game(uid, ratings)
    return None


def _rate(lobby: FakeLobby, words: list[str]) -> _Answer:
    login, mean, deviation, *leaderboard = words
    board = leaderboard[0] if leaderboard else "global"
    lobby.set_rating(login, float(mean), float(deviation), leaderboard=board)
    return None


def _search(lobby: FakeLobby, words: list[str]) -> _Answer:
    login, queue, *others = words
    lobby.search(login, queue, *others)
    return None


def _stop_search(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.stop_search(words[0])
    return None


def _pop(lobby: FakeLobby, words: list[str]) -> _Answer:
    return {"games": [*lobby.pop(words[0])]}


def _pop_in(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.pop_in(float(words[1]), words[0])
    return None


def _match(lobby: FakeLobby, words: list[str]) -> _Answer:
    queue, *logins = words
    for login in logins:
        lobby.search(login, queue)
    return {"games": [*lobby.pop(queue)]}


def _cancel_match(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.cancel_match(int(words[0]))
    return None


def _notice(lobby: FakeLobby, words: list[str]) -> _Answer:
    style, *text = words
    lobby.notice(" ".join(text), style)
    return None


def _kick(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.kick(words[0])
    return None


def _ban(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.ban(words[0])
    return None


def _unban(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.ban(words[0], None)
    return None


def _password(lobby: FakeLobby, words: list[str]) -> _Answer:
    login, word, *more = words
    lobby.account(login).password = " ".join((word, *more))
    return None


def _befriend(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.befriend(words[0], *words[1:])
    return None


def _drop(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.drop(words[0] if words else None)
    return None


def _crowd(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.crowd(*map(int, words))
    return None


def _silent(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.mischief.silent = {"on": True, "off": False}[words[0]]
    return None


def _refuse(lobby: FakeLobby, words: list[str]) -> _Answer:
    lobby.mischief.refuse = {"on": True, "off": False}[words[0]]
    return None


async def _restart(lobby: FakeLobby, words: list[str]) -> _Answer:
    await lobby.restart()
    return None


async def _go(lobby: FakeLobby, words: list[str]) -> _Answer:
    await lobby.stop()
    return None


async def _come(lobby: FakeLobby, words: list[str]) -> _Answer:
    if not lobby.is_running:
        await lobby.start()
    return None


COMMANDS = {
    "help": Command("", _help),
    "state": Command("", _state),
    "on": Command("<login> ...", _on),
    "off": Command("<login> ...", _off),
    "host": Command("<login> <map> [title]", _host),
    "set": Command("<uid> <title|map_name|max_players|...> <value>", _set),
    "join": Command("<uid> <login> [team]", _join),
    "leave": Command("<login>", _leave),
    "launch": Command("<uid>", _launch),
    "end": Command("<uid> [<login>=<change of the rating> ...]", _end),
    "rate": Command("<login> <mean> <deviation> [leaderboard]", _rate),
    "search": Command("<login> <queue> [login of the same party ...]", _search),
    "stop_search": Command("<login>", _stop_search),
    "pop": Command("<queue>", _pop),
    "pop_in": Command("<queue> <seconds>", _pop_in),
    "match": Command("<queue> <login> ...", _match),
    "cancel_match": Command("<uid>", _cancel_match),
    "notice": Command("<style> <text>", _notice),
    "kick": Command("<login>", _kick),
    "ban": Command("<login>", _ban),
    "unban": Command("<login>", _unban),
    "password": Command("<login> <new password>", _password),
    "befriend": Command("<login> <login> ...", _befriend),
    "drop": Command("[login]", _drop),
    "crowd": Command("[players [games]]", _crowd),
    "silent": Command("on | off", _silent),
    "refuse": Command("on | off", _refuse),
    "restart": Command("", _restart),
    "disappear": Command("", _go),
    "reappear": Command("", _come),
}
