"""What the fake KDE Connect devices of the demo have in them: people, messages, music, files.

`PRIVATE` are the texts of it that may be seen nowhere but where the user has allowed it.
"""

from pathlib import Path
from typing import Final

from tests.e2e.media import picture, tone
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_media import FakePlayer, FakeTrack
from tests.fakes.kdeconnect_messages import SENT
from tests.fakes.kdeconnect_notifications import FakeNotification
from tests.fakes.kdeconnect_phone import FakeContact
from tests.fakes.kdeconnect_sinks import FakeSink

ADA: Final = "+15550142"
GRACE: Final = "+15550177"
PEOPLE: Final = {ADA: "Ada Lovelace", GRACE: "Grace Hopper"}
CHAT: Final = "0|chat|1"
CHAT_REPLY: Final = "chat-reply-1"
CHAT_TEXT: Final = "Is the barbecue still on?"
HISTORY: Final = (
    (ADA, "Shall I bring the salad?"),
    (ADA, "And something to drink"),
    (GRACE, "The ship sails at noon"),
)
ANSWERED: Final = "Yes please, the green one"
PRIVATE: Final = (
    ADA,
    GRACE,
    *PEOPLE.values(),
    CHAT_TEXT,
    ANSWERED,
    *(text for _, text in HISTORY),
)
_MORNING: Final = 1_717_225_200_000  # ms since 1970
_MINUTE: Final = 60_000
_COVERS: Final = (
    ((66, 39, 90), (244, 136, 107)),
    ((20, 60, 110), (90, 200, 220)),
    ((30, 80, 50), (220, 220, 120)),
)


async def furnish(device: FakeDevice, files: Path) -> None:
    """Give a device that has not started yet all that the demo shows of it.

    `files` is the folder for what a phone's storage has; it is made.
    """
    await _add_music(device)
    if device.kind == "phone":
        await _furnish_phone(device)
        fill_storage(files)
        device.storage.root = files
        device.storage.roots = {"Internal storage": "/", "Camera": "/DCIM"}
    else:
        await _furnish_computer(device)


async def _add_music(device: FakeDevice) -> None:
    scheme = "kdeconnect:" if device.kind == "phone" else "file:"
    tracks = [
        FakeTrack(
            f"Song {number}",
            "The Fakes",
            "Loopback",
            length=180_000 + number * 1000,
            art_url=f"{scheme}///art/{number}.png",
            art=picture(*colours),
        )
        for number, colours in enumerate(_COVERS, 1)
    ]
    player = FakePlayer("Music", tracks, is_playing=True, volume=60)
    if device.kind == "computer":
        player.loop_status, player.shuffle = "None", False
    await device.media.add(player)


async def _furnish_phone(device: FakeDevice) -> None:
    await device.connectivity.set("1", network_type="5G", bars=3)
    await device.connectivity.set("2", network_type="LTE", bars=2)
    for number, name in PEOPLE.items():
        device.contacts.add(number[1:], FakeContact(name, (number,)))
    for index, (number, text) in enumerate(HISTORY):
        device.sms.add(number, text, date=_MORNING + index * _MINUTE, is_read=True)
    device.sms.add(ADA, ANSWERED, date=_MORNING + 9 * _MINUTE, type_=SENT, is_read=True)
    for notification in (
        chat(PEOPLE[ADA], CHAT_TEXT),
        FakeNotification(
            "0|system|2", "System", "Charging", "Full in 40 minutes", is_clearable=False
        ),
    ):
        await device.notifications.post(notification)


def chat(title: str, text: str) -> FakeNotification:
    """Return the phone's notification of a message in a chat."""
    return FakeNotification(
        CHAT,
        "Chat",
        title,
        text,
        reply_id=CHAT_REPLY,
        actions=("Mark as read",),
        icon=picture((40, 170, 120), (10, 90, 70), 64),
    )


def fill_storage(folder: Path) -> None:
    """Put pictures and sounds into a phone's storage, unless they are there."""
    contents = {
        f"DCIM/Holiday {number}.png": picture(*colours)
        for number, colours in enumerate(_COVERS, 1)
    } | {
        "Music/Doorbell.wav": tone(660, 520),
        "Music/Scale.wav": tone(262, 294, 330, 349, 392, seconds=0.3),
        "Download/Shopping list.txt": b"Charcoal\nLemonade\n",
    }
    for name, data in contents.items():
        path = folder / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


async def _furnish_computer(device: FakeDevice) -> None:
    await device.commands.add("lights-out", "Lights out", "echo dark")
    await device.commands.add("backup", "Back up", "echo saved")
    await device.sinks.add(FakeSink("speakers", "Speakers", volume=39_322))
    await device.sinks.add(FakeSink("headphones", "Headphones", volume=19_661))
