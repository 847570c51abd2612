"""What is checked: that the other project's client and the fake console understand each other."""

from collections.abc import Awaitable, Callable, Sequence
import json
from typing import Final

from .world import ACCOUNT, LIVE_IDS, NAMES, TOKEN, World
from tests.e2e.shapes import JsonObject, get_int, get_str, objects
from tests.interop.report import CheckError

type Check = Callable[[World], Awaitable[str | None]]

_PLAYER: Final = 0x18A7B2C3
_GAME: Final = 0x4AE8F9B2
_ASSET: Final = 2000
_TICKS: Final = 10_000_000
_BUTTONS: Final = ("PadA", "Nexu", "DPadLeft", "RightThumbStick")
_MASKS: Final = (0x10, 0, 0x02, 0, 0x400, 0, 0x8000, 0)


def same(found: object, wanted: object, what: str) -> None:
    """Raise CheckError unless both are the same."""
    if found != wanted:
        raise CheckError(f"{what}: {found!r} instead of {wanted!r}")


async def found(world: World) -> str:
    """Two consoles answer to broadcasts and multicasts, each from its own address."""
    async with world.peer() as peer:
        answer = await peer.do("discover")
        consoles = objects(answer["consoles"])
        seen = {get_str(c, "address"): get_str(c, "name") for c in consoles}
        same(seen, dict(zip(world.addresses, NAMES, strict=True)), "addresses")
        same({c["liveid"] for c in consoles}, set(LIVE_IDS), "Live IDs")
        same([c["anonymous"] for c in consoles].count(True), 1, "open for anybody")
        same(len({c["uuid"] for c in consoles}), 2, "different uuids")
    return f"{len(consoles)} consoles"


async def woken(world: World) -> str:
    """A console in standby is not found until it is woken."""
    await world.first.tell("off")
    async with world.peer() as peer:
        consoles = objects((await peer.do("discover"))["consoles"])
        same([c["name"] for c in consoles], [NAMES[1]], "found in standby")
        world.first.mark()
        await peer.do("wake", live_id=LIVE_IDS[0])
        await world.first.wait("state", value="on")
        consoles = objects((await peer.do("discover"))["consoles"])
        same(len(consoles), 2, "found after it was woken")
        packets = world.first.seen("power_on", right=True)
    return f"{len(packets)} packets"


async def connected(world: World) -> str:
    """The session stands, with all channels and the status."""
    async with world.connected() as peer:
        status = await peer.wait("status")
        same((status["build"], status["locale"]), (19041, "en-US"), "status")
        opened = [e["service"] for e in world.first.seen("channel_opened")]
        wanted = {"input", "tv", "media", "text", "broadcast"}
        same(set(opened), wanted, "channels")
        same(world.first.seen("malformed"), [], "malformed messages")
    return f"channels {', '.join(sorted(wanted))}"


async def titles(world: World) -> None:
    """Titles, the surface and the pairing state change."""
    async with world.connected() as peer:
        peer.mark()
        await world.first.tell("launch 4ae8f9b2 Example.Game!App")
        status = await peer.wait("status")
        focused = [t["title_id"] for t in objects(status["titles"]) if t["focused"]]
        same(focused, [_GAME], "the title in front")
        await world.first.tell("pair")
        await peer.wait("pairing", state="Paired")
        await world.first.tell("surface 2")
        await peer.wait("surface", type="HTML")
        await world.first.tell("unpair")


async def buttons(world: World) -> str:
    """Buttons come as they are pressed and let go."""
    async with world.connected() as peer:
        for button in _BUTTONS:
            await peer.do("press", button=button)
        await world.first.wait("gamepad", buttons=_MASKS[-2])
        await peer.do("press", button="Clear")
        pressed = [e["buttons"] for e in world.first.seen("gamepad")]
        same(tuple(pressed[: len(_MASKS)]), _MASKS, "buttons")
    return f"{len(_BUTTONS)} buttons"


async def media(world: World) -> str:
    """A media state in fragments, commands with their results, and the end."""
    async with world.connected() as peer:
        await world.first.tell(f"asset {_ASSET}")
        playing = await peer.wait("media", asset=_ASSET, status="Playing")
        same(
            playing["metadata"], {"title": "The Fakes", "subtitle": "Loopback"}, "text"
        )
        for number, (command, status) in enumerate(
            (("Pause", "Paused"), ("Play", "Playing"), ("Stop", "Stopped")), 1
        ):
            await peer.do("media", command=command, title_id=_PLAYER, request=number)
            await peer.wait("media_result", request=number, result=0)
            await peer.wait("media", status=status)
        wish: JsonObject = {"command": "Seek", "title_id": _PLAYER, "request": 9}
        await peer.do("media", **wish, seek=90 * _TICKS)
        state = await peer.wait("media", position=90 * _TICKS)
        await peer.do("media", command="Record", title_id=_PLAYER, request=10)
        await peer.wait("media_result", request=10, result=0x80000006)
        done = world.first.seen("media_command")
        same(len(done), 5, "commands, each once")
        await world.first.tell("media none")
        await peer.wait("media_removed", title_id=_PLAYER)
    return f"{get_int(state, 'end') // _TICKS} s, {_ASSET} characters of asset id"


async def text(world: World) -> None:
    """The text dialogue, typed into from both sides, and a password field."""
    async with world.connected() as peer:
        await peer.wait("text_done", session=0)
        await world.first.tell("text Your name")
        await peer.wait("text_opened", prompt="Your name", scope="Default")
        await world.first.wait("text_ack", version=1)
        await world.first.tell("type Ada")
        await peer.wait("text_input", text="Ada", version=2)
        await world.first.wait("text_ack", version=2)
        await peer.do("text", text="Ada Lövelace")
        await world.first.wait("text_input", version=3, length=12)
        await peer.do("finish_text")
        await world.first.wait("text_closed", result=1)
        await peer.wait("text_done", result="Accept")
        await world.first.tell("password PIN")
        await peer.wait("text_opened", prompt="PIN", scope="Password")
        await world.first.tell("close_text cancel")
        same(world.first.seen("text_refused"), [], "refused texts")


async def tv(world: World) -> str:
    """The client's models take every answer of the TV provider."""
    answers: list[JsonObject] = []
    async with world.connected() as peer:
        for request, arguments, model in (
            ("request_stump_configuration", [], "Configuration"),
            ("request_headend_info", [], "HeadendInfo"),
            ("request_live_tv_info", [], "LiveTvInfo"),
            ("request_tuner_lineups", [], "TunerLineups"),
            ("request_app_channel_lineups", [], "AppChannelLineups"),
            ("request_recent_channels", [0, 2], "RecentChannels"),
            ("send_stump_key", ["btn.vol_up", "0"], "SendKey"),
        ):
            answer = await peer.do("tv", request=request, arguments=list(arguments))
            same(answer["model"], model, request)
            answers.append(answer)
        await world.first.wait("send_key", button_id="btn.vol_up", device_id="0")
        same(answers[-1]["params"], True, "answer of the key")
        same(world.first.seen("json_error"), [], "errors")
    return f"{len(answers)} answers"


async def title_channel(world: World) -> None:
    """A title's channel with its encrypted stream."""
    words = "hello title " * 500
    async with world.connected() as peer:
        answer = await peer.do("title", title_id=_GAME, text=words)
        same(answer["echo"], words * 2, "the echo")
        await world.first.wait("aux_closed", reason="closed")


async def launching(world: World) -> None:
    """A launch has no effect, as on consoles since 2019."""
    async with world.connected() as peer:
        await peer.wait("status")
        peer.mark()
        await peer.do("launch", uri="ms-xbl-4AE8F9B2://default/")
        await world.first.wait("title_launch", honoured=False)
        same(peer.seen("status"), [], "changes")


async def refused(world: World) -> str:
    """A refusal comes with its reason."""
    reason = "FailureDeviceLimitExceeded"
    await world.first.tell("refuse 4")
    try:
        async with world.peer() as peer:
            await peer.do("discover")
            try:
                await peer.do("connect", address=world.addresses[0])
            except CheckError as err:
                if reason not in str(err):
                    raise
            else:
                raise CheckError("the client was not refused")
    finally:
        await world.first.tell("refuse none")
    return reason


async def account(world: World) -> str:
    """A console for accounts: token in pieces, recording, streaming control."""
    console = world.second
    async with world.connected(1, userhash=ACCOUNT, token=TOKEN) as peer:
        await console.wait("connected", anonymous=False)
        await peer.do("record", seconds=60)
        await console.wait("game_dvr", effective=True, start_time_delta=-60)
        await peer.wait("broadcast", type=4, enabled=True)
        configuration: JsonObject = {f"key{n}": str(n) for n in range(34)}
        start: JsonObject = {
            "type": 1,
            "configuration": configuration,
            "reQueryPreviewStatus": True,
        }
        await peer.do("broadcast", body=start)
        await peer.wait("broadcast", type=7)
        await peer.wait("broadcast", type=3, state=1)
        await peer.wait("broadcast", type=3, state=2)
        await peer.do("broadcast", body={"type": 2})
        await peer.wait("broadcast", type=3, state=3)
    if TOKEN[:30] in json.dumps(console.events):
        raise CheckError("the console tells the token")
    return f"{len(TOKEN)} characters of token"


async def wrong_account(world: World) -> None:
    """A wrong token is refused."""
    async with world.peer() as peer:
        await peer.do("discover")
        wish: JsonObject = {"userhash": ACCOUNT, "token": TOKEN[:-1]}
        try:
            await peer.do("connect", address=world.addresses[1], **wish)
        except CheckError as err:
            if "FailureUserAuthFailed" not in str(err):
                raise
        else:
            raise CheckError("the wrong token was taken")


async def bad_network(world: World) -> str:
    """Nothing is lost and nothing happens twice on a bad network."""
    await world.first.tell("faults loss=0.05 duplicate=0.3 reorder=0.3 delay=0.01")
    try:
        async with world.connected() as peer:
            await world.first.tell(f"asset {_ASSET}")
            await peer.wait("media", asset=_ASSET)
            for number in range(1, 7):
                command = "Pause" if number % 2 else "Play"
                await peer.do(
                    "media", command=command, title_id=_PLAYER, request=number
                )
                await peer.wait("media_result", request=number)
            requests = [e["request_id"] for e in world.first.seen("media_command")]
            same(requests, list(range(1, 7)), "commands, each once")
            await world.first.tell("media none")
            await peer.wait("media_removed", title_id=_PLAYER)
    finally:
        await world.first.tell("faults loss=0")
    return f"{len(requests)} commands"


async def stays_connected(world: World) -> str:
    """Heartbeats keep a session that does nothing; silence ends it."""
    async with world.connected():
        joined = await world.first.wait("joined")
        who = joined["participant"]
        await world.first.wait_times(3, "heartbeat", participant=who)
        same(world.first.seen("left", participant=who), [], "ends of the session")
    left = await world.first.wait("left", participant=who)
    same(left["by"], "silence", "the end")
    return "dropped when it was silent"


async def power_off(world: World) -> None:
    """The console goes off and says so."""
    async with world.connected() as peer:
        await peer.do("power_off")
        await world.first.wait("power_off", right=True)
        await world.first.wait("state", value="standby")
        await peer.wait("status", titles=[])
    await world.first.tell("on")
    await world.first.wait("state", value="on")


CHECKS: Final[Sequence[tuple[str, Check]]] = (
    ("two consoles found by broadcast", found),
    ("woken from standby", woken),
    ("connected, channels open", connected),
    ("titles, surface and pairing change", titles),
    ("buttons", buttons),
    ("media in fragments, commands", media),
    ("text from both sides", text),
    ("TV provider", tv),
    ("a title's encrypted stream", title_channel),
    ("a launch is ignored", launching),
    ("refused", refused),
    ("connected with an account", account),
    ("a wrong token", wrong_account),
    ("a bad network", bad_network),
    ("heartbeats and silence", stays_connected),
    ("power off", power_off),
)
