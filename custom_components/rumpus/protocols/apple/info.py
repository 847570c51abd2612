"""What a device is: its model and what runs on it (part A, section 1.10; part B, 6.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
import re
from typing import Final, Self, override

from ..errors import ProtocolError

MAX_TEXT: Final = 128
"""Characters of one fact about a device."""


class OperatingSystem(StrEnum):
    """What runs on a device; the values are what users call it."""

    UNKNOWN = "Unknown OS"
    LEGACY = "ATV SW"
    TVOS = "tvOS"
    AIRPORT_OS = "AirPortOS"
    MACOS = "macOS"


MODELS: Final[Mapping[str, str]] = {
    "AppleTV1,1": "Apple TV 1",
    "AppleTV2,1": "Apple TV 2",
    "AppleTV3,1": "Apple TV 3",
    "AppleTV3,2": "Apple TV 3",
    "AppleTV5,3": "Apple TV HD",
    "AppleTV6,2": "Apple TV 4K",
    "AppleTV11,1": "Apple TV 4K (gen 2)",
    "AppleTV14,1": "Apple TV 4K (gen 3)",
    "AudioAccessory1,1": "HomePod",
    "AudioAccessory1,2": "HomePod",
    "AudioAccessory5,1": "HomePod mini",
    "AudioAccessorySingle5,1": "HomePod mini",
    "AudioAccessory6,1": "HomePod (gen 2)",
    "AirPort4,107": "AirPort Express (gen 1)",
    "AirPort10,115": "AirPort Express (gen 2)",
}
"""What the identifiers of models stand for."""
BOARDS: Final[Mapping[str, str]] = {
    "K66AP": "AppleTV2,1",
    "J33AP": "AppleTV3,1",
    "J33IAP": "AppleTV3,2",
    "J42dAP": "AppleTV5,3",
    "J105aAP": "AppleTV6,2",
    "J305AP": "AppleTV11,1",
    "J255AP": "AppleTV14,1",
}
"""The models of the boards that _device-info names."""
VERSIONS: Final[Mapping[str, str]] = {
    "17J586": "13.0",
    "17K82": "13.2",
    "17K449": "13.3",
    "17K795": "13.3.1",
    "17L256": "13.4",
    "17L562": "13.4.5",
    "17L570": "13.4.6",
    "17M61": "13.4.8",
    "18J386": "14.0",
    "18J400": "14.0.1",
    "18J411": "14.0.2",
    "18K57": "14.2",
    "18K561": "14.3",
    "18K802": "14.4",
    "18L204": "14.5",
    "18L569": "14.6",
    "18M60": "14.7",
    "19J346": "15.0",
    "19J572": "15.1",
    "19J581": "15.1.1",
    "19K53": "15.2",
    "19K547": "15.3",
    "19L440": "15.4",
    "19L452": "15.4.1",
    "19L570": "15.5",
    "19L580": "15.5.1",
    "19M65": "15.6",
    "20J373": "16.0",
    "20K71": "16.1",
    "20K80": "16.1.1",
    "20K362": "16.2",
    "20K650": "16.3",
    "20K661": "16.3.1",
    "20K672": "16.3.2",
    "20K680": "16.3.3",
    "20L497": "16.4",
    "20L498": "16.4.1",
    "20L563": "16.5",
    "20M73": "16.6",
    "21K69": "17.1",
    "21K365": "17.2",
    "21K646": "17.3",
    "21L227": "17.4",
    "21L569": "17.5",
    "21L580": "17.5.1",
    "21M71": "17.6",
    "21M80": "17.6.1",
    "22J357": "18.0",
    "22J580": "18.1",
}
"""What the builds of tvOS stand for."""

_BUILD: Final = re.compile(r"([0-9]{1,3})[A-Z]", re.ASCII)
_MAC_MODEL: Final = re.compile(
    r"(?:MacBookAir|iMac|Macmini|MacBookPro|MacPro|Mac)[0-9]+,[0-9]+", re.ASCII
)
_TVOS_MODEL: Final = re.compile(r"AudioAccessory|AppleTV(?!1,)", re.ASCII)
# The version is the build's number less this, and from one build on the year.
_OLD_OFFSET: Final = -4
_NEW_OFFSET: Final = 3
_FIRST_NEW_BUILD: Final = 23


def build_number(build: str) -> int | None:
    """Return the number that a build begins with; None when it is no build."""
    match = _BUILD.match(build)
    return int(match[1]) if match is not None else None


def version_of_build(build: str) -> str | None:
    """Return the version of a build, `18.x` when only its beginning is known."""
    if (exact := VERSIONS.get(build)) is not None:
        return exact
    number = build_number(build)
    if number is None:
        return None
    offset = _NEW_OFFSET if number >= _FIRST_NEW_BUILD else _OLD_OFFSET
    return f"{number + offset}.x" if number + offset > 0 else None


def system_of_model(raw_model: str) -> OperatingSystem:
    """Return what runs on a model, as far as its identifier tells."""
    if _MAC_MODEL.fullmatch(raw_model):
        return OperatingSystem.MACOS
    if raw_model.startswith("AirPort"):
        return OperatingSystem.AIRPORT_OS
    if _TVOS_MODEL.match(raw_model):
        return OperatingSystem.TVOS
    return OperatingSystem.UNKNOWN


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """Facts about a device; None where nobody told.

    `version` is like "18.1", `model` is text for people, `raw_model` is like
    "AppleTV14,1", and `mac` is in upper case with colons.
    """

    os: OperatingSystem = OperatingSystem.UNKNOWN
    version: str | None = None
    build: str | None = None
    model: str | None = None
    raw_model: str | None = None
    mac: str | None = None
    output_device_id: str | None = None

    @property
    def is_apple_tv(self) -> bool:
        """Whether it is a box for a TV."""
        return (self.raw_model or "").startswith("AppleTV")

    @property
    def is_homepod(self) -> bool:
        """Whether it is a speaker of Apple's."""
        return (self.raw_model or "").startswith("AudioAccessory")

    @property
    def major_version(self) -> int | None:
        """The first number of the version."""
        return major_version(self.version)

    @override
    def __str__(self) -> str:
        """Return all in one line."""
        text = f"{self.model or 'Unknown model'}, {self.os}"
        if self.version:
            text += f" {self.version}"
        if self.build:
            text += f" build {self.build}"
        return text

    def to_dict(self) -> dict[str, str]:
        """Return what is known, in the form that is stored."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: str(value) for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Self:
        """Return what was stored. Raises ProtocolError when that is nothing of ours."""
        values: dict[str, str] = {}
        for entry in fields(cls):
            value = stored.get(entry.name)
            if value is None:
                continue
            if not isinstance(value, str) or len(value) > MAX_TEXT:
                raise ProtocolError(f"The stored device has no proper {entry.name}")
            values[entry.name] = value
        os = values.pop("os", "")
        known = OperatingSystem(os) if os in _SYSTEMS else OperatingSystem.UNKNOWN
        return cls(known, **values)


_SYSTEMS: Final = frozenset(OperatingSystem)


def major_version(version: str | None) -> int | None:
    """Return the first number of a version like "18.1" or "15.x"."""
    head = (version or "").partition(".")[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) <= 4 else None
