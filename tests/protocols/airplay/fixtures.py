"""What tests of pairings and sessions have in common."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from .scripted import Ends
from custom_components.rumpus.protocols.airplay.remote_control import (
    RemoteControlSession,
)
from custom_components.rumpus.protocols.airplay.timing import Timing
from custom_components.rumpus.protocols.apple.identity import ClientIdentity
from custom_components.rumpus.protocols.hap import keys
from custom_components.rumpus.protocols.hap.credentials import (
    HapCredentials,
    TransientCredentials,
)
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_hap import Controller
from tests.fakes.apple_tv_tunnel import Channel, Session

IDENTITY = replace(ClientIdentity.create("x"), name="Wohnzimmer 🛋")
PIN = "0042"
SOON = 0.1
"""Seconds, for a time-out that is to pass."""
FAST = Timing(event_pause=0.02, feedback=0.02)
"""Nothing is long, but no time-out is short: a busy machine must not make it pass."""


def introduce(device: FakeAppleTv) -> HapCredentials:
    """Pair without the talk that it takes."""
    seed = Ed25519PrivateKey.generate().private_bytes_raw()
    client_id = b"00000000-1111-2222-3333-444444444444"
    public = keys.signing_public(seed)
    device.desk.pairings["airplay"][client_id] = Controller(client_id, public)
    return HapCredentials(
        device.desk.public_key, seed, device.desk.identifier, client_id
    )


def open_wires(session: RemoteControlSession) -> list[str]:
    """Return which connections of a session are open."""
    channels = {
        "control": session._control,
        "event": session._events,
        "data": session._data,
    }
    transports = {
        name: channel._wire._transport
        for name, channel in channels.items()
        if channel is not None
    }
    return [
        name
        for name, transport in transports.items()
        if transport is not None and not transport.is_closing()
    ]


def session_with(
    device: FakeAppleTv,
    timing: Timing = FAST,
    credentials: HapCredentials | TransientCredentials | None = None,
) -> tuple[RemoteControlSession, Ends]:
    """Return a session, and what it tells at its end."""
    if credentials is None:
        is_free = device.kind == "homepod"
        credentials = TransientCredentials() if is_free else introduce(device)
    session = RemoteControlSession(
        device.address, device.ports["airplay"], credentials, IDENTITY, timing
    )
    session.closed = ends = Ends()
    return session, ends


def events_of(session: Session) -> Channel:
    assert session.events is not None
    return session.events
