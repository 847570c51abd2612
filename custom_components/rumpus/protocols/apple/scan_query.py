"""Asking one host by unicast, until it has answered everything (part A, section 1.5)."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import batched
import logging
from typing import Final, override

from ..errors import ProtocolError
from .dns import QUERY_ID, Message, Name, Question, RecordType, decode, encode_query
from .records import PROTOCOLS, Announcement, ServiceType
from .records_table import RecordTable

_LOGGER = logging.getLogger(__name__)

QUERY_INTERVAL: Final = 1.0
"""Seconds until everything that has no answer is asked again."""
QUIET: Final = 2.0
"""Seconds without news after which a host that has told of services has told all."""
QUIET_WHEN_WANTED: Final = 0.3
"""The same, once it has told of a device that is looked for."""
TYPES_PER_QUERY: Final = 3
"""Types, or instances of them, that one message asks for."""
MAX_DATAGRAMS: Final = 256
"""Datagrams that are read from one host."""
MAX_UNLOCATED: Final = 24
"""Services of sleeping devices that a sleep proxy is asked for."""

_LOCAL: Final = ("local",)


def type_name(type_: ServiceType) -> Name:
    """Return the name that stands for all instances of a type."""
    return *type_.value.split("."), *_LOCAL


_PROXY: Final = Question(type_name(ServiceType.SLEEP_PROXY), RecordType.PTR)


@dataclass(slots=True)
class _Query:
    """One message, and whether it has been answered."""

    id: int
    questions: tuple[Question, ...]
    data: bytes = field(repr=False)
    is_answered: bool = False

    def is_answered_by(self, message: Message) -> bool:
        """Tell whether a message belongs to this one.

        Devices repeat the questions, or their id; of those that do neither any record of
        the right kind counts.
        """
        if message.questions:
            return set(map(_folded, self.questions)) <= set(
                map(_folded, message.questions)
            )
        if message.id:
            return message.id == self.id
        asked = {_folded_name(one.name) for one in self.questions if one != _PROXY}
        return any(_folded_name(record.name) in asked for record in message.records)


def _folded_name(name: Name) -> Name:
    return tuple(label.casefold() for label in ".".join(name).split("."))


def _folded(question: Question) -> tuple[Name, int]:
    return _folded_name(question.name), question.type


def queries_for(types: Iterable[ServiceType]) -> list[tuple[Question, ...]]:
    """Return the questions for all types, message by message; all ask for proxies, too."""
    asked = [type_ for type_ in types if type_ is not ServiceType.SLEEP_PROXY]
    return [
        (*(Question(type_name(type_), RecordType.PTR) for type_ in chunk), _PROXY)
        for chunk in batched(asked, TYPES_PER_QUERY, strict=False)
    ]


def queries_for_instances(
    instances: Sequence[tuple[ServiceType, str]],
) -> list[tuple[Question, ...]]:
    """Return the questions for all records of services that are known by name alone."""
    names = [(instance, *type_name(type_)) for type_, instance in instances]
    return [
        (*(Question(name, RecordType.ANY) for name in chunk), _PROXY)
        for chunk in batched(names[:MAX_UNLOCATED], TYPES_PER_QUERY, strict=False)
    ]


class HostQuery(asyncio.DatagramProtocol):
    """Asks one host, and again, until there is nothing left to hear."""

    def __init__(
        self,
        address: str,
        types: Collection[ServiceType],
        questions: Iterable[tuple[Question, ...]],
        *,
        wanted: Collection[str] = (),
    ) -> None:
        """Ask these questions; `wanted` are identifiers that are enough to be found."""
        self._address = address
        self._table = RecordTable(types)
        self._wanted = frozenset(wanted)
        self._queries: list[_Query] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._done = asyncio.get_running_loop().create_future()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._received = 0
        self._asked: set[tuple[ServiceType, str]] = set()
        self._ask(questions)

    async def run(self, port: int, timeout: float) -> tuple[Announcement, ...]:
        """Ask at a port, and return what was told until then; nothing for an OSError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                self._transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, remote_addr=(self._address, port)
                )
                self._send()
                await self._done
        except TimeoutError:
            pass
        except OSError as err:
            _LOGGER.debug("%s cannot be asked: %s", self._address, err)
        finally:
            for timer in self._timers.values():
                timer.cancel()
            if self._transport is not None:
                self._transport.abort()
        return self._table.announcements(self._address)

    @override
    def error_received(self, exc: Exception) -> None:
        """Go on: a device that wakes up refuses at first."""

    @override
    def datagram_received(self, data: bytes, addr: object) -> None:
        """Take in an answer."""
        self._received += 1
        if self._received > MAX_DATAGRAMS or self._done.done():
            self._finish()
            return
        try:
            message = decode(data)
        except ProtocolError as err:
            _LOGGER.debug("No answer, from %s: %s", self._address, err)
            return
        for query in self._queries:
            query.is_answered = query.is_answered or query.is_answered_by(message)
        if self._table.add(message):
            self._wait_for_quiet()
            self._ask_for_unlocated()
        if all(query.is_answered for query in self._queries):
            self._finish()

    def _ask_for_unlocated(self) -> None:
        """Ask a sleep proxy for all that it knows of the devices that it named."""
        left = MAX_UNLOCATED - len(self._asked)
        new = [one for one in self._table.unlocated if one not in self._asked][:left]
        if not new:
            return
        self._asked.update(new)
        self._ask(queries_for_instances(new))
        self._send()

    def _ask(self, questions: Iterable[tuple[Question, ...]]) -> None:
        for chunk in questions:
            message_id = QUERY_ID + len(self._queries)
            data = encode_query(chunk, message_id=message_id)
            self._queries.append(_Query(message_id, chunk, data))

    def _send(self) -> None:
        if self._transport is not None:
            for query in self._queries:
                if not query.is_answered:
                    self._transport.sendto(query.data)
        self._schedule("again", QUERY_INTERVAL, self._send)

    def _wait_for_quiet(self) -> None:
        if not self._table.located:
            return
        quiet = QUIET
        if self._wanted:
            told = self._table.announcements(self._address)
            if any(one.identifier in self._wanted for one in told if one.port):
                quiet = QUIET_WHEN_WANTED
        self._schedule("quiet", quiet, self._finish)

    def _schedule(self, name: str, delay: float, call: Callable[[], None]) -> None:
        timer = self._timers.get(name)
        if timer is not None:
            timer.cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(delay, call)

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


def types_of(protocols: Collection[object] | None) -> tuple[ServiceType, ...]:
    """Return the types that protocols are found by; all of them for None."""
    return tuple(
        type_
        for type_ in ServiceType
        if protocols is None or type_ not in PROTOCOLS or PROTOCOLS[type_] in protocols
    )
