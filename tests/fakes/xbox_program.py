"""The fake Xbox console as a program, for the demo home, the checks and by hand."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
from functools import partial
import json
from pathlib import Path
from typing import TextIO
import uuid

from tests.fakes.line_program import LineProgram
from tests.fakes.xbox import PORT, FakeConsole, FakeEvent, Faults
from tests.fakes.xbox_commands import COMMANDS, run_command
from tests.fakes.xbox_connect import ALLOW_ANONYMOUS, ALLOW_AUTHENTICATED
from tests.fakes.xbox_crypto import CURVES
from tests.fakes.xbox_evening import Evening
from tests.fakes.xbox_events import EventKind

_QUIET: frozenset[EventKind] = frozenset(
    {
        "discovery_request",
        "connect_request",
        "connect_answer",
        "dropped",
        "message",
        "sent",
        "duplicate",
        "heartbeat",
        "resent",
        "acked",
        "text_ack",
        "aux_data",
    }
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser().parse_args(arguments)
    asyncio.run(run(options))


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    commands = "; ".join(f"{name} {c.usage}".strip() for name, c in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.xbox_program",
        description="A fake Xbox console. Prints one JSON object per line: first that"
        " it is ready, then what happens. Reads commands, one per line: "
        + commands.replace("%", "%%"),
    )
    parser.add_argument("--name", default="Living room", help="what the user sees")
    parser.add_argument("--live-id", default="FD00112233445566", metavar="ID")
    parser.add_argument("--uuid", metavar="UUID", help="default: made of the Live ID")
    parser.add_argument("--address", default="127.0.0.1", metavar="ADDR")
    parser.add_argument("--port", type=int, default=PORT, metavar="N")
    parser.add_argument("--curve", choices=list(CURVES), default="P-256")
    parser.add_argument("--build", type=int, default=19041, metavar="N")
    parser.add_argument("--locale", default="en-US")
    parser.add_argument("--no-anonymous", action="store_true")
    parser.add_argument(
        "--accounts", type=Path, metavar="FILE", help="JSON: userhash -> token"
    )
    parser.add_argument("--off", action="store_true", help="begin in standby")
    parser.add_argument("--energy-saving", action="store_true", help="never wakes")
    parser.add_argument("--wake-packets", type=int, default=1, metavar="N")
    parser.add_argument("--boot-delay", type=float, default=2.0, metavar="SECONDS")
    parser.add_argument("--answer-delay", type=float, default=0.03, metavar="SECONDS")
    parser.add_argument("--idle-timeout", type=float, default=12.0, metavar="SECONDS")
    parser.add_argument("--honours-launch", action="store_true")
    parser.add_argument("--loss", type=float, default=0.0, metavar="SHARE")
    parser.add_argument(
        "--lively",
        nargs="?",
        type=float,
        const=20.0,
        metavar="SECONDS",
        help="play an evening by itself, something every so often",
    )
    parser.add_argument("--state-file", type=Path, metavar="FILE", help="keeps power")
    parser.add_argument("--verbose", action="store_true", help="print every packet")
    return parser


async def run(
    options: argparse.Namespace,
    output: TextIO | None = None,
    commands: asyncio.StreamReader | None = None,
) -> None:
    """Run a console as the options say; `output` is standard output."""
    console = make_console(options)
    program = LineProgram(output, commands)

    def happened(event: FakeEvent) -> None:
        if options.verbose or event.kind not in _QUIET:
            program.say(event.kind, event.data)
        if event.kind == "state" and options.state_file:
            write_state(console, options.state_file)

    console.events.keep = False
    console.logs_sent = options.verbose
    console.events.listeners.append(happened)
    evening = Evening(console, options.lively or 0.0)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(program)
        await stack.enter_async_context(console)
        program.say(
            "ready",
            {
                "name": console.name,
                "live_id": console.live_id,
                "address": console.address,
                "port": console.port,
                "state": console.power.state,
            },
        )
        evening.start()
        stack.callback(evening.stop)
        await program.obey(partial(run_command, console))


def make_console(options: argparse.Namespace) -> FakeConsole:
    """Make the console, as its state file says if there is one."""
    state = read_state(options.state_file) if options.state_file else None
    flags = ALLOW_AUTHENTICATED | (0 if options.no_anonymous else ALLOW_ANONYMOUS)
    accounts: dict[str, str] = {}
    if options.accounts:
        accounts = json.loads(options.accounts.read_text(encoding="utf-8"))
    made_of_id = str(uuid.uuid5(uuid.NAMESPACE_OID, options.live_id)).upper()
    console = FakeConsole(
        options.name,
        options.live_id,
        options.uuid or made_of_id,
        address=options.address,
        port=options.port,
        curve=options.curve,
        flags=flags,
        build=options.build,
        locale=options.locale,
        accounts=accounts,
        is_on=not options.off if state is None else state,
        wake_packets=options.wake_packets,
        boot_delay=options.boot_delay,
        faults=Faults(loss=options.loss),
    )
    console.energy_saving = options.energy_saving
    console.honours_launch = options.honours_launch
    console.answer_delay = options.answer_delay
    console.idle_timeout = options.idle_timeout
    return console


def read_state(path: Path) -> bool | None:
    """Return whether the console was on; None when it is not known."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
    except OSError, ValueError:
        return None
    return state.get("is_on") is True if isinstance(state, dict) else None


def write_state(console: FakeConsole, path: Path) -> None:
    """Remember whether the console is on, or was when it lost the mains."""
    if console.power.state in ("on", "standby"):
        text = json.dumps({"is_on": console.is_on})
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
