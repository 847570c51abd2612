"""The other project's client, in an environment of its own.

It is the Python client that most SmartGlass programs are built on, and it has not changed
since 2020: it needs a Python and libraries of its day.
"""

import hashlib
import os
from pathlib import Path
import shutil
import subprocess
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[3]
_FOLDER: Final = _ROOT / ".cache" / "interop" / "smartglass"
# What `script/setup` fetched when the machine had none.
_TOOLS: Final = _ROOT / ".cache" / "tools"
_PYTHON: Final = ">=3.9,<3.12"
# All that the client imports; the rest of what it asks for is for its other programs.
_PACKAGES: Final = (
    "xbox-smartglass-core==1.3.0",
    "construct==2.10.56",
    "cryptography==3.2.1",
    "cffi==2.1.1",
    "pycparser==3.12",
    "six==1.17.0",
    "pydantic==1.7.1",
    "requests==2.34.2",
    "urllib3==2.8.0",
    "idna==3.20",
    "certifi==2026.10.18",
    "charset-normalizer==3.5.2",
)
_VERSION: Final = hashlib.sha256(repr((_PYTHON, _PACKAGES)).encode()).hexdigest()


class PeerMissingError(Exception):
    """The client cannot be had here; the message says why."""


def ensure_peer() -> Path:
    """Return the Python that has the client. Raises PeerMissingError."""
    python = _FOLDER / "bin" / "python"
    # Written last: without it the environment was not finished.
    ready = _FOLDER / "rumpus-ready"
    if ready.is_file() and ready.read_text(encoding="ascii") == _VERSION:
        return python
    print("making the environment of the SmartGlass client", flush=True)
    _run("venv", "--quiet", "--clear", "--python", _PYTHON, str(_FOLDER))
    _run(
        *("pip", "install", "--quiet", "--no-deps", "--python", str(python)),
        *_PACKAGES,
    )
    ready.write_text(_VERSION, encoding="ascii")
    return python


def _run(*words: str) -> None:
    # Some networks end TLS with an authority that only the system's store knows.
    environment = {"UV_SYSTEM_CERTS": "1", **os.environ}
    done = subprocess.run(
        (_uv(), *words), capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise PeerMissingError(f"uv {words[0]}: {done.stderr.strip()}")


def _uv() -> str:
    for found in (
        shutil.which("uv"),
        _TOOLS / "bin" / "uv",
        _TOOLS / "packages-uv" / "bin" / "uv",
    ):
        if found is not None and Path(found).is_file():
            return str(found)
    raise PeerMissingError("there is no uv; run script/setup")
