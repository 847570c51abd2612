"""What the check does with this home: what it shares with a phone, and what a phone controls."""

import hashlib
from pathlib import Path
from typing import Final

from .check_kde_connect_phone import SHARED_TEXT
from .kdeconnect_steering import PICTURE
from .media import picture, tone
from .report import Report, require
from .shapes import JsonObject, as_object, get_str, objects
from .subject import DOMAIN, Subject, has
from .walk import set_options

LINK: Final = "https://example.com/menu"
SCRIPT: Final = "script.movie_night"
LIGHTS: Final = "input_boolean.party_lights"


async def check_share(phone: Subject, report: Report) -> None:
    """Try texts, links and files, both ways."""
    name = phone.fake.name
    async with report.step(f"{name}: shares a text and a link, and gets them"):
        await _check_text(phone)
    async with report.step(f"{name}: options allow files"):
        await set_options(
            phone.api, phone.entry, "kde_connect_files", receive_files=True
        )
    async with report.step(f"{name}: shares two files with the media folder"):
        await _check_files_in(phone)
    async with report.step(f"{name}: gets a file of the media folder"):
        await _check_file_out(phone)


async def _check_text(phone: Subject) -> None:
    async with phone.watch("rumpus_share") as shares:
        await phone.fake.say(f"share {SHARED_TEXT}")
        await shares.next(has(type="text", text=SHARED_TEXT))
        await phone.fake.say(f"share {LINK}")
        await shares.next(has(type="url", url=LINK))
    async with phone.hears("shared", has(form="text", text=SHARED_TEXT)):
        await phone.act("share", text=SHARED_TEXT)
    async with phone.hears("shared", has(form="url", url=LINK)):
        await phone.act("share", url=LINK)


async def _check_files_in(phone: Subject) -> None:
    wanted = hashlib.sha256(picture(*PICTURE)).hexdigest()
    async with phone.watch("rumpus_share") as shares:
        await phone.fake.say("share-files One.png | Two.png")
        paths = [
            Path(get_str(await shares.next(has(type="file")), "path")) for _ in range(2)
        ]
        await shares.next(has(type="files"))
    media = phone.lab.server.media_dir
    for path in paths:
        require(path.is_relative_to(media), f"{path} is not in the media folder")
        require(_sha256(path) == wanted, f"{path.name} is not what was sent")


async def _check_file_out(phone: Subject) -> None:
    path = phone.lab.server.media_dir / "Doorbell.wav"
    path.write_bytes(tone(660, 520))
    item = f"media-source://media_source/local/{path.name}"
    arrives = has(form="file", filename=path.name, sha256=_sha256(path))
    async with phone.hears("shared", arrives):
        await phone.act("share", files=[item])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


async def check_offers(phone: Subject, other: Subject, report: Report) -> None:
    """Offer the player of another device and a script to the phone, and use them there."""
    name = phone.fake.name
    player = await other.entity("media_player")
    async with report.step(f"{name}: options offer it a player and commands"):
        mark = phone.fake.position
        await set_options(
            phone.api,
            phone.entry,
            "kde_connect_offers",
            players=[player],
            commands=[SCRIPT, LIGHTS],
        )
        shown = str(phone.text_of(player, "friendly_name"))
        await phone.fake.wait(
            lambda event: event["event"] == "players" and event["names"] == [shown],
            "player",
            start=mark,
        )
    async with report.step(f"{name}: controls {other.fake.name}'s player"):
        async with other.hears("player_action", has(action="Pause")):
            await phone.fake.say(f"player PlayPause {shown}")
        await phone.api.wait_state(player, "paused")
        async with other.hears("player_action", has(action="Play")):
            await phone.fake.say(f"player PlayPause {shown}")
        await phone.api.wait_state(player, "playing")
    async with report.step(f"{name}: runs a script and a switch of this home"):
        await phone.fake.say("run Party lights")
        await phone.api.wait_state(LIGHTS, "on")
        await phone.fake.say("run Movie night")
        await phone.api.wait_state(LIGHTS, "off")


async def check_storage(phone: Subject, report: Report) -> None:
    """Look into the phone's storage and play what is there."""
    name = phone.fake.name
    async with report.step(f"{name}: its storage is browsed"):
        root = await _browse(phone, f"media-source://{DOMAIN}/{phone.entry.entry_id}")
        require(set(root) == {"Internal storage", "Camera"}, f"there is {set(root)}")
        camera = await _browse(phone, get_str(root["Camera"], "media_content_id"))
        image = camera["Holiday 1.png"]
        kind, thumbnail = await phone.api.fetch(get_str(image, "thumbnail"))
        require(kind.startswith("image/") and bool(thumbnail), f"it is {kind}")
    async with report.step(f"{name}: a sound of its storage is played"):
        top = get_str(root["Internal storage"], "media_content_id")
        music = (await _browse(phone, top))["Music"]
        sounds = await _browse(phone, get_str(music, "media_content_id"))
        item = get_str(sounds["Doorbell.wav"], "media_content_id")
        resolved = as_object(
            await phone.api.command("media_source/resolve_media", media_content_id=item)
        )
        kind, sound = await phone.api.fetch(get_str(resolved, "url"))
        require(kind == "audio/wav", f"it is {kind}")
        require(sound == tone(660, 520), "the bytes are others")


async def _browse(phone: Subject, media_content_id: str) -> dict[str, JsonObject]:
    """Return what is in a folder of the media browser, by the titles."""
    folder = as_object(
        await phone.api.command(
            "media_source/browse_media", media_content_id=media_content_id
        )
    )
    return {get_str(item, "title"): item for item in objects(folder.get("children"))}
