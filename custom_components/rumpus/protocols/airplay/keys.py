"""The keys of a session's connections (the Apple TV reference, part A, section 2.2)."""

from dataclasses import dataclass, field

from ..hap.crypto import ChannelCipher, hkdf


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """What verification gave: one secret for all connections of the session."""

    secret: bytes = field(repr=False)

    def control(self) -> ChannelCipher:
        """Return the cipher of the connection that was verified."""
        return self._cipher(
            "Control-Salt",
            "Control-Write-Encryption-Key",
            "Control-Read-Encryption-Key",
        )

    def events(self) -> ChannelCipher:
        """Return that of the event channel.

        The device is the one that asks there, so its names are those of the other end.
        """
        return self._cipher(
            "Events-Salt", "Events-Read-Encryption-Key", "Events-Write-Encryption-Key"
        )

    def data(self, seed: int) -> ChannelCipher:
        """Return that of a data channel, whose seed is told at its set-up."""
        return self._cipher(
            f"DataStream-Salt{seed}",
            "DataStream-Output-Encryption-Key",
            "DataStream-Input-Encryption-Key",
        )

    def _cipher(self, salt: str, write: str, read: str) -> ChannelCipher:
        return ChannelCipher(
            hkdf(self.secret, salt, write), hkdf(self.secret, salt, read)
        )
