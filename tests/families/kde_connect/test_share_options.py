"""The options for received files, and where the files go."""

import json
from pathlib import Path

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from .common import set_up, shown, wait_connected
from .sharing import Heard, files_in
from custom_components import rumpus
from custom_components.rumpus.families.kde_connect.features import share_folder
from custom_components.rumpus.families.kde_connect.features.share import (
    FAILURES,
    SHARE_TYPES,
)
from custom_components.rumpus.families.kde_connect.features.share_folder import (
    FolderError,
    default_folder,
    stored_file,
    usable_folder,
)
from custom_components.rumpus.families.kde_connect.options import Options
from custom_components.rumpus.protocols.kdeconnect.credentials import Credentials
from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_share import SharedFile


@pytest.fixture
def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """The first of two media directories."""
    for name in ("media", "more", "outside"):
        (tmp_path / name).mkdir()
    hass.config.media_dirs = {
        "local": str(tmp_path / "media"),
        "more": str(tmp_path / "more"),
    }
    return tmp_path / "media"


async def begin(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigFlowResult:
    """Return the form for received files."""
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert result["type"] is FlowResultType.MENU
    assert "kde_connect_files" in result["menu_options"]
    return await hass.config_entries.options.async_configure(
        result["flow_id"], {"next_step_id": "kde_connect_files"}
    )


async def submit(
    hass: HomeAssistant, result: ConfigFlowResult, **user_input: object
) -> ConfigFlowResult:
    """Fill in the form."""
    return await hass.config_entries.options.async_configure(
        result["flow_id"],
        {"receive_files": True, "max_file_size": 100.0, **user_input},
    )


async def test_default_folder(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, media: Path
) -> None:
    """Files are taken from then on; other options stay."""
    heard = Heard(hass)
    entry = await set_up(hass, ours, phone, "pixel")
    hass.config_entries.async_update_entry(entry, options={"clipboard": True})
    result = await begin(hass, entry)
    assert shown(result)["folder"] == str(media / "rumpus" / "Pixel")
    result = await submit(hass, result)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options == {
        "clipboard": True,
        "receive_files": True,
        "share_folder": "",
        "max_file_size": 100,
    }
    await wait_connected(hass, "pixel")
    await phone.share.send_files(SharedFile("a", b"a"))
    await heard.wait("file")
    assert files_in(media) == {"rumpus/Pixel/a": b"a"}


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        ("from/the phone", "media/from/the phone"),
        ("{root}/more/x", "more/x"),
        (" ../more ", "more"),
        ("", "media/rumpus/Pixel"),
    ],
)
async def test_chosen_folder(
    hass: HomeAssistant,
    ours: Credentials,
    phone: FakeDevice,
    media: Path,
    folder: str,
    path: str,
) -> None:
    """It is made at once, so that nobody is surprised later."""
    heard = Heard(hass)
    entry = await set_up(hass, ours, phone, "pixel")
    result = await begin(hass, entry)
    result = await submit(hass, result, share_folder=folder.format(root=media.parent))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert (media.parent / path).is_dir()
    await wait_connected(hass, "pixel")
    await phone.share.send_files(SharedFile("a", b"a"))
    await heard.wait("file")
    assert files_in(media.parent) == {f"{path}/a": b"a"}


async def test_wrong_folders(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, media: Path
) -> None:
    """The form says what is wrong, and nothing is made outside."""
    outside = media.parent / "outside"
    (media / "file").write_text("")
    (media / "link").symlink_to(outside)
    entry = await set_up(hass, ours, phone, "pixel")
    result = await begin(hass, entry)
    for folder, error in (
        (str(outside / "x"), "folder_outside"),
        ("/etc", "folder_outside"),
        ("..", "folder_outside"),
        ("link/x", "folder_outside"),
        ("file/x", "folder_unusable"),
        ("a\0b", "folder_unusable"),
        ("y" * 300, "folder_unusable"),
    ):
        result = await submit(hass, result, share_folder=folder)
        assert result["type"] is FlowResultType.FORM
        assert result["errors"] == {"share_folder": error}, folder
    assert list(outside.iterdir()) == []
    result = await submit(hass, result, share_folder="fine")
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_switched_off(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice, media: Path
) -> None:
    """A folder is not made then."""
    entry = await set_up(hass, ours, phone, "pixel")
    result = await begin(hass, entry)
    result = await submit(hass, result, receive_files=False, share_folder="later")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert entry.options["share_folder"] == "later"
    assert list(media.iterdir()) == []  # noqa: ASYNC240


async def test_no_media_directory(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    hass.config.media_dirs = {}
    entry = await set_up(hass, ours, phone, "pixel")
    result = await submit(hass, await begin(hass, entry))
    assert result["errors"] == {"share_folder": "no_media_directory"}

    # Somebody who had one may take the permission back.
    result = await submit(hass, result, receive_files=False)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert not entry.options["receive_files"]


async def test_devices_that_share_nothing(
    hass: HomeAssistant, ours: Credentials, phone: FakeDevice
) -> None:
    phone.outgoing -= {"kdeconnect.share.request"}
    entry = await set_up(hass, ours, phone, "pixel")
    result = await hass.config_entries.options.async_init(entry.entry_id)
    assert "kde_connect_files" not in result["menu_options"]
    assert hass.states.get("event.pixel_shared") is None


def test_options() -> None:
    """Old entries have none of these."""
    assert Options.from_entry({}) == Options()
    assert Options().max_file_size == 4096
    options = Options.from_entry({"share_folder": "", "max_file_size": 5})
    assert options.share_folder is None
    assert options.max_file_size == 5


def test_hostile_device_names(tmp_path: Path) -> None:
    """The name of a device is no path."""
    media_dirs = {"local": str(tmp_path)}
    for name, folder in (
        ("../../etc", "etc"),
        ("/", "unnamed"),
        ("..", "unnamed"),
        ("a\\b", "b"),
    ):
        assert default_folder(media_dirs, name) == tmp_path / "rumpus" / folder


def test_folder_that_cannot_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(FolderError, match="folder_unusable"):
        usable_folder({"local": str(tmp_path)}, "x")


def test_stored_file_outside(tmp_path: Path) -> None:
    """A file that is in no media directory has no id there."""
    stored = stored_file({"local": str(tmp_path / "x")}, tmp_path / "a.png", 1)
    assert stored == share_folder.StoredFile(tmp_path / "a.png", 1, "image/png", None)


def test_every_reason_has_a_text() -> None:
    """People read why something did not arrive."""
    path = Path(rumpus.__file__).with_name("translations") / "en.json"
    shared = json.loads(path.read_text())["entity"]["event"]["shared"]
    attributes = shared["state_attributes"]
    assert set(attributes["reason"]["state"]) == set(FAILURES)
    assert set(attributes["event_type"]["state"]) == set(SHARE_TYPES)
