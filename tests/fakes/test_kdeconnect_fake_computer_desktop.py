"""The fake computer's notifications and commands, tried against other fakes."""

from collections.abc import AsyncIterator
import hashlib

import pytest

from tests.fakes.kdeconnect import FakeDevice, Misbehave
from tests.fakes.kdeconnect_computer import (
    ComputerProgram,
    become,
    computer_capabilities,
)
from tests.fakes.kdeconnect_desktop import Program
from tests.fakes.kdeconnect_notifications import FakeNotification
from tests.fakes.kdeconnect_pairs import devices, pair
from tests.fakes.kdeconnect_wire import Body

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def pair_of_devices() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that are paired."""
    async with devices() as both:
        await pair(*both)
        yield both


@pytest.fixture
def phone(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A phone."""
    return pair_of_devices[0]


@pytest.fixture
def computer(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A computer."""
    return pair_of_devices[1]


# --- notifications that it shows ---


async def test_bubbles(phone: FakeDevice, computer: FakeDevice) -> None:
    """A notification is shown with its icon, and can be pressed, answered, closed."""
    chat = FakeNotification(
        "0|chat|1", "Chat", "Ada", "Hi", reply_id="r1", actions=("Read",), icon=b"png"
    )
    await phone.notifications.post(chat)
    await computer.wait_for("notification_shown")
    bubble = computer.desktop.shown["0|chat|1"]
    assert (bubble.app, bubble.title, bubble.text) == ("Chat", "Ada", "Hi")
    assert bubble.icon == b"png"
    assert await computer.desktop.press("0|chat|1", "Read") == 1
    assert await computer.desktop.reply("0|chat|1", "Hello") == 1
    assert await computer.desktop.dismiss("0|chat|1") == 1
    assert await phone.wait_packet("notification.action") == {
        "key": "0|chat|1",
        "action": "Read",
    }
    assert await phone.wait_packet("notification.reply") == {
        "requestReplyId": "r1",
        "message": "Hello",
    }
    gone = await computer.wait_for("notification_gone")
    assert gone.data == {"id": "0|chat|1"}
    assert computer.desktop.shown == {}


async def test_bubbles_come_and_go(phone: FakeDevice, computer: FakeDevice) -> None:
    """An update replaces, an icon is kept by its hash, a lost link clears all."""
    await phone.notifications.post(FakeNotification("1", "A", "T", "x", icon=b"png"))
    await phone.notifications.post(FakeNotification("1", "A", "T", "y", icon=b"png"))
    for _ in range(2):
        await computer.wait_for("notification_shown")
    assert await computer.desktop.request_all() == 1
    shown = await computer.wait_for("notification_shown")
    assert shown.data == {"id": "1", "silent": True}
    assert computer.desktop.shown["1"].icon == b"png"
    with pytest.raises(LookupError):
        await computer.desktop.press("1", "Nothing")
    with pytest.raises(LookupError):
        await computer.desktop.reply("1", "Nobody")
    await phone.close_link()
    await computer.wait_for("link_down")
    assert computer.desktop.shown == {}


async def test_bad_bubbles(phone: FakeDevice, computer: FakeDevice) -> None:
    """An icon that is not what its hash says is not shown; Valent wants all texts."""
    body: Body = {"id": 5, "appName": "A", "ticker": "T", "payloadHash": "0" * 32}
    await phone.payloads.send(phone.peer(), "notification", body, b"png")
    await computer.wait_for("fetch_failed")
    await computer.wait_for("notification_shown")
    bubble = computer.desktop.shown["5"]
    assert (bubble.title, bubble.text, bubble.icon) == ("A", "T", None)
    computer.misbehave = Misbehave.FETCH_HANG_UP
    await phone.payloads.send(phone.peer(), "notification", body, b"png")
    await computer.wait_for("fetch_failed")
    await phone.send("notification", {"id": None})
    await computer.wait_for("malformed")
    computer.desktop.program = "valent"
    await phone.send("notification", {"id": "1", "appName": "A", "ticker": "T"})
    await computer.wait_for("malformed")
    assert "1" not in computer.desktop.shown


# --- its own ---

PROGRAMS: list[tuple[Program, Body]] = [
    (
        "kde22",
        {"id": "0", "appName": "MyApp", "isClearable": False, "ticker": "Sum: Body"},
    ),
    (
        "kde25",
        {
            "id": 0,
            "appName": "MyApp",
            "isClearable": True,
            "silent": False,
            "ticker": "Sum: Body",
            "title": "Sum",
            "text": "Body",
        },
    ),
]


@pytest.mark.parametrize(("program", "body"), PROGRAMS)
async def test_own(
    phone: FakeDevice, computer: FakeDevice, program: Program, body: Body
) -> None:
    """A computer forwards its own, each age of KDE in its way."""
    computer.desktop.program = program
    own = await computer.desktop.post("MyApp", "Sum", "Body")
    assert own == "0"
    assert await phone.wait_packet("notification") == body
    await computer.desktop.withdraw(own)
    assert await phone.wait_packet("notification") == {
        "id": body["id"],
        "isCancel": True,
    }


async def test_own_with_icon(phone: FakeDevice, computer: FakeDevice) -> None:
    """An icon goes along; what is there is told again when a program does that."""
    await computer.desktop.post("MyApp", "Only a title", icon=b"png")
    body = await phone.wait_packet("notification")
    digest = hashlib.md5(b"png", usedforsecurity=False).hexdigest()
    assert (body["payloadHash"], body["ticker"]) == (digest, "Only a title")
    await computer.wait_for("payload_sent")
    await phone.send("notification.request", {"request": True})
    for _ in range(2):  # the first is of the beginning
        await computer.wait_for("notification_asked", lambda e: e.data["what"] == "all")
    computer.desktop.answers = True
    await phone.send("notification.request", {"request": True})
    assert (await phone.wait_packet("notification"))["silent"] is True
    await phone.send("notification.request", {"cancel": "0"})
    asked = await computer.wait_for(
        "notification_asked", lambda e: e.data["what"] == "cancel"
    )
    assert asked.data["id"] == "0"
    assert (await phone.wait_packet("notification"))["isCancel"] is True
    assert computer.desktop.own == {}


async def test_echoes(phone: FakeDevice, computer: FakeDevice) -> None:
    """GSConnect forwards what it shows because of a peer, also to that peer."""
    computer.desktop.echoes = True
    await phone.ping.send()
    body = await phone.wait_packet("notification")
    assert (body["title"], body["text"]) == (phone.name, "Ping!")
    await phone.notifications.post(FakeNotification("7", "App", "Title", "Text"))
    body = await phone.wait_packet("notification")
    assert (body["appName"], body["title"], body["text"]) == ("App", "Title", "Text")
    await phone.notifications.remove("7")
    assert await phone.wait_packet("notification") == {"id": "echo-7", "isCancel": True}


# --- commands ---


async def test_command_output() -> None:
    """A coming KDE tells what a command does, and can be told to stop it."""
    async with devices() as (phone, computer):
        computer.outgoing |= {"kdeconnect.runcommand.output"}
        computer.commands.sends_output = True
        lines = ("one", "two")
        await computer.commands.add(
            "k", "Try", stdout=lines, stderr=("bad",), exit_code=3
        )
        await pair(phone, computer)
        await phone.remote_commands.run("k")
        expected: list[Body] = [
            {"commandStarted": True, "command": "true", "id": 1},
            {"commandOutput": True, "stdout": [*lines], "stderr": ["bad"], "id": 1},
            {"commandFinished": True, "success": False, "exitCode": 3, "id": 1},
        ]
        for body in expected:
            assert (await phone.wait_for("command_output")).data == body
        computer.commands.runs_on = True
        endings: list[tuple[int, int]] = [(2, 15), (3, 3)]
        for number, exit_code in endings:
            await phone.remote_commands.run("k")
            await phone.wait_for(
                "command_output", lambda e: e.data.get("commandOutput") is True
            )
            if number == 2:
                await phone.remote_commands.stop()
                await computer.wait_for("command_stop")
            else:
                await computer.commands.finish()
            ended = await phone.wait_for(
                "command_output", lambda e: "commandFinished" in e.data
            )
            assert (ended.data["id"], ended.data["exitCode"]) == (number, exit_code)
        assert await phone.remote_commands.setup() == 1
        await computer.wait_for("command_setup")


# --- programs ---

PROGRAM_NAMES: list[ComputerProgram] = ["kde25", "kde_master", "gsconnect", "valent"]


async def test_gsconnect(phone: FakeDevice) -> None:
    """GSConnect has no lock, takes keys, and forwards the pings that it gets."""
    phone.accept = "auto"
    async with FakeDevice("computer") as desk:
        become(desk, "gsconnect")
        await pair(desk, phone)
        assert await phone.wait_packet(
            "mousepad.keyboardstate", predicate=lambda body: body == {"state": True}
        )
        await desk.ping.send("to the phone")
        await phone.wait_for("ping")
        await phone.send("ping", {"message": "once"}, desk.device_id)
        body = await phone.wait_packet("notification")
        assert body["text"] == "once"
        assert phone.peer(desk.device_id).send("lock.request", {}) is False
        sent = {packet.type for packet in phone.received}
        assert "kdeconnect.virtualmonitor" not in sent


async def test_valent(computer: FakeDevice) -> None:
    """Valent asks for the lock in its way and tells no result."""
    async with FakeDevice("computer") as desk:
        become(desk, "valent")
        await pair(desk, computer)
        assert await computer.wait_packet("lock.request") == {"requestLocked": True}
        await computer.send("lock.request", {"setLocked": True}, desk.device_id)
        await computer.wait_packet("lock", predicate={"isLocked": True}.__eq__)
        assert all(
            "lockResult" not in packet.body
            for packet in computer.received
            if packet.type == "kdeconnect.lock"
        )


async def test_kde_25(computer: FakeDevice) -> None:
    """KDE 25.04 offers its screen in an older way and knows no tablets."""
    async with FakeDevice("computer") as desk:
        become(desk, "kde25")
        await pair(desk, computer)
        assert "supports_vnc" in await computer.wait_packet("virtualmonitor")
        assert "kdeconnect.digitizer" not in desk.incoming
        await desk.desktop.post("A", "T")
        shown = await computer.wait_for("notification_shown")
        assert shown.packet is not None
        assert shown.packet.body["id"] == 0
        assert shown.data["id"] == "0"


def test_programs() -> None:
    """Every program is known by its types; a phone is none of them."""
    types = {program: computer_capabilities(program) for program in PROGRAM_NAMES}
    assert "kdeconnect.runcommand.output" in types["kde_master"][1]
    assert "kdeconnect.systemvolume" not in types["gsconnect"][0]
    assert "kdeconnect.systemvolume" in types["gsconnect"][1]
    assert "kdeconnect.sftp" in types["valent"][1]
    master = FakeDevice("computer")
    become(master, "kde_master")
    assert master.commands.sends_output
    with pytest.raises(ValueError, match="computer"):
        become(FakeDevice("phone"), "valent")
