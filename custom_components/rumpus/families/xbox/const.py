"""Names of the Xbox family."""

from typing import Final

FAMILY_KEY: Final = "xbox"

CONF_CONSOLE_UUID: Final = "console_uuid"
CONF_LIVE_ID: Final = "live_id"

MANUFACTURER: Final = "Microsoft"
MODEL: Final = "Xbox"
"""What a console is called whose series its Live ID does not tell."""
MODELS: Final = {"FD": "Xbox One", "F4": "Xbox Series X|S"}
"""Models by the first two characters of the Live ID."""

PAIRING: Final = "pairing"
"""Key of the event entity for changes of the pairing state."""
PAIRED: Final = "paired"
NOT_PAIRED: Final = "not_paired"

TEXT_FIELD: Final = "text_field"
"""Key of the event entity for text fields that open and close."""
OPENED: Final = "opened"
CLOSED: Final = "closed"

TITLE: Final = "title"
"""Key of the event entity for titles that start and stop."""
STARTED: Final = "started"
STOPPED: Final = "stopped"
