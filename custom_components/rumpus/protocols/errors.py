"""The few exceptions that every protocol of Rumpus raises.

Each stands for one reaction of the program above it. No message of any of them holds
what a peer sent or what is secret: they end up in logs and in front of users.
"""


class RumpusError(Exception):
    """Anything that can go wrong with a device; the base of all the others."""


class DisconnectedError(RumpusError, ConnectionError):
    """The connection is lost, or there was none."""


class ProtocolError(RumpusError):
    """The peer sent what its protocol forbids, or we were asked to send such a thing."""


class MessageTooLargeError(ProtocolError):
    """A message goes past the bound that its reader was given."""


class PeerTimeoutError(RumpusError, TimeoutError):
    """The peer did not answer in time."""


class AuthenticationError(RumpusError):
    """Credentials or a pairing were refused, or are no longer the ones we knew."""


class UnsupportedError(RumpusError):
    """The device cannot do what was asked of it."""
