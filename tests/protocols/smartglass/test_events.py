"""What the end of a link says of the console."""

import pytest

from custom_components.rumpus.protocols.smartglass.enums import DisconnectReason
from custom_components.rumpus.protocols.smartglass.events import LinkLost, LossReason


@pytest.mark.parametrize(
    ("lost", "says_off"),
    [
        (LinkLost(LossReason.POWERED_OFF), True),
        (LinkLost(LossReason.SILENCE), False),
        (LinkLost(LossReason.SILENCE, was_empty=True), True),
        (LinkLost(LossReason.FAILED, was_empty=True), False),
        (LinkLost(LossReason.DISCONNECTED, DisconnectReason.POWER_OFF), True),
        (LinkLost(LossReason.DISCONNECTED, DisconnectReason.LOW_POWER), True),
        (LinkLost(LossReason.DISCONNECTED, DisconnectReason.UNSPECIFIED), False),
        (LinkLost(LossReason.DISCONNECTED, DisconnectReason.UNSPECIFIED, True), True),
        # What is told counts more than what it looks like.
        (LinkLost(LossReason.DISCONNECTED, DisconnectReason.REBOOT, True), False),
        (LinkLost(LossReason.DISCONNECTED, 99, True), False),
    ],
)
def test_the_end_of_a_link_says_whether_the_console_is_off(
    lost: LinkLost, says_off: bool
) -> None:
    assert lost.says_off is says_off
