"""What is checked once the daemon and Home Assistant are paired."""

import asyncio
from functools import partial
import json
from typing import Final

from . import checks_desktop, checks_notifications, checks_share
from .stubs import PlayerStub, Status
from .waiting import PATIENCE, until, until_true
from .world import DOMAIN, UNAVAILABLE, World
from tests.e2e.models import State
from tests.e2e.shapes import as_object, get_object, get_str
from tests.interop.report import CheckError

PLAYER: Final = "Interop Player"
PING_TEXT: Final = "Hällo <b>Home</b> & Assistant \N{PARTY POPPER}"
PLAYER_KEY: Final = f"player_{PLAYER}"
_SECRETS: Final = (
    *(PING_TEXT, "PRIVATE KEY", "touch /srv/touched"),
    *checks_desktop.PRIVATE,
    *checks_notifications.PRIVATE,
    *checks_share.PRIVATE,
)
_TOLD: Final = "Error during service call to rumpus."


async def entities(world: World) -> str:
    """All entities of a connected computer are there and available."""
    expected = {
        "sensor": ("battery",),
        "binary_sensor": ("battery_charging", "connectivity"),
        "button": ("ring", "ping"),
        "lock": ("screen",),
        "event": ("ping",),
    }
    count = 0
    for domain, keys in expected.items():
        for key in keys:
            await world.wait_state(domain, key, lambda s: s.state != UNAVAILABLE)
            count += 1
    trackers = [
        e.entity_id for e in await world.api.entities() if e.domain == "device_tracker"
    ]
    for entity_id in trackers:
        await world.api.wait_state(entity_id, "home", PATIENCE)
    if not trackers:
        raise CheckError("there is no device tracker")
    return f"{count + len(trackers)} entities"


async def ping_from_us(world: World) -> str:
    """The ping button shows a notification on the daemon's desktop."""
    mark = len(world.daemon.notifications.shown)
    await world.press("ping")
    shown = await world.daemon.wait_notification("Ping", mark)
    return shown.body


async def ping_from_daemon(world: World) -> str:
    """Each ping fires the event entity, and an event with its text for automations alone."""
    us = await world.us()
    state = await world.wait_state("event", "ping", lambda s: s.state != UNAVAILABLE)
    async with await world.api.subscribe_events(f"{DOMAIN}_ping") as events:
        for message in (None, PING_TEXT):
            await us.ping(message or "")
            state = await world.wait_state(
                "event", "ping", partial(_has_fired, state.state)
            )
            async with asyncio.timeout(PATIENCE):
                event = get_object(as_object(await events.get()), "data")
            if event.get("message") != message:
                raise CheckError(f"the event has the text {event.get('message')!r}")
    if PING_TEXT in json.dumps(state.attributes, ensure_ascii=False):
        raise CheckError("the text is in the state, for everybody to see")
    return f"{get_str(state.attributes, 'event_type')}, text in the event only"


def _has_fired(before: str, state: State) -> bool:
    return state.state not in {before, UNAVAILABLE, "unknown"}


async def battery(world: World) -> str:
    """Charge and charging are those of the daemon's two batteries together.

    It looks at both of them, but only when the first one changes.
    """

    async def shows(charge: int, charging: str) -> None:
        await world.wait_state("sensor", "battery", str(charge))
        await world.wait_state("binary_sensor", "battery_charging", charging)

    one, other = world.daemon.batteries
    await shows((one.percentage + other.percentage) // 2, "off")
    other.change(40, charging=False)
    one.change(42, charging=True)
    await shows(41, "on")
    one.change(86, charging=False)
    await shows(63, "off")
    return "two: 42 % charging and 40 %, 86 % and 40 % discharging"


async def battery_low(world: World) -> str:
    """The daemon's word that its batteries are low is an event, once."""
    before = await world.wait_state(
        "event", "battery_low", lambda s: s.state != UNAVAILABLE
    )
    one, other = world.daemon.batteries
    other.change(8, charging=False)
    one.change(20, charging=False)
    fired = await world.wait_state(
        "event", "battery_low", partial(_has_fired, before.state)
    )
    one.change(16, charging=False)
    await world.wait_state("sensor", "battery", "12")
    after = world.api.states[await world.entity_id("event", "battery_low")]
    if after.state != fired.state:
        raise CheckError("it is told again while it lasts")
    other.change(40, charging=False)
    one.change(86, charging=False)
    await world.wait_state("sensor", "battery", "63")
    return f"at {fired.attributes.get('level')} %"


async def commands(world: World) -> str:
    """A command gets a button, which runs it there, and loses it when removed."""
    us = await world.us()
    touched = world.daemon.home / "touched"
    await us.set_commands(
        {"one": ("Touch a file", "touch /srv/touched"), "two": ("No", "true")}
    )
    await world.wait_state("button", "command_two", lambda s: s.state != UNAVAILABLE)
    state = await world.wait_state(
        "button", "command_one", lambda s: s.state != UNAVAILABLE
    )
    await world.press("command_one")
    await until_true(touched.exists, "the command runs")
    await us.set_commands({"two": ("No", "true")})

    async def is_gone() -> bool:
        return not await world.has_entity("button", "command_one")

    await until(is_gone, "the button of the removed command vanishes")
    if not await world.has_entity("button", "command_two"):
        raise CheckError("the button of the other command vanished too")
    await us.set_commands({})
    return get_str(state.attributes, "friendly_name")


async def lock(world: World) -> str:
    """The lock entity locks and unlocks the daemon's session, and follows it."""
    session = world.daemon.session
    await world.wait_state("lock", "screen", "unlocked")
    for service, state, is_locked in (
        ("lock", "locked", True),
        ("unlock", "unlocked", False),
    ):
        await world.call("lock", service, "lock", "screen")
        if session.locked is not is_locked:
            raise CheckError(f"the session is not {state}")
        await world.wait_state("lock", "screen", state)
    for state in ("locked", "unlocked"):
        session.change(locked=state == "locked")
        await world.wait_state("lock", "screen", state)
    calls = ", ".join(dict.fromkeys(name for name, _ in session.calls))
    return f"logind calls: {calls}; what its user does is shown"


async def ring(world: World) -> str:
    """The ring button makes the daemon open its media backend; there is no sound here."""
    mark = len(world.daemon.log_text)
    await world.press("ring")
    words = ("mediaplayer", "qt.multimedia")
    await until_true(
        lambda: any(word in world.daemon.log_text[mark:] for word in words),
        "the daemon tries to play its sound",
    )
    return "its media backend was opened"


async def _player(world: World) -> PlayerStub:
    """Start a player and wait until Home Assistant shows it."""
    player = await world.daemon.add_player(PLAYER)
    try:
        await world.wait_state("media_player", PLAYER_KEY, "playing")
    except BaseException:
        await world.daemon.remove_player(player)
        raise
    return player


async def media_player(world: World) -> str:
    """A player of the daemon's session is followed and obeys."""
    player = await _player(world)
    try:
        await _check_metadata(world, player)
        await _check_controls(world, player)
    finally:
        await world.daemon.remove_player(player)
    return ", ".join(dict.fromkeys(name for name, _ in player.calls))


async def _check_metadata(world: World, player: PlayerStub) -> None:
    def complete(state: State) -> bool:
        got = state.attributes
        volume = got.get("volume_level")
        return (
            got.get("media_title") == "Song 1"
            and got.get("media_artist") == player.ARTIST
            and got.get("media_album_name") == player.ALBUM
            and got.get("media_duration") == player.LENGTH
            and got.get("shuffle") is False
            and got.get("repeat") == "off"
            and isinstance(volume, float)
            and abs(volume - player.volume) < 0.01
        )

    state = await world.wait_state(
        "media_player", PLAYER_KEY, lambda s: s.state == "playing"
    )
    try:
        await world.wait_state("media_player", PLAYER_KEY, complete)
    except TimeoutError as err:
        raise CheckError(f"incomplete: {json.dumps(state.attributes)}") from err


async def _check_controls(world: World, player: PlayerStub) -> None:
    async def act(service: str, **data: float | str | bool) -> None:
        await world.call(
            "media_player", service, "media_player", PLAYER_KEY, dict(data)
        )

    async def shows(what: str, value: object) -> None:
        await world.wait_state(
            "media_player", PLAYER_KEY, lambda s: s.attributes.get(what) == value
        )

    await act("media_pause")
    await until_true(lambda: player.status is Status.PAUSED, "the player pauses")
    await world.wait_state("media_player", PLAYER_KEY, "paused")
    await act("media_play")
    await until_true(lambda: player.status is Status.PLAYING, "the player plays")
    await world.wait_state("media_player", PLAYER_KEY, "playing")
    await act("media_next_track")
    await shows("media_title", "Song 2")
    await act("media_previous_track")
    await shows("media_title", "Song 1")
    await act("volume_set", volume_level=0.3)
    await until_true(lambda: abs(player.volume - 0.3) < 0.01, "the volume is set")
    await shows("volume_level", 0.3)
    await act("media_seek", seek_position=95)
    await until_true(lambda: 94 < player.position < 105, "the position is set")

    def near(state: State) -> bool:
        position = state.attributes.get("media_position")
        return isinstance(position, int | float) and 94 < position < 105

    await world.wait_state("media_player", PLAYER_KEY, near)
    await act("shuffle_set", shuffle=True)
    await until_true(lambda: player.shuffle, "shuffle is set")
    await shows("shuffle", True)
    for repeat, loop in (("one", "Track"), ("all", "Playlist"), ("off", "None")):
        await act("repeat_set", repeat=repeat)
        await until_true(partial(_loops, player, loop), f"loop is {loop}")
        await shows("repeat", repeat)
    # What happens at the player itself is seen as well.
    player.change(track=7, status=Status.PAUSED)
    await shows("media_title", "Song 7")
    await world.wait_state("media_player", PLAYER_KEY, "paused")


def _loops(player: PlayerStub, loop: str) -> bool:
    return player.loop == loop


async def artwork(world: World) -> str:
    """Home Assistant's image proxy gives the very picture of the player."""
    player = await _player(world)
    try:
        await world.wait_state(
            "media_player",
            PLAYER_KEY,
            lambda s: bool(s.attributes.get("entity_picture")),
        )
        entity_id = await world.entity_id("media_player", PLAYER_KEY)
        kind, data = await world.api.picture(entity_id)
        if data != player.art:
            raise CheckError(
                f"{kind} of {len(data)} bytes instead of {len(player.art)}"
            )
    finally:
        await world.daemon.remove_player(player)
    return f"{kind}, {len(data)} bytes"


async def player_comes_and_goes(world: World) -> str:
    """A player's entity goes with the player and returns with it, under the same id."""
    seen = []
    for _ in range(2):
        player = await _player(world)
        entity_id = await world.entity_id("media_player", PLAYER_KEY)
        seen.append(entity_id)
        await world.daemon.remove_player(player)

        def is_gone(entity_id: str = entity_id) -> bool:
            state = world.api.states.get(entity_id)
            return state is None or state.state == UNAVAILABLE

        await until_true(is_gone, "the player's entity goes")
    if len(set(seen)) != 1:
        raise CheckError(f"the player came back as another entity: {seen}")
    return seen[0]


async def unpaired_there(world: World) -> str:
    """The daemon's user unpairs; Home Assistant asks to pair again and can."""
    us = await world.us()
    entry = await world.need_entry()
    await us.unpair()
    await us.wait_unpaired()
    flow = await world.api.wait_flow(DOMAIN, source="reauth", timeout=PATIENCE)
    await world.wait_state("button", "ping", UNAVAILABLE)
    await us.wait_reachable()
    result = await world.start_pairing(flow.flow_id)
    await us.wait_asked()
    key = await world.compare_keys(result)
    await us.accept()
    result = await world.api.wait_step(result, PATIENCE)
    await world.expect(result, "abort")
    if result.reason != "reauth_successful":
        raise CheckError(f"the flow ended with {result.reason}")
    await us.wait_paired()
    await world.wait_available()
    if (await world.need_entry()).entry_id != entry.entry_id:
        raise CheckError("the entry is another one")
    return key


async def unpaired_here(world: World) -> str:
    """Removing the entry unpairs the daemon."""
    us = await world.us()
    entry = await world.need_entry()
    await world.api.delete_entry(entry.entry_id)
    await us.wait_unpaired()
    left = [e.entity_id for e in await world.api.entities(entry.entry_id)]
    if left:
        raise CheckError(f"entities are left: {left}")
    return "the daemon forgot us, no entity is left"


async def quiet_log(world: World) -> str:
    """Home Assistant's log has no error of ours and nothing private, though it is at debug."""
    lines = world.server.log.text.splitlines()
    for line in lines:
        # Home Assistant itself logs what it tells the caller of an action.
        if _TOLD not in line and (
            "custom_components/rumpus/" in line
            or (" ERROR " in line and "rumpus" in line)
        ):
            raise CheckError(line)
        for secret in _SECRETS:
            if secret in line:
                raise CheckError(f"the log has {secret!r}")
    return f"{len(lines)} lines"
