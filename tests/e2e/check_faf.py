"""The check of lobbies: added in two ways, used, taken away by another login, changed, lost."""

import asyncio
import json
from pathlib import Path
from typing import Final

from .api import WaitError
from .browser import Browser, add_by_hand, look_at
from .check_faf_use import (
    COMMAND,
    LobbySubject,
    check_evening,
    check_lobby,
    hears,
    player_entity,
)
from .check_privacy import require_private
from .faf_lobbies import (
    BRACKMAN,
    CLUB,
    FRIEND,
    JSON_PORT,
    LOBBIES,
    PASSWORD,
    QDATASTREAM_PORT,
    RHIZA,
    SPARE,
    WATCHER,
    DemoLobby,
)
from .families import CheckedEntry
from .lab import Lab
from .models import ConfigEntry, FlowResult, State
from .report import CheckError, Report, require
from .shapes import JsonObject, JsonValue, get_str
from .subject import DOMAIN
from .walk import Walk

ADDING: Final = 30.0
FIX_URL: Final = "/api/repairs/issues/fix"
MAX_STEPS: Final = 12
WRONG: Final = "armchair 23"
NEW_PASSWORD: Final = "hassock 7"
FOLLOWED: Final[tuple[str, ...]] = (RHIZA, BRACKMAN)
ASLEEP: Final = frozenset({"sign_in_again", "stop_search"})
"""The ends of the ids of buttons for what is not the case at the end of the check."""
WAYS: Final = {CLUB.name: "its address, with an account", SPARE.name: "its address"}


class FafCheck:
    """Keeps the entries that it made, by the names of their lobbies."""

    def __init__(self) -> None:
        """Nothing is added yet."""
        self._entries: dict[str, ConfigEntry] = {}

    async def add_all(self, lab: Lab, report: Report) -> list[CheckedEntry]:
        """Add every lobby in its way, then use the first."""
        async with report.step(
            f"{CLUB.name}: added by its address, with a wrong password and the right one"
        ):
            self._entries[CLUB.name] = await _add_after_refusal(lab)
        async with report.step(
            f"{SPARE.name}: added by its address, without an account"
        ):
            self._entries[SPARE.name] = await _add(lab, SPARE)
            subject = self._subject(lab, SPARE)
            await subject.wait_state("binary_sensor", "link", "on")
            await subject.wait_state("sensor", "latency", _is_known)
        async with report.step(f"{CLUB.name}: cannot be added twice"):
            walk = await _walk_on(
                lab, CLUB, await Walk.begin(lab.api, DOMAIN), PASSWORD
            )
            walk.require_abort("already_configured")
        club = self._subject(lab, CLUB)
        await check_lobby(report, club)
        await self._follow(lab, report, club)
        await check_evening(report, club)
        await self._take_over(lab, report, club)
        await self._change(lab, report, club)
        await self._lose(report, club)
        async with report.step(f"{CLUB.name}: no password anywhere"):
            hidden = (PASSWORD, NEW_PASSWORD, WRONG)
            await require_private(lab, (club,), hidden)
        async with report.step(f"{CLUB.name}: nobody is named in its diagnostics"):
            found = json.dumps(await lab.api.diagnostics(club.entry.entry_id))
            named = [name for name in (WATCHER, *FOLLOWED, FRIEND) if name in found]
            require(not named, f"there are {named}")
        return [
            CheckedEntry(
                self._entries[lobby.name].entry_id,
                lobby.name,
                WAYS[lobby.name],
                asleep=ASLEEP,
            )
            for lobby in LOBBIES
        ]

    async def all_back(self, lab: Lab, report: Report) -> None:
        """Check that every lobby is back, and knows who was followed."""
        for lobby in LOBBIES:
            async with report.step(f"{lobby.name}: back after the restart"):
                subject = self._subject(lab, lobby)
                await lab.api.wait_entry(subject.entry.entry_id)
                await subject.wait_state("binary_sensor", "link", "on")
                if lobby is CLUB:
                    await subject.wait_state("binary_sensor", "signed_in", "on")
                    for player in FOLLOWED:
                        await subject.wait_state(
                            "sensor", player_entity(player, "status"), "online"
                        )

    async def remove_first(self, lab: Lab, report: Report) -> None:
        """Delete an entry: it signs out, nothing is left behind, and it can be added again."""
        await self._delete(lab, report)
        async with report.step(f"{CLUB.name}: added again"):
            self._entries[CLUB.name] = await _add(lab, CLUB, NEW_PASSWORD)
            subject = self._subject(lab, CLUB)
            await subject.wait_state("binary_sensor", "signed_in", "on")
            require(
                len(await lab.api.devices(subject.entry.entry_id)) == 1,
                "it follows somebody from before",
            )

    async def add_first_in_browser(
        self, lab: Lab, report: Report, browser: Browser, shots: Path
    ) -> None:
        """Add the lobby once more, as a user does, and look at a player's device."""
        await self._delete(lab, report)
        folder, address = shots / "faf", CLUB.address(lab)
        texts = await lab.api.translations("config", DOMAIN)
        async with report.step(f"{CLUB.name}: added in the browser"):
            wrong = await add_by_hand(
                lab, browser, address, folder, _browser_steps(lab, texts)
            )
            require(not wrong, f"errors in the page: {wrong}")
        async with report.step(f"{CLUB.name}: its pages in the browser"):
            for entry in await lab.api.entries(DOMAIN):
                if entry.title == address:
                    self._entries[CLUB.name] = entry
            await _set_players(lab, self._entries[CLUB.name].entry_id, FOLLOWED)
            subject = self._subject(lab, CLUB)
            await subject.wait_state("sensor", player_entity(RHIZA, "status"), "online")
            await subject.tell(f"host {RHIZA} scmp_009 Who is on the couch")
            await subject.wait_state(
                "sensor", player_entity(RHIZA, "status"), "in_lobby"
            )
            wrong = await look_at(lab, browser, address, folder / "pages", [RHIZA])
            require(not wrong, f"errors in the page: {wrong}")

    async def _delete(self, lab: Lab, report: Report) -> None:
        fake, entry = lab.fakes[CLUB.name], self._entries.pop(CLUB.name)
        async with report.step(f"{fake.name}: deleting its entry signs out"):
            async with hears(fake, "signed_out", login=WATCHER):
                await lab.api.delete_entry(entry.entry_id)
            require(
                not await lab.api.entities(entry.entry_id), "entities are left behind"
            )
            require(
                not await lab.api.devices(entry.entry_id), "devices are left behind"
            )

    def _subject(self, lab: Lab, lobby: DemoLobby) -> LobbySubject:
        return LobbySubject(lab, self._entries[lobby.name], lab.fakes[lobby.name])

    async def _follow(self, lab: Lab, report: Report, club: LobbySubject) -> None:
        """Choose whom to follow."""
        entry_id = club.entry.entry_id
        async with report.step(
            f"{CLUB.name}: two players are followed, each is a device"
        ):
            await _set_players(lab, entry_id, (RHIZA, "Somebody_Else"))
            await _wait_devices(lab, entry_id, {RHIZA, "Somebody_Else"})
            await _set_players(lab, entry_id, FOLLOWED)
            await _wait_devices(lab, entry_id, set(FOLLOWED))
            await club.wait_state("sensor", player_entity(RHIZA, "status"), "online")
            await club.wait_state(
                "sensor", player_entity(BRACKMAN, "status"), "offline"
            )

    async def _take_over(self, lab: Lab, report: Report, club: LobbySubject) -> None:
        """Sign in elsewhere with the same account."""
        async with report.step(
            f"{CLUB.name}: another login takes over, and is left alone"
        ):
            await club.tell(f"kick {WATCHER}")
            await club.wait_state("binary_sensor", "signed_in", "off")
            issue = await _wait_issue(lab, "faf_signed_out")
            mark = club.fake.position
            await lab.api.reload_entry(club.entry.entry_id)
            await lab.api.wait_entry(club.entry.entry_id)
            await club.wait_state("button", "sign_in_again", "unknown")
            require(
                not any(
                    event.get("kind") == "signed_in"
                    for event in club.fake.events[mark:]
                ),
                "it has signed in again by itself",
            )
        async with report.step(f"{CLUB.name}: repaired, it signs in again"):
            async with hears(club.fake, "signed_in", login=WATCHER):
                await _fix(lab, issue)
            await club.wait_state("binary_sensor", "signed_in", "on")
            require(not await _issues(lab), f"there is still {await _issues(lab)}")

    async def _change(self, lab: Lab, report: Report, club: LobbySubject) -> None:
        """Change its door and its password."""
        entry_id = club.entry.entry_id
        for framing, usual in (
            ("json", JSON_PORT),
            ("qdatastream", QDATASTREAM_PORT),
            ("websocket", 0),
        ):
            port = CLUB.port(lab, usual) if usual else CLUB.port(lab)
            async with report.step(f"{CLUB.name}: through its door {framing}"):
                walk = await Walk.begin(lab.api, DOMAIN, reconfigure=entry_id)
                await walk.choose("faf_reconfigure_address")
                await walk.submit(host=CLUB.address(lab), framing=framing, port=port)
                await walk.wait(ADDING)
                walk.require_abort("reconfigure_successful")
                await club.wait_state("binary_sensor", "signed_in", "on")
                await club.wait_state("sensor", "players_online", _is_known)
        async with report.step(
            f"{CLUB.name}: has another password, asks for it, and gets it"
        ):
            await club.tell(f"password {WATCHER} {NEW_PASSWORD}")
            await lab.api.reload_entry(entry_id)
            flow = await lab.api.wait_flow(DOMAIN, source="reauth")
            walk = await Walk.resume(lab.api, DOMAIN, flow.flow_id)
            walk = await _walk_on(lab, CLUB, walk, NEW_PASSWORD)
            walk.require_abort("reauth_successful")
            await club.wait_state("binary_sensor", "signed_in", "on")

    async def _lose(self, report: Report, club: LobbySubject) -> None:
        """Restart the server."""
        async with report.step(
            f"{CLUB.name}: its server is restarted, and found again"
        ):
            await club.tell("disappear")
            await club.wait_state("binary_sensor", "link", "off")
            await club.wait_state("sensor", "players_online", "unavailable")
            async with hears(club.fake, "signed_in", login=WATCHER):
                await club.tell("reappear")
            await club.wait_state("binary_sensor", "signed_in", "on")
            for player in FOLLOWED:
                await club.tell(f"on {player}")
                await club.wait_state(
                    "sensor", player_entity(player, "status"), "online"
                )


def _is_known(state: State) -> bool:
    return state.state not in {"unknown", "unavailable"}


def _browser_steps(lab: Lab, texts: dict[str, str]) -> list[JsonValue]:
    """Return what a user does in the browser, by the texts that are shown."""

    def text(key: str) -> str:
        return texts[f"component.{DOMAIN}.config.step.{key}"]

    return [
        {"choose": text("user.menu_options.faf_user")},
        {"choose": text("faf_user.menu_options.faf_own")},
        {"fill": [CLUB.address(lab), str(CLUB.port(lab))]},
        {"choose": text("faf_account.menu_options.faf_password")},
        {"fill": [WATCHER, NEW_PASSWORD]},
    ]


async def _add(lab: Lab, lobby: DemoLobby, password: str | None = None) -> ConfigEntry:
    """Add a lobby; returns the loaded entry."""
    walk = await _walk_on(lab, lobby, await Walk.begin(lab.api, DOMAIN), password)
    return await lab.api.wait_entry(walk.entry().entry_id)


async def _add_after_refusal(lab: Lab) -> ConfigEntry:
    """Add a lobby; what is typed is wrong at first."""
    walk = await Walk.begin(lab.api, DOMAIN)
    await walk.choose("faf_user")
    await walk.choose("faf_own")
    await walk.submit(host=CLUB.address(lab), framing="json", port=9)
    await walk.wait(ADDING)
    require(
        walk.result.errors == {"base": "faf_unreachable"},
        f"nothing is there, but {walk.where}",
    )
    await _walk_on(lab, CLUB, walk, WRONG)
    require(
        walk.result.errors == {"base": "faf_password_refused"},
        f"the password is wrong, but {walk.where}",
    )
    await _walk_on(lab, CLUB, walk, PASSWORD)
    return await lab.api.wait_entry(walk.entry().entry_id)


async def _walk_on(
    lab: Lab, lobby: DemoLobby, walk: Walk, password: str | None
) -> Walk:
    """Do what a user does until the flow ends, or has something against the password."""
    is_typed = False
    for _ in range(MAX_STEPS):
        match walk.result.type, walk.result.step_id:
            case "menu", "user":
                await walk.choose("faf_user")
            case "menu", "faf_user":
                await walk.choose("faf_own")
            case "progress", _:
                await walk.wait(ADDING)
            case "form", "faf_own":
                await walk.submit(
                    host=lobby.address(lab), framing="websocket", port=lobby.port(lab)
                )
            case "menu", "faf_account":
                option = "faf_no_account" if password is None else "faf_password"
                await walk.choose(option)
            case "form", "faf_password" | "faf_reauth_password" if not is_typed:
                is_typed = True
                await walk.submit(login=WATCHER, password=password or "")
            case _:
                return walk
    raise CheckError(f"no end: {walk.steps}")


async def _set_players(lab: Lab, entry_id: str, players: tuple[str, ...]) -> None:
    """Fill in the form behind the gear."""
    result = await lab.api.start_options(entry_id)
    missing = await lab.api.missing_texts(result, DOMAIN, "options")
    require(not missing, f"texts are missing: {', '.join(missing)}")
    result = await lab.api.configure_options(result.flow_id, {"players": list(players)})
    require(result.type == "create_entry", f"there is {result.type} {result.errors}")


async def _wait_devices(lab: Lab, entry_id: str, names: set[str]) -> None:
    """Wait until these are the devices that hang on a lobby's."""
    found: set[str | None] = set()
    changes = await lab.api.subscribe_events("device_registry_updated")
    async with changes:
        try:
            async with asyncio.timeout(COMMAND):
                while True:
                    found = {
                        device.name
                        for device in await lab.api.devices(entry_id)
                        if device.raw.get("via_device_id") is not None
                    }
                    if found == names:
                        return
                    await changes.get()
        except TimeoutError as err:
            raise WaitError(f"the players are {found}") from err


async def _issues(lab: Lab) -> list[str]:
    """Return the ids of the issues of lobbies."""
    return [
        get_str(issue, "issue_id")
        for issue in await lab.api.issues(DOMAIN)
        if get_str(issue, "issue_id").startswith("faf_")
    ]


async def _wait_issue(lab: Lab, key: str) -> str:
    """Wait for an issue; returns its id."""
    changes = await lab.api.subscribe_events("repairs_issue_registry_updated")
    async with changes:
        try:
            async with asyncio.timeout(COMMAND):
                while True:
                    for issue_id in await _issues(lab):
                        if issue_id.startswith(key):
                            return issue_id
                    await changes.get()
        except TimeoutError as err:
            raise WaitError(f"no issue {key}, only {await _issues(lab)}") from err


async def _fix(lab: Lab, issue_id: str) -> None:
    """Press "Fix" of an issue, and confirm."""
    body: JsonObject = {"handler": DOMAIN, "issue_id": issue_id}
    result = FlowResult.parse(await lab.api.request("POST", FIX_URL, body))
    require(result.type == "form", f"there is {result.type} {result.reason}")
    result = FlowResult.parse(
        await lab.api.request("POST", f"{FIX_URL}/{result.flow_id}", {})
    )
    require(result.type == "create_entry", f"there is {result.type} {result.errors}")
