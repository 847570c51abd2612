"""An Apple TV that goes wild, in the worst ways that are left to one who is paired.

Runs in a process of its own, so that its work is not counted as ours. It is the program of
`tests.fakes.apple_tv_program` with one command more, `attack NAME SECONDS`; when it is done
it tells `attacked` with what it managed to do, and is a sane device again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
import itertools
from typing import Final

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_events import FakeEvent
from tests.fakes.apple_tv_media import make
from tests.fakes.apple_tv_models import FakeItem, FakePicture
from tests.fakes.apple_tv_opack import OpackValue
from tests.fakes.apple_tv_program import main
from tests.fakes.apple_tv_program_commands import COMMANDS, Command

UNSENT: Final = 512 * 1024  # bytes that wait for the client before more are made
PAUSE: Final = 0.002
CHUNK: Final = bytes(65536)
BATCH: Final = 40  # messages in a frame
MEGABYTE: Final = 1024 * 1024
NASTY: Final = (
    '<script>alert("x")</script>{{ 7*7 }}[a](javascript:b)\x00\x07\x1b[2J\u202e\ufeff\n'
)
FILMS: Final = "com.example.films"

type Attack = Callable[[FakeAppleTv, Counter[str]], Awaitable[None]]


def _messages(device: FakeAppleTv) -> list[bytes]:
    """Return news that differ one from the other: all of it is to be looked at."""
    media = device.mrp.media
    player = media.client(FILMS, "Films").active_player
    found: list[pb.ProtocolMessage] = []
    for number in range(BATCH):
        item = FakeItem("1", f"Title {number}", artist=f"Artist {number}")
        player.items = [item]
        player.move(
            pb.PLAYBACK_STATE_PLAYING if number % 2 else pb.PLAYBACK_STATE_PAUSED,
            float(number),
        )
        state = media.state(media.client(FILMS), player)
        # What can be done changes with each of them, too.
        for command in state.set_state.supported_commands.supported_commands:
            command.enabled = bool(number % 2)
        update = make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM)
        update.update_content_item.player_path.CopyFrom(state.set_state.player_path)
        update.update_content_item.content_items.add(
            identifier="1",
            metadata=pb.ContentItemMetadata(title=f"Other {number}"),
        )
        volume = make(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE)
        volume.volume_did_change.volume = number / BATCH
        volume.volume_did_change.output_device_uid = device.mrp.output_uid
        info = make(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE)
        info.device_info.CopyFrom(device.mrp.info())
        info.device_info.logical_device_count = number % 2
        info.device_info.system_build_version = f"23J{number}"
        found += [state, update, volume, info]
    return [message.SerializeToString() for message in found]


async def flood(device: FakeAppleTv, done: Counter[str]) -> None:
    """Tell as much as goes through, all of it new."""
    device.mrp.media.play(FILMS, FakeItem("1", "A film"), name="Films")
    turns = itertools.cycle(_batches(_messages(device)))
    for number in itertools.count():
        for session in device.airplay.sessions:
            data = session.data
            if data is not None and _has_room(data.channel.link):
                batch = next(turns)
                data.send(*batch)
                done["messages"] += len(batch)
        if "mrp" in device.servers:
            for mrp in list(device.mrp.sessions):
                batch = next(turns)
                if _has_room(mrp.link) and mrp.is_ready:
                    for message in batch:
                        mrp.send_bytes(message)
                    done["messages"] += len(batch)
        for connection in list(device.companion.connections):
            if connection.cipher is None or not _has_room(connection.link):
                continue
            for step in range(BATCH):
                flags = device.media_flags ^ (step % 2)
                connection.event("_iMC", {"_mcF": flags})
                connection.event("TVSystemStatus", {"state": 1 + (number + step) % 3})
                connection.event(("_tiStarted", "_tiStopped")[step % 2], {"_tiV": 1})
            done["events"] += 3 * BATCH
        await asyncio.sleep(PAUSE if number % 2 else 0)


def _batches(messages: list[bytes]) -> Iterator[list[bytes]]:
    return (list(batch) for batch in itertools.batched(messages, BATCH, strict=False))


def _has_room(link: object) -> bool:
    unsent = getattr(link, "unsent", UNSENT)
    return isinstance(unsent, int) and unsent < UNSENT


async def huge(device: FakeAppleTv, done: Counter[str]) -> None:
    """Have far too much of everything, under names that do harm if one lets them."""
    device.apps = {f"com.example.{n}": f"{NASTY}{n}" for n in range(2000)}
    device.accounts = {f"{n:036}": f"{NASTY}{n}" for n in range(5000)}
    device.open_text("text " * 12_000)  # as much as an archive of the fake takes
    device.mrp.artwork.endless = True
    device.mrp.artwork.body = bytes(2 * MEGABYTE)
    png = b"\x89PNG" + bytes(MEGABYTE)
    pictures = (
        FakePicture("cover", png, width=9, height=9),
        FakePicture("other", png, way="url"),
        FakePicture("third", png, way="template"),
    )
    making = itertools.cycle(
        (_huge_title, _huge_queue, _huge_outputs, _huge_clients, _huge_info)
    )
    for number in itertools.count():
        item = FakeItem(f"{number}", f"{NASTY} {number}", picture=pictures[number % 3])
        device.mrp.media.play(FILMS, item, name=NASTY)
        messages = next(making)(device)
        for session in device.airplay.sessions:
            data = session.data
            if data is not None and _has_room(data.channel.link):
                data.send(*messages)
                done["messages"] += len(messages)
                done["bytes"] += sum(map(len, messages))
        device.companion.focus_changed()
        many: dict[str, OpackValue] = {"_mcF": 1, "x": [number % 256] * 4900}
        more: dict[str, OpackValue] = {"_mcF": 1, "x": [number % 256] * 60_000}
        for connection in device.companion.connections:
            if connection.cipher is not None and _has_room(connection.link):
                for content in (many, more) * 4:
                    connection.event("_iMC", content)
                    done["events"] += 1
        await asyncio.sleep(0.1)


def _huge_title(device: FakeAppleTv) -> list[bytes]:
    media = device.mrp.media
    player = media.client(FILMS).active_player
    player.items = [FakeItem("1", NASTY * (MEGABYTE // len(NASTY)), artist=NASTY)]
    return [media.state(media.client(FILMS), player).SerializeToString()]


def _huge_queue(device: FakeAppleTv) -> list[bytes]:
    media = device.mrp.media
    player = media.client(FILMS).active_player
    player.items = [FakeItem(f"{n}", f"{NASTY}{n}") for n in range(5000)]
    message = media.state(media.client(FILMS), player).SerializeToString()
    player.items = []
    return [message]


def _huge_outputs(device: FakeAppleTv) -> list[bytes]:
    message = make(pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE)
    for number in range(5000):
        message.update_output_device.output_devices.add(
            name=f"{NASTY}{number}",
            unique_identifier=f"{number}",
            volume=0.5,
            is_volume_control_available=True,
        )
    return [message.SerializeToString()]


def _huge_clients(device: FakeAppleTv) -> list[bytes]:
    messages = []
    for number in range(2000):
        message = make(pb.MESSAGE_TYPE_SET_STATE)
        path = message.set_state.player_path
        path.client.bundle_identifier = f"com.example.{number // 20}"
        path.client.display_name = f"{NASTY}{number}"
        path.player.identifier = f"{number}"
        message.set_state.playback_state = pb.PLAYBACK_STATE_PLAYING
        messages.append(message.SerializeToString())
    return messages


def _huge_info(device: FakeAppleTv) -> list[bytes]:
    message = make(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE)
    info = message.device_info
    info.CopyFrom(device.mrp.info())
    info.name = NASTY * (MEGABYTE // len(NASTY))
    info.model_id = NASTY * 100
    for number in range(5000):
        info.grouped_devices.add(name=f"{NASTY}{number}", device_uid=f"{number}")
    return [message.SerializeToString()]


async def endless(device: FakeAppleTv, done: Counter[str]) -> None:
    """Begin what never ends, on every connection that there is."""
    begun: set[int] = set()
    while True:
        for connection in list(device.companion.connections):
            link = connection.link
            if connection.cipher is not None and link.is_open and _has_room(link):
                if id(connection) not in begun:
                    begun.add(id(connection))
                    done["companion"] += 1
                    link.write(b"\x08\xff\xff\xff")
                link.write(CHUNK)
                done["bytes"] += len(CHUNK)
        for session in device.airplay.sessions:
            data = session.data
            if data is None or not data.channel.is_open:
                continue
            if not _has_room(data.channel.link):
                continue
            if id(session) not in begun:
                begun.add(id(session))
                done["airplay"] += 1
                # The first is as long as a frame may be; it ends in the air.
                size = (0x0100_0000, 0xFFFF_FFFF)[done["airplay"] % 2]
                data.channel.write(size.to_bytes(4) + b"sync".ljust(28, b"\0"))
            data.channel.write(CHUNK)
            done["bytes"] += len(CHUNK)
        await asyncio.sleep(PAUSE)


async def undecryptable(device: FakeAppleTv, done: Counter[str]) -> None:
    """Send what does not decrypt to everybody who comes."""
    async with _told(device) as events:
        device.drop()
        async for event in events:
            # Before the link is up, and when it has just come up, by turns.
            if event.kind == "client":
                done["companion"] += 1
                device.later(0.3 * (done["companion"] % 2), lambda: _garble(device))
            elif event.kind == "mrp_ready":
                done["airplay"] += 1
                device.later(0.3 * (done["airplay"] % 2), lambda: _corrupt(device))


def _garble(device: FakeAppleTv) -> None:
    for connection in device.companion.connections:
        if connection.cipher is not None:
            device.mischief.undecryptable(connection)


def _corrupt(device: FakeAppleTv) -> None:
    for session in device.airplay.sessions:
        if session.data is not None:
            session.data.channel.corrupt()


async def silent(device: FakeAppleTv, done: Counter[str]) -> None:
    """Take every connection and say nothing."""
    device.vanish()
    device.drop()
    try:
        while True:
            await asyncio.sleep(0.1)
            open_ones = len(device.airplay.controls), len(device.companion.connections)
            done["airplay"] = max(done["airplay"], open_ones[0])
            done["companion"] = max(done["companion"], open_ones[1])
    finally:
        device.come_back()


async def refuse(device: FakeAppleTv, done: Counter[str]) -> None:
    """Know nobody any more, for a while."""
    known = {name: dict(those) for name, those in device.desk.pairings.items()}
    async with _told(device) as events:
        device.unpair()
        try:
            async for event in events:
                if event.kind == "verify_m1":
                    done[str(event.data["protocol"])] += 1
        finally:
            for name, those in known.items():
                device.desk.pairings[name].update(those)


@asynccontextmanager
async def _told(device: FakeAppleTv) -> AsyncIterator[AsyncIterator[FakeEvent]]:
    """Return what happens from now on."""
    queue: asyncio.Queue[FakeEvent] = asyncio.Queue()
    device.events.listeners.append(queue.put_nowait)

    async def events() -> AsyncIterator[FakeEvent]:
        while True:
            yield await queue.get()

    try:
        yield events()
    finally:
        device.events.listeners.remove(queue.put_nowait)


ATTACKS: Final[dict[str, Attack]] = {
    "flood": flood,
    "huge": huge,
    "endless": endless,
    "undecryptable": undecryptable,
    "silent": silent,
    "refuse": refuse,
}


async def _attack(device: FakeAppleTv, words: list[str]) -> None:
    done: Counter[str] = Counter()
    before = device.apps, device.accounts
    verified: Counter[str] = Counter()

    def count(event: FakeEvent) -> None:
        if event.kind == "verified":
            verified[str(event.data["protocol"])] += 1

    listeners = list(device.events.listeners)
    # A line for each of what happens now would be a flood of its own.
    device.events.listeners[:] = [count]
    device.emit("attacking")
    try:
        async with asyncio.timeout(float(words[1])):
            await ATTACKS[words[0]](device, done)
    except TimeoutError:
        pass
    finally:
        device.apps, device.accounts = before
        device.close_text()
        device.mrp.media.clear()
        device.events.listeners[:] = listeners
    device.emit("attacked", **done, **{f"{k}_verified": n for k, n in verified.items()})


def _run(device: FakeAppleTv, words: list[str]) -> Awaitable[None]:
    if words[0] not in ATTACKS:
        raise LookupError(words[0])
    return _attack(device, words)


COMMANDS["attack"] = Command("NAME SECONDS", _run)

if __name__ == "__main__":
    main()
