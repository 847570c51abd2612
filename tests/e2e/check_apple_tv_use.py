"""The check of Apple TVs and HomePods: everything that somebody on the sofa does."""

from collections.abc import AsyncIterator, Callable
import contextlib
from typing import Final

from .apple_devices import Test, is_kind
from .check_privacy import require_private
from .fakes import FakeProcess
from .lab import Lab
from .models import State
from .report import Report, require
from .shapes import JsonObject, JsonValue, as_list, get_object, get_strings
from .subject import Subject

COMMAND: Final = 15.0
FILM: Final = "The Long Loopback"
APP: Final = "Loopback Films"
SONG: Final = "Retransmit"
LINK: Final = "https://tv.example.com/show/handshake"
ACCOUNT: Final = "Ben"
SECRET: Final = "correct horse staple battery"
HOLD: Final = 0.5  # seconds, from which the fake takes a press for a long one


async def check_lounge(lab: Lab, report: Report, tv: Subject) -> None:
    """Use the Apple TV."""
    await _play(lab, report, tv)
    await _open_apps(report, tv)
    await _press(report, tv)
    await _type(lab, report, tv)
    name, fake = tv.fake.name, tv.fake
    async with report.step(f"{name}: another user of the family"):
        async with hears(fake, "account"):
            await tv.do("select.select_option", "account", option=ACCOUNT)
        await tv.wait_state("select", "account", ACCOUNT)
    async with report.step(f"{name}: its volume is set"):
        await _set_volume(tv, 0.35)


async def check_pod(lab: Lab, report: Report, pod: Subject, tv: Subject) -> None:
    """Use the HomePod, and play on both."""
    name, fake = pod.fake.name, pod.fake
    async with report.step(f"{name}: what it plays is shown with its artwork"):
        await fake.say("play music")
        await pod.wait_state("media_player", "", plays(SONG))
        await _see_artwork(lab, pod)
    async with report.step(f"{name}: the next song, and pause"):
        async with hears(fake, "command", name="next_track"):
            await pod.do("media_player.media_next_track")
        async with hears(fake, "command", name="pause"):
            await pod.do("media_player.media_pause")
        await pod.wait_state("media_player", "", "paused")
    async with report.step(f"{name}: its volume is set"):
        await _set_volume(pod, 0.2)
    players = [await tv.entity("media_player"), await pod.entity("media_player")]
    async with report.step(f"{name}: joins {tv.fake.name}"):
        async with hears(tv.fake, "modify_outputs"):
            await tv.do("media_player.join", group_members=[players[1]])
        for subject in (tv, pod):
            await subject.wait_state("media_player", "", _is_group(players))
        await tv.wait_state("sensor", "output_device", lambda s: name in s.state)
    async with report.step(f"{name}: leaves it again"):
        async with hears(tv.fake, "modify_outputs"):
            await pod.do("media_player.unjoin")
        for subject in (tv, pod):
            await subject.wait_state("media_player", "", _is_group([]))


async def _play(lab: Lab, report: Report, tv: Subject) -> None:
    """Watch a film, hear a song."""
    name, fake = tv.fake.name, tv.fake
    async with report.step(f"{name}: the film that it plays is shown with its artwork"):
        await fake.say("play film")
        state = await tv.wait_state("media_player", "", plays(FILM))
        require(state.attributes.get("app_name") == APP, f"there is {state}")
        await tv.wait_state("sensor", "tv_app", APP)
        await tv.wait_state("sensor", "media_type", "video")
        await _see_artwork(lab, tv)
    async with report.step(f"{name}: pauses, seeks, and goes on"):
        async with hears(fake, "command", name="pause"):
            await tv.do("media_player.media_pause")
        await tv.wait_state("media_player", "", "paused")
        await tv.do("media_player.media_seek", seek_position=60)
        await tv.wait_state(
            "media_player", "", lambda s: s.attributes.get("media_position") == 60
        )
        async with hears(fake, "command", name="play"):
            await tv.do("media_player.media_play")
        await tv.wait_state("media_player", "", "playing")
    async with report.step(f"{name}: a song, whose artwork is fetched from its app"):
        await fake.say("play music")
        state = await tv.wait_state("media_player", "", plays(SONG))
        about = {
            key: state.attributes.get(f"media_{key}")
            for key in ("artist", "album_name")
        }
        require(
            about == {"artist": "The Loopbacks", "album_name": "Localhost"},
            f"there is {about}",
        )
        await _see_artwork(lab, tv)


async def _open_apps(report: Report, tv: Subject) -> None:
    """Start an app, and open a link."""
    fake = tv.fake
    async with report.step(f"{fake.name}: its apps are its sources, one is started"):
        await tv.wait_state(
            "media_player",
            "",
            lambda s: APP in get_strings(s.attributes, "source_list"),
        )
        async with hears(fake, "launch", target="com.example.LoopbackFilms"):
            await tv.do("media_player.select_source", source=APP)
    async with (
        report.step(f"{fake.name}: a link is opened"),
        hears(fake, "launch", target=LINK),
    ):
        await tv.do(
            "media_player.play_media", media_content_type="url", media_content_id=LINK
        )
    async with report.step(f"{fake.name}: its apps are listed"):
        apps = as_list((await tv.ask("get_apps"))["apps"])
        names = [app.get("name") for app in apps if isinstance(app, dict)]
        require(APP in names, f"there are {names}")


async def _press(report: Report, tv: Subject) -> None:
    """Press keys once, twice and for long; swipe and click."""
    name, fake = tv.fake.name, tv.fake
    async with (
        report.step(f"{name}: a key is pressed once"),
        hears_that(fake, "short press", _pressed("up", is_long=False)),
    ):
        await tv.do("remote.send_command", command=["up"])
    async with report.step(f"{name}: a key is pressed twice"):
        mark = fake.position
        async with hears_that(fake, "short press", _pressed("home", is_long=False)):
            await tv.do("remote.send_command", command=["double:home"])
        presses = [
            event
            for event in fake.events[mark:]
            if _pressed("home", is_long=False)(event)
        ]
        require(len(presses) == 2, f"pressed {len(presses)} times")
    async with (
        report.step(f"{name}: a key is held"),
        hears_that(fake, "long press", _pressed("select", is_long=True)),
    ):
        await tv.do("remote.send_command", command=["hold:select"])
    async with report.step(f"{name}: a swipe to the left"):
        mark = fake.position
        async with hears_that(fake, "end of a touch", is_kind("touch", phase=4)):
            await tv.do("remote.send_command", command=["swipe_left"])
        way = [
            get_object(event, "data").get("x")
            for event in fake.events[mark:]
            if event.get("kind") == "touch"
        ]
        numbers = [x for x in way if isinstance(x, int)]
        require(
            len(numbers) > 2 and numbers[0] > numbers[-1], f"the finger was at {way}"
        )
    async with (
        report.step(f"{name}: a click on the pad"),
        hears_that(fake, "click", is_kind("button", name="select")),
    ):
        await tv.act("click", click="single")


async def _type(lab: Lab, report: Report, tv: Subject) -> None:
    """Type into a text field, and a secret."""
    name, fake = tv.fake.name, tv.fake
    async with report.step(f"{name}: text is typed into its field"):
        await fake.say("text")
        await tv.wait_state("binary_sensor", "text_field", "on")
        async with hears(fake, "text", length=5):
            await tv.do("text.set_value", "keyboard", value="films")
        async with hears(fake, "text", length=11):
            await tv.act("append_text", text=" of us")
    async with report.step(f"{name}: a password is typed and shown nowhere"):
        async with hears(fake, "text", length=len(SECRET)):
            await tv.act("set_text", text=SECRET)
        await require_private(lab, (tv,), (SECRET,))
    async with report.step(f"{name}: the field is emptied, and closed"):
        async with hears(fake, "text", length=0):
            await tv.act("clear_text")
        await fake.say("close_text")
        await tv.wait_state("binary_sensor", "text_field", "off")
        await tv.wait_state("text", "keyboard", "unavailable")


async def _set_volume(subject: Subject, level: float) -> None:
    """Set the volume to a level, which the device confirms."""
    async with hears(subject.fake, "volume"):
        await subject.do("media_player.volume_set", volume_level=level)

    def is_set(state: State) -> bool:
        now = state.attributes.get("volume_level")
        return isinstance(now, float) and abs(now - level) < 0.01

    await subject.wait_state("media_player", "", is_set)


async def _see_artwork(lab: Lab, subject: Subject) -> None:
    """Fetch the picture of what plays through Home Assistant."""
    player = await subject.entity("media_player")
    kind, picture = await lab.api.picture(player)
    require(kind.startswith("image/"), f"the picture is {kind}")
    require(len(picture) > 100, f"the picture has {len(picture)} bytes")


def is_running(state: State) -> bool:
    """Tell whether a player is there and awake."""
    return state.state not in {"off", "unavailable", "unknown"}


def plays(title: str) -> Callable[[State], bool]:
    """Return a test for a player that plays something."""
    return lambda state: (
        state.state == "playing" and state.attributes.get("media_title") == title
    )


def _is_group(players: list[str]) -> Callable[[State], bool]:
    return lambda state: state.attributes.get("group_members", []) == players


def _pressed(name: str, *, is_long: bool) -> Test:
    """Return a test for a key that was pressed, for long or not."""

    def test(event: JsonObject) -> bool:
        if not is_kind("button", name=name)(event):
            return False
        length = get_object(event, "data").get("length")
        return isinstance(length, float) and (length >= HOLD) is is_long

    return test


@contextlib.asynccontextmanager
async def hears_that(fake: FakeProcess, what: str, fits: Test) -> AsyncIterator[None]:
    """Do something, and wait until the fake tells of what it shall cause."""
    mark = fake.position
    yield
    await fake.wait(fits, what, COMMAND, start=mark)


def hears(
    fake: FakeProcess, kind: str, **fits: JsonValue
) -> contextlib.AbstractAsyncContextManager[None]:
    """Do something, and wait until the fake tells of an event of a kind."""
    return hears_that(fake, kind, is_kind(kind, **fits))
