"""Looks for what is private wherever it must not be: diagnostics, the log, states."""

from collections.abc import Iterable
import json
from typing import Final

from .lab import Lab
from .report import require
from .subject import Subject

ALLOWED: Final = ("event.", "text.")
"""The beginnings of the ids of entities that may show what the user has allowed."""
ALLOWED_ABOUT: Final = ("_notification", "_clipboard")


async def require_private(
    lab: Lab, subjects: Iterable[Subject], texts: Iterable[str]
) -> None:
    """Raise CheckError when one of the texts is in diagnostics, the log or a state."""
    places = {"the log": lab.server.log.text}
    for subject in subjects:
        found = await lab.api.diagnostics(subject.entry.entry_id)
        places[f"the diagnostics of {subject.fake.name}"] = json.dumps(found)
    for state in lab.api.states.values():
        if not (
            state.entity_id.startswith(ALLOWED)
            and state.entity_id.endswith(ALLOWED_ABOUT)
        ):
            places[state.entity_id] = f"{state.state} {json.dumps(state.attributes)}"
    wrong = [
        f"text {number} is in {place}"
        for number, text in enumerate(texts)
        for place, content in places.items()
        # JSON may write a text in other ways, but none of these has a quote in it.
        if text in content or text in content.replace("\\", "")
    ]
    require(not wrong, "; ".join(wrong[:10]))
