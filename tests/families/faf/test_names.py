"""What maps, queues and leaderboards are called."""

from hypothesis import given, strategies as st
import pytest

from custom_components.rumpus.families.faf.maps import GENERATED, MAX_FOLDER, map_name
from custom_components.rumpus.families.faf.queues import is_presentable, readable_name
from custom_components.rumpus.names import MAX_NAME


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("scmp_001", "Burial Mounds"),
        ("scmp_009", "Seton's Clutch"),
        ("SCMP_009", "Seton's Clutch"),
        ("scmp_040", "The Ditch"),
        ("scmp_041", "Scmp 041"),
        ("x1mp_012", "Debris"),
        ("x1mp_013", "X1mp 013"),
        ("x1mp_017", "Eye of the Storm"),
        ("neroxis_map_generator_1.8.5_abcdefgh_aiaa", GENERATED),
        ("dualgap_adaptive.v0012", "Dualgap Adaptive"),
        ("adaptive_wonder_open", "Adaptive Wonder Open"),
        ("map.v2.v0003", "Map.v2"),
        ("x\u202ey\n_z", "X Y Z"),
        ("_", ""),
        ("", ""),
    ],
)
def test_maps(folder: str, name: str) -> None:
    assert map_name(folder) == name


def test_a_map_with_a_long_name() -> None:
    """No more of it is looked at than MAX_FOLDER, and no more shown than of any name."""
    assert map_name("x" * MAX_FOLDER + ".v0001") == "X" + "x" * (MAX_NAME - 1)
    assert map_name(" " * MAX_FOLDER + "x") == ""


@given(st.text())
def test_any_map(folder: str) -> None:
    name = map_name(folder)
    assert len(name) <= MAX_NAME
    assert name.replace("\u200c", "").replace("\u200d", "").isprintable()


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ladder1v1", "Ladder 1v1"),
        ("tmm2v2", "2v2"),
        ("tmm3v3", "3v3"),
        ("tmm4v4_full_share", "4v4 full share"),
        ("tmm4v4_share_until_death", "4v4 share until death"),
        ("global", "Global"),
        ("ladder_1v1", "Ladder 1v1"),
        ("tmm_2v2", "2v2"),
        ("tmm_4v4_full_share", "4v4 full share"),
        ("winter_cup", "Winter cup"),
        ("tmm", "Tmm"),
        ("_", "_"),
    ],
)
def test_queues_and_leaderboards(key: str, name: str) -> None:
    assert readable_name(key) == name


@given(st.text())
def test_any_queue(key: str) -> None:
    """Whatever is taken for a key has a name, and one that can be shown."""
    name = readable_name(key)
    assert len(name) <= MAX_NAME + 1  # some capitals are two letters
    assert name or not is_presentable(key)


@pytest.mark.parametrize(
    ("key", "is_one"),
    [
        ("ladder1v1", True),
        ("a" * MAX_NAME, True),
        ("a" * (MAX_NAME + 1), False),
        ("", False),
        ("a\nb", False),
        (" a", False),
    ],
)
def test_what_can_be_a_key(key: str, is_one: bool) -> None:
    assert is_presentable(key) is is_one
