"""Checks of what clients do: both do the same to the same device."""

from collections.abc import Awaitable, Callable, Sequence

from .client import Client, Plain, same
from .world import Deed, World
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_evening import FILMS, MUSIC, film, songs
from tests.fakes.apple_tv_models import MUSIC_COMMANDS, FakeOutput
from tests.interop.report import CheckError

type Step = tuple[str, *tuple[Plain, ...]]
type Prepare = Callable[[], None]

_ALL = ("airplay", "companion")
_KEYS = (
    *("up", "down", "left", "right", "select", "menu", "home", "top_menu"),
    *("channel_up", "channel_down", "guide", "control_center"),
    *("up_double", "select_hold", "menu_double", "home_hold"),
)


async def compare(
    world: World,
    device: FakeAppleTv,
    protocols: Sequence[str],
    prepare: Prepare,
    *steps: Step,
) -> list[Deed]:
    """Let both clients do something, one after the other; both shall do the same."""

    async def act(client: Client) -> None:
        for action, *arguments in steps:
            await client.do(action, *arguments)

    return await compare_acts(world, device, protocols, prepare, act)


async def compare_acts(
    world: World,
    device: FakeAppleTv,
    protocols: Sequence[str],
    prepare: Prepare,
    act: Callable[[Client], Awaitable[None]],
) -> list[Deed]:
    """Let both clients act and return what they did alike."""
    told: list[list[Deed]] = []
    for client in world.clients:
        prepare()
        async with world.connected(client, device, *protocols):
            told.append(await world.deeds(client, device, act))
    theirs, ours = told
    if not theirs:
        raise CheckError(f"{world.peer.name} did nothing")
    same(ours, theirs, "done")
    return ours


async def keys(world: World) -> str:
    """Keys are pressed once, twice and for long, by the protocol that has them."""
    steps: list[Step] = [(key,) for key in _KEYS]
    done = await compare(world, world.tv, _ALL, lambda: None, *steps)
    alone: list[Step] = [("up",), ("select",), ("home",), ("channel_up",)]
    done += await compare(world, world.tv, ("companion",), lambda: None, *alone)
    return f"{len(done)} presses"


async def playback(world: World, device: FakeAppleTv, *protocols: str) -> str:
    """Everything that can be done to what plays."""

    def prepare() -> None:
        device.mrp.media.play(
            MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS
        )

    steps: list[Step] = [
        *(("pause",), ("play",), ("play_pause",), ("next",), ("previous",)),
        *(("seek", 90), ("skip_forward", 20), ("skip_backward", 5)),
        *(("shuffle_songs",), ("shuffle_albums",), ("shuffle_off",)),
        *(("repeat_all",), ("repeat_track",), ("repeat_off",), ("stop",)),
    ]
    done = await compare(world, device, protocols, prepare, *steps)
    device.mrp.media.clear()
    return f"{len(done)} commands"


async def by_companion(world: World) -> str:
    """Without MRP, playback is commanded by Companion."""

    def prepare() -> None:
        world.tv.mrp.media.play(
            MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS
        )

    steps: list[Step] = [
        *(("pause",), ("play",), ("next",), ("previous",)),
        *(("skip_forward", 20), ("skip_backward", 5), ("play_pause",)),
    ]
    done = await compare(world, world.tv, ("companion",), prepare, *steps)
    world.tv.mrp.media.clear()
    return f"{len(done)} commands"


async def refused(world: World) -> None:
    """A command that the device refuses is an error for both."""
    media = world.tv.mrp.media
    media.play(FILMS[0], film(), name=FILMS[1])
    world.tv.mrp.results[pb.COMMAND_PAUSE] = pb.SEND_ERROR_NO_COMMAND_HANDLERS
    try:
        for client in world.clients:
            async with world.connected(client, world.tv, "airplay"):
                try:
                    await client.do("pause")
                except Exception as error:  # each has its own
                    told = f"{type(error).__name__} {error}"
                    if "ommand" not in told:
                        raise
                else:
                    raise CheckError(f"{client.name} noticed nothing")
    finally:
        world.tv.mrp.results.clear()
        media.clear()


async def volume(world: World) -> str:
    """Volume absolute and in steps, of the device and of a speaker."""
    device = world.tv
    speaker = FakeOutput("11:22:33:44:55:66", "Speaker", 0.2)
    device.mrp.add_speaker(speaker)

    def prepare() -> None:
        device.mrp.set_outputs(())
        device.set_volume(0.5)

    steps: list[Step] = [
        *(("set_volume", 30), ("volume_up",), ("volume_down",)),
        *(("add_outputs", speaker.identifier), ("remove_outputs", speaker.identifier)),
        ("set_outputs", speaker.identifier),
    ]
    done = await compare(world, device, ("airplay",), prepare, *steps)
    async with world.both(device, "airplay"):
        for client in world.clients:
            state = await client.state()
            names = tuple(sorted((device.name, speaker.name)))
            same((state.volume, state.outputs), (30.0, names), client.name)
    pod = world.pod

    def louder() -> None:
        pod.set_volume(0.5)

    more: list[Step] = [("set_volume", 20), ("volume_up",), ("volume_down",)]
    done += await compare(world, pod, ("airplay",), louder, *more)
    prepare()
    return f"{len(done)} deeds"


async def apps(world: World) -> str:
    """Apps and accounts are listed, started and switched."""
    device = world.tv
    listed: list[list[str]] = []
    account = list(device.accounts)[1]

    async def act(client: Client) -> None:
        listed.append(await client.names("apps"))
        listed.append(await client.names("accounts"))
        await client.do("launch", "com.apple.TVMusic")
        await client.do("launch", "https://tv.example.com/show/1")
        await client.do("switch_account", account)

    await compare_acts(world, device, ("companion",), lambda: None, act)
    same(listed[:2], listed[2:], "listed")
    same(listed[0], sorted(device.apps.values()), "apps")
    return f"{len(listed[0])} apps, {len(listed[1])} accounts"


async def text(world: World) -> None:
    """Text is read, replaced, added to and cleared."""
    device = world.tv

    def prepare() -> None:
        device.open_text("Hello")

    async def act(client: Client) -> None:
        texts = [await client.do("text_get")]
        await client.do("text_append", " Wörld")
        texts.append(await client.do("text_get"))
        await client.do("text_set", "Räksmörgås 🦐")
        texts.append(await client.do("text_get"))
        await client.do("text_clear")
        texts.append(await client.do("text_get"))
        same(texts, ["Hello", "Hello Wörld", "Räksmörgås 🦐", ""], client.name)

    await compare_acts(world, device, ("companion",), prepare, act)
    device.close_text()


async def gestures(world: World) -> str:
    """Swipes begin and end alike, and clicks are clicks."""
    told = []
    for client in world.clients:
        async with world.connected(client, world.tv, "companion"):
            before = len(world.tv.events.all)
            await client.do("swipe", 200, 500, 800, 500, 200)
            await client.do("click")
            # The last touch comes without an answer.
            await world.tv.wait_for("touch", phase=5)
            touches = [
                (event.data["x"], event.data["y"], event.data["phase"])
                for event in world.tv.events.all[before:]
                if event.kind == "touch"
            ]
            told.append((touches[0], touches[-2], touches[-1]))
    same(told[1], told[0], "touches")
    return f"{told[0]}"


async def switched(world: World) -> None:
    """Off and on: by Companion where it is, else as MRP did it until tvOS 17."""
    await compare(world, world.tv, _ALL, lambda: None, ("turn_off",), ("turn_on",))
    same(world.tv.is_on, True, "on")
    await compare(world, world.old, ("mrp",), lambda: None, ("turn_off",), ("turn_on",))
    same(world.old.is_on, True, "on")
