"""What a device says about itself (the Apple TV reference, part B, section 4.7)."""

from typing import Final

from ..apple.models import OutputDevice
from .metadata import MAX_IDENTIFIER, MAX_TEXT
from .models import MrpDeviceInfo
from .proto import mrp_pb2 as pb

MAX_OUTPUT_DEVICES: Final = 64
"""Devices that play along; more are not taken."""


def read_device_info(message: pb.DeviceInfoMessage) -> MrpDeviceInfo:
    """Return what a message tells."""
    name = message.name[:MAX_TEXT]
    own = _identifier(message.unique_identifier)
    leads = message.is_group_leader and not message.is_proxy_group_player
    devices: dict[str, OutputDevice] = {}
    if leads and own:
        devices[own] = OutputDevice(own, name)
    for member in message.grouped_devices[:MAX_OUTPUT_DEVICES]:
        if identifier := _identifier(member.device_uid):
            devices.setdefault(
                identifier, OutputDevice(identifier, member.name[:MAX_TEXT])
            )
    return MrpDeviceInfo(
        name=name,
        identifier=own,
        build=_text(message.system_build_version),
        model=_text(message.model_id),
        uid=_identifier(message.cluster_id) or _identifier(message.device_uid),
        is_on=message.logical_device_count >= 1,
        is_group_leader=message.is_group_leader,
        is_proxy_group_player=message.is_proxy_group_player,
        group_identifier=_identifier(message.group_uid),
        output_devices=tuple(devices.values())[:MAX_OUTPUT_DEVICES],
    )


def _identifier(text: str) -> str | None:
    return text if 0 < len(text) <= MAX_IDENTIFIER else None


def _text(text: str) -> str | None:
    return text[:MAX_TEXT] or None
