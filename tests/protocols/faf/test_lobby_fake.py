"""The model next to the state of a server: an evening, told over a real connection."""

from collections.abc import AsyncIterator, Callable
from random import Random

import pytest

from .watching import Watched
from custom_components.rumpus.protocols.faf.events import (
    GameEnded,
    GameLaunched,
    GameOpened,
    LobbyEvent,
    MatchAborted,
    MatchFormed,
    NoticeReceived,
    PlayerCameOnline,
    PlayerWentOffline,
    RatingChanged,
    Refreshed,
)
from custom_components.rumpus.protocols.faf.models import PlayerStatus
from tests.fakes.faf_json import JsonObject as FakeObject
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_models import Stage
from tests.fakes.faf_script_client import JsonClient

pytestmark = pytest.mark.usefixtures("socket_enabled")

STATES = {Stage.LOBBY: "open", Stage.LIVE: "playing"}
LOGINS = [f"Commander{n}" for n in range(10)]


@pytest.fixture
async def fake() -> AsyncIterator[FakeLobby]:
    # Tells of changes when the test says so.
    async with FakeLobby(report_interval=3600.0) as fake:
        fake.add_account("watcher")
        yield fake


class Watcher(Watched):
    """A lobby that is told what a server says to a connection."""

    def __init__(self, fake: FakeLobby, client: JsonClient) -> None:
        super().__init__()
        self.fake = fake
        self.client = client

    def hear(self, messages: list[FakeObject]) -> list[LobbyEvent]:
        return [event for message in messages for event in self.tell(message)]

    async def sign_in(self) -> list[LobbyEvent]:
        await self.client.sign_in("watcher")
        events = self.hear(self.client.received + await self.client.settle())
        # The server says to whom it speaks that they are not official.
        return [event for event in events if not isinstance(event, NoticeReceived)]

    async def report(self) -> list[LobbyEvent]:
        """Let the server tell what has changed, and take it in."""
        self.fake.flush()
        return self.hear(await self.client.settle())

    def check(self) -> None:
        """Compare the model with the state of the server."""
        core = self.fake.core
        assert {p.id: p.login for p in self.lobby.players.values()} == {
            p.id: p.login for p in core.players.values()
        }
        assert {uid: game.state for uid, game in self.lobby.games.items()} == {
            uid: STATES[game.stage]
            for uid, game in core.games.items()
            if game.stage in STATES
        }
        for uid, game in self.lobby.games.items():
            assert game.member_ids == {
                player.id
                for team in core.games[uid].teams().values()
                for player in team
            }


@pytest.fixture
async def watcher(fake: FakeLobby) -> AsyncIterator[Watcher]:
    async with JsonClient(fake) as client:
        yield Watcher(fake, client)


def do_something(fake: FakeLobby, chance: Random) -> None:
    """Let one thing happen of all that can."""
    core = fake.core
    login = chance.choice(LOGINS)
    account = core.add_account(login)
    player = core.players.get(account.id)
    deeds: list[Callable[[], object]] = []
    if player is None:
        deeds = [lambda: fake.sign_on(login)]
    elif player.game is None:
        joinable = [g.uid for g in core.games.values() if g.stage is Stage.LOBBY]
        deeds = [lambda: fake.sign_off(login), lambda: fake.host_game(login)]
        deeds += (
            [lambda: fake.join(login, chance.choice(joinable))] * 3 * bool(joinable)
        )
        deeds += [lambda: fake.set_avatar(login, None)]
    else:
        uid, stage = player.game.uid, player.game.stage
        deeds = [lambda: fake.leave(login), lambda: fake.sign_off(login)]
        if stage is Stage.LOBBY:
            deeds += [lambda: fake.launch(uid)] * 3
        elif stage is Stage.LIVE:
            deeds += [lambda: fake.end_game(uid, {login: (1300.0, 90.0)})] * 3
    chance.choice(deeds)()


@pytest.mark.parametrize("seed", range(3))
async def test_an_evening(fake: FakeLobby, watcher: Watcher, seed: int) -> None:
    chance = Random(seed)
    for _ in range(20):
        do_something(fake, chance)
    fake.flush()

    assert await watcher.sign_in() == [Refreshed()]
    watcher.check()
    for _ in range(25):
        for _ in range(chance.randint(1, 4)):
            do_something(fake, chance)
        await watcher.report()
        watcher.check()


async def test_a_game_from_its_lobby_to_its_ratings(
    fake: FakeLobby, watcher: Watcher
) -> None:
    fake.sign_on("Rhiza", "Dostya")
    await watcher.sign_in()
    lobby = watcher.lobby
    rhiza = lobby.find_player("rhiza")
    assert rhiza is not None

    uid = fake.host_game("Rhiza", title="Come in", is_open=False)
    assert await watcher.report() == []
    fake.open_game(uid)
    assert await watcher.report() == [GameOpened(lobby.games[uid])]
    assert lobby.status_of(rhiza.id) is PlayerStatus.IN_LOBBY
    fake.join("Dostya", uid)
    await watcher.report()
    assert lobby.players_in_games == 2

    fake.launch(uid)
    (launched,) = await watcher.report()
    assert isinstance(launched, GameLaunched)
    assert lobby.status_of(rhiza.id) is PlayerStatus.PLAYING

    fake.end_game(uid, {"Rhiza": (1530.0, 480.0)})
    events = await watcher.report()
    assert {type(event) for event in events} == {RatingChanged, GameEnded}
    assert await watcher.report() == []
    assert lobby.finished_games == 1
    assert lobby.status_of(rhiza.id) is PlayerStatus.ONLINE


async def test_a_match_of_others(fake: FakeLobby, watcher: Watcher) -> None:
    await watcher.sign_in()
    fake.search("Rhiza")
    fake.search("Dostya")
    came = await watcher.report()
    assert {type(event) for event in came} >= {PlayerCameOnline}
    assert watcher.lobby.queues["ladder1v1"].players == 2

    (uid,) = fake.pop()
    events = await watcher.report()
    assert MatchFormed(watcher.lobby.forming[uid]) in events
    assert watcher.lobby.queues["ladder1v1"].players == 0
    fake.launch(uid)
    assert [type(event) for event in await watcher.report()] == [GameLaunched]
    fake.end_game(uid)
    assert [type(event) for event in await watcher.report()] == [GameEnded]
    assert await watcher.report() == []


async def test_a_match_that_is_cancelled(fake: FakeLobby, watcher: Watcher) -> None:
    await watcher.sign_in()
    fake.search("Rhiza")
    fake.search("Dostya")
    (uid,) = fake.pop()
    await watcher.report()

    fake.cancel_match(uid)

    assert await watcher.report() == [MatchAborted(uid)]
    assert await watcher.report() == []


async def test_a_second_login_replaces_everything(
    fake: FakeLobby, watcher: Watcher
) -> None:
    fake.crowd(60, 12)
    await watcher.sign_in()
    watcher.check()
    fake.sign_off("Commander_0001", "Commander_0060")
    fake.sign_on("Rhiza")
    fake.flush()

    async with JsonClient(fake) as client:
        watcher.client = client
        assert await watcher.sign_in() == [Refreshed()]
        watcher.check()

        fake.sign_off("Rhiza")
        assert [type(event) for event in await watcher.report()] == [PlayerWentOffline]
