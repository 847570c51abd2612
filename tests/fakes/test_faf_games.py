"""Games of the fake lobby: hosted over the wire and by a test."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.faf_json import JsonObject, JsonValue
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_script_client import JsonClient, QdsClient, objects

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def lobby() -> AsyncIterator[FakeLobby]:
    async with FakeLobby(report_interval=60) as lobby:
        for login in ("host", "guest", "watcher", "third"):
            lobby.add_account(login)
        yield lobby


@pytest.fixture
async def host(lobby: FakeLobby) -> AsyncIterator[JsonClient]:
    async with JsonClient(lobby) as client:
        await client.sign_in("host")
        yield client


@pytest.fixture
async def guest(lobby: FakeLobby) -> AsyncIterator[QdsClient]:
    async with QdsClient(lobby) as client:
        await client.sign_in("guest")
        yield client


@pytest.fixture
async def watcher(lobby: FakeLobby) -> AsyncIterator[JsonClient]:
    async with JsonClient(lobby) as client:
        await client.sign_in("watcher")
        lobby.flush()
        await client.settle()
        yield client


async def told(lobby: FakeLobby, client: JsonClient) -> list[JsonObject]:
    """Return what a client is told of with the next report."""
    lobby.flush()
    return await client.settle()


async def host_game(client: JsonClient, **fields: JsonValue) -> int:
    message: JsonObject = {"command": "game_host", "visibility": "public"}
    await client.send(message | fields)
    launch = await client.expect("game_launch")
    uid = launch["uid"]
    assert isinstance(uid, int)
    return uid


async def test_a_whole_game_over_the_wire(
    lobby: FakeLobby, host: JsonClient, guest: QdsClient, watcher: JsonClient
) -> None:
    host_id, guest_id = lobby.account("host").id, lobby.account("guest").id
    uid = await host_game(host, title="Setons 1v1", mapname="scmp_009", password="x")
    (hosted,) = await told(lobby, watcher)
    assert (hosted["state"], hosted["hosted_at"], hosted["num_players"]) == (
        *("closed", None, 0),
    )
    assert hosted["password_protected"] is True

    await host.to_game("GameState", "Idle")
    await host.to_game("GameState", "Lobby")
    assert (await host.expect("HostGame"))["args"] == ["scmp_009"]
    for number, player in enumerate((host_id, guest_id), 1):
        for key, value in {
            "Faction": 1,
            "Color": number,
            "Team": number + 1,
            "Army": number,
            "StartSpot": number,
        }.items():
            await host.to_game("PlayerOption", str(player), key, value)
    await host.settle()
    (opened,) = await told(lobby, watcher)
    assert (opened["state"], opened["num_players"]) == ("open", 1)
    assert opened["teams"] == {"2": ["host"]}

    await guest.send({"command": "game_join", "uid": str(uid), "password": "wrong"})
    assert (await guest.expect("notice", style="info"))["text"] == (
        "Bad password (it's case sensitive)."
    )
    await guest.send({"command": "game_join", "uid": str(uid), "password": "x"})
    launch = await guest.expect("game_launch")
    assert (launch["mod"], launch["args"], launch["init_mode"]) == (
        *("faf", ["/numgames", 0], 0),
    )
    await guest.to_game("GameState", "Idle")
    await guest.to_game("GameState", "Lobby")
    assert (await guest.expect("JoinGame"))["args"] == ["host", host_id]
    assert (await host.expect("ConnectToPeer"))["args"] == ["guest", guest_id, True]
    await guest.to_game("IceMsg", host_id, {"type": "candidate"})
    assert (await host.expect("IceMsg"))["args"] == [guest_id, {"type": "candidate"}]

    await host.to_game("GameOption", "Slots", 2)
    await host.to_game("GameOption", "ScenarioFile", "/maps/SCMP_016/x.lua")
    await host.to_game("GameOption", "Title", "Renamed")
    await host.to_game("GameOption", "Victory", "nonsense")
    await host.to_game("GameMods", "uids", "a b")
    await host.settle()
    (lobbied,) = await told(lobby, watcher)
    assert lobbied["title"] == "Renamed"
    assert (lobbied["mapname"], lobbied["max_players"]) == ("scmp_016", 2)
    assert list(lobbied["sim_mods"] or ()) == ["a", "b"]  # type: ignore[arg-type]
    assert lobbied["teams"] == {"2": ["host"], "3": ["guest"]}

    await guest.to_game("GameState", "Launching")  # is not up to the guest
    await host.to_game("GameState", "Launching")
    await host.settle()
    (launched,) = await told(lobby, watcher)
    assert launched["state"] == "playing"
    assert isinstance(launched["launched_at"], float)

    await host.to_game("GameResult", 1, "recall victory 10")
    await host.to_game("GameResult", 2, "defeat -10")
    await host.to_game("GameResult", 2, "score 3")
    await host.to_game("GameEnded")
    await guest.to_game("GameEnded")
    await host.settle()
    await guest.settle()
    rated, ended = await told(lobby, watcher)
    assert (ended["state"], ended["teams"]) == (
        "closed",
        {"2": ["host"], "3": ["guest"]},
    )
    means = {
        player["login"]: player["global_rating"] for player in objects(rated["players"])
    }
    assert means == {"host": [1512.0, 490.0], "guest": [1488.0, 490.0]}

    await host.to_game("GameState", "Ended")
    await guest.to_game("GameState", "Ended")
    await host.settle()
    await guest.settle()
    (gone,) = await told(lobby, watcher)
    assert (gone["state"], gone["teams"]) == ("closed", {"2": [], "3": []})
    assert uid not in lobby.core.games
    assert lobby.seen("game", uid=uid, state="removed")


async def test_a_game_by_a_test(lobby: FakeLobby, watcher: JsonClient) -> None:
    uid = lobby.host_game("host", title="Theirs", map_name="scmp_009", is_open=False)
    assert [g["state"] for g in await told(lobby, watcher) if "uid" in g] == ["closed"]
    lobby.open_game(uid)
    lobby.join("guest", uid)
    lobby.join("third", uid, team=-1)
    (opened,) = [g for g in await told(lobby, watcher) if "uid" in g]
    ids = {login: lobby.account(login).id for login in ("host", "guest", "third")}
    assert opened["teams_ids"] == [
        {"team_id": 2, "player_ids": [ids["host"]]},
        {"team_id": 3, "player_ids": [ids["guest"]]},
        {"team_id": -1, "player_ids": [ids["third"]]},
    ]
    assert opened["num_players"] == 3
    lobby.launch(uid, minutes_ago=10)
    assert lobby.game(uid).launched == {ids["host"], ids["guest"]}
    lobby.leave("guest")
    (running,) = await told(lobby, watcher)
    assert running["teams"] == {"2": ["host"], "3": [], "-1": ["third"]}
    lobby.end_game(uid, {"Host": (1600.0, 70.0)})
    rated, first = await told(lobby, watcher)
    assert [player["login"] for player in objects(rated["players"])] == ["host"]
    (second,) = await told(lobby, watcher)
    assert [first["state"], second["state"]] == ["closed", "closed"]
    assert first["teams"] != second["teams"] == {"2": [], "3": [], "-1": []}
    assert await told(lobby, watcher) == []
    with pytest.raises(LookupError):
        lobby.leave("host")


async def test_abandoned_lobby(
    lobby: FakeLobby, guest: QdsClient, watcher: JsonClient
) -> None:
    uid = lobby.host_game("host")
    await guest.send({"command": "game_join", "uid": uid})
    await guest.to_game("GameState", "Idle")
    await guest.to_game("GameState", "Lobby")
    await guest.expect("JoinGame")
    lobby.join("third", uid)
    await told(lobby, watcher)
    lobby.leave("third")
    await guest.expect("DisconnectFromPeer")
    lobby.abandon(uid)
    (closed,) = await told(lobby, watcher)
    assert closed["state"] == "closed"
    assert not lobby.core.games
    # The guest is free again.
    await guest.send({"command": "game_host", "visibility": "friends"})
    await guest.expect("game_launch")


async def test_guest_connects_to_peers(
    lobby: FakeLobby, host: JsonClient, guest: QdsClient, watcher: JsonClient
) -> None:
    uid = await host_game(host)
    await host.to_game("GameState", "Idle")
    await host.to_game("GameState", "Lobby")
    await host.settle()
    for client in (guest, watcher):
        await client.send({"command": "game_join", "uid": uid})
        await client.expect("game_launch")
        await client.to_game("GameState", "Idle")
        await client.to_game("GameState", "Lobby")
        await client.expect("JoinGame")
    ids = {login: lobby.account(login).id for login in ("guest", "watcher")}
    offered = await watcher.expect("ConnectToPeer")
    answered = await guest.expect("ConnectToPeer")
    assert offered["args"] == ["guest", ids["guest"], True]
    assert answered["args"] == ["watcher", ids["watcher"], False]
    await host.to_game("AIOption", "AI", "StartSpot", 3)
    await host.to_game("PlayerOption", ids["guest"], "StartSpot", 3)
    await host.settle()
    assert lobby.game(uid).teams()[1][0].login == "guest"
    await host.to_game("ClearSlot", 3)
    await host.to_game("GameMods", "activated", 0)
    await host.to_game("Desync", 1, 2)
    # Whatever is wrong or unknown is ignored.
    await host.to_game("GameState")
    await host.to_game("PlayerOption", "x", "y", "z")
    await host.to_game("Nonsense", 1)
    await host.to_game("Chat", "hello")
    await guest.to_game("GameOption", "Title", "Mine")
    await guest.settle()
    await host.settle()
    game = lobby.game(uid)
    assert (game.teams(), game.ai_options, game.desyncs) == ({}, {}, 1)
    assert game.title == "host's game"


@pytest.mark.parametrize(
    ("message", "style"),
    [
        ({"command": "game_join", "uid": 1}, "info"),
        ({"command": "game_host", "visibility": "public", "title": " "}, "error"),
        ({"command": "game_host", "visibility": "public", "title": "é"}, "error"),
        ({"command": "restore_game_session", "game_id": 1}, "info"),
    ],
)
async def test_refused(host: JsonClient, message: JsonObject, style: str) -> None:
    await host.send(message)
    await host.expect("notice", style=style)


async def test_refused_joins(lobby: FakeLobby, guest: QdsClient) -> None:
    lobby.make_foe("host", "guest")
    foe = lobby.host_game("host")
    early = lobby.host_game("third", is_open=False)
    lobby.search("a")
    lobby.search("b")
    (match,) = lobby.pop()
    lobby.open_game(match)
    for uid, style in ((foe, "error"), (early, "info"), (match, "error")):
        await guest.send({"command": "game_join", "uid": uid})
        await guest.expect("notice", style=style)
    # Somebody with a game cannot host another.
    await guest.send({"command": "game_host", "visibility": "public"})
    await guest.expect("game_launch")
    await guest.send({"command": "game_host", "visibility": "public"})
    assert "STARTING_GAME" in str((await guest.expect("notice"))["text"])


async def test_ban_while_online(lobby: FakeLobby, host: JsonClient) -> None:
    lobby.ban("host")
    await host.send({"command": "game_host", "visibility": "public"})
    assert "banned" in str((await host.read_to_end())[-1]["text"])


async def test_setup_timeout(lobby: FakeLobby, host: JsonClient) -> None:
    lobby.games.setup_timeout = 0.01
    uid = await host_game(host)
    await lobby.wait_for("game", uid=uid, state="ended")
    guest_game = lobby.host_game("third")
    await host.send({"command": "game_join", "uid": guest_game})
    await host.expect("game_launch")
    lobby.mark()
    player = lobby.core.player("host")
    game = lobby.game(guest_game)
    lobby.games.expire(game, player)
    assert player.state == "IDLE"
    assert guest_game in lobby.core.games
    lobby.games.expire(game, player)


async def test_restored_session(
    lobby: FakeLobby, guest: QdsClient, watcher: JsonClient
) -> None:
    uid = lobby.host_game("host")
    lobby.join("guest", uid)
    lobby.join("third", uid)
    lobby.launch(uid)
    await told(lobby, watcher)
    lobby.drop("guest")
    await guest.read_to_end()
    *_, running = await told(lobby, watcher)
    assert running["teams"] == {"2": ["host"], "3": ["third"]}
    async with QdsClient(lobby) as again:
        await again.sign_in("guest")
        await again.send({"command": "restore_game_session", "game_id": uid})
        await again.settle()
        *_, running = await told(lobby, watcher)
        assert running["teams"] == {"2": ["host"], "3": ["guest", "third"]}
        await again.to_game("GameState", "Ended")
        await again.settle()
    await watcher.send({"command": "restore_game_session", "game_id": uid})
    await watcher.expect("notice", style="info")


async def test_visibility(lobby: FakeLobby, watcher: JsonClient) -> None:
    lobby.sign_on("host", "guest")
    lobby.set_rating("watcher", 1500.0, 100.0, games=5)
    await told(lobby, watcher)
    lobby.host_game("host", visibility="friends")
    lobby.host_game("guest", rating_min=1300.0, enforce_rating_range=True)
    third = lobby.host_game("third", rating_max=1250.0, enforce_rating_range=True)
    assert [m["uid"] for m in await told(lobby, watcher) if "uid" in m] == [third]
    lobby.befriend("host", "watcher")
    lobby.make_foe("third", "watcher")
    for game in lobby.core.games.values():
        lobby.change_game(game.uid, title="Changed")
    assert [m["host"] for m in await told(lobby, watcher)] == ["host"]


async def test_ending_a_game_by_leaving(lobby: FakeLobby, watcher: JsonClient) -> None:
    uid = lobby.host_game("host")
    lobby.join("guest", uid)
    lobby.launch(uid)
    await told(lobby, watcher)
    lobby.sign_off("host", "guest")
    messages = await told(lobby, watcher)
    assert [player["state"] for player in objects(messages[0]["players"])] == [
        *("offline", "offline")
    ]
    assert (messages[1]["state"], messages[1]["teams"]) == (
        *("closed", {"2": [], "3": []}),
    )
    assert not lobby.core.games


async def test_host_with_a_client_goes(
    lobby: FakeLobby, host: JsonClient, watcher: JsonClient
) -> None:
    uid = await host_game(host, mod="coop", rating_min=100, rating_max=None)
    assert lobby.game(uid).game_type == "coop"
    lobby.sign_off("host")
    await host.read_to_end()
    await told(lobby, watcher)
    assert not lobby.core.games


async def test_crowd(lobby: FakeLobby, watcher: JsonClient) -> None:
    lobby.crowd(100, 30)
    lobby.crowd(10, 0)
    players, *games = await told(lobby, watcher)
    assert len(objects(players["players"])) == 100
    assert {game["state"] for game in games} == {"open", "playing"}
    assert len(games) == 25


async def test_what_games_may_not_say(
    lobby: FakeLobby, host: JsonClient, guest: QdsClient
) -> None:
    # Without a game, and before it is in its lobby.
    await guest.to_game("GameState", "Idle")
    uid = await host_game(host)
    await host.to_game("GameState", "Lobby")
    await host.to_game("PlayerOption", 1, "Team", 2)
    assert await host.settle() == []
    await host.to_game("GameState", "Idle")
    await host.to_game("GameState", "Nonsense")
    await host.to_game("GameOption", 5, 5)
    await host.to_game("GameOption", "Title", "é")
    await host.to_game("GameOption", "Victory", "sandbox")
    await host.to_game("GameMods", "nonsense", 1)
    await host.to_game("GameResult", 1, "victory")
    await host.to_game("GameEnded", 1)
    await host.to_game("IceMsg", 1, "nobody")
    await host.settle()
    await guest.send({"command": "game_join", "uid": uid})
    await guest.expect("game_launch")
    await guest.to_game("GameState", "Idle")
    for command, *arguments in (
        ("PlayerOption", 1, "Team", 2),
        ("AIOption", "AI", "Team", 2),
        ("ClearSlot", 1),
        ("GameMods", "uids", "a"),
    ):
        await guest.to_game(command, *arguments)
    await guest.settle()
    game = lobby.game(uid)
    assert (game.options, game.title) == ({"Victory": "sandbox"}, "host's game")
    assert (game.sim_mods, game.results, game.ai_options) == ({}, {}, {})
    # The host is gone by the time the guest's game has started.
    lobby.launch(uid)
    lobby.drop("host")
    await lobby.wait_for("signed_out", login="host")
    await guest.to_game("GameState", "Lobby")
    assert await guest.settle() == []
    lobby.flush()
    assert not lobby.core.games
