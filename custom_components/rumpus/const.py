"""Names that the families share."""

import logging
from typing import Final

DOMAIN: Final = "rumpus"
LOGGER: Final = logging.getLogger(__package__)

CONF_FAMILY: Final = "family"
"""Key of an entry's data, and of discovery data, that names the family."""
CONF_IMPLEMENTATION: Final = "auth_implementation"
"""Key of an entry's data that names the application that its user has signed in with.

Home Assistant has this name for it, and keeps an application that an entry names.
"""
