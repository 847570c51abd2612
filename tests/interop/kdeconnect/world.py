"""One daemon as Home Assistant sees it, and Home Assistant as the daemon sees it."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
import time
from typing import Final

from .daemon import KdeConnectDaemon
from .desktop import Desktop
from .device import Device
from .network import Network
from .transfer import Figures
from .waiting import PATIENCE, until
from tests.e2e.api import HomeAssistantApi
from tests.e2e.models import ConfigEntry, FlowResult, PendingFlow, State
from tests.e2e.server import HomeAssistantServer
from tests.e2e.shapes import JsonObject, JsonValue
from tests.interop.report import CheckError

DOMAIN: Final = "rumpus"
FAMILY: Final = "kde_connect"
DISCOVERIES: Final = ("zeroconf", "integration_discovery")
UNAVAILABLE: Final = "unavailable"
PRIVATE_STEP: Final = "kde_connect_private"
FILES_STEP: Final = "kde_connect_files"
OFFERS_STEP: Final = "kde_connect_offers"
# Charges of the daemon's two batteries, in per cent.
BATTERIES: Final = (64, 32)
# Of one file that is received, in MiB.
_MOST_FILE: Final = 4096
_FLOW_PATIENCE: Final = 45.0
# Announcements from one address that follow closer are dropped, in seconds.
_ANNOUNCEMENT_INTERVAL: Final = 1.2


class World:
    """A daemon, the Home Assistant under test, and what both say of each other."""

    def __init__(
        self,
        network: Network,
        server: HomeAssistantServer,
        api: HomeAssistantApi,
        daemon: KdeConnectDaemon,
    ) -> None:
        """Put the parts together; the daemon need not run yet."""
        self.network = network
        self.server = server
        self.api = api
        self.daemon = daemon
        self.debug = False
        # How fast the daemon sends to another daemon, once that was measured.
        self.figures: Figures | None = None
        # Whether pairing has failed once, so that what needs it is not tried again.
        self.hopeless = False
        self._allowed: set[str] = set()
        self._next_start = 0.0

    @property
    def device_id(self) -> str:
        """The daemon's device id, which is the unique id of its entry and its flows."""
        return self.daemon.device_id

    @property
    def outbox(self) -> Path:
        """Folder of files that Home Assistant may read, other than its media."""
        folder = self.server.config_dir / "www"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def inbox(self) -> Path:
        """Folder below which Home Assistant puts what it receives."""
        return self.server.media_dir

    async def us(self) -> Device:
        """Return the daemon's view of Home Assistant, once it knows it."""

        async def look() -> str | None:
            ids = await self.daemon.device_ids()
            return ids[0] if ids else None

        return self.daemon.device(
            await until(look, f"{self.daemon.name} knows Home Assistant")
        )

    async def start_fresh(self, *, udp: bool = True, desktop: bool = False) -> None:
        """Start the daemon as a device that Home Assistant has never seen."""
        if self.device_id:
            await self.forget()
        await self.daemon.stop()
        await asyncio.sleep(self._next_start - time.monotonic())
        await self.daemon.start(
            fresh=True,
            batteries=BATTERIES,
            udp=udp,
            desktop=desktop,
            debug=self.debug,
        )
        self._next_start = time.monotonic() + _ANNOUNCEMENT_INTERVAL

    async def forget(self) -> None:
        """Remove the entry, if there is one, and everything that was begun."""
        entry = await self.entry()
        if entry is not None:
            await self.api.delete_entry(entry.entry_id)
            self._allowed.clear()
            if self.daemon.is_running:
                await (await self.us()).wait_unpaired()
        for flow in await self.api.flows(DOMAIN):
            if flow.unique_id == self.device_id:
                await self.api.abort_flow(flow.flow_id)

    # Entries and flows

    async def entry(self) -> ConfigEntry | None:
        """Return the daemon's entry; Home Assistant does not tell unique ids of entries."""
        for entry in await self.api.entries(DOMAIN):
            for device in await self.api.devices(entry.entry_id):
                if (DOMAIN, self.device_id) in device.identifiers:
                    return entry
        return None

    async def need_entry(self) -> ConfigEntry:
        """Return the daemon's entry. Raises CheckError when there is none."""
        entry = await self.entry()
        if entry is None:
            raise CheckError("the daemon has no entry")
        return entry

    async def card(self) -> PendingFlow:
        """Wait for the card of the discovered daemon."""
        return await self.api.wait_flow(
            DOMAIN, unique_id=self.device_id, source=DISCOVERIES, timeout=_FLOW_PATIENCE
        )

    async def expect(
        self, result: FlowResult, kind: str, step: str | None = None
    ) -> FlowResult:
        """Check the kind and step of a flow's answer, and that its texts exist."""
        if result.type != kind or (step is not None and result.step_id != step):
            raise CheckError(
                f"the flow shows {result.type} {result.step_id} {result.reason}"
                f" {result.errors} instead of {kind} {step}"
            )
        if missing := await self.api.missing_texts(result, DOMAIN):
            raise CheckError(f"texts are missing: {missing}")
        return result

    async def start_pairing(self, flow_id: str) -> FlowResult:
        """Confirm in Home Assistant that the daemon be paired; return the progress step."""
        return await self.pairing_step(await self.api.configure_flow(flow_id, {}))

    async def pairing_step(self, result: FlowResult) -> FlowResult:
        """Wait until the flow shows the key and waits for the daemon's user."""
        result = await self.api.wait_progress(
            result, "kde_connect_pair", _FLOW_PATIENCE
        )
        return await self.expect(result, "progress", "kde_connect_pair")

    async def compare_keys(self, result: FlowResult) -> str:
        """Return the verification key, the same on both sides. Raises CheckError."""
        ours = result.placeholders.get("key") or result.placeholders.get(
            "verification_key"
        )
        theirs = await (await self.us()).verification_key()
        if not theirs or ours != theirs:
            raise CheckError(f"keys differ: {ours!r} here, {theirs!r} there")
        return theirs

    async def finish_pairing(self, result: FlowResult) -> ConfigEntry:
        """Wait for the new entry and until both sides call it paired."""
        result = await self.api.wait_step(result, _FLOW_PATIENCE)
        await self.expect(result, "create_entry")
        if result.entry is None:
            raise CheckError("the flow ended without an entry")
        entry = await self.api.wait_entry(result.entry.entry_id, timeout=_FLOW_PATIENCE)
        await (await self.us()).wait_paired()
        return entry

    async def pair(self) -> tuple[ConfigEntry, str]:
        """Pair from the discovered card, the daemon's user accepting."""
        us = await self.us()
        result = await self.start_pairing((await self.card()).flow_id)
        await us.wait_asked()
        key = await self.compare_keys(result)
        await us.accept()
        return await self.finish_pairing(result), key

    async def allow(self, *options: str) -> None:
        """Switch on options about private content, leaving the others as they are."""
        self._allowed |= set(options)
        await self._configure(
            PRIVATE_STEP,
            lambda form: {name: name in self._allowed for name in form.fields},
        )

    async def allow_files(self) -> None:
        """Let the daemon store files here, large ones too."""
        data: JsonObject = {"receive_files": True, "max_file_size": _MOST_FILE}
        await self._configure(FILES_STEP, lambda _: data)

    async def offer(
        self, *, players: Sequence[str] = (), commands: Sequence[str] = ()
    ) -> None:
        """Offer these entities of Home Assistant to the daemon, and no others."""
        data: JsonObject = {"players": [*players], "commands": [*commands]}
        await self._configure(OFFERS_STEP, lambda _: data)

    async def _configure(
        self, step: str, answer: Callable[[FlowResult], JsonObject]
    ) -> None:
        """Answer a step of the options, and wait until all is up again."""
        entry = await self.need_entry()
        menu = await self.api.start_options(entry.entry_id)
        if step not in menu.options:
            raise CheckError(f"there is no {step} in {menu.options}")
        form = await self.api.configure_options(menu.flow_id, {"next_step_id": step})
        result = await self.api.configure_options(menu.flow_id, answer(form))
        if result.type != "create_entry":
            raise CheckError(f"the options end with {result.type} {result.errors}")
        await self.api.wait_entry(entry.entry_id, timeout=_FLOW_PATIENCE)
        await (await self.us()).wait_reachable()
        await self.wait_available()

    async def registry_id(self) -> str:
        """Return the id of the daemon in Home Assistant's list of devices."""
        entry = await self.need_entry()
        for device in await self.api.devices(entry.entry_id):
            if (DOMAIN, self.device_id) in device.identifiers:
                return device.id
        raise CheckError("the daemon is not in the list of devices")

    async def act(self, action: str, **data: JsonValue) -> JsonValue:
        """Perform one of our actions for the daemon."""
        data["device_id"] = await self.registry_id()
        return await self.api.call_service(DOMAIN, action, data)

    @property
    def desktop(self) -> Desktop:
        """Return the daemon's desktop. Raises CheckError when it has none."""
        if self.daemon.desktop is None:
            raise CheckError("the daemon was started without a desktop")
        return self.daemon.desktop

    # Entities

    async def entity_id(self, domain: str, key: str, patience: float = PATIENCE) -> str:
        """Wait until an entity is registered, and return its id."""
        unique_id = f"{self.device_id}_{key}"

        async def look() -> str | None:
            for entity in await self.api.entities():
                if entity.unique_id == unique_id and entity.domain == domain:
                    if entity.disabled_by is not None:
                        raise CheckError(f"{entity.entity_id} is disabled")
                    return entity.entity_id
            return None

        return await until(look, f"{domain} {key} is registered", patience)

    async def has_entity(self, domain: str, key: str) -> bool:
        """Tell whether an entity is registered."""
        unique_id = f"{self.device_id}_{key}"
        return any(
            entity.unique_id == unique_id and entity.domain == domain
            for entity in await self.api.entities()
        )

    async def wait_state(
        self,
        domain: str,
        key: str,
        wanted: str | Callable[[State], bool],
        patience: float = PATIENCE,
    ) -> State:
        """Wait for a state, or for what a function accepts, of an entity."""
        entity_id = await self.entity_id(domain, key)
        return await self.api.wait_state(entity_id, wanted, patience)

    async def wait_available(self, patience: float = PATIENCE) -> None:
        """Wait until the entities of the connected daemon are available."""
        await self.wait_state("binary_sensor", "connectivity", "on", patience)
        for domain, key in (("button", "ping"), ("lock", "screen")):
            await self.wait_state(
                domain, key, lambda s: s.state != UNAVAILABLE, patience
            )

    async def wait_unavailable(self, patience: float = PATIENCE) -> None:
        """Wait until Home Assistant sees that the daemon is gone."""
        await self.wait_state("binary_sensor", "connectivity", "off", patience)
        for domain, key in (("button", "ping"), ("lock", "screen")):
            await self.wait_state(domain, key, UNAVAILABLE, patience)

    async def press(self, key: str) -> None:
        """Press a button."""
        await self.call("button", "press", "button", key)

    async def call(
        self,
        domain: str,
        service: str,
        entity_domain: str,
        key: str,
        data: JsonObject | None = None,
    ) -> None:
        """Perform an action on an entity."""
        entity_id = await self.entity_id(entity_domain, key)
        await self.api.call_service(domain, service, data, entity_id=entity_id)
