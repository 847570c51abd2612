"""Which permissions a device can be given: what it does not have needs none."""

from collections.abc import Mapping
from typing import Any, Final

from ...protocols.kdeconnect.const import DeviceType
from .const import CONF_DEVICE_TYPE, CONF_OUTGOING
from .options import Option

PRIVATE: Final[Mapping[Option, str]] = {
    Option.NOTIFICATIONS: "notification",
    Option.CALLERS: "telephony",
    Option.MESSAGES: "sms.messages",
    Option.CONTACTS: "contacts.response_vcards",
    Option.CLIPBOARD: "clipboard",
    Option.STORAGE: "sftp",
}
"""The permissions to read private content, and what a device sends that has it."""

ACTION_OPTIONS: Final[Mapping[str, Option]] = {
    "dismiss_notification": Option.NOTIFICATIONS,
    "get_clipboard": Option.CLIPBOARD,
    "get_contacts": Option.CONTACTS,
    "get_conversation": Option.MESSAGES,
    "invoke_notification_action": Option.NOTIFICATIONS,
    "list_conversations": Option.MESSAGES,
    "reply_notification": Option.NOTIFICATIONS,
    "save_attachment": Option.MESSAGES,
    "send_sms": Option.MESSAGES,
    "set_clipboard": Option.CLIPBOARD,
}
"""The permissions that actions need."""

_PHONES: Final = frozenset({DeviceType.PHONE.value, DeviceType.TABLET.value})


def makes_sense(data: Mapping[str, Any], option: Option) -> bool:
    """Tell by the data of its entry whether a device has what a permission is about."""
    if option is Option.CALLERS:
        # Computers list calls for the sake of the few with a modem.
        return data[CONF_DEVICE_TYPE] in _PHONES and may_send(data, PRIVATE[option])
    if may_send(data, PRIVATE[option]):
        return True
    # Phones told of messages along with calls before they had conversations.
    return (
        option is Option.MESSAGES
        and data[CONF_DEVICE_TYPE] == DeviceType.PHONE
        and may_send(data, "telephony")
    )


def may_send(data: Mapping[str, Any], packet_type: str) -> bool:
    """Tell whether a device may send packets of a type; an empty list is an unknown one."""
    outgoing = data[CONF_OUTGOING]
    return not outgoing or f"kdeconnect.{packet_type}" in outgoing
