"""Which link serves a call, and waiting for one that could (part B, section 6.3)."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

from ..errors import (
    AuthenticationError,
    DisconnectedError,
    PeerTimeoutError,
    RumpusError,
    UnsupportedError,
)
from .const import POWER_PRIORITY, PRIORITY, AppleProtocol
from .enums import Feature, FeatureState
from .link import Link, LinkState, bare


class Fit[C](Protocol):
    """Tells whether a kind of session has what is needed beyond a capability."""

    def __call__(self, offers: type[C], /) -> bool:
        """Look at the class alone, since there may be no session yet."""


class Router:
    """Knows the links in the order of their priority, and waits for changes of them."""

    def __init__(self, links: Sequence[Link]) -> None:
        """Take the links, in any order."""
        self._links = _ordered(links, PRIORITY)
        self._power_links = _ordered(links, POWER_PRIORITY)
        self._waiters: set[asyncio.Future[None]] = set()
        self._is_stopped = False

    def stop(self) -> None:
        """Have whoever waits raise DisconnectedError, from now on."""
        self._is_stopped = True
        self.changed()

    def changed(self) -> None:
        """Have whoever waits look again."""
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def until[T](self, look: Callable[[], T | None], timeout: float) -> T:
        """Return what it sees as soon as that is something; it may raise, too.

        Raises PeerTimeoutError when time is over, DisconnectedError when all ends.
        """
        try:
            async with asyncio.timeout(timeout):
                while True:
                    if self._is_stopped:
                        raise DisconnectedError("The device is let go")
                    if (seen := look()) is not None:
                        return seen
                    await self._wait()
        except TimeoutError as err:
            if isinstance(err, RumpusError):
                raise
            raise PeerTimeoutError("It did not happen in time") from None

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.add(waiter)
        try:
            await waiter
        finally:
            self._waiters.discard(waiter)

    # Sessions that are up

    def sessions[C](self, capability: type[C], *, power: bool = False) -> list[C]:
        """Return the sessions that are up and have the capability, the best one first."""
        links = self._power_links if power else self._links
        sessions = [link.session for link in links if link.session is not None]
        return [found for found in sessions if isinstance(found, capability)]

    def first[C](self, capability: type[C], *, power: bool = False) -> C | None:
        """Return the best one of them."""
        found = self.sessions(capability, power=power)
        return found[0] if found else None

    def states(self, feature: Feature) -> list[FeatureState]:
        """Return what the sessions that are up say about a feature, best one first."""
        return [
            session.feature(feature)
            for link in self._links
            if (session := link.session) is not None and feature in session.features
        ]

    def could(self, feature: Feature) -> bool:
        """Whether there would be an answer about it if all links were up."""
        return any(
            link.is_configured and feature in link.offers.features
            for link in self._links
        )

    # Sessions for a call

    async def serving[C](
        self,
        capability: type[C],
        timeout: float,
        *,
        fits: Fit[C] | None = None,
        power: bool = False,
        patient: bool = False,
        strict: bool = False,
    ) -> C:
        """Return the best session with a capability; wake the links when there is none.

        Raises UnsupportedError when no link would have it, AuthenticationError when all
        that would are refused, DisconnectedError when none came up in time. Who is
        patient waits also for links that were refused a moment ago; who is strict takes
        no other link while a better one may come up.
        """
        links = [
            link
            for link in (self._power_links if power else self._links)
            if (link.is_configured or link.session is not None)
            and issubclass(link.offers, capability)
            and (fits is None or fits(link.offers))
        ]
        if not links:
            raise UnsupportedError("The device cannot do that")

        def look() -> C | None:
            for link in links:
                if isinstance(session := link.session, capability):
                    return session
                if strict and link.state is not LinkState.REFUSED:
                    return None
            if not patient:
                _raise_refused(links)
            return None

        found = look()
        if found is not None and not self._is_stopped:
            return found
        with ExitStack() as stack:
            if found is None:
                for link in links:
                    stack.enter_context(link.wanted())
            try:
                return await self.until(look, timeout)
            except PeerTimeoutError:
                _raise_refused(links)
                error = DisconnectedError("There is no link to the device")
                raise error from links[0].error


def _ordered(
    links: Sequence[Link], priority: Sequence[AppleProtocol]
) -> tuple[Link, ...]:
    return tuple(sorted(links, key=lambda link: priority.index(link.offers.serves)))


def _raise_refused(links: Sequence[Link]) -> None:
    """Raise why, if the device has refused us on all of these."""
    refused = (link.error for link in links if link.state is LinkState.REFUSED)
    errors = [error for error in refused if isinstance(error, AuthenticationError)]
    if len(errors) == len(links):
        raise bare(errors[0])
