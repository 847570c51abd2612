"""What users may ask of a lobby, message by message."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from .script import Heard, ScriptedLobby, client_of
from custom_components.rumpus.protocols.errors import (
    DisconnectedError,
    PeerTimeoutError,
    UnsupportedError,
)
from custom_components.rumpus.protocols.faf.client import LobbyClient
from custom_components.rumpus.protocols.faf.events import (
    LatencyMeasured,
    SearchChanged,
    SocialChanged,
)
from custom_components.rumpus.protocols.faf.models import Avatar
from custom_components.rumpus.protocols.faf.timing import Timing
from custom_components.rumpus.protocols.json_lines import JsonObject, JsonValue

FRIEND = 9002
STRANGER = 9003
FOE = 9004
AVATARS: list[JsonValue] = [
    {"url": "http://example.com/1.png", "tooltip": "First"},
    {"url": "http://example.com/2.png", "tooltip": "Second"},
]
TIMING = Timing(pong=5, silence=60, reply=0.1, change=0.1)

type Online = tuple[LobbyClient, Heard, ScriptedLobby]


def player(player_id: int, avatar: JsonValue = None) -> JsonObject:
    described: JsonObject = {"id": player_id, "login": f"p{player_id}", "ratings": {}}
    return described | ({"avatar": avatar} if avatar else {})


def told(*players: JsonObject) -> JsonObject:
    return {"command": "player_info", "players": list(players)}


@pytest.fixture
async def online() -> AsyncIterator[Online]:
    """A client that is in, with a friend, a foe and a stranger online."""
    lobby = ScriptedLobby()
    lobby.answers["hello"].append(told(*map(player, (FRIEND, STRANGER, FOE))))
    async with client_of(lobby, timing=TIMING) as (client, heard):
        client.start()
        await heard.wait_for(LatencyMeasured)
        lobby.last.sent.clear()
        yield client, heard, lobby


def sent(lobby: ScriptedLobby) -> list[JsonObject]:
    """Return what was sent besides pings."""
    return [message for message in lobby.last.sent if message["command"] != "ping"]


async def test_add_friend(online: Online) -> None:
    client, heard, lobby = online
    known = len(heard.of(SocialChanged))
    await client.add_friend(STRANGER)
    assert sent(lobby) == [{"command": "social_add", "friend": STRANGER}]
    assert client.lobby.social.friends == {FRIEND, STRANGER}
    assert len(heard.of(SocialChanged)) == known + 1
    await client.add_friend(STRANGER)
    assert len(sent(lobby)) == 1


async def test_add_friend_twice_at_once(online: Online) -> None:
    client, heard, lobby = online
    known = len(heard.of(SocialChanged))
    await asyncio.gather(client.add_friend(STRANGER), client.add_friend(STRANGER))
    assert len(sent(lobby)) == 1
    assert len(heard.of(SocialChanged)) == known + 1


async def test_a_friend_and_a_foe_at_once(online: Online) -> None:
    """Each is told before the next is asked for, since nobody may be on both lists."""
    client, _, lobby = online
    await asyncio.gather(client.add_friend(STRANGER), client.add_foe(STRANGER))
    assert sent(lobby) == [
        {"command": "social_add", "friend": STRANGER},
        {"command": "social_remove", "friend": STRANGER},
        {"command": "social_add", "foe": STRANGER},
    ]
    assert client.lobby.social.friends == {FRIEND}
    assert client.lobby.social.foes == {FOE, STRANGER}


async def test_add_foe(online: Online) -> None:
    client, _, lobby = online
    await client.add_foe(STRANGER)
    assert sent(lobby) == [{"command": "social_add", "foe": STRANGER}]
    assert client.lobby.social.foes == {FOE, STRANGER}
    await client.add_foe(STRANGER)
    assert len(sent(lobby)) == 1


async def test_a_foe_becomes_a_friend(online: Online) -> None:
    """Somebody in both lists would cost the connection."""
    client, _, lobby = online
    await client.add_friend(FOE)
    assert sent(lobby) == [
        {"command": "social_remove", "foe": FOE},
        {"command": "social_add", "friend": FOE},
    ]
    assert client.lobby.social.friends == {FRIEND, FOE}
    assert client.lobby.social.foes == set()


async def test_a_friend_becomes_a_foe(online: Online) -> None:
    client, _, lobby = online
    await client.add_foe(FRIEND)
    assert sent(lobby) == [
        {"command": "social_remove", "friend": FRIEND},
        {"command": "social_add", "foe": FRIEND},
    ]
    assert client.lobby.social.friends == set()


async def test_remove(online: Online) -> None:
    client, _, lobby = online
    await client.remove_friend(FRIEND)
    await client.remove_foe(FOE)
    assert sent(lobby) == [
        {"command": "social_remove", "friend": FRIEND},
        {"command": "social_remove", "foe": FOE},
    ]
    assert client.lobby.social.friends == client.lobby.social.foes == set()
    await client.remove_friend(FRIEND)
    await client.remove_foe(FOE)
    assert len(sent(lobby)) == 2


@pytest.mark.parametrize("player_id", [1, 0, -5, 9001])
async def test_nobody_to_add(player_id: int, online: Online) -> None:
    client, _, lobby = online
    for add in (client.add_friend, client.add_foe):
        with pytest.raises(UnsupportedError):
            await add(player_id)
    assert sent(lobby) == []


async def test_somebody_offline_changes_lists(online: Online) -> None:
    """An account that is in one of the lists exists."""
    client, _, lobby = online
    lobby.last.say(told({**player(FOE), "state": "offline"}))
    await client.ping()
    assert FOE not in client.lobby.players
    await client.add_friend(FOE)
    assert client.lobby.social.friends == {FRIEND, FOE}


async def test_a_list_does_not_change_without_an_answer(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["social_add"] = [{"command": "invalid"}]
    lobby.forget("ping")
    with pytest.raises(DisconnectedError):
        await client.add_friend(STRANGER)
    assert client.lobby.social.friends == {FRIEND}


async def test_queues(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["matchmaker_info"] = [
        {
            "command": "matchmaker_info",
            "queues": [
                {
                    "queue_name": "ladder1v1",
                    "queue_pop_time": "2026-11-21T08:17:59.065114+00:00",
                    "queue_pop_time_delta": 10.37,
                    "num_players": 2,
                    "team_size": 1,
                }
            ],
        }
    ]
    await client.request_queues()
    assert client.lobby.queues["ladder1v1"].players == 2


async def test_list_avatars(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["avatar"] = [{"command": "avatar", "avatarlist": AVATARS}]
    assert await client.list_avatars() == (
        Avatar("http://example.com/1.png", "First"),
        Avatar("http://example.com/2.png", "Second"),
    )
    assert sent(lobby) == [{"command": "avatar", "action": "list_avatar"}]


async def test_select_avatar(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["avatar"] = [{"command": "avatar", "avatarlist": AVATARS}]
    await client.list_avatars()
    first = "http://example.com/1.png"
    lobby.answers["avatar"] = [
        told(player(STRANGER)),
        told(player(9001, AVATARS[0])),
    ]
    await client.select_avatar(first)
    assert sent(lobby)[-1] == {"command": "avatar", "action": "select", "avatar": first}
    await client.select_avatar(first)
    assert len(sent(lobby)) == 2
    lobby.answers["avatar"] = [told(player(9001))]
    await client.select_avatar(None)
    assert sent(lobby)[-1] == {"command": "avatar", "action": "select", "avatar": None}


async def test_an_avatar_of_others(online: Online) -> None:
    client, _, lobby = online
    with pytest.raises(UnsupportedError):
        await client.select_avatar("http://example.com/3.png")
    assert sent(lobby) == []


async def test_an_avatar_that_does_not_come(online: Online) -> None:
    client, _, lobby = online
    lobby.answers["avatar"] = [{"command": "avatar", "avatarlist": AVATARS}]
    await client.list_avatars()
    lobby.forget("avatar")
    with pytest.raises(PeerTimeoutError):
        await client.select_avatar("http://example.com/1.png")


async def test_stop_search(online: Online) -> None:
    client, heard, lobby = online
    await client.stop_search("ladder1v1")
    assert sent(lobby) == []
    search: JsonObject = {"command": "search_info", "queue_name": "ladder1v1"}
    lobby.last.say(search | {"state": "start"})
    await heard.wait_for(SearchChanged)
    lobby.answers["game_matchmaking"] = [search | {"state": "stop"}]
    await client.stop_search("ladder1v1")
    assert sent(lobby) == [
        {"command": "game_matchmaking", "queue_name": "ladder1v1", "state": "stop"}
    ]
    assert client.lobby.searching == set()


async def test_without_a_login() -> None:
    async with client_of(ScriptedLobby()) as (client, _):
        for command in (
            client.ping(),
            client.request_queues(),
            client.add_friend(1),
            client.add_foe(1),
            client.list_avatars(),
            client.select_avatar(None),
            client.stop_search("ladder1v1"),
        ):
            with pytest.raises(DisconnectedError):
                await command


async def test_a_list_that_the_lobby_has_told_of_meanwhile(online: Online) -> None:
    client, heard, lobby = online
    known = len(heard.of(SocialChanged))
    lobby.answers["social_add"] = [
        {"command": "social", "friends": [FRIEND, STRANGER]},
    ]
    await client.add_friend(STRANGER)
    assert client.lobby.social.friends == {FRIEND, STRANGER}
    assert len(heard.of(SocialChanged)) == known + 1
