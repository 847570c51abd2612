"""Fixtures for the tests of services."""

import pytest

from .support import Events, FakeLink


@pytest.fixture
def link() -> FakeLink:
    """A channel that is open."""
    return FakeLink()


@pytest.fixture
def events() -> Events:
    """What the service tells."""
    return Events()
