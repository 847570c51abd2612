"""Game streaming, up to where Nano begins (the Nano reference, section 3)."""

from .link import Service


class BroadcastService(Service):
    """Starts and stops the streaming of the console's screen. Still to come."""
