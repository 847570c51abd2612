"""The matchmaker of the fake lobby."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_script_client import JsonClient, objects

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def lobby() -> AsyncIterator[FakeLobby]:
    async with FakeLobby(report_interval=60) as lobby:
        lobby.add_account("a", ratings={"ladder_1v1": (991.2, 90.0, 30)})
        lobby.add_account("b", ratings={"ladder_1v1": (1010.0, 90.0, 30)})
        lobby.add_account("watcher")
        yield lobby


@pytest.fixture
async def first(lobby: FakeLobby) -> AsyncIterator[JsonClient]:
    async with JsonClient(lobby) as client:
        await client.sign_in("a")
        yield client


@pytest.fixture
async def second(lobby: FakeLobby) -> AsyncIterator[JsonClient]:
    async with JsonClient(lobby) as client:
        await client.sign_in("b")
        yield client


def start(queue: str = "ladder1v1", state: str = "start") -> JsonObject:
    return {"command": "game_matchmaking", "queue_name": queue, "state": state}


async def told(lobby: FakeLobby, client: JsonClient) -> list[JsonObject]:
    """Return what a client is told of with the next report."""
    lobby.flush()
    return await client.settle()


async def test_queues(lobby: FakeLobby, first: JsonClient) -> None:
    await first.send({"command": "matchmaker_info"})
    queues = objects((await first.expect("matchmaker_info"))["queues"])
    assert [(queue["queue_name"], queue["team_size"]) for queue in queues] == [
        *(("ladder1v1", 1), ("tmm2v2", 2), ("tmm4v4_full_share", 4))
    ]
    delta = queues[0]["queue_pop_time_delta"]
    assert isinstance(delta, float)
    assert 40 < delta <= 45
    assert queues[0]["boundary_80s"] == []
    await told(lobby, first)
    lobby.search("b")
    lobby.pop_in(10.0)
    partial, _ = await told(lobby, first)
    (queue,) = objects(partial["queues"])
    assert (queue["num_players"], queue["queue_name"]) == (1, "ladder1v1")
    assert queue["boundary_80s"] == [[810, 1210]]
    assert queue["boundary_75s"] == [[910, 1110]]
    assert float(str(queue["queue_pop_time_delta"])) <= 10.0
    lobby.add_queue("tmm3v3", 3)
    (partial,) = await told(lobby, first)
    assert [queue["queue_name"] for queue in objects(partial["queues"])] == ["tmm3v3"]


async def test_a_match(lobby: FakeLobby, first: JsonClient, second: JsonClient) -> None:
    await first.send(start())
    await first.send(start())  # again: stop and start
    await first.send(start("tmm2v2"))
    await second.send({"command": "game_matchmaking", "state": "start"})
    states = []
    for _ in range(4):
        info = await first.expect("search_info")
        states.append((info["queue_name"], info["state"]))
    assert states == [
        *(("ladder1v1", "start"), ("ladder1v1", "stop")),
        *(("ladder1v1", "start"), ("tmm2v2", "start")),
    ]
    await second.expect("search_info", state="start")
    await told(lobby, first)
    await told(lobby, second)
    (uid,) = lobby.pop()
    found, stopped, launch = await first.settle()
    assert found == {"command": "match_found", "queue_name": "ladder1v1"}
    assert (stopped["queue_name"], stopped["state"]) == ("tmm2v2", "stop")
    assert (launch["team"], launch["expected_players"], launch["faction"]) == (2, 2, 1)
    assert (launch["init_mode"], launch["args"]) == (1, ["/numgames", 30])
    (found,) = await second.settle()
    assert found["command"] == "match_found"
    queues, game = await told(lobby, second)
    assert {queue["num_players"] for queue in objects(queues["queues"])} == {0}
    assert (game["state"], game["game_type"], game["title"], game["host"]) == (
        *("closed", "matchmaker", "a Vs b", "a"),
    )

    await first.to_game("GameState", "Idle")
    await first.to_game("GameState", "Lobby")
    await first.expect("HostGame")
    assert (await second.expect("game_launch"))["map_position"] == 2
    await second.to_game("GameState", "Idle")
    await second.to_game("GameState", "Lobby")
    await second.expect("JoinGame")
    await first.expect("ConnectToPeer")
    for number, login in enumerate(("a", "b"), 1):
        player = lobby.account(login).id
        await first.to_game("PlayerOption", player, "Team", number + 1)
        await first.to_game("PlayerOption", player, "Army", number)
    await first.to_game("GameState", "Launching")
    await first.settle()
    *_, game = await told(lobby, second)
    assert (game["state"], game["teams"]) == ("playing", {"2": ["a"], "3": ["b"]})
    assert game["uid"] == uid


async def test_host_never_starts(
    lobby: FakeLobby, first: JsonClient, second: JsonClient
) -> None:
    lobby.matchmaker.match_timeout = 0.01
    lobby.search("a")
    lobby.search("b")
    (uid,) = lobby.pop()
    await second.expect("game_launch")
    assert (await second.expect("match_cancelled"))["game_id"] == uid
    await first.expect("match_cancelled")
    assert (await first.expect("search_violation"))["count"] == 1
    await first.expect("notice", style="info")
    lobby.flush()
    assert uid not in lobby.core.games


async def test_guest_never_comes(lobby: FakeLobby, first: JsonClient) -> None:
    lobby.search("a")
    lobby.search("b")
    (uid,) = lobby.pop()
    lobby.matchmaker.match_timeout = -10.0
    lobby.open_game(uid)
    await first.expect("match_cancelled")
    lobby.matchmaker.cancel(lobby.game(uid), None)  # is over already
    assert len(lobby.seen("match_cancelled")) == 1


async def test_player_of_a_match_goes(lobby: FakeLobby, second: JsonClient) -> None:
    lobby.search("a")
    lobby.search("b")
    lobby.pop()
    lobby.sign_off("a")
    await second.expect("match_cancelled")
    assert lobby.matchmaker.violations == {lobby.account("a").id: 1}
    lobby.search("a")
    lobby.search("b")
    (uid,) = lobby.pop()
    lobby.cancel_match(uid)
    await second.expect("match_cancelled", game_id=uid)


async def test_launching_a_match_by_a_test(lobby: FakeLobby, first: JsonClient) -> None:
    for login in ("c", "d", "e", "f"):
        lobby.search(login, "tmm2v2")
    lobby.set_clan("d", "XYZ")
    lobby.set_clan("e", "XYZ")
    lobby.set_clan("c", "ABC")
    (uid,) = lobby.pop("tmm2v2")
    assert lobby.game(uid).title == "Team c Vs Team e"
    lobby.launch(uid)
    *_, game = await told(lobby, first)
    assert game["teams"] == {"2": ["c", "d"], "3": ["e", "f"]}
    lobby.search("c2", "tmm2v2", "d2")
    lobby.search("e2", "tmm2v2", "f2")
    for login in ("c2", "d2"):
        lobby.set_clan(login, "UEF")
    (uid,) = lobby.pop("tmm2v2")
    assert lobby.game(uid).title == "Team UEF Vs Team e2"


async def test_refusals(lobby: FakeLobby, first: JsonClient) -> None:
    await first.send(start(state="nonsense"))
    await first.send(start("unknown", "stop"))
    await first.send({"command": "match_ready"})
    await first.settle()
    lobby.violate("a")
    lobby.violate("a")
    await first.send(start())
    timeouts = await first.expect("search_timeout")
    assert objects(timeouts["timeouts"])[0]["player"] == lobby.account("a").id
    await first.expect("search_info", state="stop")
    await first.expect("notice")
    lobby.matchmaker.violations.clear()
    lobby.sign_on("c")
    lobby.invite("a", "c")
    lobby.accept_invite("c", "a")
    await first.send(start())
    assert "too large" in str((await first.expect("notice"))["text"])
    lobby.host_game("c")
    await first.send(start("tmm2v2"))
    assert "HOSTING" in str((await first.expect("notice"))["text"])


async def test_stopping(lobby: FakeLobby, first: JsonClient) -> None:
    await first.send(start())
    await first.expect("search_info", state="start")
    await first.send(start(state="stop"))
    await first.expect("search_info", state="stop")
    await first.send(start())
    await first.expect("search_info", state="start")
    lobby.stop_search("a")
    await first.expect("search_info", state="stop")
    assert lobby.pop() == []


async def test_pops_by_themselves(lobby: FakeLobby, first: JsonClient) -> None:
    await told(lobby, first)
    lobby.search("a")
    lobby.search("b")
    lobby.pop_in(0.01)
    event = await lobby.wait_for("match")
    assert event.data["players"] == ["a", "b"]
    queue = lobby.core.queues["ladder1v1"]
    # Two came in a hundredth of a second; five are wanted.
    remaining = queue.pop_at - asyncio.get_running_loop().time()
    assert remaining < 0.03
    lobby.matchmaker.pops = False
    lobby.pop()
    remaining = queue.pop_at - asyncio.get_running_loop().time()
    assert 85 < remaining <= 90


async def test_shutdown(lobby: FakeLobby, first: JsonClient) -> None:
    lobby.search("a")
    uid = lobby.host_game("b")
    lobby.begin_shutdown(10)
    await first.expect("notice", style="info")
    await first.expect("search_info", state="stop")
    await first.send(start())
    await first.expect("disabled", request="game_matchmaking")
    await first.send({"command": "game_host", "visibility": "public"})
    await first.expect("disabled", request="game_host")
    await first.send({"command": "matchmaker_info"})
    assert (await first.expect("matchmaker_info"))["queues"] == []
    assert uid in lobby.core.games
    lobby.finish_shutdown()
    assert "shut down" in str((await first.read_to_end())[-1]["text"])
    assert [event.data["step"] for event in lobby.seen("shutdown")] == [
        *("begun", "finished")
    ]
