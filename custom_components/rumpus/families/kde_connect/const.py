"""Names of the KDE Connect family."""

from typing import Final

from ...const import DOMAIN
from ...protocols.kdeconnect.const import DeviceType

FAMILY_KEY: Final = "kde_connect"

CONF_CERTIFICATE: Final = "certificate"
CONF_DEVICE_ID: Final = "device_id"
CONF_DEVICE_TYPE: Final = "device_type"
CONF_INCOMING: Final = "incoming"
CONF_OUTGOING: Final = "outgoing"
CONF_PROTOCOL_VERSION: Final = "protocol_version"

BATTERY_LOW: Final = "battery_low"
"""Key of the event entity for a low battery, and its event's type."""
CALL: Final = "call"
"""Key of the event entity for calls."""
MESSAGE: Final = "message"
"""Key of the event entity for text messages."""
NOTIFICATION: Final = "notification"
"""Key of the event entity for notifications."""
NOTIFICATION_ANSWER: Final = "notification_answer"
"""Key of the event entity for what becomes of our notifications."""
NOTIFY: Final = "notify"
"""Key of the entity that shows our notifications."""
PING: Final = "ping"
"""Key of the event entity for pings, and its event's type."""
SEARCH: Final = "search"
"""Key of the event entity for being searched for, and its event's type."""
SHARED: Final = "shared"
"""Key of the event entity for what the device shares."""

EVENT_CALL: Final = f"{DOMAIN}_call"
"""Bus event: `type` of what happens with a call; `number` and `contact` where allowed."""
EVENT_COMPANION_ACTION: Final = "mobile_app_notification_action"
"""Bus event of the companion app: somebody has pressed a button or replied."""
EVENT_COMPANION_CLEARED: Final = "mobile_app_notification_cleared"
"""Bus event of the companion app: somebody has dismissed a notification of ours."""
EVENT_MESSAGE: Final = f"{DOMAIN}_message"
"""Bus event: a text message has come; all of it is private."""
EVENT_NOTIFICATION: Final = f"{DOMAIN}_notification"
"""Bus event: `type` of what has become of a notification, and all of it; it is private."""
EVENT_SEARCH: Final = f"{DOMAIN}_search"
"""Bus event: the device's user is looking for Home Assistant."""
EVENT_SHARE: Final = f"{DOMAIN}_share"
"""Bus event: `type` of what the device shares and the thing itself, which is private."""
EVENT_PING: Final = f"{DOMAIN}_ping"
"""Bus event: somebody pinged us; has `device_id` (the registry's), `name` and `message`."""

MODELS: Final = {
    DeviceType.DESKTOP: "Desktop computer",
    DeviceType.LAPTOP: "Laptop",
    DeviceType.PHONE: "Phone",
    DeviceType.TABLET: "Tablet",
    DeviceType.TV: "TV",
    DeviceType.UNKNOWN: "Device",
}
