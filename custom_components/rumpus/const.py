"""Names that the families share."""

import logging
from typing import Final

DOMAIN: Final = "rumpus"
LOGGER: Final = logging.getLogger(__package__)

CONF_FAMILY: Final = "family"
"""Key of an entry's data, and of discovery data, that names the family."""
