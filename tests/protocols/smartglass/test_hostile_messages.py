"""Mutated packets; `script/fuzz smartglass` runs a million."""

import pytest

from tests.fuzz.smartglass import SmartglassFuzzer

COUNT = 10_000


@pytest.mark.filterwarnings("ignore")
def test_mutated_packets_are_read_or_refused() -> None:
    report = SmartglassFuzzer(seed=4).run(COUNT)
    assert report.count == COUNT
    # Both ways are gone often: the mutations are neither too coarse nor too fine.
    assert COUNT * 0.2 < report.refused < COUNT * 0.9
