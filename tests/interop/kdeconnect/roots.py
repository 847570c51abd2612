"""Debian roots that hold the real KDE Connect daemons, made once and kept.

A root is a folder with a small Debian of the suite that has the wanted release. It is
made by mmdebstrap from the mirror and with the keys that this machine's own apt uses, so
that no host is named here. ``MIRROR_VARIABLE`` in the environment overrides the mirror.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
import enum
import fcntl
import hashlib
import os
from pathlib import Path
import re
import shutil
import subprocess
import time
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[3]
CACHE: Final = REPOSITORY / ".cache" / "interop"
MIRROR_VARIABLE: Final = "RUMPUS_INTEROP_MIRROR"
# Written last: a root without it was not finished.
READY: Final = "rumpus-ready"
_TOOLS: Final = {
    "mmdebstrap": "mmdebstrap",
    "ip": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "openssl": "openssl",
}
_PACKAGES: Final = (
    *("kdeconnect", "dbus-daemon", "openssl"),
    # What a daemon has to do with: sound with its controls, and a display with a
    # clipboard and a pointer to look at. Nearly all their libraries are there anyway.
    *("pulseaudio", "pulseaudio-utils"),
    *("xvfb", "xclip", "xdotool"),
)
_EXCLUDED: Final = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/icons/*",
    "/usr/share/sounds/*",
    "/usr/share/help/*",
    "/usr/share/wallpapers/*",
)
# What a root is made of: roots that were made of something else are made anew.
ROOT_VERSION: Final = hashlib.sha256(repr((_PACKAGES, _EXCLUDED)).encode()).hexdigest()


class RootError(Exception):
    """A root cannot be made here; the message says why."""


class Flavour(enum.Enum):
    """A release of the daemon, by its year; the value is the Debian suite that has it."""

    KDE22 = "bookworm"
    KDE25 = "trixie"
    KDE26 = "forky"

    @property
    def label(self) -> str:
        """Short name, as in messages and folder names."""
        return self.name.lower()

    @property
    def protocol(self) -> int:
        """Version of the KDE Connect protocol that this release speaks."""
        return 7 if self is Flavour.KDE22 else 8

    @property
    def root(self) -> Path:
        """Folder of the root, there or not."""
        return CACHE / self.label


@dataclass(frozen=True, slots=True)
class Source:
    """Where this machine's apt gets Debian from."""

    uri: str
    keyring: Path | None


def find_source(etc: Path = Path("/etc")) -> Source:
    """Return the mirror of Debian's main component in apt's configuration.

    The files are read instead of asking apt: on a machine whose lists were never
    fetched, apt's index targets are empty. Raises RootError when there is none.
    """
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    default = keyring if keyring.exists() else None
    if override := os.environ.get(MIRROR_VARIABLE):
        return Source(override, default)
    release = (etc / "os-release").read_text(encoding="utf-8")
    match = re.search(r"^VERSION_CODENAME=\"?(\w+)", release, re.MULTILINE)
    suites = {match.group(1)} if match else set()
    apt = etc / "apt"
    for file in sorted([apt / "sources.list", *apt.glob("sources.list.d/*")]):
        if not file.is_file():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        read = _deb822_entries if file.suffix == ".sources" else _one_line_entries
        for source, found in read(text):
            if suites & found:
                return Source(source.uri, source.keyring or default)
    raise RootError(
        f"no Debian mirror in apt's configuration; name one in {MIRROR_VARIABLE}"
    )


def _one_line_entries(text: str) -> list[tuple[Source, set[str]]]:
    """Return the sources of a .list file that have main, with their suites."""
    entries = []
    for line in text.splitlines():
        match = re.match(r"deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
        if match and "main" in match.group(4).split():
            signed = re.search(r"signed-by=(/\S+)", match.group(1) or "")
            key = Path(signed.group(1)) if signed else None
            entries.append((Source(match.group(2), key), {match.group(3)}))
    return entries


def _deb822_entries(text: str) -> list[tuple[Source, set[str]]]:
    """Return the sources of a .sources file that have main, with their suites."""
    entries = []
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        is_on = fields.get("enabled", ["yes"])[:1] != ["no"] and "deb" in fields.get(
            "types", []
        )
        if is_on and "main" in fields.get("components", []) and fields.get("uris"):
            signed = (fields.get("signed-by") or [""])[0]
            key = Path(signed) if signed.startswith("/") else None
            suites = set(fields.get("suites", []))
            entries.append((Source(fields["uris"][0], key), suites))
    return entries


def _fields(stanza: str) -> dict[str, list[str]]:
    """Return the words of each field of a stanza, continuation lines included."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace():
            fields.setdefault(name, []).extend(line.split())
        elif ":" in line:
            name, _, rest = line.partition(":")
            name = name.lower()
            fields[name] = rest.split()
    return fields


def install_tools() -> None:
    """Install the programs that roots and namespaces need, where they are missing."""
    missing = sorted({p for tool, p in _TOOLS.items() if not shutil.which(tool)})
    if not missing:
        return
    apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install = [*apt, "install", "-y", "--no-install-recommends", *missing]
    problem = ""
    # Lists that were never fetched make the first attempt fail.
    for command in (install, [*apt, "update"], install):
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False
        )
        if command is install and done.returncode == 0:
            return
        problem = done.stderr.strip()[-300:]
    raise RootError(f"cannot install {' '.join(missing)}: {problem}")


def ensure_roots(flavours: tuple[Flavour, ...]) -> None:
    """Make the roots that are missing, side by side. Raises RootError."""
    if os.geteuid() != 0:
        raise RootError("network namespaces and roots need root")
    install_tools()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w", encoding="utf-8") as lock:
        # Another run may be making them.
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [flavour for flavour in flavours if not is_ready(flavour)]
        if not missing:
            return
        source = find_source()
        with ThreadPoolExecutor(len(missing)) as pool:
            for result in [pool.submit(_make, flavour, source) for flavour in missing]:
                result.result()


def is_ready(flavour: Flavour) -> bool:
    """Tell whether the root was finished, by this version of the code."""
    try:
        return (flavour.root / READY).read_text(encoding="utf-8") == ROOT_VERSION
    except OSError:
        return False


def _make(flavour: Flavour, source: Source) -> None:
    root = flavour.root
    begun = time.monotonic()
    print(f"making the {flavour.label} root ({flavour.value})", flush=True)
    # Names a folder inside our own cache, checked since this deletes as root.
    if root.parent != CACHE:
        raise RootError(f"unexpected root {root}")
    shutil.rmtree(root, ignore_errors=True)
    signed = f"[signed-by={source.keyring}] " if source.keyring else ""
    command = [
        *("setpriv", "--pdeathsig", "TERM", "--"),
        "mmdebstrap",
        "--variant=essential",
        "--mode=root",
        "--format=directory",
        # A mirror may be a snapshot whose Release file is past its date; the
        # signature is checked all the same.
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
        "--dpkgopt=force-unsafe-io",
        *(f"--dpkgopt=path-exclude={path}" for path in _EXCLUDED),
        f"--include={','.join(_PACKAGES)}",
        flavour.value,
        str(root),
        f"deb {signed}{source.uri} {flavour.value} main",
    ]
    log = CACHE / f"{flavour.label}.log"
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-600:]
        raise RootError(f"mmdebstrap failed for {flavour.value}: {tail}")
    if not daemon_path(flavour):
        raise RootError(f"the {flavour.value} root has no kdeconnectd")
    (root / READY).write_text(ROOT_VERSION, encoding="utf-8")
    print(
        f"made the {flavour.label} root in {time.monotonic() - begun:.0f} s", flush=True
    )


def daemon_path(flavour: Flavour) -> str:
    """Return the daemon's path inside its root, empty when there is none."""
    candidates = [
        flavour.root / "usr/bin/kdeconnectd",
        *flavour.root.glob("usr/lib/*/libexec/kdeconnectd"),
    ]
    for candidate in candidates:
        if candidate.exists():
            return f"/{candidate.relative_to(flavour.root)}"
    return ""
