"""Checks of what plays: told by the fake, understood alike by both clients."""

from .client import Client, same
from .world import World, until
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_artwork import picture
from tests.fakes.apple_tv_evening import FILMS, MUSIC, TV, episode, film, songs
from tests.fakes.apple_tv_models import (
    FILM_COMMANDS,
    MUSIC_COMMANDS,
    ArtworkWay,
    FakeCommand,
    FakeItem,
)

_STATES = {
    pb.PLAYBACK_STATE_PAUSED: "paused",
    pb.PLAYBACK_STATE_PLAYING: "playing",
    pb.PLAYBACK_STATE_SEEKING: "seeking",
    pb.PLAYBACK_STATE_INTERRUPTED: "loading",
    pb.PLAYBACK_STATE_UNKNOWN: "paused",
    pb.PLAYBACK_STATE_STOPPED: "stopped",
}


async def states(world: World, device: FakeAppleTv, *protocols: str) -> str:
    """A film, an episode and songs, in all states, are told alike."""
    media = device.mrp.media
    media.clear()
    async with world.both(device, *protocols):
        await world.agree("nothing", {"device_state": "idle", "app": None})
        media.play(FILMS[0], film(), name=FILMS[1], position=1260.0)
        await world.agree(
            "a film",
            {
                "device_state": "playing",
                "title": "The Long Loopback",
                "media_type": "video",
                "total_time": 6840,
                "app_name": FILMS[1],
            },
        )
        for state, name in _STATES.items():
            media.set_state(state)
            await world.agree(name, {"device_state": name})
        media.play(TV[0], episode(), name=TV[1])
        await world.agree(
            "an episode", {"series_name": "The Handshake", "season_number": 2}
        )
        player = media.play(MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS)
        await world.agree("a song", {"media_type": "music", "artist": "The Loopbacks"})
        player.repeat, player.shuffle = pb.REPEAT_MODE_ONE, pb.SHUFFLE_MODE_ALBUMS
        media.set_state(pb.PLAYBACK_STATE_PAUSED)
        await world.agree("modes", {"repeat": "track", "shuffle": "albums"})
        player.rate = 2.0
        player.state = pb.PLAYBACK_STATE_PLAYING
        media.tell_state(media.client(MUSIC[0]), player)
        await world.agree("another speed", {"device_state": "seeking"})
        media.clear()
        await world.agree("nothing again", {"device_state": "idle", "title": None})
    return f"{len(_STATES) + 7} states"


async def players(world: World) -> None:
    """Several apps and players, in front by turns, renamed and removed."""
    media = world.tv.mrp.media
    media.clear()
    async with world.both(world.tv, "airplay"):
        media.play(FILMS[0], film(), name=FILMS[1])
        media.play(MUSIC[0], *songs(), name=MUSIC[1])
        await world.agree("the second app", {"title": "Retransmit"})
        media.activate(FILMS[0])
        await world.agree("the first app", {"title": "The Long Loopback"})
        media.rename(FILMS[0], "Films")
        await world.agree("a name", {"app_name": "Films"})
        client = media.client(FILMS[0])
        trailer = client.player("trailer")
        trailer.items = [FakeItem("t", "A trailer", duration=60.0)]
        trailer.commands = dict(FILM_COMMANDS)
        trailer.move(pb.PLAYBACK_STATE_PLAYING, 0.0)
        media.tell_state(client, trailer)
        media.activate_player(FILMS[0], "trailer")
        await world.agree("another player", {"title": "A trailer"})
        media.change_item(title="Another trailer", genre="Teaser")
        await world.agree("an update", {"title": "Another trailer", "genre": "Teaser"})
        media.remove_player(FILMS[0], "trailer")
        await world.agree("the default player", {"title": "The Long Loopback"})
        media.set_default_commands(FILMS[0], {pb.COMMAND_NEXT_TRACK: FakeCommand()})
        await _features_agree(world)
        media.remove(FILMS[0])
        await world.agree("no app", {"device_state": "idle"})
        media.clear()


async def _features_agree(world: World, *, idle: bool = False) -> None:
    theirs = (await world.peer.state()).features
    ours = (await world.ours.state()).features
    # Names of features are written differently there.
    known = {name.lower(): state for name, state in theirs.items()}
    for name, state in ours.items():
        if name in _OTHERWISE or name not in known:
            continue
        if idle and name == "app":
            # There, no app at all is an app without a name.
            continue
        same(state, known[name], f"feature {name}")


# Playing addresses is yet to come here; and there are more features that we know of.
_OTHERWISE = {"playurl", "streamfile"}


async def features(world: World) -> str:
    """What can be done now is the same, with all protocols."""
    media = world.tv.mrp.media
    media.clear()
    async with world.both(world.tv, "airplay", "companion"):
        await world.agree("nothing", {"device_state": "idle"})
        await _features_agree(world, idle=True)
        media.play(MUSIC[0], *songs(), name=MUSIC[1], commands=MUSIC_COMMANDS)
        await world.agree("a song", {"media_type": "music"})
        await _features_agree(world)
        media.set_state(pb.PLAYBACK_STATE_PAUSED)
        await world.agree("paused", {"device_state": "paused"})
        media.set_commands({pb.COMMAND_PLAY: FakeCommand(), 3: FakeCommand(False)})
        await world.agree("other commands", {"repeat": "off"})
        await _features_agree(world)
        count = len((await world.ours.state()).features)
        media.clear()
    return f"{count} features"


async def artwork(world: World) -> str:
    """Pictures come in all three ways, and their size is no matter."""
    media = world.tv.mrp.media
    media.clear()
    ways: tuple[ArtworkWay, ...] = ("data", "url", "template")
    async with world.both(world.tv, "airplay"):
        for number, way in enumerate(ways):
            shown = picture(f"picture-{way}", way, hue=number)
            media.play(FILMS[0], FakeItem(way, way, picture=shown), name=FILMS[1])
            await world.agree(way, {"title": way})
            for client in world.clients:
                begin = await client.artwork()
                same(begin[:8], shown.data[:8], f"{way} for {client.name}")
        large = picture("large", size=(8, 8))
        noise = bytes(range(256)) * 12_000
        whole = type(large)("large", large.data + noise, width=8, height=8)
        media.play(FILMS[0], FakeItem("large", "large", picture=whole))
        await world.agree("large", {"title": "large"})
        for client in world.clients:
            same((await client.artwork())[:8], whole.data[:8], f"3 MB, {client.name}")
        media.clear()
    return f"{len(ways)} ways, one of {len(whole.data) >> 20} MiB"


async def bad_device(world: World) -> None:
    """Single bytes, unknown messages, no messages, several in one: nothing is lost."""
    device, media = world.tv, world.tv.mrp.media
    media.clear()
    device.split(1)
    try:
        async with world.both(device, "airplay"):
            media.play(FILMS[0], film(), name=FILMS[1])
            await world.agree("in single bytes", {"title": "The Long Loopback"})
            device.mrp.tell_unknown()
            device.mrp.tell_bytes(b"\x08\x04\x4a\xff\x01")
            media.set_state(pb.PLAYBACK_STATE_PAUSED)
            await world.agree("after that", {"device_state": "paused"})
            device.split(0)
            several = [message.SerializeToString() for message in media.messages()]
            for session in device.airplay.sessions:
                assert session.data is not None
                session.data.send(*several)
                session.data.send(several[-1], bare=True)
            media.set_state(pb.PLAYBACK_STATE_PLAYING)
            await world.agree("several at once", {"device_state": "playing"})
    finally:
        device.split(0)
        media.clear()


async def power_told(world: World) -> None:
    """The box goes off and on; both know by two protocols, and by each alone."""
    for protocols in (("airplay",), ("companion",), ("airplay", "companion")):
        async with world.both(world.tv, *protocols):
            for is_on, word in ((False, "off"), (True, "on")):
                world.tv.set_power(is_on, "test")
                for client in world.clients:
                    await _power_is(client, word)


async def _power_is(client: Client, word: str) -> None:
    known = ""

    async def look() -> bool:
        nonlocal known
        known = (await client.state()).power
        return known == word

    await until(look, f"{client.name}: power {word}")
