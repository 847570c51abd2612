"""A notification of ours, as an action describes it and as the companion app would tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from homeassistant.exceptions import ServiceValidationError
from homeassistant.util.ulid import ulid_now

from ...const import DOMAIN
from ...protocols.kdeconnect.packet import Packet
from ...protocols.kdeconnect.plugins import notification

MAX_MESSAGE: Final = 16_384
"""Characters of a message."""
MAX_LABEL: Final = 1024
"""Characters of a title, the name of an app, a tag, a button and its key."""
MAX_BUTTONS: Final = 8
"""Buttons of one notification."""

REPLY: Final = "REPLY"
"""The key of an action that asks for a text, in the companion app too."""
TEXT_INPUT: Final = "textInput"
"""The behaviour of an action that asks for a text, in the companion app too."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a device shows for us; one with the same id takes its place.

    `buttons` are the keys of the buttons by their titles, which have to differ: that is all
    that a device tells of the one that was pressed.  `reply_key` stands for the field for a
    reply, None without it.
    """

    id: str
    app: str
    title: str = field(repr=False)
    message: str = field(repr=False)
    tag: str | None = None
    buttons: Mapping[str, str] = field(default_factory=dict, repr=False)
    reply_key: str | None = None
    reply_title: str = ""
    is_silent: bool = False
    icon_hash: str | None = None

    @classmethod
    def from_action(cls, data: Mapping[str, Any], app: str) -> Self:
        """Read an action's data; `app` is the name unless it gives one.

        Raises ServiceValidationError for what a device could not show or answer.
        """
        tag = data.get("tag")
        actions: list[Mapping[str, str]] = list(data.get("actions", ()))
        if data.get("reply"):
            actions.append({"action": REPLY, "title": REPLY})
        replies = [action for action in actions if _asks_for_text(action)]
        buttons = [action for action in actions if not _asks_for_text(action)]
        keys = {button["title"]: button["action"] for button in buttons}
        if len(replies) > 1:
            raise _wrong("announcement_replies")
        if len(keys) < len(buttons):
            raise _wrong("announcement_same_buttons")
        if len(buttons) > MAX_BUTTONS:
            raise _wrong("announcement_buttons", limit=MAX_BUTTONS)
        title = data.get("title") or ""
        app = data.get("app_name") or app
        labels = [title, app, tag or ""]
        labels += [text for action in actions for text in action.values()]
        if max(map(len, labels)) > MAX_LABEL:
            raise _wrong("announcement_label", limit=MAX_LABEL)
        if len(data["message"]) > MAX_MESSAGE:
            raise _wrong("announcement_message", limit=MAX_MESSAGE)
        return cls(
            f"id:{ulid_now()}" if tag is None else tagged_id(tag),
            app,
            title,
            data["message"],
            tag,
            keys,
            replies[0]["action"] if replies else None,
            replies[0]["title"] if replies else "",
            bool(data.get("silent")),
        )

    def packet(self, *, is_silent: bool) -> Packet:
        """Return the packet that shows it; the icon itself is a payload."""
        return notification.notify(
            self.id,
            self.app,
            self.title,
            self.message,
            actions=list(self.buttons),
            reply_id=None if self.reply_key is None else self.id,
            is_silent=is_silent,
            icon_hash=self.icon_hash,
        )

    def event_data(self) -> dict[str, str]:
        """Return it as the companion app tells it in its events: flat, actions numbered."""
        data = {"message": self.message}
        if self.title:
            data["title"] = self.title
        if self.tag is not None:
            data["tag"] = self.tag
        actions = [(key, title) for title, key in self.buttons.items()]
        if self.reply_key is not None:
            actions.append((self.reply_key, self.reply_title))
        for number, (key, title) in enumerate(actions, 1):
            data[f"action_{number}_key"] = key
            data[f"action_{number}_title"] = title
        return data


def tagged_id(tag: str) -> str:
    """Return the id of the notification with a tag."""
    return f"tag:{tag}"


def _asks_for_text(action: Mapping[str, str]) -> bool:
    return action["action"] == REPLY or action.get("behavior") == TEXT_INPUT


def _wrong(translation_key: str, **placeholders: object) -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN,
        translation_key=translation_key,
        translation_placeholders={
            name: str(value) for name, value in placeholders.items()
        },
    )
