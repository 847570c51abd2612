"""The demo: a real Home Assistant with Rumpus and fake devices to play with. `script/demo` starts it."""

import argparse
import asyncio
from collections.abc import Coroutine
import contextlib
from functools import partial
import os
from pathlib import Path
import shutil
import signal
import stat
import sys
import time
from typing import Final

from .api import ApiError
from .auth import DEFAULT_PASSWORD, DEFAULT_USERNAME
from .browser import BrowserError, prepare
from .demo_check import check
from .demo_families import FAMILIES
from .fakes import FakeError
from .families import DemoFamily
from .lab import CACHE, Lab, Place
from .network import NetworkError
from .report import CheckError
from .server import DEFAULT_PORT, ServerError
from .shapes import JsonObject

CHECK_PORT: Final = 8133
RESTART_WANTED: Final = 100


def main() -> int:
    """Run the demo or its check; returns the exit code."""
    options = _parser().parse_args()
    folder = CACHE / ("demo-check" if options.check else "demo")
    port = options.port or (CHECK_PORT if options.check else DEFAULT_PORT)
    private = False if options.loopback else None
    try:
        # There is no way to install anything once the private network is entered.
        browser = prepare() if options.check and options.browser else None
        place = Place.open(port, private=private)
        if options.check:
            shutil.rmtree(folder, ignore_errors=True)
            return asyncio.run(_until_told(check(place, folder, browser)))
        if options.fresh:
            shutil.rmtree(folder, ignore_errors=True)
        return asyncio.run(_until_told(play(place, folder)))
    except (BrowserError, NetworkError, ServerError, FakeError) as err:
        print(f"demo: {err}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/demo",
        description="A real Home Assistant with Rumpus and fake devices. Ctrl-C ends everything.",
    )
    parser.add_argument(
        "--port", type=int, help=f"of Home Assistant, default {DEFAULT_PORT}"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget what earlier demos set up"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="headless: walk every config flow, try every device, and end",
    )
    parser.add_argument(
        "--browser",
        action="store_true",
        help="with --check: look at it in Chromium as well",
    )
    parser.add_argument(
        "--loopback",
        action="store_true",
        help="no network of its own (what happens anyway unless root on Linux)",
    )
    return parser


async def _until_told(work: Coroutine[object, object, int]) -> int:
    """Run something; SIGINT, SIGTERM and SIGHUP end it in order."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        print("\nended, nothing is left running", flush=True)
        return 0


async def play(place: Place, folder: Path) -> int:
    """Show everything until the user has enough."""
    print("Starting Home Assistant and the fake devices ...", flush=True)
    lab = Lab(place, folder / "config")
    try:
        await asyncio.gather(
            lab.start(),
            *(family.start(lab, folder, check=False) for family in FAMILIES),
        )
        _welcome(lab)
        tellers = [asyncio.create_task(_tell(lab, family)) for family in FAMILIES]
        tellers.append(asyncio.create_task(_obey(lab)))
        try:
            await _keep_running(lab)
        finally:
            for teller in tellers:
                teller.cancel()
    finally:
        await lab.stop()
    return 0


def _welcome(lab: Lab) -> None:
    """Tell the user what there is."""
    started = float(os.environ.get("DEMO_STARTED") or time.time())
    boot = f"of which Home Assistant took {lab.server.boot_seconds or 0:.1f} s"
    lines = [
        "",
        f"  Home Assistant {lab.api.version}   {lab.server.url}",
        f"  sign in as            {DEFAULT_USERNAME} / {DEFAULT_PASSWORD}",
        f"  up after              {time.time() - started:.1f} s, {boot}",
        "",
        "  Look at Settings > Devices & services.",
    ]
    for family in FAMILIES:
        lines += [
            "",
            f"  {family.title}",
            *(f"    {line}" for line in family.guide(lab)),
        ]
    lines += [
        "",
        "  Ctrl-C ends everything. What you set up is kept; --fresh forgets it.",
        "",
    ]
    print("\n".join(lines), flush=True)


async def _tell(lab: Lab, family: DemoFamily) -> None:
    """Print what happens to the fake devices of a family."""

    def show(name: str, event: JsonObject) -> None:
        if (text := family.describe(event)) is not None:
            print(f"  {time.strftime('%H:%M:%S')}  {name}: {text}", flush=True)

    # Where the system has no place for them, they were not started.
    names = [name for name in family.devices if name in lab.fakes]
    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(lab.fakes[name].follow(partial(show, name)))


async def _obey(lab: Lab) -> None:
    """Hand the lines that the user types ("NAME: COMMAND") to the fake devices."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (sys.stdin.isatty() or stat.S_ISFIFO(mode)):
        return  # nothing to type on
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        name, _, command = line.decode(errors="replace").strip().partition(":")
        if (fake := lab.fakes.get(name.strip())) is not None:
            await fake.say(command.strip())
        elif name:
            print(f"  No device {name!r}; there are {', '.join(lab.fakes)}", flush=True)


async def _accompany(lab: Lab, family: DemoFamily) -> None:
    """Go along with a family for as long as Home Assistant runs."""
    with contextlib.suppress(ConnectionError):
        try:
            await family.accompany(lab)
        except (ApiError, CheckError, TimeoutError) as err:
            print(
                f"  The demo of {family.title} goes on without help: {err}", flush=True
            )


async def _keep_running(lab: Lab) -> None:
    """Wait for the end; start Home Assistant again when the user asks it to restart."""
    while True:
        companions = [
            asyncio.create_task(_accompany(lab, family)) for family in FAMILIES
        ]
        try:
            code = await lab.server.wait_ended()
        finally:
            for companion in companions:
                companion.cancel()
        if code != RESTART_WANTED:
            break
        await lab.server.stop()
        seconds = await lab.server.start()
        await lab.api.reconnect()
        print(f"  Home Assistant was restarted in {seconds:.1f} s", flush=True)
    raise ServerError(
        f"Home Assistant ended with code {code}:\n{lab.server.log.tail()}"
    )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
