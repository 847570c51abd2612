"""Who is at the other end of the link (the Apple TV reference, part A, section 4.5)."""

from dataclasses import dataclass, field
from typing import Final, Self

from ..apple.identity import ClientIdentity
from ..opack import OpackDict
from .messages import get_id, get_text

# Flags that nobody has explained; the device wants to see them.
_FLAGS: Final[OpackDict] = {"_bf": 0, "_cf": 512, "_clFl": 128, "_sf": 256}
_SOFTWARE_VERSION: Final = "170.18"


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """What a device says about itself; None where it says nothing."""

    name: str | None = None
    model: str | None = None
    """As in "AppleTV6,2"."""
    software_version: str | None = None
    identifier: str | None = field(default=None, repr=False)
    public_id: str | None = field(default=None, repr=False)
    """Like the address of a network card."""
    media_remote_id: str | None = field(default=None, repr=False)
    room: str | None = None

    @classmethod
    def decode(cls, content: OpackDict) -> Self:
        """Return what a `_systemInfo` answer says."""
        return cls(
            name=get_text(content, "name"),
            model=get_text(content, "model"),
            software_version=get_text(content, "_sv"),
            identifier=get_id(content, "_i"),
            public_id=get_id(content, "_pubID"),
            media_remote_id=get_id(content, "_mRtID") or get_id(content, "_mrID"),
            room=get_text(content, "_roomName"),
        )


def own_info(identity: ClientIdentity, client_id: bytes) -> OpackDict:
    """Return what we say about ourselves.

    A device closes an older link with the same `_i`, and tells nothing about its state to
    a client without one: it has to be ours alone, and stay.
    """
    return {
        **_FLAGS,
        "_i": identity.rp_id,
        "_idsID": client_id,
        "_pubID": identity.mac,
        "_sv": _SOFTWARE_VERSION,
        "model": identity.model,
        "name": identity.name,
    }
