"""The fake console as a program."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
import io
import json
from pathlib import Path
from typing import override

import pytest

from tests.fakes.line_program import CommandError
from tests.fakes.xbox import FakeConsole
from tests.fakes.xbox_commands import COMMANDS, run_command
from tests.fakes.xbox_evening import Evening
from tests.fakes.xbox_program import make_console, parser, read_state, run
from tests.fakes.xbox_script_client import ScriptClient
from tests.protocols import virtual_time

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Output(io.StringIO):
    """Tells when there is something."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    @override
    def flush(self) -> None:
        self.written.set()


async def told(*arguments: str, lines: str = "") -> list[tuple[str, object]]:
    """Run the program with commands; returns the kinds and data that it printed."""
    output = io.StringIO()
    commands = asyncio.StreamReader()
    commands.feed_data(f"{lines}\nquit\n".encode())
    options = parser().parse_args(["--port", "0", *arguments])
    async with asyncio.timeout(5):
        await run(options, output, commands)
    objects = [json.loads(line) for line in output.getvalue().splitlines()]
    return [(entry["kind"], entry["data"]) for entry in objects]


@pytest.fixture
async def console() -> AsyncIterator[FakeConsole]:
    async with FakeConsole() as console:
        yield console


async def test_commands(console: FakeConsole) -> None:
    lines = {
        "help": "help",
        "state": "state",
        "off": "off",
        "on": "on",
        "button": "button",
        "unplug": "unplug",
        "plug": "plug",
        "disappear": "disappear",
        "reappear": "reappear",
        "restart": "restart",
        "home": "home",
        "launch": "launch 4ae8f9b2 A!B 1",
        "titles": "titles 1,A!B 2,C!D,0,focus",
        "asset": "asset 2000",
        "text": "text Your name",
        "type": "type secret",
        "close_text": "close_text cancel",
        "password": "password PIN",
        "pair": "pair",
        "unpair": "unpair",
        "surface": "surface 2",
        "refuse": "refuse 9",
        "kick": "kick 4",
        "loss": "loss 0.5",
        "faults": "faults delay=0.1 duplicate=0.2",
        "notify": "notify ChannelChanged",
        "media": "media play A film",
    }
    assert set(lines) == set(COMMANDS)
    for line in lines.values():
        await run_command(console, line.split())
    assert [title.aum for title in console.titles] == ["A!B", "C!D"]
    assert console.faults.delay == 0.1
    for line in ("media pause", "media play", "media seek 90", "refuse none"):
        await run_command(console, line.split())
    assert (await run_command(console, ["state"]))["position"] == pytest.approx(
        90, abs=1
    )
    await run_command(console, ["media", "none"])
    for line in ("bogus", "media", "media pause", "launch x", "faults x=1", "refuse"):
        with pytest.raises(CommandError):
            await run_command(console, line.split())


async def test_program() -> None:
    printed = await told(
        "--boot-delay", "0", lines="state\noff\non\nbogus\ntext Hi\ntype secret\n"
    )
    kinds = [kind for kind, _ in printed]
    assert kinds == [
        "ready",
        "done",
        "state",
        "done",
        "state",
        "done",
        "error",
        "text_opened",
        "done",
        "done",
    ]
    assert "secret" not in repr(printed)


async def test_state_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    arguments = ("--state-file", str(path))
    assert read_state(path) is None
    printed = await told(*arguments, lines="off")
    assert ("state", {"value": "standby"}) in printed
    assert read_state(path) is False
    assert "'state': 'standby'" in repr((await told(*arguments))[0])
    path.write_text("[]", encoding="utf-8")
    assert read_state(path) is None


async def test_options(tmp_path: Path) -> None:
    accounts = tmp_path / "accounts.json"
    accounts.write_text('{"1": "token"}', encoding="utf-8")
    options = parser().parse_args(
        ["--no-anonymous", "--accounts", str(accounts), "--live-id", "F4", "--off"]
    )
    console = make_console(options)
    assert (console.flags, console.is_on, console.port) == (2, False, 5050)
    assert console.accounts == {"1": "token"}
    assert console.console_uuid == make_console(options).console_uuid


async def test_verbose_and_clients() -> None:
    output = Output()
    commands = asyncio.StreamReader()
    options = parser().parse_args(["--port", "0", "--verbose", "--lively", "100"])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run(options, output, commands))
        await output.written.wait()
        ready = json.loads(output.getvalue().splitlines()[0])["data"]
        async with ScriptClient((ready["address"], ready["port"])) as client:
            await client.discover()
        commands.feed_data(b"quit\n")
        await task
    assert '"discovery_request"' in output.getvalue()


def test_evening() -> None:
    async def scenario() -> list[str]:
        async with FakeConsole() as console:
            evening = Evening(console, 20)
            evening.start()
            await asyncio.sleep(20 * 7 + 1)
            console.turn_off()
            await asyncio.sleep(60)
            evening.stop()
            with contextlib.suppress(TimeoutError):
                await console.wait_for("titles", timeout=100, focused="never")
            kinds = ("titles", "media", "text_opened", "text_closed")
            return [event.kind for event in console.log if event.kind in kinds]

    assert virtual_time.run(scenario()) == [
        "titles",
        "media",
        "media",
        "media",
        "media",
        "media",
        "titles",
        "titles",
        "text_opened",
        "text_closed",
        "titles",
    ]
