"""The fake KDE Connect device as a program, for the demo home and by hand."""

import argparse
import asyncio
from collections.abc import Sequence
import contextlib
import ipaddress
import json
from pathlib import Path
import signal
from typing import TextIO

from tests.fakes.kdeconnect import UDP_PORT, FakeDevice
from tests.fakes.kdeconnect_discovery import TCP_PORTS
from tests.fakes.kdeconnect_events import EventKind, FakeEvent
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_state import read_state, write_state
from tests.fakes.kdeconnect_wire import Body

_PRINTED: frozenset[EventKind] = frozenset(
    {
        "link_up",
        "link_down",
        "link_failed",
        "pairing_requested",
        "pairing_failed",
        "paired",
        "unpaired",
        "ping",
        "ring",
        "lock_set",
        "command_run",
        "command_list",
        "player_action",
        "payload_sent",
        "payload_failed",
    }
)
_REMEMBERED: frozenset[EventKind] = frozenset({"paired", "unpaired"})
# A picture to fetch: a GIF of one grey dot.
_ART = bytes.fromhex(
    "47494638396101000100800000808080ffffff2c00000000010001000002024401003b"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run until SIGTERM or SIGINT."""
    options = _parser().parse_args(arguments)
    asyncio.run(run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fakes.kdeconnect",
        description="A fake KDE Connect device. Prints one JSON object per line:"
        " first that it is ready, then what happens.",
    )
    parser.add_argument("--kind", choices=["phone", "computer"], default="phone")
    parser.add_argument("--protocol", type=int, choices=[7, 8], default=8)
    parser.add_argument("--name", help="what the user sees")
    everywhere = str(ipaddress.IPv4Address(0))
    parser.add_argument(
        "--bind", default=everywhere, metavar="ADDR", help="default: all"
    )
    parser.add_argument("--udp-port", type=int, default=UDP_PORT, metavar="N")
    parser.add_argument("--peer-udp-port", type=int, default=UDP_PORT, metavar="N")
    parser.add_argument("--tcp-port", type=int, metavar="N", help="default: first free")
    parser.add_argument(
        "--announce",
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="whom to send our identity, may be a broadcast address; repeatable",
    )
    parser.add_argument(
        "--announce-every",
        type=float,
        metavar="SECONDS",
        help="announce again whenever there is no link",
    )
    parser.add_argument("--auto-accept", action="store_true", help="accept pairing")
    parser.add_argument("--request-pairing", action="store_true", help="ask for it")
    parser.add_argument("--battery", type=int, metavar="PERCENT")
    parser.add_argument("--demo", action="store_true", help="add a player and commands")
    parser.add_argument(
        "--state-file", type=Path, metavar="FILE", help="keeps identity and pairings"
    )
    return parser


async def run(options: argparse.Namespace, output: TextIO | None = None) -> None:
    """Run a device as the options say; `output` is standard output."""

    def say(event: str, data: Body) -> None:
        print(json.dumps({"event": event, **data}), file=output, flush=True)

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    device = make_device(options)
    if options.demo:
        await add_demo(device)

    def happened(event: FakeEvent) -> None:
        if event.kind in _PRINTED:
            say(event.kind, {"device": event.device_id, **event.data})
        if event.kind in _REMEMBERED and options.state_file:
            write_state(device, options.state_file)
        if event.kind == "link_up" and options.request_pairing:
            device.peer(event.device_id).request_pairing()

    device.events.keep = False
    device.events.listeners.append(happened)
    async with device:
        if options.state_file:
            write_state(device, options.state_file)
        udp = device.udp_address[1]
        ready: Body = {"id": device.device_id, "name": device.name}
        say("ready", ready | {"tcp_port": device.tcp_port, "udp_port": udp})
        await announce_until(device, options, stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)


def make_device(options: argparse.Namespace) -> FakeDevice:
    """Make the device, from its state file if there is one."""
    state = read_state(options.state_file) if options.state_file else None
    device = FakeDevice(
        options.kind,
        protocol=options.protocol,
        name=options.name,
        bind=options.bind,
        udp_port=options.udp_port,
        peer_udp_port=options.peer_udp_port,
        tcp_ports=[options.tcp_port] if options.tcp_port else TCP_PORTS,
        accept="auto" if options.auto_accept else "ask",
        credentials=state.credentials if state else None,
        battery=options.battery,
    )
    if state:
        device.paired.update(state.paired)
        device.versions.update(state.versions)
    return device


async def announce_until(
    device: FakeDevice, options: argparse.Namespace, stop: asyncio.Event
) -> None:
    """Announce as the options say until `stop` is set."""
    while not stop.is_set():
        if not device.linked:
            for address in options.announce:
                host, _, port = address.partition(":")
                device.announce(host, int(port or UDP_PORT))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.announce_every):
                await stop.wait()


async def add_demo(device: FakeDevice) -> None:
    """Give the device something to show."""
    scheme = "kdeconnect:" if device.kind == "phone" else "file:"
    tracks = [
        FakeTrack(
            f"Song {number}",
            "The Fakes",
            "Loopback",
            length=180_000 + number * 1000,
            art_url=f"{scheme}///art/{number}.gif",
            art=_ART,
        )
        for number in (1, 2, 3)
    ]
    player = FakePlayer("Music", tracks, is_playing=True, volume=60)
    if device.kind == "computer":
        player.loop_status, player.shuffle = "None", False
        await device.commands.add("lights-out", "Lights out", "echo dark")
        await device.commands.add("backup", "Back up", "echo saved")
    await device.media.add(player)
