"""What happens to a fake KDE Connect device, in words for the user of the demo."""

from collections.abc import Mapping
from typing import Final

from .shapes import JsonObject, get_optional_str

_WORDS: Final[Mapping[str, str]] = {
    "link_up": "connected",
    "link_down": "disconnected",
    "pairing_requested": "is asked for pairing, shows the key {verification_key}",
    "paired": "paired, key {verification_key}",
    "pairing_failed": "pairing failed ({reason})",
    "unpaired": "unpaired ({reason})",
    "ring": "rings!",
    "ping": "ping: {message}",
    "command_run": "runs its command {name}",
    "lock_set": "is told to lock its screen: {locked}",
    "call_muted": "its ringer is silenced",
    "sms_sent": 'sends a text message to {addresses}: "{text}"',
    "sms_wanted": "is asked for its {what}",
    "contacts_wanted": "is asked for its contacts",
    "storage_wanted": "is looked into",
    "photo_wanted": "is asked for a picture",
    "notification_shown": 'shows "{title}: {text}" with the buttons {actions}',
    "notification_gone": "takes a notification of Home Assistant away",
    "players": "can control these players of Home Assistant: {names}",
    "command_list": "can run these commands of Home Assistant: {names}",
    "presenter": "moves the pointer on its slides",
    "batch_failed": "misses files: {arrived} of {wanted} came",
    "unknown_command": "does not know the command {command}",
    "command_failed": "could not do that: {reason}",
}
_ASKED: Final[Mapping[str, str]] = {
    "cancel": "is told to dismiss a notification",
    "reply": 'answers a notification: "{message}"',
    "action": "presses the button {action} of a notification",
}
_SHARED: Final[Mapping[str, str]] = {
    "text": 'gets a text: "{text}"',
    "url": "opens {url}",
    "file": "gets the file {filename} ({size} bytes)",
}
_INPUT: Final[Mapping[str, str]] = {
    "key": "key pressed: {text}{special} {modifiers}",
    "pointer": "pointer: {rest}",
    "player_action": "its player does: {rest}",
    "sink_request": "its sound: {rest}",
}
WIDEST: Final = 120
"""Characters that are shown of a text."""
_HIDDEN: Final = frozenset({"at", "event", "device", "type"})


def tell(event: JsonObject) -> str | None:
    """Return what an event means, None for what interests nobody."""
    kind = str(event["event"])
    if kind == "notification_asked":
        words = _ASKED.get(str(event.get("what")))
    elif kind == "shared":
        words = _SHARED.get(str(event.get("form")))
    elif kind == "clipboard":
        has_text = get_optional_str(event, "content") is not None
        words = "its clipboard is set: " + ("{content}" if has_text else "{filename}")
    else:
        words = _WORDS.get(kind) or _INPUT.get(kind)
    return None if words is None else words.format_map(_Values(event))


class _Values(dict[str, str]):
    """The members of an event as a user reads them; what is missing is empty."""

    def __init__(self, event: JsonObject) -> None:
        members = {name: _text(value) for name, value in event.items()}
        shown = {name: text for name, text in members.items() if name not in _HIDDEN}
        rest = ", ".join(f"{name} {text}" for name, text in shown.items())
        super().__init__(members | {"rest": rest})

    def __missing__(self, name: str) -> str:
        return ""


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
