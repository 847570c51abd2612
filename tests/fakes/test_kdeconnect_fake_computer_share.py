"""Files, texts, links and clipboards between fake KDE Connect devices."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import hashlib
import time

import pytest

from tests.fakes.kdeconnect import FakeDevice, FakePacket, Misbehave
from tests.fakes.kdeconnect_clipboard import MAX_FILE
from tests.fakes.kdeconnect_controller import MAX_ART
from tests.fakes.kdeconnect_pairs import devices, pair
from tests.fakes.kdeconnect_payload import PayloadError
from tests.fakes.kdeconnect_peer import FakePeer
from tests.fakes.kdeconnect_share import SharedFile, Style
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


# --- share ---


async def test_texts_and_links(phone: FakeDevice, computer: FakeDevice) -> None:
    """Texts and links arrive; a file wins over a text, a text over a link."""
    assert await phone.share.send_text("a text") == 1
    assert await phone.share.send_url("https://example.com/") == 1
    await phone.send("share.request", {"text": "both", "url": "https://example.com/"})
    await phone.send("share.request", {"filename": "f", "text": "no", "url": "no"})
    assert (await computer.wait_for("shared")).data == {
        "form": "text",
        "text": "a text",
    }
    await computer.wait_for("shared", lambda e: e.data["form"] == "file")
    assert computer.share.texts == ["a text", "both"]
    assert computer.share.urls == ["https://example.com/"]
    assert computer.share.files["f"].size == 0


async def test_files(phone: FakeDevice, computer: FakeDevice) -> None:
    """Files go one after the other, each with the totals; names never collide."""
    big = bytes(range(256)) * 4096
    await computer.share.send_files(
        SharedFile("a.tar", big, modified=1000, created=900, open=True),
        SharedFile("dir/a.tar", b"second"),
        SharedFile("../a.tar", b""),
    )
    for complete in (False, False, True):
        event = await phone.wait_for("shared")
        assert event.data["complete"] is complete
    stored = phone.share.files
    assert list(stored) == ["a.tar", "a (1).tar", "a (2).tar"]
    assert stored["a.tar"].sha256 == hashlib.sha256(big).hexdigest()
    assert (stored["a.tar"].modified, stored["a.tar"].opened) == (1000, True)
    assert stored["a (1).tar"].data == b"second"
    sent = await computer.wait_for("share_sent")
    assert sent.data == {"files": 3, "size": len(big) + 6}
    bodies = [p for p in phone.received if p.type == "kdeconnect.share.request"]
    assert [p.body["numberOfFiles"] for p in bodies] == [3, 3, 3]
    assert bodies[0].body["creationTime"] == 900
    assert bodies[2].payload_size is None


async def test_added_files(phone: FakeDevice, computer: FakeDevice) -> None:
    """Files that are added to a batch change its totals, and that is told."""
    async with asyncio.TaskGroup() as group:
        group.create_task(computer.share.send_files(SharedFile("1", b"x" * 99)))
        await phone.wait_packet("share.request")
        group.create_task(computer.share.send_files(SharedFile("2", b"y")))
    await phone.wait_for("shared", lambda e: e.data["form"] == "update")
    await phone.wait_for("shared", lambda e: e.data.get("filename") == "2")
    assert phone.share.totals == {"numberOfFiles": 2, "totalPayloadSize": 100}
    assert phone.share.updates == 1
    await computer.share.send_update(3, 101)
    await phone.wait_for("shared", lambda e: e.data.get("numberOfFiles") == 3)


STYLES: list[tuple[Style, set[str]]] = [
    ("kde", {"creationTime", "lastModified", "numberOfFiles", "open"}),
    ("android", {"lastModified", "numberOfFiles"}),
    ("gsconnect", {"open"}),
    ("valent", {"creationTime", "lastModified", "numberOfFiles", "open"}),
]


@pytest.mark.parametrize(("style", "members"), STYLES)
async def test_styles(
    phone: FakeDevice, computer: FakeDevice, style: Style, members: set[str]
) -> None:
    """Programs write different members beside the name."""
    computer.share.style = style
    await computer.share.send_files(SharedFile("f", b"x"))
    body = await phone.wait_packet("share.request")
    assert set(body) - {"filename", "totalPayloadSize"} == members
    await phone.wait_for("shared", lambda e: e.data["form"] == "file")
    assert phone.share.updates == (style == "valent")


async def test_all_at_once(
    phone: FakeDevice, computer: FakeDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of files that are announced together an old KDE takes only the first."""
    phone.share.announces_at_once = True
    files = [SharedFile(f"{n}", b"x" * 9) for n in range(3)]
    await phone.share.send_files(*files)
    for _ in files:
        await computer.wait_for("shared")
    computer.share.manner = "in_turn"
    await phone.share.send_files(*files)
    for _ in files:
        await computer.wait_for("shared")
    assert len(computer.share.files) == 6
    computer.share.manner = "first_only"
    phone.payloads.timeout = 0.1
    fetch, others_have_come = computer.share._fetch_now, asyncio.Event()

    async def fetch_slowly(peer: FakePeer, packet: FakePacket, name: str) -> None:
        await others_have_come.wait()
        await fetch(peer, packet, name)

    monkeypatch.setattr(computer.share, "_fetch_now", fetch_slowly)
    sending = asyncio.create_task(phone.share.send_files(*files))
    for _ in files[1:]:
        failed = await computer.wait_for("fetch_failed")
        assert failed.data["reason"] == "not in turn"
    others_have_come.set()
    with pytest.raises(ExceptionGroup):
        await sending


async def test_failed_files(phone: FakeDevice, computer: FakeDevice) -> None:
    """A transfer that fails ends the batch; what an Android phone cannot bear."""
    phone.misbehave = Misbehave.FETCH_HANG_UP
    with pytest.raises(PayloadError):
        await computer.share.send_files(
            SharedFile("1", bytes(8 * 1024 * 1024)), SharedFile("2", b"x")
        )
    await phone.wait_for("fetch_failed", lambda e: e.data["filename"] == "1")
    phone.misbehave = Misbehave.NOTHING
    assert phone.share.files == {}
    bad: list[Body] = [
        {"numberOfFiles": 1, "totalPayloadSize": 0},
        {"numberOfFiles": 1},
    ]
    for totals in bad:
        body = totals | {"filename": "f"}
        await computer.payloads.send(computer.peer(), "share.request", body, b"x")
        await phone.wait_for("malformed")


# --- clipboard ---


async def test_clipboard(phone: FakeDevice, computer: FakeDevice) -> None:
    """A computer tells every change, a phone when asked; nothing comes back."""
    assert await phone.wait_packet("clipboard.connect") == {
        "content": None,
        "timestamp": 0,
    }
    await computer.clipboard.copy("from the computer")
    event = await phone.wait_for("clipboard")
    assert event.data == {"content": "from the computer"}
    await phone.clipboard.copy("from the phone")
    assert computer.clipboard.content == "from the computer"
    await phone.clipboard.send()
    await computer.wait_for("clipboard")
    assert computer.clipboard.content == "from the phone"
    await phone.ping.send()
    await computer.wait_for("ping")
    assert phone.clipboard.content == "from the phone"
    assert phone.events.seen("clipboard") == 1
    await phone.send("clipboard", {"content": 5})


async def test_clipboard_at_connect(phone: FakeDevice, computer: FakeDevice) -> None:
    """The newer content wins when a link comes up."""
    now = int(time.time() * 1000)
    await computer.clipboard.copy("newer", timestamp=now)
    await phone.wait_for("clipboard")
    await phone.clipboard.copy("older", timestamp=now - 1)
    assert await phone.clipboard.send_at_connect() == 1
    await computer.wait_packet("clipboard.connect")
    assert computer.clipboard.content == "newer"
    assert await computer.clipboard.send_at_connect() == 1
    await phone.wait_for("clipboard")
    assert phone.clipboard.content == "newer"


async def test_clipboards_of_old_computers() -> None:
    """An old KDE has an empty text where a new one has null."""
    async with devices(phone_protocol=7, computer_protocol=7) as (phone, computer):
        await phone.clipboard.copy("kept")
        await pair(phone, computer)
        assert (await phone.wait_packet("clipboard.connect"))["content"] == ""
        await computer.wait_for("clipboard", lambda e: e.data["content"] == "kept")
        assert phone.clipboard.content == "kept"


async def test_clipboard_file(computer: FakeDevice) -> None:
    """Computers send pictures, too."""
    async with FakeDevice("computer") as other:
        await pair(other, computer)
        await other.clipboard.send_file("image.png", b"png")
        event = await computer.wait_for("clipboard", lambda e: "filename" in e.data)
        assert (event.data["filename"], event.data["size"]) == ("image.png", 3)
        assert computer.clipboard.files["image.png"].data == b"png"
        computer.misbehave = Misbehave.FETCH_NEVER
        other.payloads.timeout = 0.1
        with pytest.raises(PayloadError):
            await other.clipboard.send_file("image.png", b"png")
        await computer.wait_for("fetch_failed")


async def test_too_large(phone: FakeDevice, computer: FakeDevice) -> None:
    """Nobody fetches more than KDE would."""
    phone.players.fetches_art = True
    await computer.send(
        "mpris", {"playerList": ["Den"], "supportAlbumArtPayload": True}
    )
    await computer.send("mpris", {"player": "Den", "albumArtUrl": "file:///1.png"})
    await computer.wait_packet("mpris.request", predicate=lambda b: "albumArtUrl" in b)
    art: Body = {
        "player": "Den",
        "albumArtUrl": "file:///1.png",
        "transferringAlbumArt": True,
    }
    for packet in (
        FakePacket("kdeconnect.mpris", art, MAX_ART + 1, 1739),
        FakePacket("kdeconnect.clipboard.file", {"filename": "x"}, MAX_FILE + 1, 1739),
    ):
        # A phone takes no files, unless it says so.
        phone.incoming |= {packet.type}
        computer.peer().identity = replace(
            computer.peer().identity, incoming=phone.incoming
        )
        assert computer.peer().send_packet(packet)
        failed = await phone.wait_for("fetch_failed")
        assert failed.data["reason"] == "too large"
