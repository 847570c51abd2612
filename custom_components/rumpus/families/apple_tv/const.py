"""Names of the Apple TV family."""

from typing import Final

FAMILY_KEY: Final = "apple_tv"

CONF_CREDENTIALS: Final = "credentials"
"""What was got by pairing: texts by protocol. Nowhere else are they kept."""
CONF_FOUND: Final = "found"
"""The device as it was seen last, with its services."""
CONF_IDENTIFIERS: Final = "identifiers"
"""Every identifier that the device has ever had, one per protocol."""
CONF_IDENTITY: Final = "identity"
"""What we say about ourselves, the same to this device for ever."""

MANUFACTURER: Final = "Apple"
MODEL: Final = "Apple TV"
"""What a device is called that does not tell its model."""

CLIENT_NAME: Final = "Home Assistant"
"""What the device calls us in its list of remotes."""
