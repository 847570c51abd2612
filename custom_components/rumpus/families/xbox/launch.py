"""Starting titles, which consoles have ignored since March 2019."""

from collections import Counter
import re
from typing import Final

from ...protocols.smartglass.enums import TitleLocation
from .coordinator import XboxCoordinator
from .errors import check_connected, refuse, xbox_errors
from .state import XboxState
from .titles import title_name

MAX_URI: Final = 1000
"""Characters of the address of a title."""

_URI: Final = re.compile(r"ms-xbl-[0-9A-Fa-f]{8}://[!-~]*")
_HEXADECIMAL: Final = re.compile(r"(?:0[xX])?([0-9A-Fa-f]{8})")
_DECIMAL: Final = re.compile(r"[0-9]{1,10}")
_MAX_ID: Final = 0xFFFF_FFFF


def title_id_text(title_id: int) -> str:
    """Return a title's id as it is written everywhere: 8 hexadecimal digits."""
    return f"{title_id:08X}"


def name_of(state: XboxState, title_id: int, aum: str = "") -> str:
    """Return what a title is called that runs, has run, or is only known by its id."""
    seen = state.titles_seen.get(title_id)
    return title_name(title_id, aum) if seen is None else seen.name


def source_names(state: XboxState) -> dict[int, str]:
    """Return a different name for each title that has run, by their ids, in alphabetical order."""
    aums = {title.title_id: title.aum for title in state.titles_seen.values()}
    if (active := state.active_title) is not None:
        aums.setdefault(active.title_id, active.aum)
    names = {title_id: name_of(state, title_id, aum) for title_id, aum in aums.items()}
    counts = Counter(names.values())
    for title_id, name in names.items():
        if counts[name] > 1:
            names[title_id] = f"{name} ({title_id_text(title_id)})"
    return dict(sorted(names.items(), key=lambda item: (item[1].casefold(), item[0])))


def title_uri(state: XboxState, title: str) -> str | None:
    """Return the address of a title, None when the text means none.

    It is an address already, the name of a title that has run on the console, or the title's
    id (8 hexadecimal digits, or a decimal number of another length).
    """
    text = title.strip()
    if len(text) <= MAX_URI and _URI.fullmatch(text):
        return text
    if (title_id := _title_id(state, text)) is None:
        return None
    return f"ms-xbl-{title_id_text(title_id)}://default/"


def _title_id(state: XboxState, text: str) -> int | None:
    # Names first: there are games that are called 1942 or 2048.
    for title_id, name in source_names(state).items():
        if name.casefold() == text.casefold():
            return title_id
    if (found := _HEXADECIMAL.fullmatch(text)) is not None:
        return int(found[1], 16)
    if _DECIMAL.fullmatch(text):
        return number if (number := int(text)) <= _MAX_ID else None
    return None


def find_uri(coordinator: XboxCoordinator, title: str) -> str:
    """Return the address of a title; raise ServiceValidationError for what is no title."""
    if (uri := title_uri(coordinator.data, title)) is None:
        refuse("xbox_unknown_title", coordinator.entry.title)
    return uri


async def async_launch(
    coordinator: XboxCoordinator,
    title: str,
    location: TitleLocation = TitleLocation.FULL,
) -> str:
    """Ask the console to start a title; return its address.

    Raises ServiceValidationError for what is no title, HomeAssistantError when the console
    does not start it.
    """
    check_connected(coordinator)
    uri = find_uri(coordinator, title)
    with xbox_errors(coordinator.entry.title):
        await coordinator.console.launch_title(uri, location)
    return uri
