"""Names of received files."""

from hypothesis import example, given, settings, strategies as st
import pytest

from custom_components.rumpus.protocols.kdeconnect.file_names import (
    MAX_FILE_NAME,
    MAX_RECEIVED_NAME,
    MAX_SUFFIX,
    UNNAMED,
    safe_file_name,
)

# Lone surrogates too: a name may come from elsewhere than from JSON.
names = st.text(max_size=60) | st.text("./\\ a\x00\u202e", max_size=20)
long_names = st.builds(lambda name, times: name * times, names, st.integers(1, 40))


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("f1.bin", "f1.bin"),
        ("../../x", "x"),
        ("..\\x", "x"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("a/b\\c", "c"),
        ("a\\b/c", "c"),
        ("..", UNNAMED),
        (".", UNNAMED),
        ("", UNNAMED),
        ("dir/", UNNAMED),
        (" . . ", UNNAMED),
        (".bashrc", "bashrc"),
        ("...hidden", "hidden"),
        (" a.txt", "a.txt"),
        ("a.txt. . ", "a.txt"),
        ("a\nb\r\x00\x1b\x85.txt", "ab.txt"),
        ("exe\u202efdp.exe", "exefdp.exe"),
        ("\ufeffa.txt", "a.txt"),
        ("half\ud800.txt", "half.txt"),
        ("Grüße 🎉.tar.gz", "Grüße 🎉.tar.gz"),
        ("a (1).txt", "a (1).txt"),
    ],
)
def test_names(name: str, safe: str) -> None:
    assert safe_file_name(name) == safe


@settings(deadline=None)
@given(long_names)
@example("é" * 300 + ".jpeg")
@example("a" * 150 + "." + "b" * 150)
@example("a " * 150 + "." + "b" * 40)
def test_every_name_is_one_visible_component(name: str) -> None:
    safe = safe_file_name(name)

    assert safe
    assert len(safe.encode()) <= MAX_FILE_NAME
    assert not set(safe) & {"/", "\\", "\x00", "\n", "\u202e"}
    assert safe == safe.strip(". ")
    assert safe_file_name(safe) == safe


def test_limit_of_file_name() -> None:
    stem = "a" * (MAX_FILE_NAME - 4)

    assert safe_file_name(f"{stem}.txt") == f"{stem}.txt"
    assert safe_file_name(f"{stem}a.txt") == f"{stem}.txt"
    assert safe_file_name("é" * MAX_FILE_NAME) == "é" * (MAX_FILE_NAME // 2)
    assert safe_file_name("x" + "é" * MAX_FILE_NAME + ".md") == (
        "x" + "é" * ((MAX_FILE_NAME - 4) // 2) + ".md"
    )


def test_limit_of_suffix() -> None:
    stem = "a" * MAX_FILE_NAME
    suffix = "." + "s" * (MAX_SUFFIX - 1)

    assert safe_file_name(stem + suffix) == stem[:-MAX_SUFFIX] + suffix
    assert safe_file_name(stem + suffix + "s") == stem


def test_limit_of_received_name() -> None:
    assert safe_file_name("dir/" + "a" * MAX_RECEIVED_NAME) == "a" * MAX_FILE_NAME
    assert safe_file_name("a" * MAX_RECEIVED_NAME + "/b.txt") == "b.txt"
    # What is before the last characters does not count, not even to fill the name.
    assert safe_file_name("b" + " " * (MAX_RECEIVED_NAME - 5) + "a.txt") == "a.txt"


def test_cut_name_does_not_end_in_a_space() -> None:
    assert safe_file_name("a" + " " * MAX_FILE_NAME + "b") == "a"
