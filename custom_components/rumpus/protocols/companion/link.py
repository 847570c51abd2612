"""What the parts of a client see of the connection."""

from collections.abc import Coroutine
from typing import Protocol

from ..opack import OpackDict
from .connection import Seen


class Link(Protocol):
    """An open session. See `CompanionConnection` for what each raises."""

    async def request(
        self,
        name: str,
        content: OpackDict | None = None,
        *,
        timeout: float | None = None,
        seen: Seen | None = None,
    ) -> OpackDict:
        """Send a request and return the content of its answer."""

    def ask(
        self, name: str, content: OpackDict | None = None, seen: Seen | None = None
    ) -> None:
        """Send a request that nobody waits for."""

    def send_event(self, name: str, content: OpackDict) -> None:
        """Send an event."""

    def spawn(self, job: Coroutine[object, object, None]) -> None:
        """Run something as long as the link is there; it must not raise."""
