"""Actions for text messages: send, list, read, and store what is attached."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import time
from typing import Any

import probatio
import pytest
from pytest_homeassistant_custom_component.common import async_capture_events

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component

from .common import wait_state, wait_until
from .messaging import ADA, BOB, MESSAGE, act, device_id_of, quick, send, set_up_allowed
from custom_components.rumpus.families.kde_connect.features import (
    messages,
    messages_answers,
    messages_files,
)
from custom_components.rumpus.families.kde_connect.features.messages import (
    MAX_CONVERSATIONS,
    PAGE,
)
from custom_components.rumpus.families.kde_connect.features.messages_answers import (
    MAX_COLLECTED,
    Collector,
)
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.plugins.sms import (
    MAX_ATTACHMENTS,
    MAX_RECIPIENTS,
    MAX_SENT_ATTACHMENTS,
    MAX_SENT_TEXT,
    MessageKind,
    TextMessage,
    TextMessages,
)
from custom_components.rumpus.services import MAX_MESSAGES
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_messages import FakeAttachment
from tests.fakes.kdeconnect_misbehave import Misbehave
from tests.fakes.kdeconnect_phone import FakeContact

__all__ = ["quick"]

BASE = 1_750_000_000_000
SECRET = "Secret text"
IMPATIENT = 0.3


def files_in(folder: Path) -> list[Path]:
    """Return all files below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


def error_key(error: HomeAssistantError) -> str | None:
    """Return the key of an error, which says nothing private."""
    assert error.translation_domain == "rumpus"
    shown = f"{error!r} {error.translation_placeholders} {error}"
    assert not any(bit in shown for bit in (SECRET, ADA, BOB, "PART_"))
    return error.translation_key


async def test_send(hass: HomeAssistant, ours: Credentials, phone: FakeDevice) -> None:
    """To one and to several, each of them once; what we send is not news."""
    events = async_capture_events(hass, "rumpus_message")
    phone.sms.add(BOB, "Old", date=BASE)
    entry = await set_up_allowed(hass, ours, phone, "messages")

    await send(hass, entry, recipients=ADA, message=SECRET)
    await phone.wait_for("sms_sent")
    await send(hass, entry, recipients=[ADA, f" {BOB} ", ADA], message="To all", sim=2)
    await phone.wait_for("sms_sent")
    await phone.sms.arrive(BOB, "Answer")
    await wait_until(hass, lambda: events)

    first, second = phone.sms.sent
    assert (first.addresses, first.text, first.sub_id) == ((ADA,), SECRET, None)
    assert (second.addresses, second.sub_id) == ((ADA, BOB), 2)
    assert [event.data["text"] for event in events] == ["Answer"]


async def test_send_attachments(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, tmp_path: Path
) -> None:
    """From allowed paths and from the media browser."""
    (tmp_path / "a.png").write_bytes(b"picture")
    (tmp_path / "b.xyzzy").write_bytes(b"")
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    entry = await set_up_allowed(hass, ours, phone, "messages")

    media = "media-source://media_source/local/a.png"
    await send(
        hass,
        entry,
        recipients=[ADA],
        attachments=[
            str(tmp_path / "b.xyzzy"),
            {"media_content_id": media, "media_content_type": "image/png"},
        ],
    )
    await phone.wait_for("sms_sent")
    (sent,) = phone.sms.sent
    assert sent.text == ""
    assert [(file.name, file.mime_type, file.data) for file in sent.attachments] == [
        ("b.xyzzy", "application/octet-stream", b""),
        ("a.png", "image/png", b"picture"),
    ]


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"recipients": [], "message": SECRET}, "message_recipients"),
        ({"recipients": [" "], "message": SECRET}, "message_recipients"),
        ({"recipients": [ADA, "1\n2"], "message": SECRET}, "message_recipients"),
        ({"recipients": ["1" * 257], "message": SECRET}, "message_recipients"),
        (
            {"recipients": [str(n) for n in range(MAX_RECIPIENTS + 1)], "message": "x"},
            "message_recipients",
        ),
        ({"recipients": [ADA]}, "message_empty"),
        (
            {"recipients": [ADA], "message": "x" * (MAX_SENT_TEXT + 1)},
            "message_too_long",
        ),
        (
            {"recipients": [ADA], "attachments": ["/x"] * (MAX_ATTACHMENTS + 1)},
            "message_too_many_files",
        ),
        ({"recipients": [ADA], "attachments": ["/etc/passwd"]}, "share_not_allowed"),
        (
            {"recipients": [ADA], "attachments": ["media-source://nobody/x"]},
            "share_not_found",
        ),
    ],
)
async def test_wrong_use(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    data: dict[str, Any],
    key: str,
) -> None:
    assert await async_setup_component(hass, "media_source", {})
    entry = await set_up_allowed(hass, ours, phone, "messages")
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, entry, **data)
    assert error_key(error.value) == key
    assert phone.sms.sent == []


async def test_max_recipients_and_text(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    entry = await set_up_allowed(hass, ours, phone, "messages")
    people = [f"+1555{number}" for number in range(MAX_RECIPIENTS)]
    await send(hass, entry, recipients=people, message="x" * MAX_SENT_TEXT)
    await phone.wait_for("sms_sent")
    assert len(phone.sms.sent[0].addresses) == MAX_RECIPIENTS


async def test_max_sent_attachments(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, tmp_path: Path
) -> None:
    """All together count; a packet so long gets through."""
    half = MAX_SENT_ATTACHMENTS // 2
    (tmp_path / "a.bin").write_bytes(b"a" * half)
    (tmp_path / "b.bin").write_bytes(b"b" * (half + 1))
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    entry = await set_up_allowed(hass, ours, phone, "messages")
    paths = [str(tmp_path / "a.bin"), str(tmp_path / "b.bin")]
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, entry, recipients=[ADA], attachments=paths)
    assert error_key(error.value) == "message_files_too_large"
    await send(hass, entry, recipients=[ADA], attachments=[paths[0]] * 2)
    await phone.wait_for("sms_sent")
    assert [len(file.data) for file in phone.sms.sent[0].attachments] == [half, half]


async def test_a_file_that_goes(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "a.bin").write_bytes(b"a")
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    entry = await set_up_allowed(hass, ours, phone, "messages")
    read_all = messages_files._read_all

    def vanish(files: list[Any]) -> object:
        (tmp_path / "a.bin").unlink()
        return read_all(files)

    monkeypatch.setattr(messages_files, "_read_all", vanish)
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, entry, recipients=[ADA], attachments=[str(tmp_path / "a.bin")])
    assert error_key(error.value) == "share_not_found"


async def test_one_phone_only(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """Nobody wants to pay twice."""
    entry = await set_up_allowed(hass, ours, phone, "messages")
    with pytest.raises(probatio.Invalid):
        await hass.services.async_call(
            "rumpus",
            "send_sms",
            {"device_id": [device_id_of(hass, entry)], "recipients": [ADA]},
            blocking=True,
        )


ASKED: list[tuple[str, dict[str, Any]]] = [
    ("list_conversations", {}),
    ("get_conversation", {"thread_id": 1}),
    ("save_attachment", {"part_id": 1, "unique_identifier": "PART_1"}),
]


@pytest.mark.parametrize(("name", "data"), ASKED)
async def test_not_allowed_and_not_there(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    name: str,
    data: dict[str, Any],
) -> None:
    """Without permission there is no such action; without the device it fails."""
    entry = await set_up_allowed(hass, ours, phone, "contacts")
    with pytest.raises(ServiceValidationError) as wrong:
        await act(hass, entry, name, **data)
    assert error_key(wrong.value) == "action_not_allowed"
    with pytest.raises(ServiceValidationError) as wrong:
        await send(hass, entry, recipients=[ADA], message=SECRET)
    assert error_key(wrong.value) == "action_not_allowed"

    hass.config_entries.async_update_entry(entry, options={"messages": True})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await phone.stop()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, entry, name, **data)
    assert error_key(error.value) == "not_connected"
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, entry, recipients=[ADA], message=SECRET)
    assert error_key(error.value) == "not_connected"


@pytest.mark.parametrize(("name", "data"), ASKED)
async def test_not_supported(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    name: str,
    data: dict[str, Any],
) -> None:
    phone.incoming = frozenset(
        item for item in phone.incoming if not item.startswith("kdeconnect.sms")
    )
    entry = await set_up_allowed(hass, ours, phone, "messages")
    with pytest.raises(ServiceValidationError) as error:
        await act(hass, entry, name, **data)
    assert error_key(error.value) == "not_supported"


@pytest.mark.parametrize(
    ("name", "data", "key"),
    [
        (*ASKED[0], "messages_no_answer"),
        (*ASKED[1], "messages_no_answer"),
        (*ASKED[2], "attachment_no_answer"),
    ],
)
async def test_no_answer(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    data: dict[str, Any],
    key: str,
) -> None:
    """A phone that sleeps takes a question, and does nothing."""
    entry = await set_up_allowed(hass, ours, phone, "messages")
    monkeypatch.setattr(messages_answers, "FIRST_WAIT", IMPATIENT)
    monkeypatch.setattr(messages, "ATTACHMENT_WAIT", IMPATIENT)
    phone.silence()
    with pytest.raises(HomeAssistantError) as error:
        await act(hass, entry, name, **data)
    assert error_key(error.value) == key
    phone.silence(on=False)


@pytest.mark.parametrize(("name", "data"), ASKED)
async def test_gone_while_waiting(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    name: str,
    data: dict[str, Any],
) -> None:
    entry = await set_up_allowed(hass, ours, phone, "messages")
    waiting = asyncio.create_task(act(hass, entry, name, **data))
    phone.silence()
    await asyncio.sleep(0)
    phone.drop_link()
    with pytest.raises(HomeAssistantError) as error:
        await waiting
    assert error_key(error.value) == "not_connected"


async def test_list_conversations(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """The newest message of each, the newest first; what is new is told as well."""
    events = async_capture_events(hass, "rumpus_message")
    phone.contacts.add("1", FakeContact("Ada Lovelace", (ADA,)))
    phone.sms.add(ADA, "z", date=BASE)
    phone.sms.add(ADA, SECRET, date=BASE + 1, is_read=True)
    phone.sms.add([BOB, ADA], "a", date=BASE + 5, type_=2)
    phone.sms.add(BOB, "b", date=BASE + 3)
    entry = await set_up_allowed(hass, ours, phone, "messages", "contacts")
    phone.sms.add(BOB, "c", date=BASE + 9)

    answer = await act(hass, entry, "list_conversations")

    found = answer["conversations"]
    assert [item["text"] for item in found] == ["c", "a", SECRET]
    assert found[1]["contacts"] == [None, "Ada Lovelace"]
    assert found[1]["type"] == "sent"
    assert found[2] == {
        "thread_id": 1,
        "message_id": 2,
        "type": "received",
        "date": "2025-06-15T15:06:40.001+00:00",
        "number": ADA,
        "numbers": [ADA],
        "contacts": ["Ada Lovelace"],
        "text": SECRET,
        "is_read": True,
        "is_group": False,
        "sim": 1,
        "attachments": [],
    }
    await wait_until(hass, lambda: events)
    assert [event.data["text"] for event in events] == ["c"]


async def test_get_conversation(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """In pages, none twice, the oldest first; history is no news."""
    events = async_capture_events(hass, "rumpus_message")
    for number in range(3 * PAGE):
        # Two of the same time lie where the first page ends.
        date = BASE + number + (number == 2 * PAGE - 1)
        phone.sms.add(ADA, str(number), date=date, type_=1 + number % 2)
    phone.sms.add(BOB, "Another", date=BASE)
    entry = await set_up_allowed(hass, ours, phone, "messages")

    async def texts(**data: object) -> list[str]:
        answer = await act(hass, entry, "get_conversation", thread_id=1, **data)
        return [message["text"] for message in answer["messages"]]

    everything = [str(number) for number in range(3 * PAGE)]
    assert len(await texts()) == 50
    assert await texts(limit=PAGE - 1) == everything[1 - PAGE :]
    assert await texts(limit=1) == everything[-1:]
    assert await texts(limit=2 * PAGE + 7) == everything[-2 * PAGE - 7 :]
    assert await texts(limit=MAX_MESSAGES) == everything
    assert await texts(before="2025-06-15 08:06:40.004", limit=3) == ["2", "3", "4"]
    with pytest.raises(probatio.Invalid):
        await texts(limit=MAX_MESSAGES + 1)
    answer = await act(hass, entry, "get_conversation", thread_id=99)
    assert answer == {"messages": []}
    assert events == []


async def test_answers_with_pictures(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """A packet of several mebibytes is no trouble, nor is one that is too long."""
    phone.sms.together = True
    for number in range(40):
        picture = FakeAttachment(number, f"PART_{number}", thumbnail=b"x" * 100_000)
        phone.sms.add(f"+1555{number}", "Look", date=BASE, attachments=[picture])
    entry = await set_up_allowed(hass, ours, phone, "messages")
    answer = await act(hass, entry, "list_conversations")
    assert len(answer["conversations"]) == 40
    assert "thumbnail" not in str(answer)

    await phone.mischief.long_line(9, end=True)
    answer = await act(hass, entry, "get_conversation", thread_id=40)
    assert len(answer["messages"]) == 1


async def test_a_message_that_comes_during_an_answer(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    """It is no end of the answer, and news all the same."""
    events = async_capture_events(hass, "rumpus_message")
    phone.sms.add(ADA, "1", date=BASE)
    phone.sms.add(ADA, "2", date=BASE + 1)
    entry = await set_up_allowed(hass, ours, phone, "messages")
    waiting = asyncio.create_task(act(hass, entry, "get_conversation", thread_id=1))
    await phone.sms.arrive(ADA, "3", date=BASE + 2)
    await phone.sms.arrive(BOB, "Another", date=BASE + 2)
    await wait_until(hass, lambda: len(events) == 2)
    answer = await waiting
    assert [message["text"] for message in answer["messages"]] == ["1", "2", "3"]


async def test_a_phone_that_never_ends(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer has an end even if the packets have none."""
    monkeypatch.setattr(messages_answers, "LONGEST_WAIT", IMPATIENT)
    monkeypatch.setattr(messages_answers, "QUIET_TIME", 5.0)
    phone.sms.add(ADA, "1", date=BASE)
    entry = await set_up_allowed(hass, ours, phone, "messages")
    begin = time.monotonic()
    answer = await act(hass, entry, "list_conversations")
    assert len(answer["conversations"]) == 1
    assert time.monotonic() - begin < 4


async def test_max_conversations(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.sms.together = True
    entry = await set_up_allowed(hass, ours, phone, "messages")
    phone.sms.messages = [
        phone.sms.add(ADA, str(number), date=BASE + number).__class__(
            number, number, (ADA,), str(number), BASE + number
        )
        for number in range(MAX_CONVERSATIONS + 1)
    ]
    answer = await act(hass, entry, "list_conversations")
    texts = [message["text"] for message in answer["conversations"]]
    assert texts == [str(number) for number in range(MAX_CONVERSATIONS, 0, -1)]


def test_the_newest_of_each_conversation_is_collected() -> None:
    """In whatever order the packets come."""
    collector = Collector()
    for number, date in ((1, 5), (2, 9), (3, 7), (4, 9)):
        text = TextMessage(number, 1, date, MessageKind.SENT)
        collector.received(TextMessages((text,)))
    assert [message.id for message in collector.messages] == [4]


def test_max_collected() -> None:
    for thread_id in (None, 1):
        collector = Collector(thread_id)
        for number in range(MAX_COLLECTED + 5):
            text = TextMessage(number, thread_id or number, 1, MessageKind.SENT)
            collector.received(TextMessages((text,)))
        assert len(collector.messages) == MAX_COLLECTED


async def stored(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    tmp_path: Path,
    data: bytes = b"whole picture",
) -> Callable[..., Any]:
    """Return what stores the attachment of a phone's only message."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    attachment = FakeAttachment(7, "PART_7_../../a.jpg", data=data)
    phone.sms.add(ADA, "Look", date=BASE, attachments=[attachment])
    entry = await set_up_allowed(hass, ours, phone, "messages")

    async def save(**changes: object) -> Any:
        return await act(
            hass,
            entry,
            "save_attachment",
            **{"part_id": 7, "unique_identifier": "PART_7_../../a.jpg", **changes},
        )

    return save


async def test_save_attachment(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, tmp_path: Path
) -> None:
    """Into the folder of the device; nothing is overwritten, no name leads elsewhere."""
    save = await stored(hass, ours, phone, tmp_path)
    first, second, third = await save(), await save(), await save(filename="../b.png")
    folder = tmp_path / "rumpus" / "Pixel"
    assert first == {
        "path": str(folder / "a.jpg"),
        "media_content_id": "media-source://media_source/local/rumpus/Pixel/a.jpg",
        "mime_type": "image/jpeg",
        "size": 13,
    }
    assert await hass.async_add_executor_job(Path(first["path"]).read_bytes) == (
        b"whole picture"
    )
    assert second["path"] == str(folder / "a (1).jpg")
    assert third["path"] == str(folder / "b.png")
    assert hass.states.get(MESSAGE) is not None


async def test_an_attachment_that_nobody_asked_for(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, tmp_path: Path
) -> None:
    await stored(hass, ours, phone, tmp_path)
    await phone.payloads.send(
        phone.peer(), "sms.attachment_file", {"filename": "x"}, b"unasked"
    )
    await phone.ping.send("behind it")
    await wait_until(
        hass,
        lambda: hass.states.get("event.pixel_ping").state != "unknown",  # type: ignore[union-attr]
    )
    assert await hass.async_add_executor_job(files_in, tmp_path) == []


@pytest.mark.parametrize(
    ("misbehave", "limit", "media", "key"),
    [
        (None, 5, True, "attachment_too_large"),
        (None, 50, False, "attachment_not_stored"),
        (Misbehave.PAYLOAD_REFUSED, 50, True, "attachment_interrupted"),
        (Misbehave.PAYLOAD_SHORT, 50, True, "attachment_interrupted"),
    ],
)
async def test_an_attachment_that_does_not_arrive(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    misbehave: Misbehave | None,
    limit: int,
    media: bool,
    key: str,
) -> None:
    """Nothing is left of it."""
    save = await stored(hass, ours, phone, tmp_path)
    monkeypatch.setattr(messages_files, "MAX_ATTACHMENT", limit)
    if misbehave is not None:
        phone.misbehave |= misbehave
    if not media:
        hass.config.media_dirs = {}
    with pytest.raises(HomeAssistantError) as error:
        await save()
    assert error_key(error.value) == key
    assert await hass.async_add_executor_job(files_in, tmp_path) == []
