"""The apps of an Apple TV: their names, and what a user may mean by one."""

from collections import Counter
from collections.abc import Iterable, Mapping
import re
from typing import Final

from ...protocols.apple.enums import Feature
from ...protocols.apple.models import App
from ...protocols.companion.errors import CommandFailedError
from ...protocols.errors import RumpusError
from .coordinator import AppleTvCoordinator
from .errors import apple_tv_errors, refuse
from .state import AppleTvState

MAX_TARGET: Final = 2000
"""Characters of an app's id or of a link."""

REFUSED: Final[Mapping[type[RumpusError], str]] = {
    CommandFailedError: "apple_tv_app_not_started"
}
"""What it means when the device does not do it."""

_LINK: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_BUNDLE: Final = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def named(apps: Iterable[App]) -> dict[str, str]:
    """Return a different name for each app, by their ids, alphabetically."""
    names = {app.identifier: app.name or app.identifier for app in apps}
    counts = Counter(names.values())
    for identifier, name in names.items():
        if counts[name] > 1:
            names[identifier] = f"{name} ({identifier})"
    return dict(sorted(names.items(), key=lambda item: (item[1].casefold(), item[0])))


def app_names(state: AppleTvState) -> dict[str, str]:
    """Return a different name for each app that can be started, by their ids."""
    return named(state.apps)


def app_name(state: AppleTvState, app: App) -> str | None:
    """Return what an app is called, None when nobody knows.

    The list of apps counts first, since that is what a user chooses from.
    """
    return app_names(state).get(app.identifier) or app.name or app.identifier or None


def find_target(state: AppleTvState, text: str) -> str | None:
    """Return what to start: an app's id or a link; None for what can be neither.

    The text is an app's name, an app's id, which need not be in the list, or a link.
    """
    wanted = text.strip()
    if not wanted or len(wanted) > MAX_TARGET:
        return None
    for identifier, name in app_names(state).items():
        if wanted.casefold() in (name.casefold(), identifier.casefold()):
            return identifier
    if _LINK.fullmatch(wanted) or _BUNDLE.fullmatch(wanted):
        return wanted
    return None


async def async_launch(coordinator: AppleTvCoordinator, text: str) -> None:
    """Start an app, or open a link in the app that it belongs to; a device that is off wakes up.

    Raises ServiceValidationError for what is neither, HomeAssistantError when it fails.
    """
    if (target := find_target(coordinator.data, text)) is None:
        if not coordinator.data.knows(Feature.LAUNCH_APP):
            # There is no list of apps, and no source to choose.
            refuse("apple_tv_not_supported", coordinator.entry.title)
        refuse("apple_tv_unknown_app", coordinator.entry.title)
    if coordinator.data.is_off and coordinator.data.knows(Feature.LAUNCH_APP):
        await coordinator.async_turn_on()
    with apple_tv_errors(coordinator.entry.title, REFUSED):
        await coordinator.device.launch(target)
