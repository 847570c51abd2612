"""Using a lobby: its numbers, its queues, an evening of a followed player, its actions."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, override

from .api import ApiError, WaitError
from .faf_lobbies import BRACKMAN, FRIEND, RHIZA, WATCHER, is_kind
from .fakes import FakeProcess
from .models import Entity, State
from .report import CheckError, Report, require
from .shapes import JsonObject, JsonValue, as_list, as_object, get_object
from .subject import Subject

COMMAND: Final = 15.0
PLAYER: Final = "player_"
QUEUE: Final = "ladder1v1"
SETONS: Final = "scmp_009"
SETONS_NAME: Final = "Seton's Clutch"
GAME: Final = "Dinner is late"
OTHER_GAME: Final = "Nell and the others"
NOTICE: Final = "The server will be <b>restarted</b> at ten."
NOTICE_TEXT: Final = "The server will be restarted at ten."
GAIN: Final = 14.5
SLACK: Final = timedelta(seconds=3)


@dataclass(slots=True)
class LobbySubject(Subject):
    """A lobby: of its devices it is the one that the others hang on."""

    @override
    async def device_id(self) -> str:
        if self._device_id is None:
            for device in await self.api.devices(self.entry.entry_id):
                if device.raw.get("via_device_id") is None:
                    self._device_id = device.id
                    break
            else:
                raise CheckError(f"{self.fake.name} has no device")
        return self._device_id

    @override
    async def entity(self, domain: str, about: str = "") -> str:
        """Return the id of an entity, once it is there.

        `about` is the end of its unique id; that of a player's begins with "player_".
        """

        def fits(entity: Entity) -> bool:
            return (
                entity.domain == domain
                and entity.unique_id.endswith(f"_{about}")
                and about.startswith(PLAYER) is (f"_{PLAYER}" in entity.unique_id)
            )

        changes = await self.api.subscribe_events("entity_registry_updated")
        async with changes:
            try:
                async with asyncio.timeout(COMMAND):
                    while True:
                        for entity in await self.api.entities(self.entry.entry_id):
                            if fits(entity):
                                return entity.entity_id
                        await changes.get()
            except TimeoutError as err:
                raise WaitError(f"{self.fake.name} has no {domain} {about}") from err

    async def number(self, about: str, wanted: int) -> None:
        """Wait until a sensor has a value."""
        await self.wait_state("sensor", about, lambda state: _number(state) == wanted)

    async def tell(self, line: str) -> JsonObject:
        """Tell the fake something, and wait until it is done; returns its answer."""
        return await tell(self.fake, line)

    @contextlib.asynccontextmanager
    async def shows(self, about: str, event_type: str) -> AsyncIterator[JsonObject]:
        """Do something, and wait until an event entity shows it.

        What it shows beside the type is in the dictionary by then.
        """
        entity_id = await self.entity("event", about)
        before = self.api.states[entity_id]
        attributes: JsonObject = {}
        yield attributes
        state = await self.api.wait_state(
            entity_id,
            lambda state: (
                state.state != before.state
                and state.attributes.get("event_type") == event_type
            ),
            COMMAND,
        )
        attributes.update(state.attributes)

    @contextlib.asynccontextmanager
    async def shows_all(self, about: str, *event_types: str) -> AsyncIterator[None]:
        """Do something, and wait until an event entity has shown all of these, in any order."""
        entity_id = await self.entity("event", about)
        wanted = set(event_types)
        async with self.watch("state_changed") as changes:
            yield
            while wanted:
                data = await changes.next(lambda data: data["entity_id"] == entity_id)
                state = State.parse(as_object(data["new_state"]))
                wanted.discard(str(state.attributes.get("event_type")))


async def tell(fake: FakeProcess, line: str) -> JsonObject:
    """Tell a fake something, and wait until it is done; returns its answer."""
    command = line.partition(" ")[0]
    is_done, is_error = (is_kind(kind, command=command) for kind in ("done", "error"))
    mark = fake.position
    await fake.say(line)
    event = await fake.wait(
        lambda event: is_done(event) or is_error(event), command, COMMAND, start=mark
    )
    if is_error(event):
        raise CheckError(f"{fake.name} does not {line}: {event}")
    return get_object(event, "data")


@contextlib.asynccontextmanager
async def hears(fake: FakeProcess, kind: str, **fits: JsonValue) -> AsyncIterator[None]:
    """Do something, and wait until the fake tells of what it shall cause."""
    mark = fake.position
    yield
    await fake.wait(is_kind(kind, **fits), kind, COMMAND, start=mark)


async def check_lobby(report: Report, lobby: LobbySubject) -> None:
    """Look at what a lobby tells of itself."""
    name = lobby.fake.name
    async with report.step(f"{name}: as many players and games as there are"):
        await lobby.number("players_online", 1)
        await lobby.tell(f"on {RHIZA}")
        await lobby.tell(f"on {FRIEND}")
        await lobby.number("players_online", 3)
        await lobby.number("games_open", 0)
        await lobby.number("games_running", 0)
        await lobby.number("players_in_games", 0)
    async with report.step(f"{name}: counts down to the next round of a queue"):
        before = await _next_pop(lobby)
        await lobby.tell(f"search {RHIZA} {QUEUE}")
        await lobby.number(f"queue_{QUEUE}_players", 1)
        until = before - datetime.now(UTC)
        limits = timedelta(0) - SLACK, timedelta(seconds=180)
        require(limits[0] <= until <= limits[1], f"the next round is in {until}")
        async with hears(lobby.fake, "received", command="matchmaker_info"):
            await lobby.do("button.press", "refresh_queues")
        await lobby.tell(f"pop {QUEUE}")
        await lobby.wait_state(
            "sensor", f"queue_{QUEUE}_next_pop", _is_after(before + SLACK)
        )
        await lobby.tell(f"stop_search {RHIZA}")
        await lobby.number(f"queue_{QUEUE}_players", 0)
    async with (
        report.step(f"{name}: tells what the server announces, without its markup"),
        lobby.shows("notice", "info") as shown,
    ):
        await lobby.tell(f"notice info {NOTICE}")
    require(shown.get("text") == NOTICE_TEXT, f"the notice is {shown}")


async def check_evening(report: Report, lobby: LobbySubject) -> None:
    """Follow a player from the evening's beginning to its end."""
    await lobby.tell(f"off {RHIZA}")
    await _come_and_open(report, lobby)
    await _play(report, lobby)
    await _match(report, lobby)
    async with report.step(f"{RHIZA} goes"):
        async with lobby.shows(player_entity(RHIZA, "activity"), "offline"):
            await lobby.tell(f"off {RHIZA}")
        await lobby.wait_state("sensor", player_entity(RHIZA, "status"), "offline")


async def _come_and_open(report: Report, lobby: LobbySubject) -> None:
    """Let players come, and open games."""
    activity, status = player_entity(RHIZA, "activity"), player_entity(RHIZA, "status")
    async with report.step(f"{RHIZA} comes online"):
        await lobby.wait_state("sensor", status, "offline")
        async with lobby.shows(activity, "online"):
            await lobby.tell(f"on {RHIZA}")
        await lobby.wait_state("sensor", status, "online")
        await lobby.wait_state("sensor", player_entity(RHIZA, "rating"), _is_number)
    async with report.step(f"{RHIZA} opens a game: a friend's, and a player's, event"):
        async with (
            lobby.shows(activity, "opened_game"),
            lobby.shows("game", "friend_opened") as shown,
        ):
            await lobby.tell(f"host {RHIZA} {SETONS} {GAME}")
        require(shown.get("title") == GAME, f"there was {shown}")
        await lobby.wait_state("sensor", status, "in_lobby")
        await lobby.wait_state("sensor", player_entity(RHIZA, "map"), SETONS_NAME)
        await lobby.wait_state("sensor", player_entity(RHIZA, "game"), GAME)
        await lobby.number("games_open", 1)
        await lobby.number("players_in_games", 1)
    async with report.step(f"{BRACKMAN}, followed too, joins it"):
        async with lobby.shows(player_entity(BRACKMAN, "activity"), "online"):
            await lobby.tell(f"on {BRACKMAN}")
        async with lobby.shows(player_entity(BRACKMAN, "activity"), "joined_game"):
            await lobby.tell(f"join {await _uid(lobby, GAME)} {BRACKMAN}")
        await lobby.wait_state("sensor", player_entity(BRACKMAN, "status"), "in_lobby")
    async with (
        report.step(f"{FRIEND}, a friend who is not followed, opens a game"),
        lobby.shows("game", "friend_opened") as shown,
    ):
        await lobby.tell(f"host {FRIEND} {SETONS} {OTHER_GAME}")
    require(shown.get("host") == FRIEND, f"there was {shown}")


async def _play(report: Report, lobby: LobbySubject) -> None:
    """Play the game that was opened."""
    activity, status = player_entity(RHIZA, "activity"), player_entity(RHIZA, "status")
    uid = await _uid(lobby, GAME)
    async with report.step(f"{RHIZA} plays"):
        async with (
            lobby.shows(activity, "game_started"),
            lobby.shows("game", "started"),
        ):
            await lobby.tell(f"launch {uid}")
        await lobby.wait_state("sensor", status, "playing")
        since = await lobby.wait_state(
            "sensor", player_entity(RHIZA, "game_since"), _is_time
        )
        age = datetime.now(UTC) - datetime.fromisoformat(since.state)
        require(-SLACK <= age <= timedelta(minutes=1), f"it plays since {since.state}")
        await lobby.number("games_running", 1)
    await _ask(report, lobby, uid)
    async with report.step(f"{RHIZA} wins, and is rated"):
        ended = await lobby.entity("sensor", "games_finished")
        count = _number(lobby.api.states[ended]) or 0
        async with lobby.shows_all(activity, "game_ended", "rating_changed"):
            await lobby.tell(f"end {uid} {RHIZA}=+{GAIN} {BRACKMAN}=-{GAIN}")
        await lobby.wait_state("sensor", status, "online")
        for player, sign in ((RHIZA, 1), (BRACKMAN, -1)):
            await lobby.wait_state(
                "sensor", player_entity(player, "rating_change"), _has_sign(sign)
            )
        await lobby.number("games_finished", int(count) + 1)
        await lobby.number("games_running", 0)


async def _ask(report: Report, lobby: LobbySubject, uid: int) -> None:
    """Ask for games and players, and change the list of friends."""
    name = lobby.fake.name
    async with report.step(f"{name}: its games and players are listed"):
        answer = await lobby.ask("get_games", state="playing", player=RHIZA)
        games = [as_object(game) for game in as_list(answer["games"])]
        require([game["uid"] for game in games] == [uid], f"there are {games}")
        require(games[0]["map"] == SETONS_NAME, f"there is {games[0]}")
        answer = await lobby.ask("get_games", state="open", open_slots=1)
        titles = [as_object(game)["title"] for game in as_list(answer["games"])]
        require(titles == [OTHER_GAME], f"open are {titles}")
        answer = await lobby.ask("get_players", login=BRACKMAN[:3])
        players = [as_object(player) for player in as_list(answer["players"])]
        require(
            [player["login"] for player in players] == [BRACKMAN],
            f"there are {players}",
        )
        require(players[0]["status"] == "playing", f"there is {players[0]}")
    async with report.step(f"{name}: {BRACKMAN} becomes a friend, and a foe instead"):
        async with hears(lobby.fake, "friend_added", login=WATCHER):
            await lobby.act("add_friend", player=BRACKMAN.upper())
        async with (
            hears(lobby.fake, "friend_removed", login=WATCHER),
            hears(lobby.fake, "foe_added", login=WATCHER),
        ):
            await lobby.act("add_foe", player=BRACKMAN)
        async with hears(lobby.fake, "foe_removed", login=WATCHER):
            await lobby.act("remove_foe", player=BRACKMAN)
        async with hears(lobby.fake, "friend_removed", login=WATCHER):
            await lobby.act("remove_friend", player=FRIEND)
        async with hears(lobby.fake, "friend_added", login=WATCHER):
            await lobby.act("add_friend", player=FRIEND)
        with _refused("Nobody_At_All"):
            await lobby.act("add_friend", player="Nobody_At_All")
    async with (
        report.step(f"{name}: another picture for the account"),
        hears(lobby.fake, "avatar", login=WATCHER),
    ):
        await _choose_avatar(lobby)


async def _match(report: Report, lobby: LobbySubject) -> None:
    """Let the matchmaker find a match for a followed player, and for the account."""
    async with (
        report.step(f"{RHIZA} is told of a match, and plays it"),
        lobby.shows(player_entity(RHIZA, "activity"), "match_found"),
    ):
        await lobby.tell(f"match {QUEUE} {RHIZA} {BRACKMAN}")
    async with report.step(f"{lobby.fake.name}: the account searches, and is stopped"):
        await lobby.tell(f"search {WATCHER} {QUEUE}")
        button = await lobby.entity("button", "stop_search")
        await lobby.api.wait_state(button, lambda state: state.state != "unavailable")
        async with hears(lobby.fake, "search", login=WATCHER, state="stop"):
            await lobby.do("button.press", "stop_search")
        await lobby.api.wait_state(button, "unavailable")


async def _choose_avatar(lobby: LobbySubject) -> None:
    entity_id = await lobby.entity("select", "avatar")
    state = await lobby.api.wait_state(
        entity_id, lambda state: len(as_list(state.attributes["options"])) > 1
    )
    option = next(
        option
        for option in as_list(state.attributes["options"])
        if option not in ("none", state.state)
    )
    await lobby.do("select.select_option", "avatar", option=option)
    await lobby.api.wait_state(entity_id, str(option))


@contextlib.contextmanager
def _refused(said: str) -> Iterator[None]:
    """Expect an error of Home Assistant that says something."""
    try:
        yield
    except ApiError as err:
        require(said in str(err), f"the error is {err}")
    else:
        raise CheckError(f"no error about {said}")


async def _uid(lobby: LobbySubject, title: str) -> int:
    """Return the number of a game."""
    answer = await lobby.ask("get_games")
    for game in map(as_object, as_list(answer["games"])):
        if game["title"] == title:
            uid = game["uid"]
            assert isinstance(uid, int)
            return uid
    raise CheckError(f"there is no {title}: {answer}")


def player_entity(player: str, key: str) -> str:
    """Return what the unique id of an entity of a followed player ends with."""
    return f"{PLAYER}{player.casefold()}_{key}"


async def _next_pop(lobby: LobbySubject) -> datetime:
    """Return when the queue makes its next matches."""
    state = await lobby.wait_state("sensor", f"queue_{QUEUE}_next_pop", _is_time)
    return datetime.fromisoformat(state.state)


def _number(state: State) -> float | None:
    try:
        return float(state.state)
    except ValueError:
        return None


def _is_number(state: State) -> bool:
    return _number(state) is not None


def _has_sign(sign: int) -> Callable[[State], bool]:
    return lambda state: (_number(state) or 0) * sign > 0


def _is_time(state: State) -> bool:
    return _time(state) is not None


def _is_after(moment: datetime) -> Callable[[State], bool]:
    return lambda state: (_time(state) or moment) > moment


def _time(state: State) -> datetime | None:
    try:
        return datetime.fromisoformat(state.state)
    except ValueError:
        return None
