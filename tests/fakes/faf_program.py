"""The fake lobby as a program, for the demo home, the checks and by hand."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
from functools import partial
from typing import TYPE_CHECKING, TextIO, get_args
import zlib

from tests.fakes.faf_commands import COMMANDS, run_command
from tests.fakes.faf_evening import Evening
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_websocket import WebSocketMode
from tests.fakes.line_program import LineProgram

if TYPE_CHECKING:
    from tests.fakes.faf_events import EventKind, FafEvent

_QUIET: frozenset[EventKind] = frozenset(
    {"received", "sent", "report", "rating", "game", "proof", "search"}
)
_FIRST_ID = 10_000
_IDS = 80_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser().parse_args(arguments)
    asyncio.run(run(options))


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    commands = "; ".join(f"{name} {c.usage}".strip() for name, c in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.faf_program",
        description="A fake FAF lobby. Prints one JSON object per line: first that it is"
        " ready, then what happens. Reads commands, one per line: " + commands,
    )
    parser.add_argument("--name", default="FAF lobby", help="what to call it")
    parser.add_argument("--address", default="127.0.0.1", metavar="ADDR")
    parser.add_argument("--qds-port", type=int, default=8001, metavar="N")
    parser.add_argument("--json-port", type=int, default=8002, metavar="N")
    parser.add_argument("--websocket-port", type=int, default=8003, metavar="N")
    parser.add_argument(
        "--websocket-mode", choices=get_args(WebSocketMode.__value__), default="lines"
    )
    parser.add_argument(
        "--account",
        action="append",
        default=[],
        metavar="LOGIN:PASSWORD",
        help="somebody who may sign in; the number follows from the login",
    )
    parser.add_argument(
        "--friends", action="append", default=[], metavar="LOGIN:LOGIN,LOGIN"
    )
    parser.add_argument(
        "--avatar", action="append", default=[], metavar="LOGIN:URL:TOOLTIP"
    )
    parser.add_argument("--report-interval", type=float, default=1.0, metavar="SECONDS")
    parser.add_argument(
        "--pop",
        type=float,
        default=90.0,
        metavar="SECONDS",
        help="between two pops of a queue, at most",
    )
    parser.add_argument(
        "--lively",
        nargs="?",
        type=float,
        const=10.0,
        metavar="SECONDS",
        help="play an evening by itself, something every so often",
    )
    parser.add_argument("--crowd", type=int, metavar="N", help="so many are online")
    parser.add_argument("--gateway-key", metavar="KEY", help="wants signed addresses")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--verbose", action="store_true", help="print every message")
    return parser


async def run(
    options: argparse.Namespace,
    output: TextIO | None = None,
    commands: asyncio.StreamReader | None = None,
) -> None:
    """Run a lobby as the options say; `output` is standard output."""
    lobby = make_lobby(options)
    program = LineProgram(output, commands)

    def happened(event: FafEvent) -> None:
        if options.verbose or event.kind not in _QUIET:
            # Messages have secrets.
            data = {name: v for name, v in event.data.items() if name != "message"}
            program.say(event.kind, data)

    lobby.events.keep = False
    lobby.core.logs_sent = options.verbose
    friends = tuple(dict.fromkeys(_friends(lobby, options)))
    evening = Evening(lobby, options.lively or 0.0, friends)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(program)
        await stack.enter_async_context(lobby)
        program.say(
            "ready",
            {
                "name": options.name,
                "address": lobby.address,
                "json_port": lobby.json_port,
                "qds_port": lobby.qds_port,
                "websocket_port": lobby.websocket_port,
                "url": lobby.url,
            },
        )
        if options.crowd:
            lobby.crowd(options.crowd, options.crowd // 5)
        evening.start()
        stack.callback(evening.stop)
        # What is there from the beginning is no news.
        lobby.events.listeners.append(happened)
        await program.obey(partial(run_command, lobby))


def make_lobby(options: argparse.Namespace) -> FakeLobby:
    """Make the lobby and its accounts."""
    lobby = FakeLobby(
        options.address,
        websocket_port=options.websocket_port,
        json_port=options.json_port,
        qds_port=options.qds_port,
        websocket_mode=options.websocket_mode,
        report_interval=options.report_interval,
        gateway_key=options.gateway_key,
        seed=options.seed,
    )
    lobby.matchmaker.max_pop = options.pop
    for text in options.account:
        login, _, password = text.partition(":")
        lobby.add_account(login, password=password, id=stable_id(lobby, login))
    for text in options.avatar:
        login, _, rest = text.partition(":")
        url, _, tooltip = rest.rpartition(":")
        lobby.add_avatar(login, url, tooltip)
    return lobby


def stable_id(lobby: FakeLobby, login: str) -> int:
    """Return the number of an account, the same whenever the program runs."""
    number = _FIRST_ID + zlib.crc32(login.casefold().encode()) % _IDS
    while number in lobby.core.accounts:
        number += 1
    return number


def _friends(lobby: FakeLobby, options: argparse.Namespace) -> list[str]:
    """Make people friends; returns who they are."""
    everybody = []
    for text in options.friends:
        login, _, names = text.partition(":")
        for name in names.split(","):
            lobby.core.add_account(name, stable_id(lobby, name))
            lobby.befriend(login, name)
            everybody.append(name)
    return everybody


if __name__ == "__main__":
    main()
