"""The fake Apple TV as a program, for the demo home, the checks and by hand."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
from functools import partial
from pathlib import Path
from typing import TextIO

from tests.fakes.apple_tv import FakeAppleTv, FakeEvent
from tests.fakes.apple_tv_core import FLAVOURS
from tests.fakes.apple_tv_evening import Evening
from tests.fakes.apple_tv_program_commands import COMMANDS, run_command, state_of
from tests.fakes.apple_tv_program_state import read_state, write_state
from tests.fakes.line_program import LineProgram

_QUIET = frozenset(
    {
        "mdns_query",
        "request",
        "no_op",
        "airplay_request",
        "airplay_encrypted",
        "event_answered",
        "queue_request",
        "interest",
        "touch",
    }
)
#: What changes the state file.
_LASTING = frozenset({"paired", "power", "account"})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    options = parser().parse_args(arguments)
    asyncio.run(run(options))


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    commands = "; ".join(f"{name} {c.usage}".strip() for name, c in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.apple_tv_program",
        description="A fake Apple TV or HomePod. Prints one JSON object per line: first"
        " that it is ready, then what happens. Reads commands, one per line: "
        + commands.replace("%", "%%"),
    )
    parser.add_argument("--kind", choices=("apple_tv", "homepod"), default="apple_tv")
    parser.add_argument("--name", default="Living Room", help="what the user sees")
    parser.add_argument("--os", choices=list(FLAVOURS), default="tvos_26")
    parser.add_argument("--address", default="127.0.0.1", metavar="ADDR")
    parser.add_argument("--companion-port", type=int, default=0, metavar="N")
    parser.add_argument("--airplay-port", type=int, default=0, metavar="N")
    parser.add_argument("--mrp-port", type=int, default=0, metavar="N")
    parser.add_argument("--mdns-port", type=int, default=0, metavar="N")
    parser.add_argument("--model", metavar="MODEL")
    parser.add_argument("--pin", default="1234", metavar="NNNN")
    parser.add_argument("--password", metavar="TEXT")
    parser.add_argument(
        "--airplay-pairing", choices=("hap", "legacy", "transient", "none")
    )
    parser.add_argument(
        "--knock-ports", type=int, nargs="*", default=(), metavar="N", help="more ports"
    )
    parser.add_argument("--seed", metavar="TEXT", help="decides on the identity")
    parser.add_argument("--off", action="store_true", help="begin asleep")
    parser.add_argument("--sleeps-deeply", action="store_true", help="when turned off")
    parser.add_argument(
        "--proxy-form",
        choices=("bare", "proxy"),
        default="proxy",
        help="how it is answered for while its network sleeps",
    )
    parser.add_argument("--wake-delay", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--answer-delay", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument(
        "--announce",
        nargs="?",
        const="",
        metavar="ADDR",
        help="by multicast, at the interface with that address or the device's",
    )
    parser.add_argument(
        "--lively",
        nargs="?",
        type=float,
        const=20.0,
        metavar="SECONDS",
        help="play an evening by itself, something every so often",
    )
    parser.add_argument(
        "--state-file", type=Path, metavar="FILE", help="keeps pairings and power"
    )
    parser.add_argument("--verbose", action="store_true", help="print everything")
    return parser


def make_device(options: argparse.Namespace) -> FakeAppleTv:
    """Make the device, as its state file says if there is one."""
    device = FakeAppleTv(
        options.name,
        options.kind,
        options.os,
        address=options.address,
        companion_port=options.companion_port,
        airplay_port=options.airplay_port,
        mrp_port=options.mrp_port,
        mdns_port=options.mdns_port,
        airplay_pairing=options.airplay_pairing,
        model=options.model,
        pin=options.pin,
        password=options.password,
        knock_ports=options.knock_ports,
        seed=options.seed,
    )
    device.power.sleeps_deeply = options.sleeps_deeply
    device.mdns.proxy_form = options.proxy_form
    device.power.wake_delay = options.wake_delay
    device.companion.answer_delay = options.answer_delay
    if options.state_file:
        read_state(device, options.state_file)
    if options.off:
        device.power.attention = 1
    return device


async def run(
    options: argparse.Namespace,
    output: TextIO | None = None,
    commands: asyncio.StreamReader | None = None,
) -> None:
    """Run a device as the options say; `output` is standard output."""
    device = make_device(options)
    program = LineProgram(output, commands)

    def happened(event: FakeEvent) -> None:
        if options.verbose or event.kind not in _QUIET:
            program.say(event.kind, event.data)
        if event.kind in _LASTING and options.state_file:
            write_state(device, options.state_file)

    device.events.keep = False
    device.events.listeners.append(happened)
    evening = Evening(device, options.lively or 0.0)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(program)
        await stack.enter_async_context(device)
        if options.announce is not None:
            await device.announce(options.announce or None)
        if options.state_file:
            write_state(device, options.state_file)
        program.say(
            "ready",
            {
                "name": device.name,
                "device_id": device.device_id,
                "output_device": device.psi,
                "pin": device.pin,
                **state_of(device),
            },
        )
        evening.start()
        stack.callback(evening.stop)
        await program.obey(partial(run_command, device))


if __name__ == "__main__":
    main()
