"""What the fake KDE Connect phone tells of itself, tried against a fake computer."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.kdeconnect import FakeDevice, FakePacket, Misbehave
from tests.fakes.kdeconnect_pairs import devices, link, pair
from tests.fakes.kdeconnect_payload import fetch
from tests.fakes.kdeconnect_phone import FakeContact
from tests.fakes.kdeconnect_wire import Body

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def pair_of_devices() -> AsyncIterator[tuple[FakeDevice, FakeDevice]]:
    """A phone and a computer that do not know each other."""
    async with devices() as both:
        yield both


@pytest.fixture
def phone(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A phone."""
    return pair_of_devices[0]


@pytest.fixture
def computer(pair_of_devices: tuple[FakeDevice, FakeDevice]) -> FakeDevice:
    """A computer that accepts pairing."""
    return pair_of_devices[1]


async def payload_packet(device: FakeDevice, packet_type: str) -> FakePacket:
    """Return the next packet of a type that announces a payload."""
    event = await device.wait_for(
        "packet",
        lambda e: (
            e.packet is not None
            and e.packet.type == f"kdeconnect.{packet_type}"
            and e.packet.payload_port is not None
        ),
    )
    assert event.packet is not None
    return event.packet


async def test_connectivity(phone: FakeDevice, computer: FakeDevice) -> None:
    """Networks are told at connect and when they change."""
    await phone.connectivity.set("1", network_type="5G", bars=2)
    await pair(phone, computer)
    one: Body = {"networkType": "5G", "signalStrength": 2}
    expected: Body = {"signalStrengths": {"1": one}}
    assert await computer.wait_packet("connectivity_report") == expected
    await phone.connectivity.set("1", bars=2)
    await phone.connectivity.set("x", bars=0)
    two: Body = {"networkType": "LTE", "signalStrength": 0}
    expected = {"signalStrengths": {"1": one, "x": two}}
    assert await computer.wait_packet("connectivity_report") == expected
    await phone.connectivity.remove("1")
    expected = {"signalStrengths": {"x": two}}
    assert await computer.wait_packet("connectivity_report") == expected


async def test_old_phone() -> None:
    """A phone of the time of protocol 7 is asked for its networks and a photo."""
    async with devices(phone_protocol=7, computer_protocol=7) as (phone, computer):
        await pair(phone, computer)
        # At connect, and because an old computer asks.
        for _ in range(2):
            assert await computer.wait_packet("connectivity_report") == {
                "signalStrengths": {}
            }
        await computer.send("photo.request")
        assert await computer.wait_packet("photo") == {"cancel": True}
        phone.photo.picture = b"jpeg"
        await computer.send("photo.request")
        packet = await payload_packet(computer, "photo")
        assert packet.body == {"filename": "photo.jpg"}
        assert await fetch(computer.peer(), packet) == b"jpeg"
        phone.photo.answers = False
        await computer.send("photo.request")
        for _ in range(3):
            await phone.wait_for("photo_wanted")
        assert phone.photo.requests == 3
        await phone.photo.take(b"png", "other.png")
        packet = await payload_packet(computer, "photo")
        assert packet.body == {"filename": "other.png"}
        assert await fetch(computer.peer(), packet) == b"png"
        assert await phone.photo.cancel() == 1
        assert await computer.wait_packet("photo") == {"cancel": True}
        assert await phone.tv_remote.dictate("play") == 1
        assert await computer.wait_packet("bigscreen.stt") == {
            "type": "stt",
            "content": "play",
        }


async def test_calls(phone: FakeDevice, computer: FakeDevice) -> None:
    """Calls come, are answered, refused, missed and silenced."""
    await pair(phone, computer)
    ada: Body = {"phoneNumber": "+15550001", "contactName": "Ada"}
    call = phone.telephony
    await call.ring("+15550001", "Ada")
    await call.answer()
    await call.hang_up()
    for body in (
        {"event": "ringing"},
        {"event": "talking"},
        {"event": "talking", "isCancel": "true"},
    ):
        assert await computer.wait_packet("telephony") == body | ada
    await call.ring("+15550002", thumbnail=b"jpeg" * 40)
    got = await computer.wait_packet("telephony")
    assert got["contactName"] == "+15550002"
    assert str(got["phoneThumbnail"]).count("\n") == 3
    await computer.send("telephony.request_mute", {"event": "mute"})
    assert (await phone.wait_for("call_muted")).data == {"muted": True}
    assert call.is_muted
    assert call.mutes == [{"event": "mute"}]
    await call.miss()
    assert call.state == "idle"
    await computer.wait_packet("telephony", predicate=lambda b: "isCancel" in b)
    missed = await computer.wait_packet("telephony")
    assert missed["event"] == "missedCall"
    await computer.send("telephony.request_mute")
    assert (await phone.wait_for("call_muted")).data == {"muted": False}
    with pytest.raises(AssertionError):
        await call.answer()


async def test_odd_calls(phone: FakeDevice, computer: FakeDevice) -> None:
    """Programs differ in what they leave out and how they write a truth."""
    await pair(phone, computer)
    call = phone.telephony
    call.cancels_as_text = call.names_unknown = False
    await call.ring(None)
    await call.hang_up()
    assert await computer.wait_packet("telephony") == {"event": "ringing"}
    assert await computer.wait_packet("telephony") == {
        "event": "ringing",
        "isCancel": True,
    }
    await call.old_sms("Hi", "+15550001")
    assert await computer.wait_packet("telephony") == {
        "event": "sms",
        "phoneNumber": "+15550001",
        "messageBody": "Hi",
    }


async def test_contacts(phone: FakeDevice, computer: FakeDevice) -> None:
    """An address book is told on request: first ids and times, then cards."""
    book = phone.contacts
    book.add("1", FakeContact("Ada Lovelace", ("+1 555 0001",), ("ada@example.com",)))
    book.add("2/b", FakeContact("Zoë Ångström; GmbH", photo=b"x" * 60, changed=7))
    book.add("3", FakeContact("Gone"))
    book.add("4", FakeContact("Odd"))
    book.add("5", FakeContact("Ödön von Horváth und Söhne", changed=5))
    book.add("6", FakeContact("A;B\\C", changed=6))
    book.vanished.add("3")
    book.cards["4"] = "nonsense"
    await pair(phone, computer)
    # The computer asks at connect.
    times = await computer.wait_packet("contacts.response_uids_timestamps")
    assert times == {
        "uids": ["1", "2/b", "3", "4", "5", "6"],
        "1": "1600000000000",
        "2/b": "7",
        "3": "1600000000000",
        "4": "1600000000000",
        "5": "5",
        "6": "6",
    }
    wanted: Body = {"uids": ["1", "2/b", "3", "4", "5", "6", "7", 8]}
    await computer.send("contacts.request_vcards_by_uid", wanted)
    cards = await computer.wait_packet("contacts.response_vcards")
    assert cards["uids"] == ["1", "2/b", "4", "5", "6"]
    assert cards["4"] == "nonsense"
    assert cards["1"] == (
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Lovelace;Ada;;;\r\nFN:Ada Lovelace\r\n"
        "TEL;CELL:+1 555 0001\r\nEMAIL;HOME:ada@example.com\n"
        f"X-KDECONNECT-ID-DEV-{phone.device_id}:1\nREV:1600000000000\nEND:VCARD"
    )
    card = str(cards["2/b"])
    assert (
        "\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:"
        "=C3=85=6E=67=73=74=72=C3=B6=6D=3B=20=47=6D=62=48;=5A=6F=C3=AB;;;\r\nFN;"
    ) in card
    assert card.count("=\r\n") == 0
    # A name of 29 bytes goes over two lines.
    assert str(cards["5"]).count("=\r\n") == 1
    assert "\r\nFN:A\\;B\\\\C\n" in str(cards["6"])
    assert "PHOTO;ENCODING=BASE64;JPEG:eHh4" in card
    assert await phone.wait_for("contacts_wanted")
    assert (await phone.wait_for("contacts_wanted")).data == wanted
    await computer.send("contacts.request_vcards_by_uid", {"uids": "1"})
    await phone.wait_for("malformed")


async def test_remotes(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone points at slides, and is a television's remote control."""
    await pair(phone, computer)
    await phone.slides.move(0.5, -0.25)
    assert await computer.wait_packet("presenter") == {"dx": 0.5, "dy": -0.25}
    await phone.slides.stop()
    assert await computer.wait_packet("presenter") == {"stop": True}
    await phone.slides.previous()
    await phone.slides.next()
    await phone.slides.start()
    await phone.slides.end()
    for key in (8, 9, 25, 14):
        assert await computer.wait_packet("mousepad.request") == {"specialKey": key}
    await phone.tv_remote.press("home")
    assert await computer.wait_packet("mousepad.request") == {
        "specialKey": 20,
        "super": True,
    }
    assert await phone.tv_remote.dictate("nobody hears this") == 0


async def test_searching(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone makes a computer ring, also after a new link."""
    await pair(phone, computer)
    assert await phone.find.send() == 1
    await computer.wait_for("ring")
    await phone.close_link()
    await phone.wait_for("link_down")
    await computer.wait_for("link_down")
    await link(phone, computer)
    assert await phone.find.send() == 1
    await computer.wait_for("ring")
    assert computer.find.rings == 2


async def test_strict_receiver(phone: FakeDevice, computer: FakeDevice) -> None:
    """A phone wants the files of a batch, all of them, with their true sizes."""
    await pair(phone, computer)
    phone.share.patience = 0.01
    for number in (1, 2):
        body: Body = {
            "filename": f"{number}.txt",
            "numberOfFiles": 3,
            "totalPayloadSize": 3,
        }
        await computer.payloads.deliver(computer.peer(), "share.request", body, b"x")
        failed = await phone.wait_for("batch_failed")
        # The next one begins a batch of its own.
        assert failed.data == {"arrived": 1, "wanted": 3}
    phone.share.patience = 60
    for number in (1, 2, 3):
        body = {"filename": f"{number}.txt", "numberOfFiles": 3, "totalPayloadSize": 3}
        await computer.payloads.deliver(computer.peer(), "share.request", body, b"x")
    await phone.wait_for("shared", lambda e: e.data["complete"] is True)
    assert phone.events.seen("batch_failed") == 2
    computer.misbehave = Misbehave.PAYLOAD_UNKNOWN_SIZE
    await computer.payloads.send(
        computer.peer(), "share.request", {"filename": "x"}, b"x"
    )
    failed = await phone.wait_for("fetch_failed")
    assert failed.data["reason"] == "unknown size"
