"""Playing the files of a phone, and thumbnails of its pictures."""

import asyncio
from dataclasses import replace
from http import HTTPStatus
import os
from pathlib import Path

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from homeassistant.core import HomeAssistant

from .common import wait_state
from .storage import JPEG, SONG, Browser, fill, item, jpeg, set_up
from custom_components.rumpus import views as views_module
from custom_components.rumpus.families.kde_connect import (
    thumbnails as thumbnails_module,
)
from custom_components.rumpus.families.kde_connect.features.storage import (
    StorageFeature,
)
from custom_components.rumpus.protocols.kdeconnect import storage as storage_module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from custom_components.rumpus.protocols.kdeconnect.sftp_session import SftpSession
from custom_components.rumpus.protocols.kdeconnect.storage import Entry
from tests.fakes.kdeconnect import FakeDevice

type Player = TestClient[web.Request, web.Application]

SONG_PATH = "/Music/b Song.mp3"


@pytest.fixture
def root(tmp_path: Path, phone: FakeDevice) -> Path:
    """The folder that the phone shows."""
    fill(tmp_path)
    phone.storage.root = tmp_path
    return tmp_path


@pytest.fixture
async def entry(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, root: Path
) -> MockConfigEntry:
    """The phone, whose files may be seen."""
    return await set_up(hass, ours, phone)


@pytest.fixture
async def client(entry: MockConfigEntry, hass_client: ClientSessionGenerator) -> Player:
    """A player of somebody who is signed in."""
    return await hass_client()


def url(entry: MockConfigEntry, path: str | bytes, view: str = "storage") -> str:
    """Return the address of a file."""
    return f"/api/rumpus/{view}/{item(entry, path)}"


async def test_play(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """What the media browser resolves can be played by whoever has the address."""
    found = await Browser(hass, hass_ws_client).resolve(item(entry, SONG_PATH))
    assert found["mime_type"] == "audio/mpeg"

    player = await hass_client_no_auth()
    response = await player.get(found["url"])

    assert response.status == HTTPStatus.OK
    assert await response.read() == SONG
    assert response.headers["Content-Type"] == "audio/mpeg"
    assert response.headers["Content-Length"] == str(len(SONG))
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Accept-Ranges"] == "bytes"
    assert "private" in response.headers["Cache-Control"]


async def test_strangers(
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
    phone: FakeDevice,
) -> None:
    """Who is not signed in gets nothing, and the phone is not asked."""
    stranger = await hass_client_no_auth()
    for view in ("storage", "thumbnail"):
        address = url(entry, SONG_PATH, view)
        for wanted in (address, f"{address}?authSig=abc"):
            assert (await stranger.get(wanted)).status == HTTPStatus.UNAUTHORIZED
    response = await stranger.head(url(entry, SONG_PATH))
    assert response.status == HTTPStatus.UNAUTHORIZED
    assert phone.storage.server is None


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=5-5", slice(5, 6)),
        ("bytes=1000000-", slice(1_000_000, None)),
        ("bytes=-10", slice(-10, None)),
        ("bytes=300000-900000", slice(300_000, 900_001)),
        (f"bytes=0-{10**18}", slice(0, None)),
        (f"bytes=-{10**18}", slice(0, None)),
    ],
)
async def test_parts(
    client: Player, entry: MockConfigEntry, wanted: str, part: slice
) -> None:
    """A player may ask for a part."""
    response = await client.get(url(entry, SONG_PATH), headers={"Range": wanted})
    assert response.status == HTTPStatus.PARTIAL_CONTENT
    data = await response.read()
    assert data == SONG[part]
    start = part.indices(len(SONG))[0]
    assert response.headers["Content-Range"] == (
        f"bytes {start}-{start + len(data) - 1}/{len(SONG)}"
    )


@pytest.mark.parametrize(
    "wanted",
    ["bytes=a-b", "items=0-1", "bytes=0-1,5-6", "bytes=-", "bytes=9-5", "bytes"],
)
async def test_what_is_no_part(
    client: Player, entry: MockConfigEntry, wanted: str
) -> None:
    """It is answered with the whole file."""
    response = await client.get(url(entry, SONG_PATH), headers={"Range": wanted})
    assert response.status == HTTPStatus.OK
    assert await response.read() == SONG


@pytest.mark.parametrize("wanted", [f"bytes={len(SONG)}-", "bytes=-0"])
async def test_parts_behind_the_end(
    client: Player, entry: MockConfigEntry, wanted: str
) -> None:
    response = await client.get(url(entry, SONG_PATH), headers={"Range": wanted})
    assert response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
    assert response.headers["Content-Range"] == f"bytes */{len(SONG)}"


async def test_parts_of_a_file_that_has_changed(
    client: Player, entry: MockConfigEntry, root: Path
) -> None:
    """A part of a newer file is of no use to a player."""
    part = {"Range": "bytes=0-9"}
    address = url(entry, SONG_PATH)
    first = await client.get(address, headers=part)
    known = part | {"If-Range": first.headers["Last-Modified"]}
    assert (await client.get(address, headers=known)).status == 206
    os.utime(root / "Music" / "b Song.mp3", (1, 1))
    assert (await client.get(address, headers=known)).status == 200


async def test_head(client: Player, entry: MockConfigEntry) -> None:
    """The headers alone."""
    response = await client.head(url(entry, SONG_PATH))
    assert response.status == HTTPStatus.OK
    assert response.headers["Content-Length"] == str(len(SONG))
    assert await response.read() == b""
    response = await client.head(
        url(entry, SONG_PATH), headers={"Range": "bytes=10-19"}
    )
    assert response.status == HTTPStatus.PARTIAL_CONTENT
    assert response.headers["Content-Length"] == "10"


async def test_an_empty_file(
    client: Player, entry: MockConfigEntry, root: Path
) -> None:
    (root / "Music" / "empty.mp3").touch()
    response = await client.get(url(entry, "/Music/empty.mp3"))
    assert (response.status, await response.read()) == (HTTPStatus.OK, b"")


@pytest.mark.parametrize(
    "path",
    [
        "/Music/notes.html",
        "/Music/logo.svg",
        "/Music/nothing.mp3",
        "/Music/Zoo",
        "/Music/folder.mp3",
        "/out/secret.mp3",
        b"/Music/../../secret.mp3",
        b"Music/b Song.mp3",
    ],
)
async def test_what_is_not_served(
    client: Player, entry: MockConfigEntry, root: Path, path: str | bytes
) -> None:
    """Only files that can be played, and only those that the phone shows."""
    (root / "Music" / "folder.mp3").mkdir()
    (root / "out").symlink_to(root.parent)
    response = await client.get(url(entry, path))
    assert response.status == HTTPStatus.NOT_FOUND
    assert await response.read() == b""


async def test_names_that_are_no_text(
    client: Player, entry: MockConfigEntry, root: Path
) -> None:
    (root / "Music" / os.fsdecode(b"\xff\xfe.mp3")).write_bytes(b"sound")
    response = await client.get(url(entry, b"/Music/\xff\xfe.mp3"))
    assert await response.read() == b"sound"


async def test_not_allowed(
    hass: HomeAssistant,
    client: Player,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """With the option off nothing is served, whatever the address."""
    hass.config_entries.async_update_entry(entry, options={"storage": False})
    await hass.config_entries.async_reload(entry.entry_id)
    for view in ("storage", "thumbnail"):
        response = await client.get(url(entry, SONG_PATH, view))
        assert response.status == HTTPStatus.NOT_FOUND
        response = await client.get(f"/api/rumpus/{view}/nobody/Lw")
        assert response.status == HTTPStatus.NOT_FOUND
    assert phone.storage.server is None


async def test_offline(
    hass: HomeAssistant, client: Player, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    await phone.stop()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    response = await client.get(url(entry, SONG_PATH))
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    response = await client.get(url(entry, "/DCIM/Camera/1.jpg", "thumbnail"))
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_an_endless_file(
    client: Player, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """No more is sent than the size that the phone told."""
    phone.storage.log.is_endless = True
    response = await client.get(url(entry, SONG_PATH))
    assert len(await response.read()) == len(SONG)


async def test_a_file_that_becomes_shorter(
    client: Player,
    entry: MockConfigEntry,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The other end notices that something is missing."""
    monkeypatch.setattr(views_module, "CHUNK", 64 * 1024)
    path = root / "Music" / "long.mp3"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    response = await client.get(url(entry, "/Music/long.mp3"))
    await response.content.readexactly(10)
    os.truncate(path, 10_000_000)
    with pytest.raises(aiohttp.ClientPayloadError):
        await response.read()


async def test_a_phone_that_vanishes(
    client: Player,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An answer that was begun ends, and its reader notices."""
    monkeypatch.setattr(views_module, "CHUNK", 64 * 1024)
    response = await client.get(url(entry, SONG_PATH))
    await response.content.readexactly(10)
    # The next piece never comes.
    phone.storage.log.read_delay = 60
    reading = asyncio.create_task(response.read())
    await phone.stop()
    async with asyncio.timeout(5):
        with pytest.raises(aiohttp.ClientPayloadError):
            await reading


async def test_a_player_that_has_seen_enough(
    hass: HomeAssistant, client: Player, entry: MockConfigEntry, root: Path
) -> None:
    """The file is closed."""
    with (root / "long.mp4").open("wb") as file:
        file.truncate(500_000_000)
    response = await client.get(url(entry, "/long.mp4"))
    await response.content.readexactly(10)
    response.close()
    storage = entry.runtime_data.find(StorageFeature)._storage
    async with asyncio.timeout(5):
        while storage._open_files:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_too_many_files(
    client: Player,
    entry: MockConfigEntry,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_OPEN bounds how many files are open at once."""
    monkeypatch.setattr(storage_module, "MAX_OPEN", 1)
    with (root / "long.mp4").open("wb") as file:
        file.truncate(500_000_000)
    first = await client.get(url(entry, "/long.mp4"))
    second = await client.get(url(entry, SONG_PATH))
    assert second.status == HTTPStatus.SERVICE_UNAVAILABLE
    first.close()


async def test_thumbnails(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    root: Path,
    phone: FakeDevice,
    hass_ws_client: WebSocketGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """Of a camera's picture its preview, of a small one itself; the page needs no more."""
    camera = root / "DCIM" / "Camera"
    (camera / "3.jpg").write_bytes(jpeg(JPEG, orientation=6))
    (camera / "4.jpg").write_bytes(b"\xff\xd8\xff\xdb" + bytes(600_000))
    (camera / "5.jpg").write_text("<script>")
    (camera / "6.gif").write_bytes(b"GIF89a" + b"x" * 200_000)
    (camera / "7.mp4").write_bytes(b"video")
    folder = await Browser(hass, hass_ws_client).browse(item(entry, "/DCIM/Camera"))
    page = await hass_client_no_auth()
    answers: dict[str, tuple[int, str | None, bytes | int] | None] = {}
    for child in folder["children"]:
        if child["thumbnail"] is None:
            answers[child["title"]] = None
            continue
        response = await page.get(child["thumbnail"])
        data = await response.read()
        answers[child["title"]] = (
            response.status,
            response.headers.get("Content-Type"),
            data if len(data) < 100 else len(data),
        )
        if response.status == HTTPStatus.OK:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    nothing = (404, None, b"")
    third = answers.pop("3.jpg")
    assert third is not None
    assert third[:2] == (200, "image/jpeg")
    assert isinstance(third[2], bytes)
    assert third[2].endswith(JPEG[2:])
    assert b"Exif" in third[2]
    assert answers == {
        "1.jpg": (200, "image/jpeg", JPEG),
        "2.png": (200, "image/png", 107),
        "4.jpg": nothing,
        "5.jpg": nothing,
        "6.gif": (200, "image/gif", 200_006),
        "7.mp4": None,
        "big.png": nothing,
    }
    # What has been seen, or is known to be nothing, is not fetched again.
    before = len(phone.storage.log.opened)
    for child in folder["children"]:
        if child["thumbnail"] is not None:
            await page.get(child["thumbnail"])
    assert len(phone.storage.log.opened) == before


async def test_no_thumbnails_of_other_files(
    client: Player, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    for path in (SONG_PATH, "/Music/logo.svg", "/Music/notes.html"):
        response = await client.get(url(entry, path, "thumbnail"))
        assert response.status == HTTPStatus.NOT_FOUND
    assert phone.storage.server is None


async def test_thumbnails_are_small(
    client: Player, entry: MockConfigEntry, root: Path
) -> None:
    """MAX_WHOLE bounds a picture that is its own thumbnail."""
    head, largest = b"\x89PNG\r\n\x1a\n", thumbnails_module.MAX_WHOLE
    (root / "large.png").write_bytes(head.ljust(largest))
    (root / "larger.png").write_bytes(head.ljust(largest + 1))
    response = await client.get(url(entry, "/large.png", "thumbnail"))
    assert len(await response.read()) == largest
    response = await client.get(url(entry, "/larger.png", "thumbnail"))
    assert response.status == HTTPStatus.NOT_FOUND


async def test_versions_of_thumbnails(
    client: Player, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """MAX_VERSION bounds what is kept of a version, which tells pictures apart."""
    picture = url(entry, "/DCIM/Camera/1.jpg", "thumbnail")
    longest = "x" * thumbnails_module.MAX_VERSION
    for version in ("1", "2", longest, f"{longest}a", f"{longest}b"):
        response = await client.get(f"{picture}?version={version}")
        assert response.status == HTTPStatus.OK
    assert len(phone.storage.log.opened) == 3


async def test_thumbnails_wait_for_each_other(
    client: Player,
    entry: MockConfigEntry,
    root: Path,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_FETCHES bounds how many are fetched at once, however many there are."""
    for number in range(40):
        (root / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    most = 0
    fetch = thumbnails_module._async_fetch
    running = 0

    async def count(*args: object) -> object:
        nonlocal most, running
        running += 1
        most = max(most, running)
        try:
            return await fetch(*args)  # type: ignore[arg-type]
        finally:
            running -= 1

    monkeypatch.setattr(thumbnails_module, "_async_fetch", count)
    responses = await asyncio.gather(
        *(
            client.get(url(entry, f"/{number}.png", "thumbnail"))
            for number in range(40)
        ),
        client.get(url(entry, "/1.png", "thumbnail")),
    )
    assert {response.status for response in responses} == {HTTPStatus.OK}
    assert most == thumbnails_module.MAX_FETCHES
    # The same one, asked for twice, was fetched once.
    assert len(phone.storage.log.opened) == 40


async def test_few_thumbnails_are_kept(
    hass: HomeAssistant,
    client: Player,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_KEPT and MAX_KEPT_BYTES bound them, and they go with the phone."""
    small = url(entry, "/DCIM/Camera/1.jpg", "thumbnail")
    other = url(entry, "/DCIM/Camera/2.png", "thumbnail")
    opened = phone.storage.log.opened
    monkeypatch.setattr(thumbnails_module, "MAX_KEPT", 1)
    for address in (small, small, other, small):
        assert (await client.get(address)).status == HTTPStatus.OK
    assert len(opened) == 3
    monkeypatch.setattr(thumbnails_module, "MAX_KEPT", 9)
    monkeypatch.setattr(thumbnails_module, "MAX_KEPT_BYTES", 110)
    for address in (small, other, small):
        assert (await client.get(address)).status == HTTPStatus.OK
    assert len(opened) == 5
    phone.drop_link()
    await wait_state(hass, "binary_sensor.pixel_connectivity", "off")
    await wait_state(hass, "binary_sensor.pixel_connectivity", "on")
    assert (await client.get(small)).status == HTTPStatus.OK
    assert len(opened) == 6


async def test_a_thumbnail_of_a_phone_that_went_is_not_kept(
    hass: HomeAssistant,
    client: Player,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be another phone's storage when it is back."""
    fetch = thumbnails_module._async_fetch
    thumbnails = entry.runtime_data.find(StorageFeature)._thumbnails

    async def go(*args: object) -> object:
        picture = await fetch(*args)  # type: ignore[arg-type]
        thumbnails.clear()
        return picture

    monkeypatch.setattr(thumbnails_module, "_async_fetch", go)
    small = url(entry, "/DCIM/Camera/1.jpg", "thumbnail")
    assert (await client.get(small)).status == HTTPStatus.OK
    assert not thumbnails._kept


async def test_a_player_that_is_gone_when_it_is_written_to(
    client: Player, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is nothing to tell anybody, and what was read ahead is dropped."""
    monkeypatch.setattr(views_module, "CHUNK", 64 * 1024)

    async def write(self: object, data: bytes) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(views_module._FilePart, "write", write, raising=False)
    with pytest.raises(aiohttp.ClientError):
        await client.get(url(entry, SONG_PATH))
        response = await client.get(url(entry, SONG_PATH))
        await response.read()


@pytest.mark.parametrize("modified", [None, 2**63])
async def test_files_of_an_unknown_age(
    client: Player,
    entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    modified: int | None,
) -> None:
    """A phone may tell no date, or one that is none."""
    stat = SftpSession.stat

    async def timeless(self: SftpSession, path: bytes) -> Entry:
        return replace(await stat(self, path), modified=modified)

    monkeypatch.setattr(SftpSession, "stat", timeless)
    response = await client.get(url(entry, SONG_PATH), headers={"If-Range": "x"})
    assert response.status == HTTPStatus.OK
    assert "Last-Modified" not in response.headers
    assert await response.read() == SONG
