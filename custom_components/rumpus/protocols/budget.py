"""How much anybody may cause who goes wild; nothing here does input or output."""


class Budget:
    """So much at once, and so much a second after that."""

    def __init__(self, burst: int, refill: float) -> None:
        """Begin with as much as there may ever be; `refill` is what comes back in a second."""
        self._burst = float(burst)
        self._refill = refill
        self._left = self._burst
        self._since = 0.0

    def left(self, now: float) -> float:
        """Return how much is left; `now` is monotonic, in seconds."""
        back = (now - self._since) * self._refill
        self._left = min(self._burst, self._left + back)
        self._since = now
        return self._left

    def take(self, now: float) -> bool:
        """Take one if there is one left."""
        if self.left(now) < 1:
            return False
        self._left -= 1
        return True
