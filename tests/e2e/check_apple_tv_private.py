"""The check of Apple TVs and HomePods: the keys of the pairings are nowhere but in storage."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from .check_privacy import require_private
from .lab import Lab
from .report import Report, require
from .shapes import as_object, get_object, get_str, objects, parse
from .subject import Subject

STORAGE: Final = "core.config_entries"
MIN_SECRET: Final = 16
"""Characters from which a part of stored credentials is worth to be looked for."""


async def check_secrets(lab: Lab, report: Report, subjects: Iterable[Subject]) -> None:
    """Look for keys; leave a text field open for what follows."""
    subjects = tuple(subjects)
    file = lab.server.config_dir / ".storage" / STORAGE
    async with report.step("the keys of Apple devices are shown nowhere"):
        secrets = await asyncio.to_thread(
            _read, file, {subject.entry.entry_id for subject in subjects}
        )
        require(bool(secrets), "there are no keys")
        await require_private(lab, subjects, secrets)
    async with report.step(f"{subjects[0].fake.name}: a text field has the focus"):
        await subjects[0].fake.say("text")
        await subjects[0].wait_state("binary_sensor", "text_field", "on")
        await subjects[0].wait_state("text", "keyboard", "")


def _read(file: Path, entry_ids: Iterable[str]) -> list[str]:
    """Return the parts of the credentials that are stored."""
    document = as_object(parse(file.read_text(encoding="utf-8")))
    secrets = []
    for entry in objects(get_object(document, "data")["entries"]):
        if get_str(entry, "entry_id") in entry_ids:
            for text in get_object(get_object(entry, "data"), "credentials").values():
                secrets += [
                    part for part in str(text).split(":") if len(part) >= MIN_SECRET
                ]
    return secrets
