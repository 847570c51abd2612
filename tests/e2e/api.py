"""Home Assistant's HTTP and WebSocket API, as a user's browser would use it.

    async with HomeAssistantApi("http://127.0.0.1:8123") as api:     # signs in; makes the first user of a fresh one
        flow = await api.wait_flow("rumpus", unique_id=device_id, timeout=30)
        result = await api.configure_flow(flow.flow_id, {})
        result = await api.wait_step(result, timeout=30)             # past a progress step
        await api.wait_state("sensor.phone_battery", lambda state: state.state == "77", timeout=10)

`namespace` names a network namespace in which Home Assistant runs while this process does not (a name below /run/netns,
a path, or a file descriptor): the sockets are then made over there. All waits are bounded; a wait that fails raises
WaitError, which says what was seen instead. A refusal by Home Assistant raises ApiError.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
import contextlib
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp

from . import auth
from .auth import DEFAULT_PASSWORD, DEFAULT_USERNAME, answer_of
from .models import (
    ConfigEntry,
    Device,
    Entity,
    FlowResult,
    PendingFlow,
    State,
    missing_texts,
)
from .network import socket_factory
from .shapes import (
    JsonObject,
    JsonValue,
    as_object,
    get_object,
    get_optional_str,
    get_str,
    objects,
    texts,
)
from .websocket import ApiError, Subscription, WebSocketClient

__all__ = ["ApiError", "HomeAssistantApi", "Subscription", "WaitError"]

FLOW_URL: Final = "/api/config/config_entries/flow"
OPTIONS_URL: Final = "/api/config/config_entries/options/flow"
REQUEST_TIMEOUT: Final = 60.0
WAIT: Final = 30.0


class WaitError(TimeoutError):
    """What was waited for did not come in time."""


class HomeAssistantApi:
    """A signed-in administrator. See the head of this module."""

    def __init__(
        self,
        url: str,
        *,
        username: str = DEFAULT_USERNAME,
        password: str = DEFAULT_PASSWORD,
        namespace: str | Path | int | None = None,
    ) -> None:
        """Describe whom to sign in where; nothing is connected yet."""
        self.url = url.rstrip("/")
        self._username = username
        self._password = password
        self._namespace = namespace
        self._tokens: auth.Tokens | None = None
        self._session: aiohttp.ClientSession | None = None
        self._websocket = WebSocketClient()
        self._states: dict[str, State] = {}
        self._changed = asyncio.Condition()
        self._followers: list[asyncio.Task[None]] = []
        # How often each flow has moved, and how often it had when it was last asked for.
        self._moves: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()

    async def __aenter__(self) -> Self:
        """Connect."""
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self.close()

    # --- connection ---------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Sign in (onboarding a fresh Home Assistant), open the WebSocket and follow the states."""
        if self._session is None:
            connector = (
                None
                if self._namespace is None
                else aiohttp.TCPConnector(
                    socket_factory=socket_factory(self._namespace)
                )
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT),
            )
        try:
            if self._tokens is None:
                self._tokens = await auth.onboard(
                    self._session, self.url, self._username, self._password
                )
            self._websocket = WebSocketClient()
            await self._websocket.connect(self._session, self.url, await self._token())
            changes = await self.subscribe_events("state_changed")
            self._states = {
                state.entity_id: state for state in await self._fetch_states()
            }
            moves = await self.subscribe_events("data_entry_flow_progressed")
            self._followers = [
                asyncio.create_task(self._follow_states(changes)),
                asyncio.create_task(self._follow_flows(moves)),
            ]
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect."""
        await self._drop()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def reconnect(self) -> None:
        """Connect again, after Home Assistant was restarted; the sign-in is kept."""
        await self._drop()
        await self.connect()

    @property
    def version(self) -> str:
        """The release of Home Assistant."""
        return self._websocket.version

    async def command(self, kind: str, **fields: JsonValue) -> JsonValue:
        """Send any WebSocket command and return its result."""
        return await self._websocket.command(kind, **fields)

    async def subscribe(self, kind: str, **fields: JsonValue) -> Subscription:
        """Send any WebSocket command that events follow on."""
        return await self._websocket.subscribe(kind, **fields)

    async def subscribe_events(self, event_type: str) -> Subscription:
        """Follow the events of one type on Home Assistant's bus."""
        return await self.subscribe("subscribe_events", event_type=event_type)

    async def get(self, path: str) -> JsonValue:
        """GET an address of Home Assistant that answers with JSON."""
        return await self.request("GET", path)

    async def fetch(self, path: str) -> tuple[str, bytes]:
        """GET any address; returns content type and body."""
        async with self._client.get(
            self.url + path, headers=await self._headers()
        ) as response:
            if response.status >= 400:
                await answer_of(response)
            return response.content_type, await response.read()

    async def wait_running(self, timeout: float = WAIT) -> None:
        """Wait until the start-up is over; discoveries are held back until then."""
        async with await self.subscribe_events("homeassistant_started") as started:
            try:
                async with asyncio.timeout(timeout):
                    while (
                        get_str(as_object(await self.command("get_config")), "state")
                        != "RUNNING"
                    ):
                        await started.get()
            except TimeoutError as err:
                raise WaitError(
                    f"Home Assistant is still starting after {timeout:g} s"
                ) from err

    # --- config entries -----------------------------------------------------------------------------------------------

    async def entries(self, domain: str | None = None) -> list[ConfigEntry]:
        """Return the config entries, of one integration or of all."""
        fields: JsonObject = {} if domain is None else {"domain": domain}
        return [
            ConfigEntry.parse(entry)
            for entry in objects(await self.command("config_entries/get", **fields))
        ]

    async def entry(self, entry_id: str) -> ConfigEntry:
        """Return one config entry; ApiError when there is none."""
        answer = await self.command("config_entries/get_single", entry_id=entry_id)
        return ConfigEntry.parse(get_object(as_object(answer), "config_entry"))

    async def wait_entry(
        self, entry_id: str, state: str = "loaded", timeout: float = WAIT
    ) -> ConfigEntry:
        """Wait until an entry is in a state."""
        async with await self.subscribe("config_entries/subscribe") as changes:
            seen = await self.entry(entry_id)
            try:
                async with asyncio.timeout(timeout):
                    while seen.state != state:
                        await changes.get()
                        seen = await self.entry(entry_id)
            except TimeoutError as err:
                raise WaitError(
                    f"entry {entry_id} is not {state} after {timeout:g} s: {seen}"
                ) from err
        return seen

    async def delete_entry(self, entry_id: str) -> bool:
        """Delete an entry; returns whether a restart is needed."""
        answer = as_object(
            await self.request("DELETE", f"/api/config/config_entries/entry/{entry_id}")
        )
        return bool(answer.get("require_restart"))

    async def reload_entry(self, entry_id: str) -> None:
        """Unload an entry and set it up again."""
        await self.request(
            "POST", f"/api/config/config_entries/entry/{entry_id}/reload"
        )

    # --- flows --------------------------------------------------------------------------------------------------------

    async def flows(self, handler: str | None = None) -> list[PendingFlow]:
        """Return the flows that no user started: discoveries, reauthentications."""
        flows = [
            PendingFlow.parse(flow)
            for flow in objects(await self.command("config_entries/flow/progress"))
        ]
        return [flow for flow in flows if handler in (None, flow.handler)]

    async def wait_flow(
        self,
        handler: str,
        *,
        unique_id: str | None = None,
        ending: str = "",
        source: str | Sequence[str] | None = None,
        timeout: float = WAIT,
    ) -> PendingFlow:
        """Wait for a flow of an integration that no user started; None matches everything.

        `ending` is what its unique id has to end with.
        """
        sources = (source,) if isinstance(source, str) else source
        seen: list[PendingFlow] = []
        async with await self.subscribe("config_entries/flow/subscribe") as changes:
            try:
                async with asyncio.timeout(timeout):
                    while True:
                        seen = await self.flows(handler)
                        for flow in seen:
                            if (
                                unique_id in (None, flow.unique_id)
                                and (flow.unique_id or "").endswith(ending)
                                and (sources is None or flow.source in sources)
                            ):
                                return flow
                        await changes.get()
            except TimeoutError as err:
                raise WaitError(
                    f"no {handler} flow with unique id {unique_id} and source {source} in {timeout:g} s, only {seen}"
                ) from err

    async def wait_no_flow(
        self, handler: str, *, unique_id: str, timeout: float = WAIT
    ) -> None:
        """Wait until a pending flow is gone."""
        async with await self.subscribe("config_entries/flow/subscribe") as changes:
            try:
                async with asyncio.timeout(timeout):
                    while any(
                        flow.unique_id == unique_id
                        for flow in await self.flows(handler)
                    ):
                        await changes.get()
            except TimeoutError as err:
                raise WaitError(
                    f"the {handler} flow of {unique_id} is still there after {timeout:g} s"
                ) from err

    async def start_flow(
        self, handler: str, *, reconfigure: str | None = None
    ) -> FlowResult:
        """Start a config flow as a user does; `reconfigure` is the id of the entry to change."""
        body: JsonObject = {"handler": handler, "show_advanced_options": False}
        if reconfigure is not None:
            body["entry_id"] = reconfigure
        return FlowResult.parse(await self.request("POST", FLOW_URL, body))

    async def get_flow(self, flow_id: str) -> FlowResult:
        """Return the present step of a config flow."""
        self._asked[flow_id] = self._moves[flow_id]
        return FlowResult.parse(await self.request("GET", f"{FLOW_URL}/{flow_id}"))

    async def configure_flow(self, flow_id: str, user_input: JsonObject) -> FlowResult:
        """Submit a form of a config flow."""
        self._asked[flow_id] = self._moves[flow_id]
        return FlowResult.parse(
            await self.request("POST", f"{FLOW_URL}/{flow_id}", user_input)
        )

    async def choose(self, flow_id: str, option: str) -> FlowResult:
        """Choose in a menu of a config flow."""
        return await self.configure_flow(flow_id, {"next_step_id": option})

    async def wait_step(self, result: FlowResult, timeout: float = WAIT) -> FlowResult:
        """Wait until a config flow is past its progress steps; returns at once when it shows something else."""
        return await self._wait_result(
            result, lambda now: now.type not in ("progress", "external"), timeout
        )

    async def wait_progress(
        self, result: FlowResult, step_id: str, timeout: float = WAIT
    ) -> FlowResult:
        """Wait until a config flow shows a step, which may be another progress step, or ends."""

        def arrived(now: FlowResult) -> bool:
            return now.step_id == step_id or now.type in ("create_entry", "abort")

        return await self._wait_result(result, arrived, timeout)

    async def abort_flow(self, flow_id: str) -> None:
        """Close the dialog of a flow."""
        await self.request("DELETE", f"{FLOW_URL}/{flow_id}")

    async def ignore_flow(self, flow_id: str, title: str) -> None:
        """Choose "Ignore" on a discovered card."""
        await self.command("config_entries/ignore_flow", flow_id=flow_id, title=title)

    async def start_options(self, entry_id: str) -> FlowResult:
        """Start the options flow of an entry."""
        return FlowResult.parse(
            await self.request("POST", OPTIONS_URL, {"handler": entry_id})
        )

    async def configure_options(
        self, flow_id: str, user_input: JsonObject
    ) -> FlowResult:
        """Submit a form of an options flow."""
        return FlowResult.parse(
            await self.request("POST", f"{OPTIONS_URL}/{flow_id}", user_input)
        )

    # --- states and registries ----------------------------------------------------------------------------------------

    @property
    def states(self) -> Mapping[str, State]:
        """All states, kept up to date while connected."""
        return self._states

    async def wait_state(
        self,
        entity_id: str,
        predicate: Callable[[State], bool] | str,
        timeout: float = WAIT,
    ) -> State:
        """Wait until an entity has a state: a value, or what a function accepts."""

        def test(states: Mapping[str, State]) -> bool:
            if (state := states.get(entity_id)) is None:
                return False
            return (
                state.state == predicate
                if isinstance(predicate, str)
                else predicate(state)
            )

        await self.wait_states(
            test, timeout, lambda: f"{entity_id} is {self._states.get(entity_id)}"
        )
        return self._states[entity_id]

    async def wait_states(
        self,
        predicate: Callable[[Mapping[str, State]], bool],
        timeout: float = WAIT,
        seen: Callable[[], str] = str,
    ) -> None:
        """Wait until a function accepts all states; `seen` tells the error what there was instead."""
        try:
            async with asyncio.timeout(timeout), self._changed:
                await self._changed.wait_for(lambda: predicate(self._states))
        except TimeoutError as err:
            raise WaitError(f"after {timeout:g} s: {seen()}") from err

    async def devices(self, entry_id: str | None = None) -> list[Device]:
        """Return the devices, of one config entry or of all."""
        devices = [
            Device.parse(device)
            for device in objects(await self.command("config/device_registry/list"))
        ]
        return [
            device for device in devices if entry_id in (None, device.config_entry_id)
        ]

    async def entities(self, entry_id: str | None = None) -> list[Entity]:
        """Return the registered entities, of one config entry or of all."""
        entities = [
            Entity.parse(entity)
            for entity in objects(await self.command("config/entity_registry/list"))
        ]
        return [
            entity for entity in entities if entry_id in (None, entity.config_entry_id)
        ]

    async def enable_entity(self, entity_id: str) -> None:
        """Enable an entity; Home Assistant reloads its config entry some seconds later."""
        await self.command(
            "config/entity_registry/update", entity_id=entity_id, disabled_by=None
        )

    # --- actions, diagnostics, images, texts --------------------------------------------------------------------------

    async def call_service(
        self,
        domain: str,
        service: str,
        data: JsonObject | None = None,
        *,
        entity_id: str | None = None,
        device_id: str | None = None,
        return_response: bool = False,
    ) -> JsonValue:
        """Perform an action and wait for its end; returns its response data. ApiError has the text that the user sees."""
        target: JsonObject = {}
        if entity_id is not None:
            target["entity_id"] = entity_id
        if device_id is not None:
            target["device_id"] = device_id
        answer = await self.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data or {},
            target=target,
            return_response=return_response,
        )
        return as_object(answer).get("response")

    async def services(self, domain: str | None = None) -> JsonObject:
        """Return the descriptions of all actions. The frontend stays at "Loading..." when this fails."""
        services = as_object(await self.command("get_services"))
        return services if domain is None else get_object(services, domain)

    async def diagnostics(
        self, entry_id: str, device_id: str | None = None
    ) -> JsonObject:
        """Download the diagnostics of an entry or of one of its devices."""
        path = f"/api/diagnostics/config_entry/{entry_id}"
        return as_object(
            await self.get(path if device_id is None else f"{path}/device/{device_id}")
        )

    async def picture(self, entity_id: str) -> tuple[str, bytes]:
        """Fetch the picture of an entity (cover art of a media player); returns content type and body."""
        picture = get_optional_str(self._states[entity_id].attributes, "entity_picture")
        if picture is None:
            raise ApiError(entity_id, "no_picture", "the entity has no picture")
        return await self.fetch(picture)

    async def issues(self, domain: str | None = None) -> list[JsonObject]:
        """Return the repair issues."""
        answer = as_object(await self.command("repairs/list_issues"))
        return [
            issue
            for issue in objects(answer.get("issues"))
            if domain in (None, issue.get("domain"))
        ]

    async def logged(self, logger: str) -> list[JsonObject]:
        """Return the warnings and errors of Home Assistant's log page whose logger's name has a prefix."""
        answer = objects(await self.command("system_log/list"))
        return [item for item in answer if str(item.get("name")).startswith(logger)]

    async def translations(
        self, category: str, integration: str, language: str = "en"
    ) -> dict[str, str]:
        """Return the texts of a category (config, options, entity, exceptions, services ...) of an integration."""
        answer = as_object(
            await self.command(
                "frontend/get_translations",
                language=language,
                category=category,
                integration=[integration],
            )
        )
        return texts(get_object(answer, "resources"))

    async def missing_texts(
        self, result: FlowResult, domain: str, category: str = "config"
    ) -> list[str]:
        """Return the keys of the texts that a step of a flow needs and does not have in English."""
        borrowed = get_optional_str(result.raw, "translation_domain") or domain
        known = await self.translations(category, domain)
        known |= await self.translations(category, borrowed)
        return missing_texts(result, known, domain, borrowed, category)

    @property
    def _client(self) -> aiohttp.ClientSession:
        """The HTTP client."""
        if self._session is None:
            raise ConnectionError("not connected to Home Assistant")
        return self._session

    async def _drop(self) -> None:
        """Close the WebSocket."""
        await self._websocket.close()
        await asyncio.gather(*self._followers, return_exceptions=True)
        self._followers.clear()

    async def _token(self) -> str:
        """Return an access token that is good for a while."""
        assert self._tokens is not None
        if self._tokens.is_stale:
            self._tokens = await auth.refresh(self._client, self.url, self._tokens)
        return self._tokens.access

    async def _headers(self) -> dict[str, str]:
        """Return the headers of a request."""
        return {"Authorization": f"Bearer {await self._token()}"}

    async def request(
        self, method: str, path: str, body: JsonObject | None = None
    ) -> JsonValue:
        """Make a request that is answered with JSON."""
        async with self._client.request(
            method, self.url + path, json=body, headers=await self._headers()
        ) as response:
            return await answer_of(response)

    async def _fetch_states(self) -> list[State]:
        """Return all states."""
        return [
            State.parse(state) for state in objects(await self.command("get_states"))
        ]

    async def _follow_states(self, changes: Subscription) -> None:
        """Keep the states up to date until the connection is lost."""
        with contextlib.suppress(ConnectionError):
            while True:
                data = get_object(as_object(await changes.get()), "data")
                entity_id = get_str(data, "entity_id")
                async with self._changed:
                    if data.get("new_state") is None:
                        self._states.pop(entity_id, None)
                    else:
                        self._states[entity_id] = State.parse(
                            get_object(data, "new_state")
                        )
                    self._changed.notify_all()

    async def _follow_flows(self, moves: Subscription) -> None:
        """Count the moves of flows until the connection is lost."""
        with contextlib.suppress(ConnectionError):
            while True:
                data = get_object(as_object(await moves.get()), "data")
                async with self._changed:
                    self._moves[get_str(data, "flow_id")] += 1
                    self._changed.notify_all()

    async def _wait_result(
        self, result: FlowResult, arrived: Callable[[FlowResult], bool], timeout: float
    ) -> FlowResult:
        """Ask for the step of a flow whenever Home Assistant says that it moved.

        Never in between: the answer may end the flow, and two answers at once would do so twice.
        """
        flow_id = result.flow_id
        try:
            async with asyncio.timeout(timeout):
                while not arrived(result):
                    async with self._changed:
                        await self._changed.wait_for(
                            lambda: self._moves[flow_id] > self._asked[flow_id]
                        )
                    result = await self.get_flow(flow_id)
        except TimeoutError as err:
            raise WaitError(
                f"the flow still shows {result.step_id} after {timeout:g} s"
            ) from err
        return result
