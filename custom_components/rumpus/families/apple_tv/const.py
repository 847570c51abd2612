"""Names of the Apple TV family."""

from typing import Final

FAMILY_KEY: Final = "apple_tv"

CONF_FOUND: Final = "found"
"""The device as it was seen last, with its services."""
CONF_IDENTIFIERS: Final = "identifiers"
"""Every identifier that the device has ever had, one per protocol."""
CONF_PAIRED: Final = "paired"
"""The protocols that are paired; what was got by that is in a file of its own."""

MANUFACTURER: Final = "Apple"
MODEL: Final = "Apple TV"
"""What a device is called that does not tell its model."""

CLIENT_NAME: Final = "Home Assistant"
"""What the device calls us in its list of remotes."""
