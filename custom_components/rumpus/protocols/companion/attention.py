"""Whether the device is awake (the Apple TV reference, part A, section 4.8)."""

from collections.abc import Callable
import logging
from typing import Final

from ..errors import RumpusError
from ..opack import OpackDict
from .enums import AttentionState, attention_state
from .errors import CommandFailedError
from .events import AttentionChanged, CompanionEvent
from .link import Link
from .messages import get_int

_LOGGER = logging.getLogger(__name__)

STATUS_EVENTS: Final = ("SystemStatus", "TVSystemStatus")
"""Which of the two comes depends on the release of the system."""
MAX_STATE: Final = 2**32 - 1

_FETCH: Final = "FetchAttentionState"


class Attention:
    """Follows how much the device is with us."""

    def __init__(self, link: Link, emit: Callable[[CompanionEvent], None]) -> None:
        """Follow the device behind the link, and emit what changes."""
        self._link = link
        self._emit = emit
        self.state: AttentionState | int | None = None
        self.answers = False
        """Whether the device has ever answered when it was asked, be it with a refusal."""

    def received(self, content: OpackDict) -> None:
        """Take the content of an event, or of the answer when we have asked."""
        number = get_int(content, "state")
        if number is None or number > MAX_STATE:
            return
        state = attention_state(number)
        if state != self.state:
            self.state = state
            self._emit(AttentionChanged(state))

    def _answered(self, content: OpackDict) -> None:
        self.answers = True
        self.received(content)

    async def fetch(self) -> AttentionState | int | None:
        """Ask the device, and return what is known then; raises what a request does."""
        try:
            await self._link.request(_FETCH, seen=self._answered)
        except CommandFailedError:
            self.answers = True
            raise
        return self.state

    async def try_fetch(self) -> None:
        """Ask a device that may not know the question, or not say anything."""
        try:
            await self.fetch()
        except RumpusError as err:
            _LOGGER.debug("The device does not tell whether it is awake: %s", err)

    def ask(self) -> None:
        """Ask without waiting for the answer. Raises DisconnectedError."""
        self._link.ask(_FETCH, seen=self._answered)
