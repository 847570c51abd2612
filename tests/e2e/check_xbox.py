"""The check of Xbox consoles: added in two ways, used, switched off and on, and back again."""

from collections.abc import AsyncIterator, Callable
import contextlib
from pathlib import Path
import time
from typing import Final

from .browser import Browser, add_discovered
from .check_privacy import require_private
from .fakes import FakeProcess
from .families import CheckedEntry
from .lab import Lab
from .models import ConfigEntry, State
from .report import CheckError, Report, require
from .shapes import JsonValue, as_list
from .subject import DOMAIN, Subject
from .walk import Walk
from .xbox_consoles import CONSOLES, DemoConsole, is_kind

ADDING: Final = 30.0
COMMAND: Final = 15.0
OFF_WITHIN: Final = 8.0  # seconds from the console's own button to "off"
MAX_STEPS: Final = 12
APP: Final = "18A7B2C3 Example.MovieNight_abc!App"
APP_NAME: Final = "Movie Night"
FILM: Final = "The Long Loopback"
SECRET: Final = "correct horse battery"


class XboxCheck:
    """Keeps the entries that it made, by the names of their consoles."""

    def __init__(self) -> None:
        """Nothing is added yet."""
        self._entries: dict[str, ConfigEntry] = {}

    async def add_all(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        """Add every console in its way, then use the first."""
        first, second = CONSOLES
        # Only in a network of its own the console hears what is searched for.
        card = lab.place.is_private
        way = "its card" if card else "its address"
        async with report.step(f"{first.name}: added, by {way}"):
            self._entries[first.name] = await _add(lab, first, by_card=card)
        async with report.step(
            f"{second.name}: refuses everybody, is changed, and added by its address"
        ):
            self._entries[second.name] = await _add_after_refusal(lab, second)
        await self._use(lab, report, first)
        await self._change(lab, report, first)
        await self._switch(lab, report, first)
        await self._lose(lab, report, second)
        return [
            CheckedEntry(self._entries[first.name].entry_id, first.name, way),
            CheckedEntry(
                self._entries[second.name].entry_id, second.name, "its address"
            ),
        ]

    async def all_back(self, lab: Lab, report: Report) -> None:
        """Check that every console is found again."""
        for console in CONSOLES:
            async with report.step(f"{console.name}: back after the restart"):
                subject = self._subject(lab, console)
                await lab.api.wait_entry(subject.entry.entry_id)
                await subject.wait_state("binary_sensor", "link", "on")
                await subject.wait_state("media_player", "", _is_running)

    async def remove_first(self, lab: Lab, report: Report) -> None:
        """Delete an entry: the session ends, and the card is back."""
        console = CONSOLES[0]
        fake, entry = lab.fakes[console.name], self._entries.pop(console.name)
        async with report.step(f"{fake.name}: deleting its entry ends the session"):
            async with _hears(fake, "left", by="client"):
                await lab.api.delete_entry(entry.entry_id)
            require(
                not await lab.api.entities(entry.entry_id), "entities are left behind"
            )
            require(
                not await lab.api.devices(entry.entry_id), "its device is left behind"
            )
        if lab.place.is_private:
            async with report.step(f"{fake.name}: its card is back"):
                await lab.api.wait_flow(DOMAIN, unique_id=console.live_id)

    def _subject(self, lab: Lab, console: DemoConsole) -> Subject:
        return Subject(lab, self._entries[console.name], lab.fakes[console.name])

    # --- using a console ---

    async def _use(self, lab: Lab, report: Report, console: DemoConsole) -> None:
        """Watch it, press buttons, and type."""
        xbox = self._subject(lab, console)
        name, fake = console.name, xbox.fake
        async with report.step(f"{name}: its device is {console.model}"):
            devices = await lab.api.devices(xbox.entry.entry_id)
            require(
                [device.model for device in devices] == [console.model],
                f"the devices are {devices}",
            )
        async with report.step(f"{name}: the title that it starts is shown"):
            await fake.say(f"launch {APP}")
            await xbox.wait_state("sensor", "active_title", APP_NAME)
            await xbox.wait_state("media_player", "", "on")
        async with report.step(f"{name}: what it plays is shown"):
            await fake.say(f"media play {FILM}")
            await xbox.wait_state("media_player", "", _plays(FILM))
        async with report.step(f"{name}: pauses and seeks"):
            async with _hears(fake, "media_command"):
                await xbox.do("media_player.media_pause")
            await xbox.wait_state("media_player", "", "paused")
            async with _hears(fake, "media_command"):
                await xbox.do("media_player.media_seek", seek_position=60)
        await self._press(report, xbox)
        await self._type(report, xbox)
        await self._watch_tv(report, xbox)

    async def _press(self, report: Report, xbox: Subject) -> None:
        """Press buttons of the gamepad; one alone, and two together."""
        fake = xbox.fake
        async with (
            report.step(f"{fake.name}: a button is pressed and released"),
            _hears(fake, "gamepad", buttons=0),
            _hears(fake, "gamepad", buttons=0x10),
        ):
            await xbox.do("remote.send_command", command=["a"])
        async with (
            report.step(f"{fake.name}: two buttons together"),
            _hears(fake, "gamepad", buttons=0x30),
        ):
            await xbox.do("remote.send_command", command=["a+b"])

    async def _type(self, report: Report, xbox: Subject) -> None:
        """Type into a text field, and a password."""
        fake = xbox.fake
        async with report.step(f"{fake.name}: text is typed into its field"):
            await fake.say("text Search")
            await xbox.wait_state("binary_sensor", "text_field", "on")
            async with _hears(fake, "text_done"):
                await xbox.act("send_text", text="films", submit=True)
            await xbox.wait_state("binary_sensor", "text_field", "off")
        async with report.step(f"{fake.name}: a password is typed and shown nowhere"):
            await fake.say("password Wireless key")
            await xbox.wait_state("binary_sensor", "text_field", "on")
            async with _hears(fake, "text_done"):
                await xbox.act("send_text", text=SECRET, submit=True)
            await require_private(xbox.lab, (xbox,), (SECRET,))

    async def _watch_tv(self, report: Report, xbox: Subject) -> None:
        """Press a button of the TV, and ask what there is to see."""
        fake = xbox.fake
        async with (
            report.step(f"{fake.name}: the TV is made louder"),
            _hears(fake, "send_key", button_id="btn.vol_up"),
        ):
            await xbox.do("media_player.volume_up")
        async with report.step(f"{fake.name}: its channels are listed"):
            answer = await xbox.ask("get_tv_lineup")
            require(bool(as_list(answer["devices"])), f"there is only {sorted(answer)}")

    # --- changing it ---

    async def _change(self, lab: Lab, report: Report, console: DemoConsole) -> None:
        """Change its options and its address, and let it in again after a refusal."""
        xbox = self._subject(lab, console)
        name, fake, entry_id = console.name, xbox.fake, xbox.entry.entry_id
        async with report.step(f"{name}: its options are changed"):
            async with _hears(fake, "joined"):
                await _set_options(lab, entry_id, press_ms=50)
            await xbox.wait_state("media_player", "", _is_running)
        async with report.step(f"{name}: its address is entered once more"):
            walk = await Walk.begin(lab.api, DOMAIN, reconfigure=entry_id)
            await walk.choose("xbox_reconfigure_address")
            async with _hears(fake, "joined"):
                await walk.submit(host=console.address(lab), port=console.port(lab))
            walk.require_abort("reconfigure_successful")
            await xbox.wait_state("media_player", "", _is_running)
        async with report.step(f"{name}: refuses later, is asked about, and let in"):
            await fake.say("refuse 3")
            await fake.say("kick")
            flow = await lab.api.wait_flow(DOMAIN, source="reauth")
            walk = await Walk.resume(lab.api, DOMAIN, flow.flow_id)
            await fake.say("refuse none")
            await fake.wait(is_kind("done", command="refuse"), "change", COMMAND)
            await walk.choose("xbox_connect")
            await _walk_on(lab, console, walk)
            walk.require_abort("reauth_successful")
            await xbox.wait_state("media_player", "", _is_running)

    # --- power ---

    async def _switch(self, lab: Lab, report: Report, console: DemoConsole) -> None:
        """Switch it off and on from here, then off at the console."""
        xbox = self._subject(lab, console)
        name, fake = console.name, xbox.fake
        async with report.step(f"{name}: switched off"):
            async with _hears(fake, "state", value="standby"):
                await xbox.do("media_player.turn_off")
            await xbox.wait_state("media_player", "", "off")
            await xbox.wait_state("binary_sensor", "link", "off")
        async with report.step(f"{name}: woken"):
            async with _hears(fake, "state", value="on"):
                await xbox.do("media_player.turn_on")
            await xbox.wait_state("media_player", "", _is_running)
        async with report.step(
            f"{name}: off at its own button, {OFF_WITHIN:g} s at most"
        ):
            begun = time.monotonic()
            await fake.say("button")
            await xbox.wait_state("media_player", "", "off")
            seconds = time.monotonic() - begun
            require(seconds <= OFF_WITHIN, f"it took {seconds:.1f} s")
        async with report.step(f"{name}: on at its own button"):
            await fake.say("on")
            await xbox.wait_state("media_player", "", _is_running)

    async def _lose(self, lab: Lab, report: Report, console: DemoConsole) -> None:
        """Pull its plug: that is not the same as off."""
        xbox = self._subject(lab, console)
        async with report.step(f"{console.name}: unplugged, and back"):
            await xbox.fake.say("unplug")
            await xbox.wait_state("media_player", "", "unavailable")
            await xbox.fake.say("plug")
            await xbox.fake.say("on")
            await xbox.wait_state("media_player", "", _is_running)

    async def add_first_in_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        """Add the console whose entry was deleted, by its card."""
        if not lab.place.is_private:
            return
        name = CONSOLES[0].name

        async with report.step(f"{name}: added in the browser"):
            wrong = await add_discovered(lab, browser, name, shots / "xbox")
            require(not wrong, f"errors in the page: {wrong}")


async def _add(lab: Lab, console: DemoConsole, *, by_card: bool) -> ConfigEntry:
    """Add a console; returns the loaded entry."""
    if by_card:
        flow = await lab.api.wait_flow(DOMAIN, unique_id=console.live_id)
        title = flow.title_placeholders.get("name")
        require(title == console.name, f"the card is named {title!r}")
        walk = await Walk.resume(lab.api, DOMAIN, flow.flow_id)
    else:
        walk = await Walk.begin(lab.api, DOMAIN)
    await _walk_on(lab, console, walk)
    return await lab.api.wait_entry(walk.entry().entry_id)


async def _set_options(lab: Lab, entry_id: str, **changes: JsonValue) -> None:
    """Fill in the form behind the gear; what is not changed stays as it is by default."""
    result = await lab.api.start_options(entry_id)
    missing = await lab.api.missing_texts(result, DOMAIN, "options")
    require(not missing, f"texts are missing: {', '.join(missing)}")
    result = await lab.api.configure_options(result.flow_id, dict(changes))
    require(result.type == "create_entry", f"there is {result.type} {result.errors}")


async def _add_after_refusal(lab: Lab, console: DemoConsole) -> ConfigEntry:
    """Add a console whose setting has to be changed first."""
    fake = lab.fakes[console.name]
    await fake.say("refuse 3")
    walk = await Walk.begin(lab.api, DOMAIN)
    await _walk_on(lab, console, walk)
    step = walk.result.step_id or ""
    require(step.startswith("xbox_not_allowed"), f"refused, but {walk.where}")
    await fake.say("refuse none")
    await fake.wait(is_kind("done", command="refuse"), "change", COMMAND)
    await walk.choose("xbox_connect")
    await _walk_on(lab, console, walk)
    return await lab.api.wait_entry(walk.entry().entry_id)


async def _walk_on(lab: Lab, console: DemoConsole, walk: Walk) -> None:
    """Do what a user does who wants this console, until the flow ends or explains something."""
    for _ in range(MAX_STEPS):
        match walk.result.type, walk.result.step_id:
            case "menu", "user":
                await walk.choose("xbox_user")
            case "menu", "xbox_user":
                await walk.choose("xbox_address")
            case "progress", _:
                await walk.wait(ADDING)
            case "form", "xbox_address":
                await walk.submit(host=console.address(lab), port=console.port(lab))
            case "form", "xbox_confirm":
                await walk.submit()
            case _:
                return
    raise CheckError(f"no end: {walk.steps}")


def _is_running(state: State) -> bool:
    return state.state not in {"off", "unavailable", "unknown"}


def _plays(title: str) -> Callable[[State], bool]:
    """Return a test for a player that plays something."""
    return lambda state: (
        state.state == "playing" and state.attributes.get("media_title") == title
    )


@contextlib.asynccontextmanager
async def _hears(
    fake: FakeProcess, kind: str, **fits: JsonValue
) -> AsyncIterator[None]:
    """Do something, and wait until the fake tells of what it shall cause."""
    mark = fake.position
    yield
    await fake.wait(is_kind(kind, **fits), kind, COMMAND, start=mark)
