"""Looking at Home Assistant's own frontend with Chromium: adds one device as a user does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import Final

from .auth import DEFAULT_PASSWORD, DEFAULT_USERNAME
from .fakes import FakeError, FakeProcess
from .lab import CACHE, Lab
from .shapes import JsonObject, JsonValue, get_optional_str, get_str

SCRIPT: Final = Path(__file__).parent / "browser" / "look.mjs"
MODULES: Final = CACHE / "browser"
DIALOG: Final = 90.0
INSTALL_TIMEOUT: Final = 600


class BrowserError(Exception):
    """There is no browser to look with."""


@dataclass(frozen=True, slots=True)
class Browser:
    """The programs that are needed."""

    chromium: str
    node: str


def prepare() -> Browser:
    """Return the browser, installed if need be; before a private network is entered.

    Installs Chromium as root on Debian, and playwright-core into .cache. Raises BrowserError.
    """
    chromium = _find("chromium", "chromium-browser", "google-chrome")
    if chromium is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            raise BrowserError("Chromium is not installed")
        _run("apt-get", "-qq", "update")
        _run("apt-get", "-qq", "-y", "--no-install-recommends", "install", "chromium")
        chromium = _find("chromium")
    node, npm = shutil.which("node"), shutil.which("npm")
    if chromium is None or node is None or npm is None:
        raise BrowserError("the browser check needs Chromium, Node.js and npm")
    wanted = SCRIPT.with_name("package.json").read_text()
    manifest = MODULES / "package.json"
    if not (MODULES / "node_modules").is_dir() or manifest.read_text() != wanted:
        MODULES.mkdir(parents=True, exist_ok=True)
        manifest.write_text(wanted)
        options = ("--no-audit", "--no-fund", "--no-package-lock", "--silent")
        _run(npm, "install", *options, "--prefix", str(MODULES))
    return Browser(chromium, node)


async def add_discovered(
    lab: Lab,
    browser: Browser,
    device: str,
    shots: Path,
    answer: Callable[[str], Awaitable[None]] | None = None,
    option: str | None = None,
    pin: str | None = None,
) -> list[str]:
    """Add a discovered device by its card; returns what went wrong in the pages.

    `answer` gets the verification key that the dialog shows and lets the device accept; None
    for devices that have no key. `pin` is what to type whenever a form asks for a PIN. `option` is what to choose in the menu of its options, if
    they have one. The pictures go into `shots`. Raises FakeError with what the browser could
    not do.
    """
    options: JsonObject = {"key": answer is not None, "option": option, "pin": pin}
    return await _look(lab, browser, device, shots, options, answer)


async def add_by_hand(
    lab: Lab, browser: Browser, device: str, shots: Path, steps: list[JsonValue]
) -> list[str]:
    """Add a device that nothing announces; returns what went wrong in the pages.

    `steps` are those of browser/look.mjs. Raises FakeError.
    """
    return await _look(lab, browser, device, shots, {"steps": steps})


async def look_at(
    lab: Lab, browser: Browser, device: str, shots: Path, looks: list[JsonValue]
) -> list[str]:
    """Look at the pages of a device that is there, and of further ones.

    Returns what went wrong in them. Raises FakeError.
    """
    return await _look(lab, browser, device, shots, {"steps": [], "looks": looks})


async def _look(
    lab: Lab,
    browser: Browser,
    device: str,
    shots: Path,
    wishes: JsonObject,
    answer: Callable[[str], Awaitable[None]] | None = None,
) -> list[str]:
    """Do what is wished for; returns what went wrong in the pages. Raises FakeError."""
    options: JsonObject = {
        "url": lab.server.url,
        "username": DEFAULT_USERNAME,
        "password": DEFAULT_PASSWORD,
        "device": device,
        "domain": "rumpus",
        "shots": str(shots),
        "chromium": browser.chromium,
        "modules": str(MODULES),
        "key": False,
        "option": None,
        "pin": None,
        "steps": None,
        "looks": [],
    }
    options |= wishes
    look = FakeProcess("browser", (browser.node, str(SCRIPT), json.dumps(options)))
    await look.start()
    try:
        if answer is not None:
            shown = await look.wait(
                lambda event: event["event"] in {"key", "failed"}, "key", DIALOG
            )
            if shown["event"] == "failed":
                raise FakeError(f"the browser: {shown.get('message')}")
            await answer(get_str(shown, "key"))
        end = await look.wait(
            lambda event: event["event"] in {"done", "failed"}, "end", DIALOG
        )
        if end["event"] == "failed":
            raise FakeError(f"the browser: {end.get('message')}")
    finally:
        await look.stop()
    return [
        get_optional_str(event, "message") or "?"
        for event in look.events
        if event["event"] == "page_error"
    ]


def _find(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _run(*command: str) -> None:
    """Run an installer. Raises BrowserError with its last words."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=INSTALL_TIMEOUT,
        env=environment,
    )
    if done.returncode:
        raise BrowserError(f"{command[0]}: {done.stderr.strip()[-400:]}")
