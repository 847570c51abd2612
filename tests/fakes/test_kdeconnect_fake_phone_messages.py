"""Text messages of the fake KDE Connect phone, tried against a fake computer."""

import base64
from collections.abc import AsyncIterator

import pytest

from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_messages import FAILED, SENT, FakeAttachment
from tests.fakes.kdeconnect_pairs import devices, pair
from tests.fakes.kdeconnect_payload import fetch
from tests.fakes.kdeconnect_wire import Body, JsonValue

pytestmark = pytest.mark.usefixtures("socket_enabled")

ADA, BOB = "+15550001", "+15550002"
PICTURE = FakeAttachment(7, "PART_7.jpg", data=b"jpeg" * 99, thumbnail=b"small")


@pytest.fixture
async def both() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that are paired; the phone has three conversations."""
    async with devices() as (phone, computer):
        for number in range(5):
            phone.sms.add(ADA, f"Ada {number}", date=1000 + number, is_read=True)
        phone.sms.add([BOB, ADA], "Zoo?", date=3000)
        phone.sms.add(BOB, "Look", date=2000, attachments=[PICTURE], sub_id=2)
        await pair(phone, computer)
        yield phone, computer


async def messages(computer: FakeDevice) -> list[JsonValue]:
    """Return the messages of the next packet."""
    body = await computer.wait_packet("sms.messages")
    assert body["version"] == 2
    listed = body["messages"]
    assert isinstance(listed, list)
    return listed


def texts(listed: list[JsonValue]) -> list[JsonValue]:
    """Return what the messages say."""
    return [item["body"] for item in listed if isinstance(item, dict)]


async def test_conversations(both: tuple[FakeDevice, FakeDevice]) -> None:
    """The newest message of each, one by one, and from then on what is new."""
    phone, computer = both
    await phone.sms.arrive(ADA, "unheard", date=1500)
    await computer.send("sms.request_conversations")
    assert (await phone.wait_for("sms_wanted")).data == {"what": "conversations"}
    assert await messages(computer) == [
        {
            "_id": 7,
            "thread_id": 3,
            "addresses": [{"address": BOB}],
            "body": "Look",
            "date": 2000,
            "type": 1,
            "read": 0,
            "sub_id": 2,
            "event": 1,
            "attachments": [
                {
                    "part_id": 7,
                    "mime_type": "image/jpeg",
                    "unique_identifier": "PART_7.jpg",
                    "encoded_thumbnail": base64.b64encode(b"small").decode(),
                }
            ],
        }
    ]
    [group] = await messages(computer)
    assert isinstance(group, dict)
    assert (group["event"], group["thread_id"]) == (3, 2)
    assert group["addresses"] == [{"address": BOB}, {"address": ADA}]
    assert texts(await messages(computer)) == ["unheard"]
    await phone.sms.arrive(ADA, "heard")
    assert texts(await messages(computer)) == ["heard"]
    phone.sms.together = True
    await computer.send("sms.request_conversations")
    assert texts(await messages(computer)) == ["heard", "Zoo?", "Look"]
    await phone.close_link()
    await phone.wait_for("link_down")
    assert phone.sms.listeners == set()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [4, 3, 2, 1, 0]),
        ({"numberToRequest": 2}, [4, 3]),
        ({"rangeStartTimestamp": 1002, "numberToRequest": 2}, [2, 1]),
        ({"rangeStartTimestamp": 1001, "numberToRequest": -1}, [1, 0]),
    ],
)
async def test_conversation(
    both: tuple[FakeDevice, FakeDevice], more: Body, expected: list[int]
) -> None:
    """A conversation is had whole or in pieces, the newest first."""
    phone, computer = both
    await computer.send("sms.request_conversation", {"threadID": 1} | more)
    assert texts(await messages(computer)) == [f"Ada {n}" for n in expected]
    assert (await phone.wait_for("sms_wanted")).data["thread"] == 1


async def test_send(both: tuple[FakeDevice, FakeDevice]) -> None:
    """What is sent appears later, as sent."""
    phone, computer = both
    phone.sms.listeners.add(computer.device_id)
    text = base64.b64encode(b"GIF").decode()
    request: Body = {
        "version": 2,
        "addresses": [{"address": ADA}, {"address": BOB}],
        "messageBody": "Zoo!",
        "subID": 2,
        "attachments": [
            {"fileName": "a.gif", "base64EncodedFile": text, "mimeType": "image/gif"}
        ],
    }
    await computer.send("sms.request", request)
    sent = await phone.wait_for("sms_sent")
    assert sent.data == {"addresses": [ADA, BOB], "text": "Zoo!"}
    assert phone.sms.sent[0].attachments[0].data == b"GIF"
    assert phone.sms.sent[0].sub_id == 2
    [message] = await messages(computer)
    assert isinstance(message, dict)
    assert (message["type"], message["thread_id"], message["event"]) == (SENT, 2, 3)
    simple: Body = {
        "version": 2,
        "addresses": [{"address": ADA}],
        "messageBody": "Hm",
    }
    phone.sms.outcome = "failed"
    await computer.send("sms.request", simple)
    [message] = await messages(computer)
    assert isinstance(message, dict)
    assert (message["type"], message["sub_id"]) == (FAILED, 1)
    phone.sms.outcome = "lost"
    count = len(phone.sms.messages)
    await computer.send("sms.request", simple)
    for _ in range(2):
        await phone.wait_for("sms_sent")
    assert len(phone.sms.messages) == count


@pytest.mark.parametrize(
    "wrong",
    [
        {"messageBody": None},
        {"addresses": []},
        {"addresses": [ADA]},
        {"version": 1},
        {"subID": "1"},
        {"attachments": {}},
        {"attachments": [1]},
        {"attachments": [{"fileName": "a"}]},
        {
            "attachments": [
                {"fileName": "a", "base64EncodedFile": "?", "mimeType": "image/gif"}
            ]
        },
    ],
)
async def test_bad_send(both: tuple[FakeDevice, FakeDevice], wrong: Body) -> None:
    """A message that is not written as it should is not sent."""
    phone, computer = both
    good: Body = {"version": 2, "addresses": [{"address": ADA}], "messageBody": "Hm"}
    await computer.send("sms.request", good | wrong)
    await phone.wait_for("malformed")
    assert phone.sms.sent == []


async def test_attachment(both: tuple[FakeDevice, FakeDevice]) -> None:
    """A whole attachment comes as a payload."""
    phone, computer = both
    other: Body = {"part_id": 8, "unique_identifier": "PART_7.jpg"}
    await computer.send("sms.request_attachment", other)
    await computer.send("sms.request_attachment", other | {"part_id": 7})
    event = await computer.wait_for(
        "packet",
        lambda e: e.packet is not None and e.packet.payload_port is not None,
    )
    assert event.packet is not None
    assert event.packet.type == "kdeconnect.sms.attachment_file"
    assert event.packet.body == {"filename": "PART_7.jpg"}
    assert await fetch(computer.peer(), event.packet) == PICTURE.data
    assert phone.events.seen("sms_wanted") == 2


@pytest.mark.parametrize(
    ("packet_type", "body"),
    [
        ("sms.request_attachment", {"part_id": "7", "unique_identifier": "a"}),
        ("sms.request_conversation", {"threadID": "1"}),
    ],
)
async def test_bad_request(
    both: tuple[FakeDevice, FakeDevice], packet_type: str, body: Body
) -> None:
    """Android ends the link when a request is not what it should be."""
    phone, computer = both
    await computer.send(packet_type, body)
    await phone.wait_for("malformed")
    await computer.wait_for("link_down")
