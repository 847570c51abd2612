"""What the fake KDE Connect device keeps on disk between two runs."""

from dataclasses import dataclass
import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.kdeconnect_tls import FakeCredentials

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice


@dataclass(frozen=True, slots=True)
class SavedState:
    """An identity and its pairings."""

    credentials: FakeCredentials
    paired: dict[str, bytes]
    versions: dict[str, int]


def read_state(path: Path) -> SavedState | None:
    """Return what was saved, None when nothing was."""
    if not path.exists():
        return None
    saved = json.loads(path.read_text())
    return SavedState(
        FakeCredentials.from_pem(
            saved["device_id"], saved["private_key"], saved["certificate"]
        ),
        {key: bytes.fromhex(value) for key, value in saved["paired"].items()},
        {key: int(value) for key, value in saved["versions"].items()},
    )


def write_state(device: FakeDevice, path: Path) -> None:
    """Save a device, readable by the owner only."""
    credentials = device.credentials
    text = json.dumps(
        {
            "device_id": credentials.device_id,
            "private_key": credentials.private_key_pem,
            "certificate": credentials.certificate_pem,
            "paired": {key: value.hex() for key, value in device.paired.items()},
            "versions": device.versions,
        },
        indent=2,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.touch(mode=0o600)
    fresh.write_text(text)
    fresh.replace(path)
