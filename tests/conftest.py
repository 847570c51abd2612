"""Fixtures for all tests, and how they are spread over processes."""

# The test plugin brings a custom_components package of its own, which wins
# unless the one of this repository was imported before it.
import custom_components.rumpus  # noqa: F401  isort: skip

import asyncio
from asyncio import constants, format_helpers
from collections.abc import Iterator
import logging
import os
import sys
import traceback
from traceback import FrameSummary, StackSummary
from types import FrameType

from hypothesis import HealthCheck, settings
import pytest

from homeassistant import runner
from homeassistant.components.http.server import HomeAssistantHTTP

from tests import ports

# How long an example takes says more about what else the machine does than about us.
settings.register_profile(
    "rumpus", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("rumpus")

# So does how long a callback takes, and there are tests that no warning is logged.
logging.getLogger("asyncio").addFilter(
    lambda record: record.msg != "Executing %s took %.3f seconds"
)


def _stack(f: FrameType | None = None, limit: int | None = None) -> StackSummary:
    """Return where in the code we are: files and lines, but not yet what they say."""
    if f is None:
        f = sys._getframe().f_back
    found = StackSummary()
    for _ in range(limit or 3):
        if f is None:
            break
        code = f.f_code
        found.append(
            FrameSummary(code.co_filename, f.f_lineno, code.co_name, lookup_line=False)
        )
        f = f.f_back
    found.reverse()
    return found


# Every event loop of a test notes where each of its futures and callbacks comes from. A few
# frames tell it, and their lines can be read when somebody asks: the whole stack, read anew
# from the files, is half of the time that tests compute, and looking whether three files
# have changed still a quarter. The futures hold on to the function itself, so that only
# what it does can be replaced.
traceback.extract_stack.__code__ = _stack.__code__
format_helpers.extract_stack = _stack
constants.DEBUG_STACK_DEPTH = 3  # type: ignore[misc]

#: So many files are tested sooner than more processes have started.
FEW = 5
#: The longest parameter, in bytes or characters, that becomes part of a test's name.
MAX_NAME = 60


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use all processors, and none but our own process for a few files.

    One process more than there are processors: a third of the time tests wait.
    """
    wanted: list[str] = config.option.file_or_dir
    are_files = all(one.partition("::")[0].endswith(".py") for one in wanted)
    if 0 < len(wanted) <= FEW and are_files:
        return 0
    return min((os.process_cpu_count() or 1) + 1, ports.SHARES)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name what a test is given by its place, where its content would be the name.

    All processes have to come to the same names, and some messages have an id of chance.
    """
    return argname if isinstance(val, bytes | str) and len(val) > MAX_NAME else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Take a share of the ports, if there are tests that need it."""
    if any("kde" in item.nodeid for item in session.items):
        ports.share()


@pytest.fixture(autouse=True, scope="session")
def disable_http_server() -> Iterator[None]:
    """Keep Home Assistant from serving, as the plugin does anew for each test."""

    async def nothing(self: HomeAssistantHTTP) -> None:
        """Neither bind nor serve."""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HomeAssistantHTTP, "async_bind", nothing)
        patch.setattr(HomeAssistantHTTP, "start", nothing)
        yield


@pytest.fixture(autouse=True)
async def configure_event_loop() -> None:
    """Make the loop one of Home Assistant, and let it look for mistakes, in one turn."""
    runner.configure_event_loop(asyncio.get_running_loop(), debug=True)


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave a second turn of the loop out: it looks for mistakes already."""


@pytest.fixture(autouse=True)
def load_custom_integrations(request: pytest.FixtureRequest) -> None:
    """Let Home Assistant find the integration, in every test that has one."""
    if "hass" in request.fixturenames:
        request.getfixturevalue("enable_custom_integrations")
