"""Notifications of the fake KDE Connect phone, tried against a fake computer."""

from collections.abc import AsyncIterator
import hashlib

import pytest

from tests.fakes.kdeconnect import FakeDevice, FakePacket, Misbehave
from tests.fakes.kdeconnect_notifications import FakeNotification
from tests.fakes.kdeconnect_pairs import devices, link, pair
from tests.fakes.kdeconnect_wire import Body

pytestmark = pytest.mark.usefixtures("socket_enabled")

ICON = b"\x89PNG icon"
CHAT = FakeNotification(
    "0|chat|1",
    "Chat",
    "Ada",
    "Hi",
    reply_id="r1",
    actions=("Mark read",),
    icon=ICON,
    conversation=(("Bob", "Hello"), ("Ada", "Hi")),
    group="Friends",
    posted=1_700_000_000_000,
)


@pytest.fixture
async def both() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that are paired."""
    async with devices() as (phone, computer):
        await pair(phone, computer)
        yield phone, computer


async def received(computer: FakeDevice) -> FakePacket:
    """Return the next notification."""
    event = await computer.wait_for(
        "packet",
        lambda e: e.packet is not None and e.packet.type == "kdeconnect.notification",
    )
    assert event.packet is not None
    return event.packet


async def test_icon(both: tuple[FakeDevice, FakeDevice]) -> None:
    """The icon comes when it is new, its hash always."""
    phone, computer = both
    await phone.notifications.post(CHAT)
    digest = hashlib.md5(ICON, usedforsecurity=False).hexdigest()
    packet = await received(computer)
    assert packet.payload_size == len(ICON)
    assert packet.body == {
        "id": "0|chat|1",
        "appName": "Chat",
        "ticker": "Ada: Hi",
        "title": "Ada",
        "text": "Hi",
        "isClearable": True,
        "onlyOnce": False,
        "time": "1700000000000",
        "requestReplyId": "r1",
        "actions": ["Mark read"],
        "payloadHash": digest,
        "groupName": "Friends",
        "conversation": [
            {"sender": "Bob", "content": "Hello"},
            {"sender": "Ada", "content": "Hi"},
        ],
    }
    await computer.wait_for("notification_shown")
    assert computer.desktop.shown[CHAT.id].icon == ICON
    await phone.notifications.repost(CHAT)
    packet = await received(computer)
    assert packet.body == {"id": "0|chat|1", "isCancel": True}
    packet = await received(computer)
    assert packet.body["payloadHash"] == digest
    assert packet.payload_size is None
    # A new link knows nothing of the icon any more.
    await phone.close_link()
    await phone.wait_for("link_down")
    await computer.wait_for("link_down")
    await link(phone, computer)
    # The computer asks at connect.
    packet = await received(computer)
    assert packet.body["silent"] is True
    assert packet.payload_size == len(ICON)


async def test_odd_notifications(both: tuple[FakeDevice, FakeDevice]) -> None:
    """Contents may be hidden, ids numbers, hashes wrong."""
    phone, computer = both
    mine = phone.notifications
    mine.hides_contents = mine.numbers_ids = mine.wrong_hash = True
    await mine.post(FakeNotification("17", "Bank", "Secret", "1 Euro", icon=ICON))
    body = await computer.wait_packet("notification")
    assert (body["id"], body["ticker"]) == (17, "Bank")
    assert body["payloadHash"] == "0" * 32
    assert "title" not in body
    await mine.post(FakeNotification("a", "App"))
    body = await computer.wait_packet("notification")
    assert (body["id"], body["ticker"]) == ("a", "App")
    await mine.remove("never seen")
    assert await computer.wait_packet("notification") == {
        "id": "never seen",
        "isCancel": True,
    }


async def test_requests(both: tuple[FakeDevice, FakeDevice]) -> None:
    """The other side lists, dismisses, answers and presses buttons."""
    phone, computer = both
    asked = await phone.wait_for("notification_asked")
    assert asked.data == {"what": "all"}
    await phone.notifications.post(CHAT)
    fixed = FakeNotification("music", "Music", is_clearable=False)
    await phone.notifications.post(fixed)
    for packet_type, body, data in (
        (
            "notification.reply",
            {"requestReplyId": "r1", "message": "Yo"},
            {"what": "reply", "id": CHAT.id, "message": "Yo"},
        ),
        (
            "notification.action",
            {"key": CHAT.id, "action": "Mark read"},
            {"what": "action", "id": CHAT.id, "action": "Mark read"},
        ),
        (
            "notification.request",
            {"cancel": "music"},
            {"what": "cancel", "id": "music"},
        ),
        (
            "notification.request",
            {"cancel": CHAT.id},
            {"what": "cancel", "id": CHAT.id},
        ),
    ):
        wrong: Body = {"requestReplyId": "r2", "key": "other", "action": "x"}
        await computer.send(packet_type, wrong)
        await computer.send(packet_type, dict(body))
        assert (await phone.wait_for("notification_asked")).data == data
    gone = await computer.wait_packet(
        "notification", predicate=lambda b: "isCancel" in b
    )
    assert gone == {"id": CHAT.id, "isCancel": True}
    assert phone.notifications.notifications == {"music": fixed}
    await computer.send("notification.request", {"request": True})
    again = await computer.wait_packet(
        "notification", predicate=lambda b: b.get("silent") is True
    )
    assert again["id"] == "music"


async def test_shown(both: tuple[FakeDevice, FakeDevice]) -> None:
    """A phone shows what comes with all it needs, and never takes it back."""
    phone, computer = both
    body: Body = {"id": "1", "appName": "Home", "ticker": "Door: open"}
    await computer.send("notification", {"id": "0", "appName": "Home"})
    await computer.send("notification", body | {"silent": True})
    await computer.send("notification", body | {"silent": False})
    await phone.wait_for("notification_shown", lambda e: e.data["id"] == "1")
    assert phone.notifications.shown["1"].icon is None
    await computer.payloads.send(
        computer.peer(), "notification", body | {"ticker": "Door: shut"}, ICON
    )
    await phone.wait_for("notification_shown", lambda e: e.data["id"] == "1")
    shown = phone.notifications.shown["1"]
    assert (shown.app, shown.ticker, shown.icon) == ("Home", "Door: shut", ICON)
    await computer.send("notification", {"id": "1", "isCancel": True})
    computer.misbehave = Misbehave.PAYLOAD_SHORT
    await computer.payloads.send(computer.peer(), "notification", body, ICON)
    await phone.wait_for("fetch_failed")
    await phone.wait_for("notification_shown")
    assert list(phone.notifications.shown) == ["1"]
    assert phone.notifications.shown["1"].icon is None
