"""What is told of a device for a bug report: nothing that tells whose device it is."""

from collections.abc import Collection
from typing import Final

from ...protocols.apple.const import AppleProtocol
from ...protocols.apple.device import AppleDevice
from ...protocols.apple.link import LinkStatus
from ...protocols.apple.services import Service
from .state import AppleTvState

_PROPERTIES: Final = frozenset(
    {
        *("acl", "act", "features", "flags", "ft", "model", "osvers", "pw", "rpfl"),
        *("rpmd", "rpvr", "sf", "srcvers", "am", "et", "allowpairing"),
        "systembuildversion",
    }
)
"""Properties of services that are the same for many devices; the others are ids and keys."""


def facts_of(
    state: AppleTvState, device: AppleDevice, paired: Collection[AppleProtocol]
) -> dict[str, object]:
    """Return models, versions, states and counts."""
    info = device.info
    return {
        "device": {
            "model": info.model,
            "raw_model": info.raw_model,
            "os": info.os.value,
            "version": info.version,
            "build": info.build,
        },
        "services": {
            service.protocol.value: _service(service)
            for service in device.found.services
        },
        "paired": sorted(protocol.value for protocol in paired),
        "links": {
            protocol.value: _link(status)
            for protocol, status in sorted(device.links.items())
        },
        "state": {
            "is_connected": state.is_connected,
            "is_asleep": state.is_asleep,
            "power": state.power.value,
            "playing": state.playing.device_state.value,
            "media_type": state.playing.media_type.value,
            "app": None if state.app is None else state.app.identifier,
            "has_volume": state.volume is not None,
            "is_focused": state.is_focused,
            "output_devices": len(state.output_devices),
            "apps": len(state.apps),
            "accounts": len(state.accounts),
            "features": sorted(feature.value for feature in state.features),
        },
    }


def _service(service: Service) -> dict[str, object]:
    return {
        "port": service.port,
        "is_enabled": service.is_enabled,
        "pairing": service.pairing.name.lower(),
        "requires_password": service.requires_password,
        "has_identifier": service.identifier is not None,
        "properties": {
            key: value
            for key, value in sorted(service.properties.items())
            if key in _PROPERTIES
        },
    }


def _link(status: LinkStatus) -> dict[str, object]:
    return {
        "state": status.state.value,
        # Texts of errors tell nothing private; their kinds are enough.
        "error": None if status.error is None else type(status.error).__name__,
        "losses": status.losses,
    }
