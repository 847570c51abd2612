"""What all tests of the lobby have."""

import pytest

from custom_components.rumpus.protocols import reconnect


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Come back at once: how long it is waited for others is for its own tests."""
    monkeypatch.setattr(reconnect, "LINK_GRACE", 0.001)
