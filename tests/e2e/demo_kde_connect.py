"""KDE Connect in the demo: two phones and two computers."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Final, Literal, override

from .api import WaitError
from .browser import Browser, add_discovered
from .fakes import FakeProcess
from .families import CheckedEntry, DemoFamily
from .lab import Lab
from .models import ConfigEntry, Entity
from .network import OUR_ADDRESS
from .report import CheckError, Report, require
from .shapes import JsonObject, get_optional_str, get_str
from .walk import Walk

DOMAIN: Final = "rumpus"
PAIRING: Final = 30.0
MAX_STEPS: Final = 12
BROADCAST: Final = "255.255.255.255"
LOOPBACK: Final = "127.0.0.1"
ANNOUNCE_EVERY: Final = 5.0
ACCEPT_AFTER: Final = 5.0

type Way = Literal["card", "scan", "address", "asks us"]


@dataclass(frozen=True, slots=True)
class DemoDevice:
    """A fake device. `way` is how the check adds it, `number` the end of its address."""

    name: str
    number: int
    kind: Literal["phone", "computer"]
    protocol: Literal[7, 8]
    found: Literal["mDNS", "broadcast", "address"]
    way: Way
    battery: int | None = None

    @property
    def address(self) -> str:
        """Where it is on the private network."""
        return f"10.99.0.{self.number}"

    @property
    def loopback(self) -> str:
        """Where it is without one: only Linux has all of 127.0.0.0/8."""
        return f"127.0.0.{self.number}" if sys.platform == "linux" else LOOPBACK


DEVICES: Final = (
    DemoDevice("Demo phone", 2, "phone", 8, "mDNS", "card", battery=77),
    DemoDevice("Den computer", 3, "computer", 7, "broadcast", "scan"),
    DemoDevice("Quiet phone", 4, "phone", 8, "address", "address", battery=12),
    DemoDevice("Forward laptop", 5, "computer", 8, "broadcast", "asks us", battery=55),
)
PLAYS: Final = "playing"


class KdeConnectDemo(DemoFamily):
    """See the head of this module."""

    title = "KDE Connect"
    devices = tuple(device.name for device in DEVICES)

    def __init__(self) -> None:
        """Nothing is paired yet."""
        self._entries: dict[str, ConfigEntry] = {}

    # --- the fakes ----------------------------------------------------------------

    @override
    async def start(self, lab: Lab, folder: Path, *, check: bool) -> None:
        await asyncio.gather(
            *(self._start_device(lab, folder, device, check) for device in DEVICES)
        )

    async def _start_device(
        self, lab: Lab, folder: Path, device: DemoDevice, check: bool
    ) -> None:
        private = lab.place.is_private
        state = folder / "devices" / f"{device.name.lower().replace(' ', '-')}.json"
        arguments = ["--kind", device.kind, "--protocol", str(device.protocol)]
        arguments += ["--name", device.name, "--state-file", str(state)]
        if private:
            arguments += ["--only", OUR_ADDRESS]
            if device.found == "address":
                # A socket with an address of its own hears no broadcasts.
                arguments += ["--bind", device.address]
        else:
            arguments += ["--bind", device.loopback]
            if device.loopback == LOOPBACK:
                arguments += ["--udp-port", "0"]
        if private and device.found == "mDNS":
            arguments += ["--mdns", device.address]
        elif device.found != "address" or device.loopback == LOOPBACK:
            target = BROADCAST if private else LOOPBACK
            arguments += ["--announce", target, "--every", str(ANNOUNCE_EVERY)]
        if device.battery is not None:
            arguments += ["--battery", str(device.battery)]
        if not check:
            arguments += ["--accept-after", str(ACCEPT_AFTER)]
        fake = await lab.start_fake(
            device.name, "tests.e2e.kdeconnect_device", arguments, device.address
        )
        await fake.wait(lambda event: event["event"] == "ready", "start")

    @override
    def guide(self, lab: Lab) -> list[str]:
        private = lab.place.is_private
        lines = []
        for device in DEVICES:
            address = device.address if private else device.loopback
            how = f"add it by its address {address}"
            if device.found != "address":
                how = (
                    f"shown as discovered ({device.found if private else 'announced'})"
                )
            kind = f"{device.kind}, protocol {device.protocol}"
            lines.append(f"{device.name:<15} {kind:<21} {how}")
        lines += [
            f"Each accepts pairing by itself after {ACCEPT_AFTER:g} seconds; its key appears below",
            "to compare with the one that Home Assistant shows.",
            'Type a line like "Demo phone: battery 20" (or: request, unpair, ping TEXT) and Enter.',
        ]
        return lines

    @override
    def describe(self, event: JsonObject) -> str | None:
        key = get_optional_str(event, "verification_key")
        match event["event"]:
            case "link_up":
                return "connected"
            case "link_down":
                return "disconnected"
            case "pairing_requested":
                return f"is asked for pairing, shows the key {key}"
            case "paired":
                return f"paired, key {key}"
            case "pairing_failed" | "unpaired" as what:
                return f"{what.replace('_', ' ')} ({event.get('reason')})"
            case "ring":
                return "rings!"
            case "ping":
                return f"ping: {event.get('message')}"
            case "command_run" | "player_action" | "lock_set" as what:
                about = {
                    name: value
                    for name, value in event.items()
                    if name not in {"event", "device", "type"}
                }
                return f"{what.replace('_', ' ')}: {about}"
            case _:
                return None

    # --- the check ----------------------------------------------------------------

    @override
    async def check(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        checked: list[CheckedEntry] = []
        for device in DEVICES:
            async with report.step(f"{device.name}: paired ({device.way})"):
                entry = await self._add(lab, device)
            self._entries[device.name] = entry
            checked.append(CheckedEntry(entry.entry_id, device.name, device.way))
        for device in DEVICES:
            await self._try_device(lab, report, device)
        return checked

    @override
    async def check_restarted(self, lab: Lab, report: Report) -> None:
        for device in DEVICES:
            async with report.step(f"{device.name}: back after the restart"):
                entry = self._entries[device.name]
                await lab.api.wait_entry(entry.entry_id)
                player = await _entity(lab, entry, "media_player")
                await lab.api.wait_state(player.entity_id, PLAYS)

    @override
    async def check_removed(self, lab: Lab, report: Report) -> None:
        fake, entry = lab.fakes[DEVICES[0].name], self._entries.pop(DEVICES[0].name)
        async with report.step(f"{fake.name}: deleting its entry ends the pairing"):
            mark = fake.position
            await lab.api.delete_entry(entry.entry_id)
            await fake.wait(
                lambda event: event["event"] == "unpaired", "end", start=mark
            )
            require(
                not await lab.api.entities(entry.entry_id), "entities are left behind"
            )
            require(
                not await lab.api.devices(entry.entry_id), "its device is left behind"
            )
        async with report.step(f"{fake.name}: its card is back"):
            await lab.api.wait_flow(DOMAIN, unique_id=_device_id(fake))

    @override
    async def check_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        fake = lab.fakes[DEVICES[0].name]
        mark = fake.position

        async def answer(shown: str) -> None:
            asked = await fake.wait(
                lambda event: event["event"] == "pairing_requested",
                "request",
                start=mark,
            )
            key = asked["verification_key"]
            require(key == shown, f"the dialog shows {shown}, the device {key}")
            await fake.say("accept")

        async with report.step(f"{fake.name}: added in the browser"):
            wrong = await add_discovered(lab, browser, fake.name, shots, answer)
            require(not wrong, f"errors in the page: {wrong}")

    async def _add(self, lab: Lab, device: DemoDevice) -> ConfigEntry:
        """Add a device in its way; returns the loaded entry."""
        fake = lab.fakes[device.name]
        walk = await self._begin(lab, device, fake)
        mark = 0
        for _ in range(MAX_STEPS):
            if "verification_key" in walk.result.placeholders:
                break
            await self._go_on(lab, device, walk)
        else:
            raise CheckError(f"no verification key on the way {walk.steps}")
        shown = walk.result.placeholders["verification_key"]
        if device.way == "asks us":
            await walk.submit()
        else:
            asked = await fake.wait(
                lambda event: event["event"] == "pairing_requested",
                "request",
                start=mark,
            )
            require(
                asked["verification_key"] == shown,
                f"Home Assistant shows {shown}, the device {asked['verification_key']}",
            )
            await fake.say("accept")
        while walk.result.type == "progress":
            await walk.wait(PAIRING)
        paired = await fake.wait(lambda event: event["event"] == "paired", "pairing")
        require(
            paired["verification_key"] == shown,
            f"the device has another key than {shown}",
        )
        entry = walk.entry()
        return await lab.api.wait_entry(entry.entry_id)

    async def _begin(self, lab: Lab, device: DemoDevice, fake: FakeProcess) -> Walk:
        """Start the flow: press "Add" on the card, or "Add integration"."""
        if device.way in {"scan", "address"}:
            return await Walk.begin(lab.api, DOMAIN)
        if device.way == "asks us":
            await fake.wait(lambda event: event["event"] == "link_up", "link")
            await fake.say("request")
        flow = await lab.api.wait_flow(DOMAIN, unique_id=_device_id(fake))
        title = flow.title_placeholders.get("name")
        require(title == device.name, f"the card is named {title!r}")
        return await Walk.resume(lab.api, DOMAIN, flow.flow_id)

    async def _go_on(self, lab: Lab, device: DemoDevice, walk: Walk) -> None:
        """Do what a user does who wants to come to the pairing."""
        match walk.result.type:
            case "menu":
                await walk.choose("kde_connect_user")
            case "progress":
                await walk.wait(PAIRING)
            case "form" if not walk.result.fields:
                await walk.submit()
            case "form":
                await walk.submit(**self._answers(lab, device, walk))
            case _:
                raise CheckError(
                    f"no pairing, but {walk.where}; the way was {walk.steps}"
                )

    def _answers(self, lab: Lab, device: DemoDevice, walk: Walk) -> dict[str, str]:
        """Return what a user fills in who wants this device."""
        if "host" in walk.result.fields:
            return {"host": device.address if lab.place.is_private else device.loopback}
        choices = walk.result.field_options("device")
        if device.way == "address":
            picked = ["by_address"]
        else:
            picked = [value for value, label in choices.items() if device.name in label]
        require(len(picked) == 1, f"{device.name} is not just once in {choices}")
        return {"device": picked[0]}

    async def _try_device(self, lab: Lab, report: Report, device: DemoDevice) -> None:
        """Look at the states and give a command."""
        entry, fake = self._entries[device.name], lab.fakes[device.name]
        if device.battery is not None:
            async with report.step(f"{device.name}: battery follows"):
                sensor = await _entity(lab, entry, "sensor", "battery")
                await lab.api.wait_state(sensor.entity_id, str(device.battery))
                await fake.say("battery 34")
                await lab.api.wait_state(sensor.entity_id, "34")
        async with report.step(f"{device.name}: next track"):
            player = await _entity(lab, entry, "media_player")
            await lab.api.wait_state(player.entity_id, PLAYS)
            mark = fake.position
            await lab.api.call_service(
                "media_player", "media_next_track", entity_id=player.entity_id
            )
            await fake.wait(
                lambda event: event["event"] == "player_action",
                "player action",
                start=mark,
            )
            await lab.api.wait_state(
                player.entity_id,
                lambda state: state.attributes.get("media_title") == "Song 2",
            )
        if device.kind == "phone":
            await _press(lab, report, entry, fake, "ring", "ring")
        else:
            await _press(lab, report, entry, fake, "lights", "command_run")


def _device_id(fake: FakeProcess) -> str:
    """Return the id that a fake told when it started."""
    return get_str(fake.events[0], "id")


async def _press(
    lab: Lab,
    report: Report,
    entry: ConfigEntry,
    fake: FakeProcess,
    about: str,
    expected: str,
) -> None:
    """Press a button and see that the device got the command."""
    async with report.step(f"{fake.name}: button gives {expected}"):
        button = await _entity(lab, entry, "button", about)
        mark = fake.position
        await lab.api.call_service("button", "press", entity_id=button.entity_id)
        await fake.wait(lambda event: event["event"] == expected, expected, start=mark)


async def _entity(lab: Lab, entry: ConfigEntry, domain: str, about: str = "") -> Entity:
    """Return the enabled entity of a platform whose key or id says what it is about, once it is there."""
    found: list[Entity] = []

    async def look() -> bool:
        found[:] = [
            entity
            for entity in await lab.api.entities(entry.entry_id)
            if entity.domain == domain
            and entity.disabled_by is None
            and about
            in f"{entity.translation_key} {entity.entity_id} {entity.unique_id}"
        ]
        return bool(found)

    async with await lab.api.subscribe_events("entity_registry_updated") as changes:
        try:
            async with asyncio.timeout(PAIRING):
                while not await look():
                    await changes.get()
        except TimeoutError as err:
            raise WaitError(f"{entry.title} has no {domain} about {about!r}") from err
    return found[0]
