"""Friends, avatars, parties and what administrators do on the fake lobby."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.faf_json import JsonObject
from tests.fakes.faf_lobby import FakeLobby
from tests.fakes.faf_script_client import JsonClient, QdsClient, objects

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def lobby() -> AsyncIterator[FakeLobby]:
    async with FakeLobby(report_interval=60) as lobby:
        lobby.add_account("a", id=1)
        lobby.add_account("b", id=2)
        lobby.add_account("c", id=3)
        yield lobby


@pytest.fixture
async def client(lobby: FakeLobby) -> AsyncIterator[JsonClient]:
    async with JsonClient(lobby) as client:
        await client.sign_in("a")
        yield client


@pytest.fixture
async def other(lobby: FakeLobby) -> AsyncIterator[QdsClient]:
    async with QdsClient(lobby) as client:
        await client.sign_in("b")
        yield client


async def told(lobby: FakeLobby, client: JsonClient) -> list[JsonObject]:
    """Return what a client is told of with the next report."""
    lobby.flush()
    return await client.settle()


async def test_friends_and_foes(lobby: FakeLobby, client: JsonClient) -> None:
    account = lobby.account("a")
    messages: list[JsonObject] = [
        {"command": "social_add", "friend": 2},
        {"command": "social_add", "friend": 2},  # is one already
        {"command": "social_add", "foe": 3},
        {"command": "social_add", "friend": 1},  # oneself is one, too
        {"command": "social_add"},
        {"command": "social_remove", "friend": "2"},  # never matches
    ]
    for message in messages:
        await client.send(message)
    assert await client.settle() == []
    assert (account.friends, account.foes) == ([2, 1], [3])
    await client.send({"command": "social_remove", "friend": 2})
    await client.send({"command": "social_remove", "foe": 3})
    assert await client.settle() == []
    assert (account.friends, account.foes) == ([1], [])
    for kind in ("friend_added", "friend_removed", "foe_added", "foe_removed"):
        assert lobby.events.seen(kind, login="a")
    assert [event.data["other"] for event in lobby.seen("friend_added")] == [2, 1]


async def test_the_other_list(lobby: FakeLobby, client: JsonClient) -> None:
    lobby.make_foe("a", "b")
    await client.send({"command": "social_add", "friend": 2})
    assert await client.read_to_end() == [{"command": "invalid"}]


async def test_avatars(lobby: FakeLobby, client: JsonClient) -> None:
    lobby.add_avatar("a", "https://avatars.example/1.png", "First")
    await client.send({"command": "avatar", "action": "list_avatar"})
    assert (await client.expect("avatar"))["avatarlist"] == [
        {"url": "https://avatars.example/1.png", "tooltip": "First"}
    ]
    await told(lobby, client)
    for url, shown in (
        ("https://avatars.example/1.png", True),
        ("https://avatars.example/unknown.png", None),
        (None, False),
    ):
        await client.send({"command": "avatar", "action": "select", "avatar": url})
        await client.settle()
        messages = await told(lobby, client)
        if shown is None:
            assert messages == []
        else:
            (player,) = objects(messages[0]["players"])
            assert ("avatar" in player) is shown
    lobby.set_avatar("a", "https://avatars.example/1.png")
    (message,) = await told(lobby, client)
    (player,) = objects(message["players"])
    assert player["avatar"] == {
        "url": "https://avatars.example/1.png",
        "tooltip": "First",
    }


async def test_accounts(lobby: FakeLobby, client: JsonClient) -> None:
    await told(lobby, client)
    lobby.sign_on("Newcomer")
    lobby.rename("newcomer", "Oldcomer")
    lobby.set_clan("oldcomer", "ABC")
    lobby.set_clan("c", "ABC")  # is offline: nobody is told
    (message,) = await told(lobby, client)
    (player,) = objects(message["players"])
    assert (player["login"], player["clan"]) == ("Oldcomer", "ABC")
    with pytest.raises(LookupError):
        lobby.account("newcomer")
    assert lobby.add_account("OLDCOMER").id == player["id"]
    with pytest.raises(ValueError, match="one number"):
        lobby.add_account("d", id=1)
    lobby.sign_off("Oldcomer")
    (message,) = await told(lobby, client)
    assert objects(message["players"])[0]["state"] == "offline"


async def test_old_commands(lobby: FakeLobby, client: JsonClient) -> None:
    await client.send({"command": "coop_list"})
    assert (await client.expect("coop_info"))["featured_mod"] == "coop"
    await client.send({"command": "ice_servers"})
    assert (await client.expect("ice_servers"))["ice_servers"] == []
    await client.send({"command": "modvault", "type": "start"})
    assert await client.settle() == []
    await client.send({"command": "modvault", "type": "nonsense"})
    assert await client.read_to_end() == []


async def test_notices(lobby: FakeLobby, client: JsonClient, other: QdsClient) -> None:
    lobby.notice("<b>For all</b>")
    lobby.notice("For one", "warning", "b")
    assert [m["text"] for m in await client.settle()] == ["<b>For all</b>"]
    assert [m["style"] for m in await other.settle()] == ["info", "warning"]


async def test_administrators(
    lobby: FakeLobby, client: JsonClient, other: QdsClient
) -> None:
    broadcast: JsonObject = {"command": "admin", "action": "broadcast", "message": "x"}
    await client.send(broadcast)
    assert await client.settle() == []
    lobby.account("a").power = 2
    await client.send(broadcast)
    await client.expect("notice", text="x")
    await other.expect("notice", text="x")
    join: JsonObject = {"command": "admin", "action": "join_channel"}
    await client.send({**join, "user_ids": [2, 3], "channel": "#x"})
    assert await other.expect("social") == {"command": "social", "autojoin": ["#x"]}
    await client.send({"command": "admin", "action": "closeFA", "user_id": 2})
    await other.expect("notice", style="kill")
    await client.send({"command": "admin", "action": "closelobby", "user_id": 2})
    assert (await other.read_to_end())[-1] == {"command": "notice", "style": "kick"}
    await lobby.wait_for("signed_out", login="b")
    async with QdsClient(lobby) as moderator:
        lobby.account("b").power = 1
        await moderator.sign_in("b")
        social = [m for m in moderator.received if m["command"] == "social"]
        assert (social[0]["power"], social[0]["channels"]) == (1, ["#moderators"])


# --- parties ---


async def test_a_party(lobby: FakeLobby, client: JsonClient, other: QdsClient) -> None:
    await client.send({"command": "invite_to_party", "recipient_id": 2})
    assert await other.expect("party_invite") == {
        "command": "party_invite",
        "sender": 1,
    }
    await other.send({"command": "accept_party_invite", "sender_id": 1})
    await other.send({"command": "set_party_factions", "factions": ["uef", 3]})
    await other.settle()
    lobby.flush()
    party = await client.expect("update_party")
    assert party["owner"] == 1
    assert [member["player"] for member in objects(party["members"])] == [1, 2]
    assert objects(party["members"])[1]["factions"] == ["uef", "cybran"]
    await other.send({"command": "game_matchmaking", "state": "start"})
    assert "owner" in str((await other.expect("notice"))["text"])
    await other.send({"command": "game_matchmaking", "state": "stop"})
    assert "owner" in str((await other.expect("notice"))["text"])
    # The owner goes: the other one has it.
    await client.send({"command": "leave_party"})
    assert (await client.expect("update_party"))["members"] == []
    lobby.flush()
    party = await other.expect("update_party", owner=2)
    assert len(objects(party["members"])) == 1
    assert lobby.seen("party", owner="b")


async def test_thrown_out_of_a_party(
    lobby: FakeLobby, client: JsonClient, other: QdsClient
) -> None:
    lobby.sign_on("c")
    lobby.invite("a", "b")
    lobby.accept_invite("b", "a")
    lobby.invite("a", "c")
    lobby.accept_invite("c", "a")
    await client.send({"command": "kick_player_from_party", "kicked_player_id": 2})
    await other.expect("kicked_from_party")
    lobby.sign_off("c")
    await client.settle()
    party = lobby.core.player("a").party
    assert party is not None
    assert list(party.members) == [1]
    # From one party to another.
    lobby.sign_on("c", "d")
    lobby.invite("d", "c")
    lobby.accept_invite("c", "d")
    lobby.invite("a", "c")
    lobby.accept_invite("c", "a")
    assert list(party.members) == [1, 3]


@pytest.mark.parametrize(
    "message",
    [
        {"command": "invite_to_party", "recipient_id": 999},
        {"command": "accept_party_invite", "sender_id": 2},
        {"command": "kick_player_from_party", "kicked_player_id": 2},
        {"command": "leave_party"},
        {"command": "set_party_factions", "factions": []},
    ],
)
async def test_refused(
    client: JsonClient, other: QdsClient, message: JsonObject
) -> None:
    await client.send(message)
    await client.expect("notice", style="error")


async def test_refused_by_circumstances(
    lobby: FakeLobby, client: JsonClient, other: QdsClient
) -> None:
    # Who asks a player whose foe they are is told nothing.
    lobby.make_foe("b", "a")
    await client.send({"command": "invite_to_party", "recipient_id": 2})
    assert await client.settle() == []
    assert await other.settle() == []
    lobby.account("b").foes.clear()
    lobby.invite("a", "b")
    lobby.search("a")
    await other.send({"command": "accept_party_invite", "sender_id": 1})
    await other.expect("notice", text="That party is already in queue!")
    await client.send({"command": "invite_to_party", "recipient_id": 2})
    assert "SEARCHING" in str((await client.expect("notice"))["text"])
    lobby.stop_search("a")
    lobby.accept_invite("b", "a")
    await other.send({"command": "invite_to_party", "recipient_id": 1})
    await other.expect("notice", text="You do not own this party.")
