"""The files of a phone in the media browser."""

import asyncio
import logging
from pathlib import Path
import sys

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

from .common import wait_state
from .storage import Browser, fill, item, set_up, source_id, titles
from custom_components.rumpus import media_source as source_module
from custom_components.rumpus.protocols.kdeconnect import storage as storage_module
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice

# A client asks whether its key is good before it signs with it.
LOGIN = ["publickey"] * 2
PIXEL = "binary_sensor.pixel_connectivity"


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
def browser(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Browser:
    """The media browser of a user."""
    return Browser(hass, hass_ws_client)


async def test_browse(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """Devices, folders, files: folders first, and only what can be played."""
    sources = await browser.ask("browse_media", "media-source://")
    assert "Rumpus" in titles(sources["result"])

    devices = await browser.browse("")
    assert titles(devices) == ["Pixel"]
    assert devices["children"][0]["media_content_id"] == source_id(entry.entry_id)
    assert phone.storage.log.logins == []  # nobody has looked yet

    top = await browser.browse(entry.entry_id)
    assert (top["title"], titles(top)) == ("Pixel", ["DCIM", "Music"])
    assert phone.storage.log.logins == LOGIN

    music = await browser.browse(item(entry, "/Music"))
    assert music["title"] == "Music"
    assert music["can_search"]
    assert [
        (child["title"], child["media_class"], child["media_content_type"])
        for child in music["children"]
    ] == [
        ("Zoo", "directory", ""),
        ("A song.flac", "music", "audio/flac"),
        ("b Song.mp3", "music", "audio/mpeg"),
    ]
    assert [child["can_play"] for child in music["children"]] == [False, True, True]
    assert music["children"][2]["media_content_id"] == source_id(
        item(entry, "/Music/b Song.mp3")
    )
    # One session serves them all.
    assert phone.storage.log.logins == LOGIN


async def test_several_roots(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The phone's own names lead to what it shows, and nothing else is shown."""
    phone.storage.roots = {"Camera": "/DCIM/Camera/", "Tunes": "/Music", "Gone": "/x"}
    top = await browser.browse(entry.entry_id)
    assert titles(top)[:2] == ["Camera", "Tunes"]
    camera = top["children"][0]["media_content_id"].removeprefix(source_id("") + "/")
    folder = await browser.browse(camera)
    assert folder["title"] == "Camera"
    assert titles(folder) == ["1.jpg", "2.png", "big.png"]
    assert "does not show" in await browser.error(item(entry, "/DCIM"))


async def test_the_phone_s_names_of_roots(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """A root is called what the phone calls it, also by who comes from a bookmark."""
    phone.storage.roots = {"Fotos": "/DCIM", "Tunes": "/Music"}
    assert (await browser.browse(item(entry, "/DCIM")))["title"] == "Fotos"
    assert (await browser.browse(item(entry, "/DCIM/Camera")))["title"] == "Camera"
    assert (await browser.browse(item(entry, "/Music")))["title"] == "Tunes"


@pytest.mark.parametrize(
    "path",
    [
        b"/Music/../../etc",
        b"/..",
        b"Music",
        b"//Music",
        b"/Music/",
        b"/Music\0",
        b"/nowhere",
        b"/" + b"a" * 5000,
        b"/a" * 70,
        b"/out",
        b"",
    ],
)
async def test_paths_that_are_not_shown(
    browser: Browser, entry: MockConfigEntry, path: bytes, root: Path
) -> None:
    """Nothing leads out of what the phone shows, and nothing else is a folder."""
    (root / "out").symlink_to(root.parent)
    identifier = item(entry, path)
    if path:
        assert "does not show" in await browser.error(identifier)
    answer = await browser.ask("resolve_media", source_id(identifier))
    assert not answer["success"]


@pytest.mark.parametrize("word", ["..", "%2e%2e", "Lw==", "Lx", "é", "L w"])
async def test_identifiers_that_are_none(
    browser: Browser, entry: MockConfigEntry, word: str
) -> None:
    message = await browser.error(f"{entry.entry_id}/{word}")
    assert "does not show" in message


async def test_a_file_is_no_folder(browser: Browser, entry: MockConfigEntry) -> None:
    assert "does not show" in await browser.error(item(entry, "/Music/b Song.mp3"))
    for path in ("/Music/notes.html", "/Music/logo.svg", "/Music/Zoo"):
        answer = await browser.ask("resolve_media", source_id(item(entry, path)))
        assert "no audio, video or picture" in answer["error"]["message"]


async def test_links_lead_nowhere_else(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice, root: Path
) -> None:
    """A link out of a root is not followed, though the phone would."""
    phone.storage.roots = {"Camera": "/DCIM"}
    (root / "DCIM" / "link").symlink_to(root / "Music")
    assert titles(await browser.browse(item(entry, "/DCIM"))) == ["Camera"]
    assert "does not show" in await browser.error(item(entry, "/DCIM/link"))


async def test_hostile_names(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """Names may be no text or paths: the first are shown, the others not."""
    phone.storage.log.extra_names = [
        b"../evil.mp3",
        b"/etc/x.mp3",
        b"\xff\xfe.mp3",
        b"..",
        b"",
        b"x" * 2000 + b".mp3",
        "日本.mp3".encode(),
    ]
    folder = await browser.browse(item(entry, "/Music/Zoo"))
    assert titles(folder) == ["日本.mp3", "\ufffd\ufffd.mp3"]
    assert folder["children"][1]["media_content_id"] == source_id(
        item(entry, b"/Music/Zoo/\xff\xfe.mp3")
    )


async def test_a_huge_folder_is_cut(
    browser: Browser,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MAX_ENTRIES bounds a folder."""
    monkeypatch.setattr(storage_module, "MAX_ENTRIES", 400)
    phone.storage.log.extra_names = [b"%d.jpg" % number for number in range(1000)]
    folder = await browser.browse(item(entry, "/Music/Zoo"))
    # Two of them are the folder itself and the one above.
    assert len(folder["children"]) == 398


async def test_refused(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """The user is told what the phone says, and may try again."""
    root, phone.storage.root = phone.storage.root, None
    assert await browser.error(entry.entry_id) == (
        "Pixel does not show its files: No storage locations configured"
    )
    phone.storage.root = root
    assert titles(await browser.browse(entry.entry_id)) == ["DCIM", "Music"]


async def test_no_answer(
    browser: Browser,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """OFFER_TIMEOUT bounds how long the phone may think, and junk is no answer."""
    monkeypatch.setattr(storage_module, "OFFER_TIMEOUT", 0.05)
    phone.storage.overrides = {"port": 22}
    assert "did not answer in time" in await browser.error(entry.entry_id)
    phone.storage.overrides = {"path": "relative"}
    assert "does not show" in await browser.error(entry.entry_id)


async def test_key_only(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """A phone that takes the key never gets to know that we know the password."""
    phone.storage.log.takes_password = False
    assert titles(await browser.browse(entry.entry_id)) == ["DCIM", "Music"]
    assert phone.storage.log.logins == LOGIN


async def test_password_only(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """A phone that does not take the key gets the password."""
    phone.storage.log.takes_key = False
    assert titles(await browser.browse(entry.entry_id)) == ["DCIM", "Music"]
    assert phone.storage.log.logins == ["password"]


async def test_wrong_password(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """It does not let us in."""
    phone.storage.log.takes_key = False
    phone.storage.overrides = {"password": "x" * 28}
    assert "did not let Home Assistant log in" in await browser.error(entry.entry_id)
    assert phone.storage.log.refused == ["password"]


async def test_whoever_took_the_key_once_gets_no_password(
    hass: HomeAssistant, browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """Somebody in between who refuses the key does not learn the password."""
    await browser.browse(entry.entry_id)
    phone.drop_link()
    await wait_state(hass, PIXEL, "off")
    await wait_state(hass, PIXEL, "on")
    phone.storage.log.takes_key = False
    assert "did not let Home Assistant log in" in await browser.error(entry.entry_id)
    assert phone.storage.log.logins == LOGIN


async def test_offline(
    hass: HomeAssistant, browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """A phone that has gone is not shown; who asks for it is told so."""
    await browser.browse(entry.entry_id)
    await phone.stop()
    await wait_state(hass, PIXEL, "off")
    assert titles(await browser.browse("")) == []
    assert "Pixel is not connected" in await browser.error(entry.entry_id)
    answer = await browser.ask("resolve_media", source_id(item(entry, "/Music/x.mp3")))
    assert "Pixel is not connected" in answer["error"]["message"]


async def test_gone_while_it_is_asked(
    hass: HomeAssistant,
    browser: Browser,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """Who waits for a phone that goes is told at once."""
    phone.storage.overrides = {"port": 22}  # no answer
    error = asyncio.create_task(browser.error(entry.entry_id))
    await phone.wait_for("storage_wanted")
    phone.drop_link()
    async with asyncio.timeout(5):
        assert "Pixel is not connected" in await error


async def test_unloaded_while_it_is_asked(
    hass: HomeAssistant,
    browser: Browser,
    entry: MockConfigEntry,
    phone: FakeDevice,
) -> None:
    """An entry does not wait for the phone to be unloaded."""
    phone.storage.overrides = {"port": 22}
    error = asyncio.create_task(browser.error(entry.entry_id))
    await phone.wait_for("storage_wanted")
    async with asyncio.timeout(5):
        assert await hass.config_entries.async_unload(entry.entry_id)
        assert "Pixel is not connected" in await error


async def test_not_allowed(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    root: Path,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """Unless the user has switched it on there is nothing to be seen."""
    entry = await set_up(hass, ours, phone, allowed=False)
    browser = Browser(hass, hass_ws_client)
    assert titles(await browser.browse("")) == []
    for path in (entry.entry_id, item(entry, "/Music"), "nobody", "nobody/x"):
        error = await browser.error(path)
        assert "may not be seen" in error
        # What to switch on, as the options call it.
        assert '"Files on the device"' in error
    answer = await browser.ask("resolve_media", source_id(item(entry, "/Music/x.mp3")))
    assert "may not be seen" in answer["error"]["message"]
    assert phone.storage.server is None


async def test_entries_that_are_not_loaded(
    hass: HomeAssistant, browser: Browser, entry: MockConfigEntry
) -> None:
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert titles(await browser.browse("")) == []
    assert "may not be seen" in await browser.error(entry.entry_id)


async def test_idle_sessions_are_closed(
    browser: Browser,
    entry: MockConfigEntry,
    phone: FakeDevice,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After IDLE_TIME nothing is open, and the next visit logs in again."""
    monkeypatch.setattr(storage_module, "IDLE_TIME", 0.01)
    await browser.browse(entry.entry_id)
    server = phone.storage.server
    assert server is not None
    (connection,) = server.connections
    async with asyncio.timeout(5):
        await connection.wait_closed()
    await browser.browse(entry.entry_id)
    assert phone.storage.log.logins == LOGIN * 2


async def test_a_session_that_broke_is_replaced(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """A phone that ends the session gets a new one."""
    await browser.browse(entry.entry_id)
    server = phone.storage.server
    assert server is not None
    (connection,) = server.connections
    connection.abort()
    await connection.wait_closed()
    answers = [await browser.ask("browse_media", source_id(entry.entry_id))]
    if not answers[0]["success"]:  # the end was still on its way
        answers.append(await browser.ask("browse_media", source_id(entry.entry_id)))
    assert answers[-1]["success"]


async def test_unpaired(
    hass: HomeAssistant, browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """With the pairing the session ends."""
    await browser.browse(entry.entry_id)
    server = phone.storage.server
    assert server is not None
    (connection,) = server.connections
    await phone.unpair()
    async with asyncio.timeout(5):
        await connection.wait_closed()


async def test_search(browser: Browser, entry: MockConfigEntry) -> None:
    """Names are searched below a folder, whatever their case."""

    async def search(path: str, query: str, **more: object) -> list[str]:
        answer = await browser.ask(
            "search_media", source_id(path), search_query=query, **more
        )
        assert answer["success"], answer
        return [found["title"] for found in answer["result"]["result"]]

    assert await search(entry.entry_id, "SONG") == ["A song.flac", "b Song.mp3"]
    assert await search(entry.entry_id, "song b") == ["b Song.mp3"]
    assert await search(item(entry, "/DCIM"), "song") == []
    assert await search(item(entry, "/DCIM"), "png") == ["2.png", "big.png"]
    assert await search(entry.entry_id, "c", media_filter_classes=["directory"]) == [
        "Camera",
        "DCIM",
        "Music",
    ]
    assert await search(entry.entry_id, "", media_filter_classes=["image"]) == [
        "1.jpg",
        "2.png",
        "big.png",
    ]
    # Not over all devices at once.
    answer = await browser.ask("search_media", source_id(""), search_query="x")
    assert answer["error"]["code"] == "search_media_failed"
    answer = await browser.ask(
        "search_media", source_id(item(entry, "/x")), search_query="x"
    )
    assert "does not show" in answer["error"]["message"]


async def test_searches_are_bounded(
    browser: Browser, entry: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_FOUND, MAX_SEARCHED_FOLDERS and SEARCH_TIME bound what a search does."""

    async def search() -> int:
        answer = await browser.ask(
            "search_media", source_id(entry.entry_id), search_query=""
        )
        return len(answer["result"]["result"])

    assert await search() == 9
    monkeypatch.setattr(source_module, "MAX_SEARCHED_FOLDERS", 2)
    assert await search() == 3
    monkeypatch.setattr(source_module, "MAX_FOUND", 1)
    assert await search() == 1
    monkeypatch.setattr(source_module, "SEARCH_TIME", 0)
    assert await search() == 0


async def test_many_pictures(
    browser: Browser, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """Each has the address of a thumbnail."""
    phone.storage.log.extra_names = [b"%d.jpg" % number for number in range(250)]
    folder = await browser.browse(item(entry, "/Music/Zoo"))
    thumbnails = {child["thumbnail"] for child in folder["children"]}
    assert len(thumbnails) == 250
    assert all("authSig=" in thumbnail for thumbnail in thumbnails)


async def test_private(
    hass: HomeAssistant,
    browser: Browser,
    entry: MockConfigEntry,
    phone: FakeDevice,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No log and no diagnostics have a path, the password or the key."""
    caplog.set_level(logging.DEBUG)
    assert await async_setup_component(hass, "diagnostics", {})
    await browser.browse(item(entry, "/DCIM/Camera"))
    await browser.error(item(entry, "/DCIM/secret"))
    found = await browser.resolve(item(entry, "/DCIM/Camera/2.png"))
    client = await hass_client()
    assert (await client.get(found["url"])).status == 200
    server = phone.storage.server
    assert server is not None
    facts = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert isinstance(facts["state"], dict)
    assert facts["state"]["storage_is_open"] is True
    own = [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    ]
    text = "\n".join([*own, str(facts)])
    assert server.password not in caplog.text
    assert not [bit for bit in ("Camera", "secret", "2.png") if bit in text]
    # The fake's end, with the same library, logs what it does; ours does not.
    ssh = [record for record in caplog.records if record.name.startswith("asyncssh")]
    assert ssh
    ours = (
        "Sending open",
        "Sending realpath",
        "Sending stat",
        "Sending read for",
        "Connecting to",
        "SFTP client",
    )
    assert not [
        record.msg for record in ssh if any(word in record.msg for word in ours)
    ]


async def test_nothing_is_imported_before_it_is_needed(
    hass: HomeAssistant,
) -> None:
    """The SSH library is large: a start does not load it."""
    script = (
        "import sys, custom_components.rumpus.media_source,"
        " custom_components.rumpus.views,"
        " custom_components.rumpus.families.kde_connect as family;"
        " sys.exit('asyncssh' in sys.modules)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=Path(__file__).parents[3]
    )
    assert await process.wait() == 0


async def test_home_assistant_stops_with_a_session(
    hass: HomeAssistant, entry: MockConfigEntry, phone: FakeDevice
) -> None:
    """Nothing is left open."""
    await entry.runtime_data.files.async_list(None)
    server = phone.storage.server
    assert server is not None
    (connection,) = server.connections
    await hass.async_stop(force=True)
    async with asyncio.timeout(5):
        await connection.wait_closed()
