"""Names and rules of files that bulk data goes to (sections 9 and 12.3)."""

import errno
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from .transfers import content, folder
from custom_components.rumpus.protocols.kdeconnect import payload_files
from custom_components.rumpus.protocols.kdeconnect.payload_files import (
    MAX_SAME_NAMES,
    FileAccessError,
    PartFile,
    ReceivedFile,
    free_names,
    write_file,
)

__all__ = ["folder"]


def test_data_in_memory_is_stored_by_the_same_rules(folder: Path) -> None:
    """What came without a payload, such as an empty file."""
    assert write_file(b"", folder / "a", None) == ReceivedFile(folder / "a", 0)
    assert write_file(b"1", folder / "a", None).path == folder / "a (1)"
    assert content(folder) == {"a": b"", "a (1)": b"1"}


@pytest.mark.parametrize("modified_ms", [10**30, -(10**30), 2**62])
def test_time_that_cannot_be_kept_is_ignored(folder: Path, modified_ms: int) -> None:
    write_file(b"1", folder / "a", modified_ms)
    assert content(folder) == {"a": b"1"}


# Names that are taken


@pytest.mark.parametrize("has_hard_links", [True, False])
def test_nothing_is_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, has_hard_links: bool
) -> None:
    """Files, folders, and links to anywhere; not on every file system alike."""
    if not has_hard_links:

        def fail(self: Path, target: Path) -> None:
            raise OSError(errno.EPERM, "no hard links here")

        monkeypatch.setattr(Path, "hardlink_to", fail)
    (folder / "a.txt").write_bytes(b"mine")
    (folder / "a (1).txt").symlink_to(folder / "nowhere")
    (folder / "a (2).txt").mkdir()
    received = write_file(b"theirs", folder / "a.txt", None)
    assert received.path == folder / "a (3).txt"
    assert received.path.read_bytes() == b"theirs"
    assert (folder / "a.txt").read_bytes() == b"mine"
    assert not (folder / "nowhere").exists()
    assert len(list(folder.iterdir())) == 4


def test_file_that_cannot_get_its_name_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a file system without hard links the name is held first."""

    def fail(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, "not here")

    monkeypatch.setattr(Path, "hardlink_to", fail)
    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(FileAccessError):
        write_file(b"theirs", folder / "a.txt", None)
    assert content(folder) == {}


def test_names_that_are_tried_are_bounded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAX_SAME_NAMES."""
    monkeypatch.setattr(payload_files, "MAX_SAME_NAMES", 3)
    for _ in range(3):
        write_file(b"1", folder / "a", None)
    with pytest.raises(FileAccessError):
        write_file(b"1", folder / "a", None)
    assert set(content(folder)) == {"a", "a (1)", "a (2)"}


@given(
    name=st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"]),
        min_size=1,
        max_size=50,
    ).filter(lambda name: name not in {".", ".."})
)
def test_tried_names_stay_in_their_folder_and_keep_their_suffix(name: str) -> None:
    target = Path("/folder") / name
    names = list(free_names(target))
    assert len(names) == len(set(names)) == MAX_SAME_NAMES
    assert names[0] == target
    for path in names:
        assert path.parent == target.parent
        assert path.suffix == target.suffix


@pytest.mark.parametrize("name", ["ä" * 127, "x" * 255, ".hidden", "a.tar.gz"])
def test_long_names_have_room_for_their_temporary_file(folder: Path, name: str) -> None:
    write_file(b"1", folder / name, None)
    assert content(folder) == {name: b"1"}


def test_temporary_file_is_hidden(folder: Path) -> None:
    with PartFile(folder / "a.txt", 1) as part:
        part.write(memoryview(b"1"))
        (path,) = folder.iterdir()
        assert path.name.startswith(".a.txt.")
        assert path.suffix == ".part"
    assert content(folder) == {}
