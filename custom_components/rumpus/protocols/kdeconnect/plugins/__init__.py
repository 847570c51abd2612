"""What paired devices say to each other (the KDE Connect reference, sections 10 and 11)."""

from typing import Final

from ..identity import Identity
from ..packet import Packet
from . import (
    battery,
    bigscreen,
    clipboard,
    connectivity,
    contacts,
    digitizer,
    findmyphone,
    lock,
    mousepad,
    mpris,
    mpris_provider,
    notification,
    photo,
    ping,
    presenter,
    runcommand,
    sftp,
    share,
    shareinputdevices,
    sms,
    systemvolume,
    telephony,
    virtualmonitor,
)
from .message import Decoders, Message

__all__ = [
    "INCOMING_CAPABILITIES",
    "OUTGOING_CAPABILITIES",
    "Message",
    "decode_message",
    "greetings",
]

_DECODERS: Final[Decoders] = {
    packet_type: decoder
    for plugin in (
        battery,
        bigscreen,
        clipboard,
        connectivity,
        contacts,
        digitizer,
        findmyphone,
        lock,
        mousepad,
        mpris,
        mpris_provider,
        notification,
        photo,
        ping,
        presenter,
        runcommand,
        sftp,
        share,
        shareinputdevices,
        sms,
        systemvolume,
        telephony,
        virtualmonitor,
    )
    for packet_type, decoder in plugin.DECODERS.items()
}

INCOMING_CAPABILITIES: Final = frozenset(
    {
        battery.TYPE,
        clipboard.TYPE,
        clipboard.TYPE_CONNECT,
        clipboard.TYPE_FILE,
        connectivity.TYPE,
        contacts.TYPE_CARDS,
        contacts.TYPE_UIDS,
        findmyphone.TYPE_REQUEST,
        lock.TYPE,
        mousepad.TYPE_KEYBOARD_STATE,
        mpris.TYPE,
        mpris.TYPE_REQUEST,
        notification.TYPE,
        notification.TYPE_ACTION,
        notification.TYPE_REPLY,
        notification.TYPE_REQUEST,
        photo.TYPE,
        ping.TYPE,
        runcommand.TYPE,
        sftp.TYPE,
        runcommand.TYPE_REQUEST,
        share.TYPE,
        share.TYPE_UPDATE,
        sms.TYPE_ATTACHMENT_FILE,
        sms.TYPE_MESSAGES,
        systemvolume.TYPE,
        systemvolume.TYPE_REQUEST,
        telephony.TYPE,
    }
)
"""The packet types that Home Assistant makes use of; it lists them."""
OUTGOING_CAPABILITIES: Final = frozenset(
    {
        battery.TYPE_REQUEST,
        clipboard.TYPE,
        clipboard.TYPE_CONNECT,
        connectivity.TYPE_REQUEST,
        contacts.TYPE_REQUEST_CARDS,
        contacts.TYPE_REQUEST_UIDS,
        findmyphone.TYPE_REQUEST,
        digitizer.TYPE,
        digitizer.TYPE_SESSION,
        lock.TYPE_REQUEST,
        mousepad.TYPE_REQUEST,
        mpris.TYPE,
        mpris.TYPE_REQUEST,
        notification.TYPE,
        notification.TYPE_ACTION,
        notification.TYPE_REPLY,
        notification.TYPE_REQUEST,
        photo.TYPE_REQUEST,
        ping.TYPE,
        presenter.TYPE,
        runcommand.TYPE,
        runcommand.TYPE_OUTPUT,
        runcommand.TYPE_REQUEST,
        sftp.TYPE_REQUEST,
        share.TYPE,
        systemvolume.TYPE,
        sms.TYPE_REQUEST,
        sms.TYPE_REQUEST_ATTACHMENT,
        sms.TYPE_REQUEST_CONVERSATION,
        sms.TYPE_REQUEST_CONVERSATIONS,
        systemvolume.TYPE_REQUEST,
        telephony.TYPE_REQUEST_MUTE,
    }
)
"""The packet types that Home Assistant may send; it lists them."""


def decode_message(packet: Packet) -> Message | None:
    """Return the message in a packet of a paired peer, None for a type that we do not handle.

    Raises ProtocolError when the packet is of no use.
    """
    decoder = _DECODERS.get(packet.type)
    return None if decoder is None else decoder(packet)


def greetings(identity: Identity) -> list[Packet]:
    """Return what to ask a paired peer once its link is up, of what it accepts."""
    packets = [lock.request_state(), runcommand.request_list(), mpris.request_players()]
    accepted = [packet for packet in packets if identity.accepts(packet.type)]
    # Deprecated, so not for a peer whose list is unknown.
    if battery.TYPE_REQUEST in identity.incoming:
        accepted.append(battery.request())
    return accepted
