"""What we say about ourselves, the same to a device for ever (part A, section 8)."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
import secrets
from typing import Final, Self
from uuid import uuid4

from ..errors import ProtocolError

MAX_TEXT: Final = 256
"""Characters of one entry, ours or one that was stored."""
MODEL: Final = "iPhone10,6"
OS_NAME: Final = "iPhone OS"
OS_BUILD: Final = "18G82"
OS_VERSION: Final = "14.7.1"


def _new_mac() -> str:
    """Return an address that no manufacturer has given out."""
    first = secrets.randbelow(256) & 0xFC | 0x02
    return ":".join(f"{byte:02X}" for byte in (first, *secrets.token_bytes(5)))


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """One remote control, as it shows itself to a device.

    `rp_id` and `mrp_id` have to be others for every remote control and the same after a
    restart: a device takes two with the same id for one, and drops the older link (part
    A, section 4.5; part B, section 9.1).
    """

    name: str
    mac: str = field(repr=False)
    model: str
    device_id: str = field(repr=False)
    rp_id: str = field(repr=False)
    os_name: str
    os_build: str
    os_version: str
    mrp_id: str = field(repr=False)

    @classmethod
    def create(cls, name: str) -> Self:
        """Return a new one with ids of its own."""
        return cls(
            name=name,
            mac=_new_mac(),
            model=MODEL,
            device_id=_new_mac(),
            rp_id=secrets.token_hex(6),
            os_name=OS_NAME,
            os_build=OS_BUILD,
            os_version=OS_VERSION,
            mrp_id=str(uuid4()).upper(),
        )

    def to_dict(self) -> dict[str, str]:
        """Return it in the form that is stored."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Return the one that was stored; raises ProtocolError when that is none."""
        values: dict[str, str] = {}
        for entry in fields(cls):
            value = stored.get(entry.name)
            if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT:
                raise ProtocolError(f"The stored identity has no proper {entry.name}")
            values[entry.name] = value
        return cls(**values)
