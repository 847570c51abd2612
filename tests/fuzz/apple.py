"""Broken input to every decoder of Apple's protocols: read or refused, and nothing else.

What is read of most formats must be written again as the same. Messages of MRP go through
a whole client, and announcements through what a watcher keeps.
"""

import asyncio
from collections.abc import Callable, Sequence
import time

from .apple_found import FoundTargets
from .apple_pairing import PairingTargets
from .apple_session import SessionTargets
from .mutation import Mutator
from .smartglass import CHUNK, SLOWEST, FuzzError, Report, Target
from custom_components.rumpus.protocols.errors import RumpusError

type Targets = Sequence[tuple[int, str, Callable[[], bytes], Target]]


class AppleFuzzer:
    """Runs mutated input through every decoder."""

    def __init__(self, seed: int) -> None:
        """Prepare the same input for the same seed."""
        self._corpus: list[bytes] = []
        self._mutator = Mutator(self._corpus, seed)
        self._found = FoundTargets(self._mutator)
        self._pairing = PairingTargets(self._mutator)

    def run(self, count: int) -> Report:
        """Decode so many inputs. Raises FuzzError for the first that goes wrong."""
        return asyncio.run(self._run(count))

    async def _run(self, count: int) -> Report:
        report = Report()
        session = SessionTargets(self._mutator)
        await session.start()
        self._corpus[:] = [
            *(*self._found.corpus, *self._pairing.corpus, *session.corpus),
        ]
        targets = self._targets(session)
        while report.count < count:
            self._run_some(targets, report, min(CHUNK, count - report.count))
            await asyncio.sleep(0)
        await session.stop()
        return report

    def _targets(self, session: SessionTargets) -> Targets:
        """Return all targets with their weights: computing with keys takes long."""
        found, pairing, make = self._found, self._pairing, session.maker
        return (
            (100, "dns", found.answer, found.read_answer),
            (30, "dns again", found.answer, found.read_query),
            (40, "txt", found.texts, found.read_texts),
            (40, "announcement", found.text, found.hear),
            (20, "airplay flags", found.text, found.read_flags),
            (20, "stored device", bytes, found.read_stored),
            (80, "tlv8", pairing.tlv, pairing.read_tlv),
            (40, "pairing step", pairing.tlv, pairing.read_step),
            (10, "pairing identity", bytes, pairing.finish),
            (10, "verify", pairing.tlv, pairing.verify),
            (10, "verify encrypted", bytes, pairing.verify_sealed),
            (10, "legacy pairing", pairing.plist, pairing.read_legacy),
            (5, "legacy verify", bytes, pairing.verify_legacy),
            (20, "credentials", pairing.text, pairing.read_credentials),
            (100, "opack", make("opack"), session.read_opack),
            (80, "plist", make("plists"), session.read_plist),
            (40, "archive", make("plists"), session.read_archive),
            (20, "airplay info", make("plists"), session.read_info),
            (50, "hap frames", make("opack"), session.read_hap),
            (80, "http", make("http"), session.read_http),
            (60, "data frames", make("data"), session.read_data),
            (40, "data payload", make("plists"), session.read_payload),
            (20, "data messages", make("mrp"), session.read_split),
            (20, "varint", make("varints"), session.read_varint),
            (30, "companion frames", make("companion"), session.read_companion),
            (60, "companion message", make("opack"), session.read_message),
            (40, "mrp frames", make("mrp"), session.read_mrp_frames),
            (80, "mrp client", make("mrp"), session.read_mrp),
            (80, "mrp fields", session.fields, session.read_mrp),
        )

    def _run_some(self, targets: Targets, report: Report, count: int) -> None:
        weights = [weight for weight, *_ in targets]
        chosen = self._mutator.chance.choices(targets, weights, k=count)
        # The numbers of a key exchange: some of them in every run, since they are slow.
        slow = (1, "pairing numbers", self._pairing.numbers, self._pairing.prove)
        chosen[:2] = [slow] * min(2, count)
        for _, name, make, target in chosen:
            data = make()
            start = time.process_time()
            try:
                target(data)
            except RumpusError:
                report.refused += 1
            except Exception as err:
                raise FuzzError(f"{name} {data.hex()}") from err
            passed = time.process_time() - start
            if passed > SLOWEST:
                raise FuzzError(f"{name} took {passed:.3f} s: {data.hex()}")
            report.slowest = max(report.slowest, passed)
            report.by_target[name] = report.by_target.get(name, 0) + 1
        report.count += count
