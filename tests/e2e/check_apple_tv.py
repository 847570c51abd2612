"""The check of Apple TVs and HomePods: added, used, lost and back, changed, removed."""

import asyncio
from pathlib import Path
from typing import Final

from .apple_devices import (
    APPLES,
    KITCHEN,
    LOUNGE,
    DemoApple,
    can_start,
    introduce,
    is_kind,
)
from .browser import Browser, add_discovered
from .check_apple_tv_power import check_losses, check_move, check_power
from .check_apple_tv_private import check_secrets
from .check_apple_tv_use import check_lounge, check_pod, hears, is_running
from .families import CheckedEntry
from .lab import Lab
from .models import ConfigEntry, PendingFlow
from .report import CheckError, Report, require
from .shapes import get_object, get_str
from .subject import DOMAIN, Subject
from .walk import Walk

ADDING: Final = 45.0
PIN: Final = 15.0
MAX_STEPS: Final = 16
WRONG_PIN: Final = "0000"
PIN_STEPS: Final = {
    "apple_tv_pin_airplay": "airplay",
    "apple_tv_pin_companion": "companion",
}
"""The steps that ask for a PIN, and what the fake calls the protocols."""


class AppleTvCheck:
    """Keeps the entries that it made, by the names of their devices."""

    def __init__(self) -> None:
        """Nothing is added yet."""
        self._entries: dict[str, ConfigEntry] = {}

    async def add_all(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        """Add both devices, then use them."""
        if not can_start(lab):
            return []
        await introduce(lab)
        card = lab.place.is_private
        way = "its card" if card else "its address"
        if card:
            await _check_cards(lab, report)
        await self._add_lounge(lab, report, way)
        async with report.step(f"{KITCHEN.name}: added without a PIN, by {way}"):
            flow = Adding(lab, KITCHEN)
            self._entries[KITCHEN.name] = await flow.add()
            require(not flow.pins, f"there was a PIN for {flow.pins}")
        lounge, pod = self._subject(lab, LOUNGE), self._subject(lab, KITCHEN)
        for subject, apple in ((lounge, LOUNGE), (pod, KITCHEN)):
            await _check_device(lab, report, subject, apple)
        await check_lounge(lab, report, lounge)
        await check_pod(lab, report, pod, lounge)
        await check_power(report, lounge)
        await check_losses(report, lounge)
        await self._change(lab, report)
        await check_secrets(lab, report, (lounge, pod))
        return [
            CheckedEntry(self._entries[apple.name].entry_id, apple.name, way)
            for apple in APPLES
        ]

    async def all_back(self, lab: Lab, report: Report) -> None:
        """Check that both are back after a restart of Home Assistant."""
        for apple in APPLES if can_start(lab) else ():
            async with report.step(f"{apple.name}: back after the restart"):
                subject = self._subject(lab, apple)
                await lab.api.wait_entry(subject.entry.entry_id)
                await subject.wait_state("binary_sensor", "link_airplay", "on")
                await subject.wait_state("media_player", "", is_running)
                if apple is LOUNGE:
                    await subject.wait_state("binary_sensor", "link_companion", "on")
                    await subject.wait_state("binary_sensor", "text_field", "on")

    async def remove_first(self, lab: Lab, report: Report) -> None:
        """Delete an entry: the links end, and the card is back."""
        if not can_start(lab):
            return
        fake, entry = lab.fakes[LOUNGE.name], self._entries.pop(LOUNGE.name)
        async with report.step(f"{fake.name}: deleting its entry ends its links"):
            async with hears(fake, "companion_lost"), hears(fake, "session_ended"):
                await lab.api.delete_entry(entry.entry_id)
            require(
                not await lab.api.entities(entry.entry_id), "entities are left behind"
            )
            require(
                not await lab.api.devices(entry.entry_id), "its device is left behind"
            )
        if lab.place.is_private:
            async with report.step(f"{fake.name}: its card is back"):
                await _wait_card(lab, LOUNGE)

    async def add_first_in_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        """Add the Apple TV whose entry was deleted by its card; its PIN is typed there."""
        if not lab.place.is_private:
            return
        async with report.step(f"{LOUNGE.name}: added in the browser"):
            wrong = await add_discovered(
                lab, browser, LOUNGE.name, shots / "apple-tv", pin=LOUNGE.pin
            )
            require(not wrong, f"errors in the page: {wrong}")

    def _subject(self, lab: Lab, apple: DemoApple) -> Subject:
        return Subject(lab, self._entries[apple.name], lab.fakes[apple.name])

    async def _add_lounge(self, lab: Lab, report: Report, way: str) -> None:
        """Add the Apple TV; its first PIN is mistyped."""
        async with report.step(
            f"{LOUNGE.name}: added by {way}, with a wrong PIN and two right ones"
        ):
            flow = Adding(lab, LOUNGE, mistypes=True)
            self._entries[LOUNGE.name] = await flow.add()
            require(
                flow.pins == ["airplay", "airplay", "companion"],
                f"the PINs were for {flow.pins}",
            )
        if lab.place.is_private:
            async with report.step(f"{LOUNGE.name}: no card of it is left"):
                left = await _cards(lab, LOUNGE)
                require(not left, f"there are {left}")

    async def _change(self, lab: Lab, report: Report) -> None:
        """Change its address and options, and pair anew what it has forgotten."""
        lounge = self._subject(lab, LOUNGE)
        name, fake, entry_id = LOUNGE.name, lounge.fake, lounge.entry.entry_id
        async with report.step(f"{name}: its options are changed"):
            for value in (True, False):
                async with hears(fake, "companion_verified"), hears(fake, "mrp_ready"):
                    await _set_options(lab, entry_id, value)
                await lounge.wait_state("media_player", "", is_running)
        address = await LOUNGE.make_room(lab)
        if lab.place.is_private:
            what = "its address is entered once more"
            await check_move(report, lounge, address)
        else:
            what = "has another address, which is entered"
            async with hears(fake, "done", command="move"):
                await fake.say(f"move {address}")
        async with report.step(f"{name}: {what}"):
            walk = await Walk.begin(lab.api, DOMAIN, reconfigure=entry_id)
            await walk.choose("apple_tv_reconfigure_address")
            async with hears(fake, "companion_verified"), hears(fake, "mrp_ready"):
                await walk.submit(address=address)
            walk.require_abort("reconfigure_successful")
            await lounge.wait_state("media_player", "", is_running)
        async with report.step(
            f"{name}: forgets one pairing, is asked for that alone, and paired again"
        ):
            await fake.say("unpair companion")
            flow = await lab.api.wait_flow(DOMAIN, source="reauth")
            await lounge.wait_state("binary_sensor", "link_airplay", "on")
            adding = Adding(lab, LOUNGE)
            walk = await adding.walk(
                await Walk.resume(lab.api, DOMAIN, flow.flow_id), is_new=False
            )
            walk.require_abort("reauth_successful")
            require(adding.pins == ["companion"], f"PINs for {adding.pins}")
            await lounge.wait_state("binary_sensor", "link_companion", "on")
            await lounge.wait_state("media_player", "", is_running)


class Adding:
    """What a user does who adds a device, or pairs it again; reads the PINs it shows.

    `pins` are the protocols that a PIN was typed for, one for each time.
    """

    def __init__(self, lab: Lab, apple: DemoApple, *, mistypes: bool = False) -> None:
        """Describe the user; one that mistypes does so once."""
        self.pins: list[str] = []
        self._lab = lab
        self._apple = apple
        self._fake = lab.fakes[apple.name]
        self._mistypes = mistypes
        self._position = self._fake.position

    async def add(self) -> ConfigEntry:
        """Add the device by its card or address; returns the loaded entry."""
        api = self._lab.api
        if self._lab.place.is_private:
            flow = await _wait_card(self._lab, self._apple)
            walk = await Walk.resume(api, DOMAIN, flow.flow_id)
        else:
            walk = await Walk.begin(api, DOMAIN)
        await self.walk(walk, is_new=True)
        return await api.wait_entry(walk.entry().entry_id)

    async def walk(self, walk: Walk, *, is_new: bool) -> Walk:
        """Go on until the flow ends."""
        for _ in range(MAX_STEPS):
            step = walk.result.step_id or ""
            match walk.result.type, step:
                case "menu", "user":
                    await walk.choose("apple_tv_user")
                case "menu", "apple_tv_nothing_found":
                    await walk.choose("apple_tv_address")
                case "progress", _:
                    await walk.wait(ADDING)
                case "form", "apple_tv_pick" | "apple_tv_address":
                    await walk.submit(address=self._apple.address(self._lab))
                case "form", "apple_tv_confirm" | "apple_tv_reauth":
                    await walk.submit()
                case "form", _ if step in PIN_STEPS:
                    require(("skip" in walk.result.fields) is is_new, f"{walk.where}")
                    await self._type(walk, PIN_STEPS[step])
                case _:
                    return walk
        raise CheckError(f"no end: {walk.steps}")

    async def _type(self, walk: Walk, protocol: str) -> None:
        """Type what the device shows."""
        shown = await self._fake.wait(
            is_kind("pin_shown", protocol=protocol),
            f"PIN for {protocol}",
            PIN,
            start=self._position,
        )
        was_wrong = protocol in self.pins
        told = walk.result.errors == {"pin": "apple_tv_wrong_pin"}
        require(told is was_wrong, f"after {self.pins} there is {walk.where}")
        self.pins.append(protocol)
        self._position = self._fake.position
        pin = get_str(get_object(shown, "data"), "pin")
        if self._mistypes:
            self._mistypes, pin = False, WRONG_PIN
        await walk.submit(pin=pin)


async def _set_options(lab: Lab, entry_id: str, value: bool) -> None:
    """Fill in the form behind the gear: switches only."""
    result = await lab.api.start_options(entry_id)
    missing = await lab.api.missing_texts(result, DOMAIN, "options")
    require(not missing, f"texts are missing: {', '.join(missing)}")
    result = await lab.api.configure_options(
        result.flow_id, dict.fromkeys(result.fields, value)
    )
    require(result.type == "create_entry", f"there is {result.type} {result.errors}")


async def _cards(lab: Lab, apple: DemoApple) -> list[PendingFlow]:
    """Return the cards of a device."""
    return [
        flow
        for flow in await lab.api.flows(DOMAIN)
        if apple.name in flow.title_placeholders.get("name", "")
    ]


async def _wait_card(lab: Lab, apple: DemoApple) -> PendingFlow:
    """Wait for the card of a device."""
    ready = await lab.fakes[apple.name].wait(is_kind("ready"), "start")
    identifier = get_str(get_object(ready, "data"), "device_id")
    flow = await lab.api.wait_flow(DOMAIN, unique_id=identifier)
    title = flow.title_placeholders.get("name", "")
    require(apple.name in title, f"the card is named {title!r}")
    return flow


async def _check_cards(lab: Lab, report: Report) -> None:
    """Check that several services are one card."""
    for apple in APPLES:
        async with report.step(f"{apple.name}: one card for all of its services"):
            await _wait_card(lab, apple)
            # Whatever was heard later would have a card by now.
            await asyncio.sleep(3)
            cards = await _cards(lab, apple)
            require(len(cards) == 1, f"there are {len(cards)}: {cards}")


async def _check_device(
    lab: Lab, report: Report, subject: Subject, apple: DemoApple
) -> None:
    """Look at its device in the registry."""
    async with report.step(f"{apple.name}: its device is {apple.model}"):
        devices = await lab.api.devices(subject.entry.entry_id)
        require(
            [device.model for device in devices] == [apple.model],
            f"the devices are {devices}",
        )
