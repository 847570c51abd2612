"""What callers that know only Python's own exceptions can catch."""

import pytest

from custom_components.rumpus.protocols import errors


@pytest.mark.parametrize(
    ("ours", "others"),
    [
        (errors.DisconnectedError, ConnectionError),
        (errors.PeerTimeoutError, TimeoutError),
        (errors.MessageTooLargeError, errors.ProtocolError),
    ],
)
def test_each_error_is_also_of_its_more_general_kind(
    ours: type[errors.RumpusError], others: type[Exception]
) -> None:
    error = ours("said why")
    assert isinstance(error, errors.RumpusError)
    assert isinstance(error, others)
    assert str(error) == "said why"


def test_a_connection_error_of_ours_has_no_number_of_the_system() -> None:
    assert errors.DisconnectedError("gone").errno is None
