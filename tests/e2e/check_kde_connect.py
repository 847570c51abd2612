"""The check of KDE Connect: every way to pair, and a command to every device."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from . import check_kde_connect_computer, check_kde_connect_phone, kdeconnect_furniture
from .browser import Browser, add_discovered
from .check_kde_connect_computer import check_computer
from .check_kde_connect_home import check_offers, check_share, check_storage
from .check_kde_connect_phone import (
    BARS,
    check_clipboard,
    check_messages,
    check_phone,
    check_private_goes,
    check_private_is_off,
    check_sims,
)
from .check_kde_connect_tv import check_tv, check_tv_back
from .check_privacy import require_private
from .entities import find_entity
from .fakes import FakeProcess
from .families import CheckedEntry
from .kde_connect_devices import DEVICES, DemoDevice, device_id, tcp_port
from .lab import Lab
from .models import ConfigEntry
from .report import CheckError, Report, require
from .shapes import JsonObject, get_str
from .subject import Subject
from .walk import Walk

DOMAIN: Final = "rumpus"
PAIRING: Final = 30.0
MAX_STEPS: Final = 12
NO_KEY: Final = "?"
PLAYS: Final = "playing"


class KdeConnectCheck:
    """Keeps the entries that it made, by the names of their devices."""

    def __init__(self) -> None:
        """Nothing is paired yet."""
        self._entries: dict[str, ConfigEntry] = {}

    async def pair_all(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        """Add every device in its way, then try all of them."""
        for device in DEVICES:
            async with report.step(f"{device.name}: paired, by {_WAYS[device.way]}"):
                self._entries[device.name] = await self._add(lab, device)
        for device in DEVICES:
            await self._try(lab, report, device)
        await self._use(lab, report)
        await self._reconfigure(lab, report, DEVICES[2])
        await self._pair_again(lab, report, DEVICES[3])
        return [
            CheckedEntry(
                self._entries[device.name].entry_id, device.name, _WAYS[device.way]
            )
            for device in DEVICES
        ]

    async def all_back(self, lab: Lab, report: Report) -> None:
        """Check that every device has found its way back."""
        for device in DEVICES:
            async with report.step(f"{device.name}: back after the restart"):
                entry = self._entries[device.name]
                await lab.api.wait_entry(entry.entry_id)
                player = await find_entity(lab.api, entry, "media_player")
                await lab.api.wait_state(player.entity_id, PLAYS)
        await check_sims(self._subject(lab, DEVICES[0]), report)
        if lab.place.is_private:
            await check_tv_back(self._subject(lab, DEVICES[0]), report)

    async def remove_first(self, lab: Lab, report: Report) -> None:
        """Delete an entry: the pairing ends on both sides, and the card is back."""
        fake, entry = lab.fakes[DEVICES[0].name], self._entries.pop(DEVICES[0].name)
        async with report.step(f"{fake.name}: deleting its entry ends the pairing"):
            mark = fake.position
            await lab.api.delete_entry(entry.entry_id)
            await fake.wait(_is("unpaired"), "end", start=mark)
            require(
                not await lab.api.entities(entry.entry_id), "entities are left behind"
            )
            require(
                not await lab.api.devices(entry.entry_id), "its device is left behind"
            )
        async with report.step(f"{fake.name}: its card is back"):
            await lab.api.wait_flow(DOMAIN, unique_id=device_id(fake))

    async def add_first_in_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        """Add the device whose entry was deleted, by its card."""
        fake = lab.fakes[DEVICES[0].name]
        mark = fake.position

        async def answer(shown: str) -> None:
            await _accept(fake, shown, mark)

        async with report.step(f"{fake.name}: added in the browser"):
            wrong = await add_discovered(
                lab, browser, fake.name, shots, answer, "Private content"
            )
            require(not wrong, f"errors in the page: {wrong}")

    # --- pairing ---

    async def _add(self, lab: Lab, device: DemoDevice) -> ConfigEntry:
        """Add a device in its way; returns the loaded entry."""
        fake = lab.fakes[device.name]
        walk = await self._begin(lab, device, fake)
        await self._pair(lab, device, walk)
        return await lab.api.wait_entry(walk.entry().entry_id)

    async def _begin(self, lab: Lab, device: DemoDevice, fake: FakeProcess) -> Walk:
        """Start the flow: press "Add" on the card, or "Add integration"."""
        if device.way in {"scan", "address"}:
            return await Walk.begin(lab.api, DOMAIN)
        flow = await lab.api.wait_flow(DOMAIN, unique_id=device_id(fake))
        title = flow.title_placeholders.get("name")
        require(title == device.name, f"the card is named {title!r}")
        walk = await Walk.resume(lab.api, DOMAIN, flow.flow_id)
        if device.way == "asks us":
            # The dialog is open while the user of the device asks: it shows the question.
            await fake.say("request")
            await walk.arrive("kde_connect_accept", PAIRING)
        return walk

    async def _pair(self, lab: Lab, device: DemoDevice, walk: Walk) -> None:
        """Go on to the key, compare it with the device's, and pair."""
        fake = lab.fakes[device.name]
        mark = fake.position
        if device.way == "scan":
            mark = await self._be_refused(lab, device, walk)
        shown = await self._to_key(lab, device, walk)
        if walk.result.type == "form":
            await walk.submit()
        else:
            await _accept(fake, shown, mark)
        while walk.result.type == "progress":
            await walk.wait(PAIRING)
        paired = await fake.wait(_is("paired"), "pairing", start=mark)
        key = paired["verification_key"]
        require(key == shown, f"Home Assistant shows {shown}, the device {key}")

    async def _be_refused(self, lab: Lab, device: DemoDevice, walk: Walk) -> int:
        """Ask a device that says no: the flow offers to try again; returns the mark of that."""
        fake = lab.fakes[device.name]
        mark = fake.position
        await self._to_key(lab, device, walk)
        await fake.wait(_is("pairing_requested"), "request", start=mark)
        await fake.say("reject")
        result = await walk.wait(PAIRING)
        require(
            result.type == "form" and bool(result.errors), f"refused, but {walk.where}"
        )
        mark = fake.position
        await walk.submit()
        return mark

    async def _to_key(self, lab: Lab, device: DemoDevice, walk: Walk) -> str:
        """Do what a user does who wants to come to the pairing; returns the key shown."""
        for _ in range(MAX_STEPS):
            shown = walk.result.placeholders.get("key", NO_KEY)
            if shown != NO_KEY:
                return shown
            match walk.result.type:
                case "menu" if walk.result.step_id == "user":
                    await walk.choose("kde_connect_user")
                case "menu":
                    by_address = device.way == "address"
                    await walk.choose(
                        f"kde_connect_{'address' if by_address else 'scan'}"
                    )
                case "progress":
                    await walk.wait(PAIRING)
                case "form":
                    await walk.submit(**self._answers(lab, device, walk))
                case _:
                    break
        raise CheckError(f"no key, but {walk.where}; the way was {walk.steps}")

    def _answers(
        self, lab: Lab, device: DemoDevice, walk: Walk
    ) -> dict[str, str | int]:
        """Return what a user fills in who wants this device."""
        fields = walk.result.fields
        if "host" in fields:
            return {
                "host": device.address(lab),
                "port": tcp_port(lab.fakes[device.name]),
            }
        if "device" not in fields:
            return {}
        choices = walk.result.field_options("device")
        picked = [value for value, label in choices.items() if device.name in label]
        require(len(picked) == 1, f"{device.name} is not just once in {choices}")
        return {"device": picked[0]}

    # --- changing an entry ---

    async def _reconfigure(self, lab: Lab, report: Report, device: DemoDevice) -> None:
        """Tell the address of a device again."""
        entry = self._entries[device.name]
        async with report.step(f"{device.name}: reconfigured"):
            walk = await Walk.begin(lab.api, DOMAIN, reconfigure=entry.entry_id)
            await walk.submit(**self._answers(lab, device, walk))
            walk.require_abort("reconfigure_successful")
            await lab.api.wait_entry(entry.entry_id)
            sensor = await find_entity(lab.api, entry, "sensor", "signal_strength_1")
            await lab.api.wait_state(sensor.entity_id, BARS)

    async def _pair_again(self, lab: Lab, report: Report, device: DemoDevice) -> None:
        """Let a device end the pairing, and repair that."""
        entry, fake = self._entries[device.name], lab.fakes[device.name]
        async with report.step(
            f"{device.name}: paired again after it ended the pairing"
        ):
            await fake.say("unpair")
            flow = await lab.api.wait_flow(DOMAIN, source="reauth")
            walk = await Walk.resume(lab.api, DOMAIN, flow.flow_id)
            mark = fake.position
            shown = await self._to_key(lab, device, walk)
            await _accept(fake, shown, mark)
            while walk.result.type == "progress":
                await walk.wait(PAIRING)
            walk.require_abort("reauth_successful")
            await lab.api.wait_entry(entry.entry_id)
            player = await find_entity(lab.api, entry, "media_player")
            await lab.api.wait_state(player.entity_id, PLAYS)

    # --- trying a device ---

    def _subject(self, lab: Lab, device: DemoDevice) -> Subject:
        return Subject(lab, self._entries[device.name], lab.fakes[device.name])

    async def _use(self, lab: Lab, report: Report) -> None:
        """Use everything that a phone and a computer have."""
        phone, other, _, computer = (self._subject(lab, device) for device in DEVICES)
        await check_private_is_off(phone, report)
        await check_phone(phone, report)
        await check_messages(phone, report)
        await check_clipboard(phone, report)
        await check_share(phone, report)
        await check_offers(phone, other, report)
        await check_computer(computer, report)
        if lab.place.is_private:
            # Elsewhere nobody hears the broadcasts by which phones find a TV.
            await check_tv(phone, computer, report)
        await check_storage(phone, report)
        async with report.step("nothing private in diagnostics, log and states"):
            await require_private(lab, (phone, other, computer), _PRIVATE)
        await check_private_goes(phone, report)
        await check_sims(phone, report)

    async def _try(self, lab: Lab, report: Report, device: DemoDevice) -> None:
        """Look at the states and give a command."""
        entry, fake = self._entries[device.name], lab.fakes[device.name]
        if device.battery is not None:
            async with report.step(f"{device.name}: its battery is followed"):
                sensor = await find_entity(lab.api, entry, "sensor", "battery")
                await lab.api.wait_state(sensor.entity_id, str(device.battery))
                await fake.say("battery 34")
                await lab.api.wait_state(sensor.entity_id, "34")
        async with report.step(f"{device.name}: plays the next track"):
            player = await find_entity(lab.api, entry, "media_player")
            await lab.api.wait_state(player.entity_id, PLAYS)
            mark = fake.position
            await lab.api.call_service(
                "media_player", "media_next_track", entity_id=player.entity_id
            )
            await fake.wait(_is("player_action"), "action", start=mark)
            await lab.api.wait_state(
                player.entity_id,
                lambda state: state.attributes.get("media_title") == "Song 2",
            )
        async with report.step(f"{device.name}: shows what it plays"):
            await lab.api.wait_state(
                player.entity_id, lambda state: "entity_picture" in state.attributes
            )
            kind, picture = await lab.api.picture(player.entity_id)
            require(
                kind.startswith("image/") and bool(picture), f"the picture is {kind}"
            )
        about, expected = (
            ("ring", "ring") if device.kind == "phone" else ("lights", "command_run")
        )
        async with report.step(f"{device.name}: gets {expected} from a button"):
            button = await find_entity(lab.api, entry, "button", about)
            mark = fake.position
            await lab.api.call_service("button", "press", entity_id=button.entity_id)
            await fake.wait(_is(expected), expected, start=mark)
        async with report.step(f"{device.name}: its ping arrives"):
            event = await find_entity(lab.api, entry, "event", "ping")
            before = lab.api.states[event.entity_id].state
            await fake.say("ping hello")
            await lab.api.wait_state(
                event.entity_id, lambda state: state.state != before
            )


_PRIVATE: Final = (
    *kdeconnect_furniture.PRIVATE,
    *check_kde_connect_phone.PRIVATE,
    *check_kde_connect_computer.PRIVATE,
)
_WAYS: Final = {
    "card": "its card",
    "scan": "the list of a search",
    "address": "its address",
    "asks us": "its own request",
}


def _is(kind: str) -> Callable[[JsonObject], bool]:
    """Return a test for events of a kind."""
    return lambda event: event["event"] == kind


async def _accept(fake: FakeProcess, shown: str, mark: int) -> None:
    """Compare the keys and let the device accept."""
    asked = await fake.wait(_is("pairing_requested"), "request", start=mark)
    key = get_str(asked, "verification_key")
    require(key == shown, f"Home Assistant shows {shown}, the device {key}")
    await fake.say("accept")
