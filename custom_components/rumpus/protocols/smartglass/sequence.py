"""The numbers of messages, ours and the peer's (the SmartGlass reference, section 6.2)."""

from typing import Final

from ..errors import DisconnectedError

RECEIVED_WINDOW: Final = 512
"""How far above the low watermark numbers are remembered.

The acks of a console have numbers too and are never sent again, so that the loss of one
leaves a gap for ever: the watermark leaves gaps behind that are older than this.
"""
MAX_REJECTED: Final = 64
"""Rejected numbers that are remembered, so that a repetition is rejected again."""
MAX_ACK_NUMBERS: Final = 128
"""Numbers that one ack lists."""
MAX_PENDING_ACKS: Final = 1024
"""Numbers that wait for the next ack; the peer repeats what gets none."""
LAST_SEQUENCE_NUMBER: Final = 0xFFFF_FFFF
"""No behaviour beyond this number is known."""


class SequenceManager:
    """Gives numbers to what we send, and knows which ones of the peer have come.

    Numbers of the peer are received once; then they are processed or rejected, which
    `take_acks` collects for the next ack.
    """

    def __init__(self) -> None:
        """Begin a session: nothing sent, nothing received."""
        self._last_sent = 0
        self._watermark = 0
        self._above: set[int] = set()
        self._rejected_before: dict[int, None] = {}
        self._processed: dict[int, None] = {}
        self._rejected: dict[int, None] = {}

    def next_sequence_num(self) -> int:
        """Return the number of the next message that we send: 1, 2, 3 ...

        Raises DisconnectedError after the last one there is.
        """
        if self._last_sent >= LAST_SEQUENCE_NUMBER:
            raise DisconnectedError("The session has used up its sequence numbers")
        self._last_sent += 1
        return self._last_sent

    @property
    def low_watermark(self) -> int:
        """The number of the peer up to which everything has come, as far as we know."""
        return self._watermark

    def is_duplicate(self, sequence_num: int) -> bool:
        """Tell whether a number has come before, or is too old to tell."""
        return sequence_num <= self._watermark or sequence_num in self._above

    def add_received(self, sequence_num: int) -> bool:
        """Remember a number of the peer; return whether it is a new one."""
        if self.is_duplicate(sequence_num):
            return False
        if sequence_num == self._watermark + 1:
            self._watermark = sequence_num
        else:
            self._above.add(sequence_num)
            if sequence_num > self._watermark + RECEIVED_WINDOW:
                self._watermark = sequence_num - RECEIVED_WINDOW
                self._above = {num for num in self._above if num > self._watermark}
        while self._watermark + 1 in self._above:
            self._watermark += 1
            self._above.remove(self._watermark)
        return True

    def add_processed(self, sequence_num: int) -> None:
        """Let the next ack say that a message of the peer was taken."""
        if len(self._processed) < MAX_PENDING_ACKS:
            self._processed[sequence_num] = None

    def add_rejected(self, sequence_num: int) -> None:
        """Let the next ack say that a message of the peer was refused."""
        if len(self._rejected) < MAX_PENDING_ACKS:
            self._rejected[sequence_num] = None
        self._rejected_before[sequence_num] = None
        if len(self._rejected_before) > MAX_REJECTED:
            del self._rejected_before[next(iter(self._rejected_before))]

    def add_duplicate(self, sequence_num: int) -> None:
        """Let the next ack say again what became of a message that has come before."""
        if sequence_num in self._rejected_before:
            self.add_rejected(sequence_num)
        else:
            self.add_processed(sequence_num)

    def take_acks(self) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
        """Return what the next ack lists, processed and rejected numbers; None if nothing.

        At most MAX_ACK_NUMBERS altogether: there may be more for another ack.
        """
        if not self._processed and not self._rejected:
            return None
        processed = _take(self._processed, MAX_ACK_NUMBERS)
        rejected = _take(self._rejected, MAX_ACK_NUMBERS - len(processed))
        return processed, rejected


def _take(numbers: dict[int, None], count: int) -> tuple[int, ...]:
    """Remove and return the first ones."""
    if len(numbers) <= count:
        taken = tuple(numbers)
        numbers.clear()
        return taken
    taken = tuple(numbers)[:count]
    for number in taken:
        del numbers[number]
    return taken
