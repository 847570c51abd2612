"""The check of Apple TVs and HomePods: the keys of the pairings are in one file and nowhere else."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
import stat
from typing import Final

from .check_privacy import require_private
from .lab import Lab
from .report import Report, require
from .shapes import as_object, get_object, parse
from .subject import Subject

PAIRINGS: Final = "rumpus.apple_tv_pairings"
MIN_SECRET: Final = 16
"""Characters from which a part of stored credentials is worth to be looked for."""
SECRET_PART: Final = 1
"""Which part of them nobody but us has."""


async def check_secrets(lab: Lab, report: Report, subjects: Sequence[Subject]) -> None:
    """Look for keys; leave a text field open for what follows."""
    storage = lab.server.config_dir / ".storage"
    async with report.step("the keys of Apple devices are for the owner's eyes alone"):
        secrets = await asyncio.to_thread(_read, storage)
        await require_private(lab, subjects, secrets)
    async with report.step(f"{subjects[0].fake.name}: a text field has the focus"):
        await subjects[0].fake.say("text")
        await subjects[0].wait_state("binary_sensor", "text_field", "on")
        await subjects[0].wait_state("text", "keyboard", "")


def _read(storage: Path) -> list[str]:
    """Return the parts of the credentials in their file.

    Raises CheckError when others may read the file, or find a secret key in another one.
    """
    file = storage / PAIRINGS
    mode = file.stat().st_mode
    require(not mode & (stat.S_IRWXG | stat.S_IRWXO), f"{file.name} is {mode:o}")
    document = as_object(parse(file.read_text(encoding="utf-8")))
    credentials = [
        str(text).split(":")
        for device in get_object(get_object(document, "data"), "devices").values()
        for text in get_object(as_object(device), "credentials").values()
    ]
    require(bool(credentials), f"there are no keys in {file.name}")
    for other in storage.iterdir():
        content = other.read_text(encoding="utf-8") if other != file else ""
        # The first part is the public key of the device, which it announces.
        found = any(parts[SECRET_PART] in content for parts in credentials)
        require(not found, f"there are keys in {other.name}, too")
    return [part for parts in credentials for part in parts if len(part) >= MIN_SECRET]
