"""Trying whether a device lets us in, before there is an entry for it."""

from collections.abc import Mapping
from typing import Final

from ...const import LOGGER
from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.device import AppleDevice
from ...protocols.apple.identity import ClientIdentity
from ...protocols.apple.link import LinkState
from ...protocols.apple.services import FoundDevice
from . import coordinator

TRIAL_SECONDS: Final = 20.0
"""How long the links to a device may take."""


async def async_try(
    found: FoundDevice,
    credentials: Mapping[AppleProtocol, str],
    identity: ClientIdentity,
) -> frozenset[AppleProtocol]:
    """Connect for a moment; return the protocols that worked.

    Raises what made the attempt fail when none did.
    """

    async def resolve() -> FoundDevice | None:
        return None  # it has just been looked for

    device = AppleDevice(
        found,
        credentials,
        identity,
        resolve=resolve,
        logger=LOGGER,
        timing=coordinator.TIMING,
    )
    device.start()
    try:
        await device.connected(TRIAL_SECONDS)
        return frozenset(
            protocol
            for protocol, status in device.links.items()
            if status.state is LinkState.UP
        )
    finally:
        await device.stop()
