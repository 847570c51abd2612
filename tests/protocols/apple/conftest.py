"""What tests of Apple devices need."""

import pytest
import pytest_socket


@pytest.fixture
def other_addresses(socket_enabled: None) -> list[str]:
    """Let the test connect to more addresses of this machine, and return them.

    Before the next test the plugin allows the usual one alone again.
    """
    addresses = [f"127.0.0.{number}" for number in range(1, 15)]
    pytest_socket.socket_allow_hosts(addresses)
    return addresses
