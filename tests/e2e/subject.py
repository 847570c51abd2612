"""One paired device in a check: its entry, its fake, and what a user does with it."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from dataclasses import dataclass, field
from typing import Final

from .api import HomeAssistantApi, Subscription, WaitError
from .entities import find_entity
from .fakes import FakeProcess
from .lab import Lab
from .models import ConfigEntry, State
from .report import CheckError
from .shapes import JsonObject, JsonValue, as_object, get_object, get_optional_str

EVENT: Final = 15.0
DOMAIN: Final = "rumpus"

type Test = Callable[[JsonObject], bool]


def always(_: JsonObject) -> bool:
    """Accept every event."""
    return True


def has(**members: JsonValue) -> Test:
    """Return a test for events with these members."""
    return lambda event: all(
        event.get(name) == value for name, value in members.items()
    )


@dataclass(slots=True)
class Watch:
    """The events of one type on the bus; `seen` are those so far."""

    event_type: str
    events: Subscription
    seen: list[JsonObject] = field(default_factory=list)

    async def next(self, fits: Test = always) -> JsonObject:
        """Wait for an event whose data fits; returns the data."""
        try:
            async with asyncio.timeout(EVENT):
                while True:
                    data = get_object(as_object(await self.events.get()), "data")
                    self.seen.append(data)
                    if fits(data):
                        return data
        except TimeoutError as err:
            raise WaitError(
                f"no fitting {self.event_type} in {EVENT:g} s, only {self.seen}"
            ) from err


@dataclass(slots=True)
class Subject:
    """See the head of this module."""

    lab: Lab
    entry: ConfigEntry
    fake: FakeProcess
    _device_id: str | None = None

    @property
    def api(self) -> HomeAssistantApi:
        """Home Assistant."""
        return self.lab.api

    async def device_id(self) -> str:
        """Return the id of its device in Home Assistant."""
        if self._device_id is None:
            devices = await self.api.devices(self.entry.entry_id)
            if len(devices) != 1:
                raise CheckError(f"{self.fake.name} has {len(devices)} devices")
            self._device_id = devices[0].id
        return self._device_id

    async def entity(self, domain: str, about: str = "") -> str:
        """Return the id of its entity that is about something, once it is there."""
        return (await find_entity(self.api, self.entry, domain, about)).entity_id

    async def entity_ids(self) -> set[str]:
        """Return the ids of all of its entities."""
        return {
            entity.entity_id for entity in await self.api.entities(self.entry.entry_id)
        }

    async def wait_state(
        self, domain: str, about: str, wanted: Callable[[State], bool] | str
    ) -> State:
        """Wait until an entity has a state; returns it."""
        return await self.api.wait_state(await self.entity(domain, about), wanted)

    async def do(self, action: str, about: str = "", /, **data: JsonValue) -> None:
        """Perform an action ("number.set_value") for an entity of this device."""
        domain, _, service = action.partition(".")
        entity_id = await self.entity(domain, about)
        await self.api.call_service(domain, service, data, entity_id=entity_id)

    async def act(self, action: str, /, **data: JsonValue) -> None:
        """Perform an action of Rumpus for this device."""
        data["device_id"] = await self.device_id()
        await self.api.call_service(DOMAIN, action, data)

    async def ask(self, action: str, /, **data: JsonValue) -> JsonObject:
        """Perform an action of Rumpus that answers; returns its response."""
        data["device_id"] = await self.device_id()
        response = await self.api.call_service(
            DOMAIN, action, data, return_response=True
        )
        return as_object(response)

    @contextlib.asynccontextmanager
    async def watch(self, event_type: str) -> AsyncIterator[Watch]:
        """Follow the events of a type on the bus."""
        async with await self.api.subscribe_events(event_type) as events:
            yield Watch(event_type, events)

    @contextlib.asynccontextmanager
    async def hears(self, kind: str, fits: Test = always) -> AsyncIterator[None]:
        """Do something, and wait until the fake tells of what it shall cause."""
        mark = self.fake.position
        yield
        await self.fake.wait(
            lambda event: event["event"] == kind and fits(event),
            kind,
            EVENT,
            start=mark,
        )

    def text_of(self, entity_id: str, attribute: str) -> str | None:
        """Return an attribute of an entity that is a text."""
        return get_optional_str(self.api.states[entity_id].attributes, attribute)
