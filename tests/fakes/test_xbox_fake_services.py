"""What the fake console's channels do."""

import asyncio
import struct

import pytest

from tests.fakes.xbox import GAME, PLAYER, FakeConsole, FakeMedia
from tests.fakes.xbox_crypto import AuxCipher
from tests.fakes.xbox_json import JsonObject, JsonValue
from tests.fakes.xbox_models import PAUSED, PLAY, PLAYING, SEEK, STOPPED
from tests.fakes.xbox_script_client import ScriptClient, meeting
from tests.fakes.xbox_text import PASSWORD_OPTION, PASSWORD_SCOPE
from tests.fakes.xbox_wire import Fields, number_of, row_of, rows_of, text_of
from tests.protocols import virtual_time

pytestmark = pytest.mark.usefixtures("socket_enabled")


# --- media ---


async def command(
    client: ScriptClient, channel: int, bit: int, seek: int | None = None
) -> int:
    """Send a MediaCommand; returns the result."""
    fields: Fields = {
        "request_id": bit,
        "title_id": PLAYER.title_id,
        "command": bit,
        "seek_position": seek,
    }
    await client.deliver("media_command", fields, channel)
    return number_of(await client.expect("media_command_result"), "result")


async def test_media_commands() -> None:
    async with meeting("media") as (console, client, (channel,)):
        assert "media_state" not in client.names()
        assert await command(client, channel, PLAY) == 0x80000008
        console.set_media(FakeMedia(position=10, max_seek=60))
        assert (await client.expect("media_state"))["playback_status"] == PLAYING
        for bit, status in (
            (0x04, PAUSED),
            (0x08, PLAYING),
            (0x08, PAUSED),
            (PLAY, PLAYING),
            (0x10, STOPPED),
        ):
            assert await command(client, channel, bit) == 0
            assert (await client.expect("media_state"))["playback_status"] == status
        assert await command(client, channel, SEEK, 900_000_000) == 0
        state = await client.expect("media_state")
        assert state["position"] == 600_000_000
        assert await command(client, channel, 0x40) == 0  # next: nothing to go to
        assert await command(client, channel, 0x20) == 0x80000006  # not enabled
        assert await command(client, channel, PLAY, seek=1) == 0x80000008
        console.media_service.results = None
        fields: Fields = {
            "request_id": 9,
            "title_id": 0,
            "command": PLAY,
            "seek_position": None,
        }
        await client.deliver("media_command", fields, channel)
        await client.expect("media_state")
        await console.wait_for("media_command", request_id=9, result=None)
        console.media_service.results = 0x8000000A
        assert await command(client, channel, PLAY) == 0x8000000A
        console.set_media(None)
        await client.expect("media_controller_removed", title_id=PLAYER.title_id)
        assert len(console.seen("media_command", request_id=SEEK)) == 1


def test_media_moves() -> None:
    async def scenario() -> None:
        async with FakeConsole() as console:
            console.set_media(FakeMedia(position=10, rate=2, end=35))
            await asyncio.sleep(10)
            media = console.media
            assert media is not None
            assert media.position == pytest.approx(30)
            await asyncio.sleep(10)
            media = console.media
            assert media is not None
            assert media.position == 35

    virtual_time.run(scenario())


async def test_large_media_state() -> None:
    asset = "ä" * 1500
    console = FakeConsole()
    async with console:
        console.set_media(FakeMedia(asset_id=asset, metadata={"title": "Ü"}))
        async with ScriptClient((console.address, console.port)) as client:
            await client.enter(console.credentials.key.public_key(), "media")
            state = await client.expect("media_state", asset_id=asset)
            assert rows_of(state, "metadata") == [{"name": "title", "value": "Ü"}]
            assert max(map(len, client.datagrams)) == 1098
            console.media_service.fragment = 100
            console.set_media(FakeMedia(asset_id="short" * 30))
            await client.expect("media_state", asset_id="short" * 30)


# --- text ---


def typed(session: int, version: int, text: str, start: int = 0) -> Fields:
    """Return the fields of a SystemTextInput."""
    return {
        "text_session_id": session,
        "base_version": version - 1,
        "submitted_version": version,
        "total_text_byte_len": len(text.encode()),
        "selection_start": -1,
        "selection_length": -1,
        "flags": 0,
        "text_chunk_byte_start": start,
        "text_chunk": text[start:],
        "delta": None,
    }


async def test_text_dialogue() -> None:
    async with meeting("text") as (console, client, (channel,)):
        await client.expect("system_text_done", text_session_id=0)
        session = console.open_text("Search", "gr", scope=50, max_length=8)
        config = await client.expect("system_text_configuration")
        assert (config["prompt"], config["input_scope"]) == ("Search", 50)
        assert config["text_session_id"] == session
        first = await client.expect("system_text_input")
        assert (first["text_chunk"], first["submitted_version"]) == ("gr", 1)
        ack: Fields = {"text_session_id": session, "text_version_ack": 1}
        await client.deliver("system_text_ack", ack, channel)
        await console.wait_for("text_ack", version=1)

        await client.deliver("system_text_input", typed(session, 2, "grün!"), channel)
        await client.expect("system_text_ack", text_version_ack=2)
        assert console.text == "grün!"
        console.keyboard.type("grüner", delta=(4, 1, "er"))
        theirs = await client.expect("system_text_input", base_version=2)
        assert rows_of(theirs, "delta") == [
            {"offset": 4, "delete_count": 1, "insert_content": "er"}
        ]
        for version, text, reason in (
            (3, "late", "an old version"),
            (4, "much too long", "too long"),
        ):
            wrong = typed(session, version, text)
            await client.deliver("system_text_input", wrong, channel)
            await console.wait_for("text_refused", reason=reason)
            own = await client.expect("system_text_input")
            assert own["text_chunk"] == "grüner"
        done: Fields = {
            "text_session_id": session,
            "text_version": 3,
            "flags": 0,
            "result": 1,
        }
        await client.deliver("system_text_done", done, channel)
        await client.expect("system_text_done", result=1)
        assert console.keyboard.result == 1
        await client.deliver("system_text_done", done, channel)
        await console.wait_for("text_refused")
        assert len(console.seen("text_done")) == 1
        assert "grün" not in repr(console.log)
        with pytest.raises(LookupError):
            console.keyboard.type("x")


async def test_password_and_late_client() -> None:
    async with FakeConsole() as console:
        console.open_text("PIN", scope=PASSWORD_SCOPE, options=PASSWORD_OPTION)
        async with ScriptClient((console.address, console.port)) as client:
            await client.enter(console.credentials.key.public_key(), "text")
            config = await client.expect("system_text_configuration")
            assert (config["input_scope"], config["text_options"]) == (0x1F, 2)
            console.close_text(accepted=False)
            await client.expect("system_text_done", result=0)
            console.keyboard.greets_late = False
            console.open_text("Other")
            async with ScriptClient((console.address, console.port)) as second:
                await second.enter(console.credentials.key.public_key(), "text")
                assert second.names() == []


async def test_text_in_chunks_and_two_clients() -> None:
    async with (
        meeting("text") as (console, client, (channel,)),
        ScriptClient(client.console) as other,
    ):
        await other.enter(console.credentials.key.public_key(), "text")
        session = console.open_text("Search")
        whole = typed(session, 2, "abcdef")
        rest = typed(session, 2, "abcdef", start=3)
        await client.deliver(
            "system_text_input", whole | {"text_chunk": "abc"}, channel
        )
        assert console.text == ""
        await client.deliver("system_text_input", rest, channel)
        await client.deliver(
            "system_text_input", rest | {"text_chunk_byte_start": 99}, channel
        )
        assert console.text == "abcdef"
        await other.expect("system_text_input", text_chunk="abcdef")
        console.keyboard.refuses_input = True
        await client.deliver("system_text_input", typed(session, 3, "x"), channel)
        await console.wait_for("text_refused", reason="refused")


async def test_text_of_a_title() -> None:
    async with meeting("text") as (console, client, (channel,)):
        session = console.keyboard.open("Name", by_title=True, session=2**40 + 5)
        await client.expect("title_text_configuration", text_session_id=2**40 + 5)
        assert session == 2**40 + 5
        text: Fields = {
            "text_session_id": 5,
            "text_buffer_version": 1,
            "result": 1,
            "text": "abc",
        }
        await client.deliver("title_text_input", text, channel)
        assert console.text == "abc"


# --- TV ---


def parts(value: JsonValue) -> list[JsonObject]:
    """Return the objects of a list."""
    assert isinstance(value, list)
    return [item for item in value if isinstance(item, dict)]


def part(value: JsonValue) -> JsonObject:
    """Return an object."""
    assert isinstance(value, dict)
    return value


async def test_tv_requests() -> None:
    async with meeting("tv") as (console, client, (channel,)):
        client.datagrams.clear()
        answer = await client.ask(channel, "GetConfiguration")
        assert answer["response"] == "GetConfiguration"
        assert [d["device_id"] for d in parts(answer["params"])] == ["0", "1", "tuner"]
        assert len([d for d in client.datagrams if len(d) > 1000]) > 1
        headend = await client.ask(channel, "GetHeadendInfo")
        assert part(headend["params"])["streamingPort"] == "10242"
        lineups = await client.ask(channel, "GetTunerLineups")
        (lineup,) = parts(part(lineups["params"])["providers"])
        channels = parts(lineup["foundChannels"])
        assert channels[2]["displayName"] == "Börse Drei"
        apps = await client.ask(channel, "GetAppChannelLineups")
        assert len(parts(apps["params"])) == 2
        recent = await client.ask(channel, "GetRecentChannels", startindex=1, count=9)
        assert [c["channelNum"] for c in parts(recent["params"])] == [
            "1",
            "NumberUnused",
        ]
        started = await client.ask(channel, "EnsureStreamingStarted", source="tuner")
        assert part(started["params"])["source"] == "tuner"

        for button, device, result in (
            ("btn.vol_up", "0", True),
            ("btn.vol_up", "1", False),
            ("btn.vol_up", None, True),
            ("btn.x", None, False),
        ):
            pressed = await client.ask(
                channel, "SendKey", button_id=button, device_id=device
            )
            assert pressed["params"] is result
        assert len(console.seen("send_key", button_id="btn.vol_up")) == 3


async def test_tv_channels_and_errors() -> None:
    async with meeting("tv") as (console, client, (channel,)):
        (lineup, number, name) = console.tv.channels()[1]
        for params in (
            {"channelId": number, "lineupInstanceId": lineup},
            {"channel_name": name},
        ):
            answer = await client.ask(channel, "SetChannel", **params)
            assert answer["response"] == "SetChannel"
            told = await client.json(channel)
            assert told == {"notification": "ChannelChanged"}
        live = await client.ask(channel, "GetLiveTVInfo")
        assert part(live["params"])["currentTunerChannelId"] == number
        for request, params in (
            ("SetChannel", {"channel_name": "Nothing"}),
            ("GetRecentChannels", {}),
            ("SendKey", {}),
            ("Bogus", {}),
        ):
            answer = await client.ask(channel, request, **params)
            assert answer["response"] == "Error"
            assert answer["error"]
        console.tv.errors["GetHeadendInfo"] = "Not today"
        assert (await client.ask(channel, "GetHeadendInfo"))["error"] == "Not today"
        console.tv_service.notify("HeadendChanged", more="1")
        assert (await client.json(channel))["more"] == "1"
        console.tv.is_silent = True
        await client.deliver("json", {"text": '{"request":"X","msgid":"1"}'}, channel)
        await client.deliver("json", {"text": '{"request":"X"}'}, channel)
        await console.wait_for("json_error", reason="no request")
        assert client.names() == []


# --- a title's stream ---


async def test_auxiliary_stream() -> None:
    async with meeting() as (console, client, _):
        assert (await client.request_channel("title", 5))["result"] == 0x80000012
        channel = await client.open("title", GAME.title_id)
        hello: Fields = {"connection_info_flag": 0, "connection_info": None}
        await client.deliver("auxiliary_stream", hello, channel)
        await client.expect("auxiliary_stream", connection_info_flag=0)
        told = await client.expect("auxiliary_stream", connection_info_flag=1)
        info = row_of(told, "connection_info")
        (endpoint,) = rows_of(info, "endpoints")
        key, server_iv, client_iv, mac = (
            bytes.fromhex(text_of(info, name))
            for name in ("crypto_key", "server_iv", "client_iv", "sign_hash")
        )
        outgoing = AuxCipher(key, client_iv, mac)
        incoming = AuxCipher(key, server_iv, mac)
        reader, writer = await asyncio.open_connection(
            text_of(endpoint, "ip"), text_of(endpoint, "port")
        )

        async def answer() -> bytes:
            head = await reader.readexactly(4)
            size = struct.unpack(">H", head[2:])[0]
            return head + await reader.readexactly(((size + 15) & ~15) + 32)

        for text in (b"hello", bytes(16), b"x" * 8144):
            writer.write(outgoing.seal(text))
            assert incoming.open(await answer()) == text
        console.title_service.breaks_mac = True
        writer.write(outgoing.seal(b"x"))
        with pytest.raises(Exception, match="MAC"):
            incoming.open(await answer())
        writer.write(bytes(4 + 32))
        assert await reader.read() == b""
        await console.wait_for("aux_closed", reason="no frame")
        writer.close()
        console.mark()
        again, other = await asyncio.open_connection(
            text_of(endpoint, "ip"), text_of(endpoint, "port")
        )
        await console.wait_for("aux_connected")
        client.send("stop_channel", {"target_channel_id": channel})
        assert await again.read() == b""
        other.close()


# --- streaming and the rest ---


async def test_broadcast() -> None:
    console = FakeConsole(accounts={"1": "token"})
    async with console, ScriptClient((console.address, console.port)) as client:
        client.agree(console.credentials.key.public_key())
        assert await client.connect("1", "token") == 0
        await client.join()
        channel = await client.open("broadcast")
        enabled = await client.json(channel)
        assert (enabled["type"], enabled["majorProtocolVersion"]) == (4, 6)
        configuration = ",".join(f'"key{n}":"{n}"' for n in range(34))
        start = f'{{"type":1,"configuration":{{{configuration}}}'
        text = start + ',"reQueryPreviewStatus":true}'
        await client.deliver("json", {"text": text}, channel)
        answers = [await client.json(channel) for _ in range(3)]
        assert [(a["type"], a.get("state")) for a in answers] == [
            (7, None),
            (3, 1),
            (3, 2),
        ]
        assert answers[1]["sessionId"] == answers[2]["sessionId"]
        assert console.broadcast.is_streaming
        await client.deliver("json", {"text": '{"type":2}'}, channel)
        assert (await client.json(channel))["state"] == 3
        console.broadcast.set_enabled(enabled=False)
        assert (await client.json(channel))["enabled"] is False
        await client.deliver("json", {"text": start + "}"}, channel)
        assert (await client.json(channel))["errorType"] == 13
        console.broadcast.interrupt(12)
        assert (await client.json(channel))["errorType"] == 12
        assert (await client.json(channel))["state"] == 3
        await client.deliver("json", {"text": '{"type":9}'}, channel)
        await console.wait_for("json_error", reason="type 9")
        await client.deliver(
            "game_dvr_record", {"start_time_delta": -60, "end_time_delta": 0}
        )
        await console.wait_for("game_dvr", effective=True, start_time_delta=-60)


async def test_anonymous_clients_cannot_record_or_stream() -> None:
    async with meeting("broadcast", "input") as (console, client, numbers):
        await client.json(numbers[0])
        await client.deliver("json", {"text": '{"type":1}'}, numbers[0])
        assert (await client.json(numbers[0]))["errorType"] == 7
        await console.wait_for("json_error")
        await client.deliver(
            "game_dvr_record", {"start_time_delta": -60, "end_time_delta": 0}
        )
        await console.wait_for("game_dvr", effective=False)
        touch: Fields = {
            "touch_msg_timestamp": 1,
            "touchpoints": [
                {
                    "touchpoint_id": 1,
                    "touchpoint_action": 1,
                    "touchpoint_x": 2,
                    "touchpoint_y": 3,
                }
            ],
        }
        await client.deliver("system_touch", touch, numbers[1])
        await console.wait_for("touch", touch_msg_timestamp=1)
        compass: Fields = {"timestamp": 1, "magnetic_north": 0.5, "true_north": 1.0}
        await client.deliver("compass", compass, numbers[1])
        await console.wait_for("sensor", name="compass", magnetic_north=0.5)
        await client.deliver("json", {"text": '{"a":1}'}, numbers[1])
        await console.wait_for("json_error", reason="no JSON on input")
