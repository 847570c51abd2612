"""Tells new text messages from old ones (the KDE Connect reference, section 11.9).

New messages, the list of conversations and history that somebody asked for come in packets of
the same type.  The phone's own dates decide, as far as that is possible: its clock and ours
may differ.  Nothing of what was written is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from .sms import MessageKind, TextMessage, TextMessages

MAX_THREADS: Final = 1000
"""Conversations remembered; those that have been silent for the longest time go first."""
MAX_RECENT_IDS: Final = 100
"""Messages remembered of one conversation's last second."""
LATE_MS: Final = 120_000
"""How old a message may be that has come while the phone was away: it is still news."""
SKEW_MS: Final = 2000
"""How far the phone's clock may be ahead of ours where the two are compared."""
GRAIN_MS: Final = 1000
"""The dates of some messages are whole seconds."""

_DAY_MS: Final = 86_400_000


@dataclass(slots=True)
class _Thread:
    """The date of a conversation's newest message, and the messages of about that time."""

    newest_ms: int
    recent: set[tuple[int, int]] = field(default_factory=set)


class Inbox:
    """Finds the messages that have just been received.

    While the phone lists its conversations nothing is new but what is newer than all that was
    known before, and by our clock has come just now or in the short time without a link.  Later
    everything is new that is newer than what was known of its conversation, or of all
    conversations when it begins a new one.  In doubt a message is old.
    """

    def __init__(self, max_threads: int = MAX_THREADS) -> None:
        """Know nothing."""
        self._max_threads = max_threads
        self._threads: dict[int, _Thread] = {}
        # The newest of all messages that are known from a list of conversations.
        self._floor_ms: int | None = None
        self._listing_since_ms: int | None = None

    def __len__(self) -> int:
        """Return how many conversations are remembered."""
        return len(self._threads)

    def begin_list(self, now_ms: int) -> None:
        """The phone is asked for all conversations, as at each connect."""
        self._listing_since_ms = now_ms

    def end_list(self, now_ms: int) -> None:
        """The phone has told all conversations; what comes from now on may be new."""
        if self._listing_since_ms is None:
            return
        # A date in the future says nothing about what is new.
        dates = [
            thread.newest_ms
            for thread in self._threads.values()
            if thread.newest_ms < now_ms + _DAY_MS
        ]
        if self._floor_ms is not None:
            dates.append(self._floor_ms)
        self._floor_ms = max(dates, default=self._listing_since_ms)
        self._listing_since_ms = None

    def merge(
        self, update: TextMessages, now_ms: int, history: Iterable[int] = ()
    ) -> tuple[TextMessage, ...]:
        """Take messages; return those that were received just now, the oldest first.

        `history` are conversations whose older messages were asked for.
        """
        asked = frozenset(history)
        arrived: list[TextMessage] = []
        # What comes together is compared with what was known before.
        for message in sorted(update.messages, key=_age):
            if self._is_new(message, now_ms, message.thread_id in asked):
                arrived.append(message)
            self._remember(message)
        self._shrink()
        return tuple(arrived)

    def _is_new(self, message: TextMessage, now_ms: int, is_asked: bool) -> bool:
        if message.kind is not MessageKind.RECEIVED:
            return False
        thread = self._threads.get(message.thread_id)
        if thread is not None and (message.id, message.date_ms) in thread.recent:
            return False
        floor = self._floor_ms if thread is None else thread.newest_ms
        if self._listing_since_ms is None:
            if floor is None:
                return False
            return message.date_ms > (
                floor if thread is None or is_asked else floor - GRAIN_MS
            )
        # At the first time our clock is all there is.
        first = self._listing_since_ms if self._floor_ms is None else now_ms - LATE_MS
        newest = first if floor is None else max(first, floor)
        return newest < message.date_ms <= now_ms + SKEW_MS

    def _remember(self, message: TextMessage) -> None:
        if message.kind not in (MessageKind.RECEIVED, MessageKind.SENT):
            return  # what waits to be sent may have a date in the future
        date = message.date_ms
        thread = self._threads.setdefault(message.thread_id, _Thread(date))
        if date > thread.newest_ms:
            thread.newest_ms = date
            thread.recent = {
                known for known in thread.recent if known[1] > date - GRAIN_MS
            }
        if date > thread.newest_ms - GRAIN_MS and len(thread.recent) < MAX_RECENT_IDS:
            thread.recent.add((message.id, date))

    def _shrink(self) -> None:
        surplus = len(self._threads) - self._max_threads
        if surplus <= 0:
            return
        by_age = sorted(self._threads, key=lambda key: self._threads[key].newest_ms)
        for thread_id in by_age[:surplus]:
            # What is forgotten must not become new again.
            newest = self._threads.pop(thread_id).newest_ms
            if self._floor_ms is not None:
                self._floor_ms = max(self._floor_ms, newest)


def _age(message: TextMessage) -> tuple[int, int]:
    return message.date_ms, message.id
