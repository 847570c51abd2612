"""The rules of the house that a reader of one file cannot see."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re
import subprocess
import sys

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "custom_components" / "rumpus"
PROTOCOLS = PACKAGE / "protocols"

MAX_LINES = 600
MAX_TEXT_FILE = 1_000_000

# In pieces, so that this file does not find itself.
REGISTRY_HOSTS = re.compile(
    "|".join(
        a + b
        for a, b in (
            ("py", r"pi\.org"),
            ("python", r"hosted\.org"),
            ("deb", r"ian\.org"),
            ("npm", r"js\.(org|com)"),
            ("crates", r"\.io"),
            ("proxy.gol", r"ang\.org"),
        )
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(work|root|farm|tmp/brief|home/\w+)/\w")


def imported_modules(path: Path, package: str) -> Iterator[str]:
    """Yield the full names of the modules that a file imports, wherever in it.

    A relative import that leaves the top package has nothing before its first dot.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ""
            if node.level:
                parts = package.split(".")
                base = ".".join(parts[: len(parts) - node.level + 1])
            yield ".".join(part for part in (base, node.module) if part) or "."
            if not node.module:
                yield from (f"{base}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    """Return the package that relative imports of a file start from."""
    return ".".join(path.parent.relative_to(ROOT).parts)


def tracked_files() -> list[Path]:
    """Return the files under version control."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [ROOT / name for name in listing.split("\0") if name]


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("import homeassistant.core", ["homeassistant.core"]),
        ("def f():\n    from homeassistant import core", ["homeassistant"]),
        ("from ..const import X", ["a.b.const"]),
        ("from . import d", ["a.b.c", "a.b.c.d"]),
        ("from ... import const", ["a", "a.const"]),
    ],
)
def test_imported_modules_are_found(
    tmp_path: Path, source: str, modules: list[str]
) -> None:
    path = tmp_path / "module.py"
    path.write_text(source)
    assert list(imported_modules(path, "a.b.c")) == modules


def test_protocols_know_nothing_of_home_assistant() -> None:
    own = package_of(PROTOCOLS / "any.py")
    wrong = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in PROTOCOLS.rglob("*.py")
        for module in imported_modules(path, package_of(path))
        if module.split(".")[0] == "homeassistant"
        or (
            module.startswith("custom_components")
            and not f"{module}.".startswith(f"{own}.")
        )
    ]
    assert wrong == []


def test_files_are_short() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines >= MAX_LINES} == {}


def test_importing_the_integration_loads_no_family() -> None:
    """A family is loaded when it is used: the others cost neither time nor memory."""
    loaded = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, custom_components.rumpus; print(*sys.modules, sep='\\n')",
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "custom_components.rumpus" in loaded
    families = [
        f"custom_components.rumpus.families.{path.name}"
        for path in parts_of("families")
    ]
    protocols = [
        f"custom_components.rumpus.protocols.{path.name}"
        for path in parts_of("protocols")
    ]
    assert "custom_components.rumpus.protocols.kdeconnect" in protocols
    assert sorted({*families, *protocols} & set(loaded)) == []


def parts_of(name: str) -> list[Path]:
    """Return the sub-packages in a folder of the package."""
    return [path.parent for path in (PACKAGE / name).glob("*/__init__.py")]


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = []
    for path in tracked_files():
        if not path.is_file() or path.stat().st_size > MAX_TEXT_FILE:
            continue
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}"
            for number, line in enumerate(lines, 1)
            if REGISTRY_HOSTS.search(line) or MACHINE_PATHS.search(line)
        ]
    assert found == []


@pytest.mark.parametrize(
    "folders", [["work", "main"], ["root", "x"], ["home", "ann", "x"]]
)
def test_machine_paths_are_recognised(folders: list[str]) -> None:
    assert MACHINE_PATHS.search("see '/" + "/".join(folders) + "'")


@pytest.mark.parametrize(
    "text", ["$root/work/x", "a/work/b", "https://host/root", "$HOME/root/x"]
)
def test_other_paths_are_not(text: str) -> None:
    assert MACHINE_PATHS.search(text) is None
