"""What a fake Apple TV that runs as a program remembers: who it is and knows."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fakes.apple_tv_core import ASLEEP, AWAKE
from tests.fakes.apple_tv_hap import Controller
from tests.fakes.apple_tv_mdns import txt_entries

if TYPE_CHECKING:
    from tests.fakes.apple_tv import FakeAppleTv


def read_state(device: FakeAppleTv, path: Path) -> bool:
    """Let a device be what it was; return False when that is not known."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(state["key"]))
        pairings = {
            protocol: {
                bytes.fromhex(entry["id"]): Controller(
                    bytes.fromhex(entry["id"]),
                    bytes.fromhex(entry["key"]),
                    entry["name"],
                )
                for entry in state["pairings"][protocol]
            }
            for protocol in device.desk.pairings
        }
        identifier = state["identifier"].encode()
        is_on = state["is_on"] is True
    except OSError, ValueError, LookupError, TypeError, AttributeError:
        return False
    device.desk.key, device.desk.identifier = key, identifier
    for protocol, known in device.desk.pairings.items():
        known.update(pairings[protocol])
    device.power.attention = AWAKE if is_on else ASLEEP
    device.properties = txt_entries(device)  # they have its public key
    return True


def write_state(device: FakeAppleTv, path: Path) -> None:
    """Remember what a device is."""
    pairings = {
        protocol: [
            {"id": c.identifier.hex(), "key": c.public_key.hex(), "name": c.name}
            for c in known.values()
        ]
        for protocol, known in device.desk.pairings.items()
    }
    state = {
        "key": device.desk.key.private_bytes_raw().hex(),
        "identifier": device.desk.identifier.decode(),
        "is_on": device.is_on,
        "pairings": pairings,
    }
    path.write_text(json.dumps(state) + "\n", encoding="utf-8")
