"""The fake Apple TV as a program."""

import asyncio
from collections.abc import AsyncIterator
import io
import json
from pathlib import Path
from typing import override

import pytest

from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_program import make_device, parser, run
from tests.fakes.apple_tv_program_commands import COMMANDS, run_command
from tests.fakes.apple_tv_program_state import read_state, write_state
from tests.fakes.apple_tv_script_client import CompanionScript, Controller
from tests.fakes.line_program import CommandError

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
    async with asyncio.timeout(5):
        await run(parser().parse_args(arguments), output, commands)
    objects = [json.loads(line) for line in output.getvalue().splitlines()]
    return [(entry["kind"], entry["data"]) for entry in objects]


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv() as device:
        yield device


async def test_commands(device: FakeAppleTv) -> None:
    lines = [
        "help",
        "state",
        "off",
        "on",
        "deep",
        "on",
        "screensaver",
        "play film",
        "play episode",
        "play music",
        "pause",
        "play",
        "seek 30",
        "stop",
        "step",
        "step 2",
        "volume 30",
        "speaker AA Kitchen",
        "app com.example.new New one",
        "text Hello",
        "type you",
        "close_text",
        "pin 42",
        "unpair",
        "erase",
        "back_off 1.5",
        "busy",
        "busy off",
        "full on",
        "impostor",
        "impostor off",
        "mute _hidC",
        "fail _tiStart",
        "delay 0.1",
        "split 1",
        "drop",
        "vanish",
        "back",
        "restart",
        "restart ports",
        "reboot 0.01",
        "move 127.0.0.1",
        "rename Bed room",
        "rotate",
        "update tvos_27",
    ]
    for line in lines:
        await run_command(device, line.split())
    assert {line.split()[0] for line in lines} == set(COMMANDS) - {
        "flood",
        "undecryptable",
    }
    assert (device.volume, device.pin, device.desk.back_off) == (0.3, "0042", 1.5)
    assert device.apps["com.example.new"] == "New one"
    assert device.companion.mute == {"_hidC"}
    assert device.desk.max_pairings == 0
    state = await run_command(device, ["state"])
    assert (device.name, device.os_version) == ("Bed room", "27.0")
    assert device.desk.needs_client_name
    assert state["power"] == "on"
    assert state["title"] == "The Long Loopback"


@pytest.mark.parametrize(
    "line",
    [
        "bogus",
        "seek 3",
        "volume",
        "type x",
        "busy x",
        "flood 1",
        "play x",
        "pause",
        "rename",
        "update x",
    ],
)
async def test_wrong_commands(device: FakeAppleTv, line: str) -> None:
    with pytest.raises(CommandError):
        await run_command(device, line.split())


async def test_mischief(device: FakeAppleTv) -> None:
    controller = Controller()
    controller.pair(device.desk.accessory("companion").setup, device.pin)
    client = await CompanionScript.connect(
        device.address, device.companion_port, controller
    )
    async with client:
        await client.verify()
        await run_command(device, ["flood", "3"])
        for _ in range(3):
            assert (await client.message())["_i"] == "_iMC"
        await run_command(device, ["undecryptable"])


async def test_run() -> None:
    printed = await told("--name", "Bedroom", lines="volume 20\nbogus\n\nplay")
    kind, data = printed[0]
    assert kind == "ready"
    assert isinstance(data, dict)
    assert (data["name"], data["pin"], data["power"]) == ("Bedroom", "1234", "on")
    assert data["ports"]["companion"] > 0
    assert ("volume", {"volume": 0.2, "by": "device"}) in printed
    assert ("done", {"command": "volume"}) in printed
    assert ("error", {"command": "bogus", "reason": "unknown; try help"}) in printed
    usage = "usage: play [film|episode|music]"
    assert ("error", {"command": "play", "reason": usage}) in printed


async def test_state_file(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    arguments = ("--state-file", str(path))
    await told(*arguments)
    known = FakeAppleTv()
    assert read_state(known, path)
    controller = Controller()
    controller.pair(known.desk.accessory("companion").setup, known.pin)
    known.power.attention = 1
    write_state(known, path)
    printed = await told(*arguments, lines="on")
    assert printed[0][0] == "ready"
    assert "'power': 'off'" in repr(printed[0])
    assert "'companion': 1" in repr(printed[0])
    assert ("power", {"state": "awake", "by": "device"}) in printed
    again = make_device(parser().parse_args(arguments))
    assert again.is_on
    assert again.desk.public_key == known.desk.public_key
    controller.verify(again.desk.accessory("companion").verify)
    path.write_text("[]", encoding="utf-8")
    assert not read_state(again, path)
    assert not read_state(again, tmp_path / "none")


def test_options() -> None:
    options = parser().parse_args(
        [
            *("--kind", "homepod", "--os", "tvos_17", "--off", "--sleeps-deeply"),
            *("--seed", "x", "--knock-ports", "3689", "--wake-delay", "2"),
        ]
    )
    device = make_device(options)
    assert (device.kind, device.os, device.is_on) == ("homepod", "tvos_17", False)
    assert device.power.sleeps_deeply
    assert device.power.wake_delay == 2
    assert device.device_id == make_device(options).device_id


async def test_verbose_and_clients() -> None:
    output = Output()
    commands = asyncio.StreamReader()
    options = parser().parse_args(["--verbose", "--lively", "100"])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(run(options, output, commands))
        await output.written.wait()
        ready = json.loads(output.getvalue().splitlines()[0])["data"]
        client = await CompanionScript.connect(
            ready["address"], ready["ports"]["companion"]
        )
        async with client:
            await client.pair(ready["pin"])
            await client.verify()
            await client.start_session()
        commands.feed_data(b"quit\n")
        await task
    assert '"request"' in output.getvalue()
    assert '"paired"' in output.getvalue()
