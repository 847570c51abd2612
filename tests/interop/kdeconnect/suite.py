"""Runs the checks against each release of the daemon."""

from collections.abc import Awaitable, Callable
import contextlib
from functools import partial
from pathlib import Path
import shutil
from typing import Final

from . import (
    checks,
    checks_desktop,
    checks_notifications,
    checks_offers,
    checks_phone,
    checks_share,
    connection,
    pairing,
)
from .daemon import KdeConnectDaemon
from .network import Network
from .roots import CACHE, Flavour, ensure_roots
from .waiting import TooLateError
from .world import World
from tests.e2e.api import ApiError, HomeAssistantApi
from tests.e2e.server import INTEGRATION, HomeAssistantServer
from tests.interop.options import Options
from tests.interop.report import CheckError, Report

type Check = Callable[[World], Awaitable[str | None]]

DEFAULT: Final = tuple(Flavour)
HOME_ASSISTANT: Final = ("ha", 100)
LOGS: Final = CACHE / "logs"
# An integration of ours that watches Home Assistant and gives it a player.
PROBE: Final = Path(__file__).parent / "interop_probe"
YAML: Final = """\
rumpus:
interop_probe:
script:
  interop_greet:
    alias: Greet
    sequence:
      - event: interop_greeted
"""

BEFORE_PAIRING: Final[tuple[tuple[str, Check], ...]] = (
    ("a daemon that starts becomes a card", pairing.discovered),
    ("found by mDNS alone", pairing.discovered_by_mdns),
    ("a search by the user lists it", pairing.searched),
    ("searched for repeatedly", pairing.searched_often),
    ("pairing rejected there", pairing.rejected_there),
    ("pairing taken back here", pairing.taken_back),
    ("added by address, keys equal", pairing.added_by_address),
    ("pairing started by the daemon, keys equal", pairing.started_there),
    ("pairing started by us, keys equal", pairing.started_here),
)
# These need the pairing that the last one above has made.
PAIRED: Final[tuple[tuple[str, Check], ...]] = (
    ("entities", checks.entities),
    ("ping to the daemon", checks.ping_from_us),
    ("ping from the daemon", checks.ping_from_daemon),
    ("battery", checks.battery),
    ("battery low", checks.battery_low),
    ("commands", checks.commands),
    ("lock", checks.lock),
    ("ring", checks.ring),
    ("media player", checks.media_player),
    ("artwork", checks.artwork),
    ("a player comes and goes", checks.player_comes_and_goes),
    ("notification answered", checks_notifications.answered),
    ("notification dismissed and taken back", checks_notifications.closed),
    ("notification with a picture", checks_notifications.with_picture),
    ("notification through the entity", checks_notifications.through_entity),
    ("notifications of the daemon", checks_notifications.forwarded),
    ("audio outputs", checks_desktop.outputs),
    ("default audio output", checks_desktop.default_output),
    ("clipboard", checks_desktop.clipboard),
    ("pointer", checks_desktop.pointer),
    ("our player on the daemon", checks_offers.player),
    ("artwork of our player", checks_offers.artwork),
    ("volume of our player on the daemon", checks_offers.volume),
    ("our script as a command of the daemon", checks_offers.command),
    ("nothing offered any more", checks_offers.withdrawn),
    ("a text to the daemon", checks_share.text_to_daemon),
    ("a link to the daemon", checks_share.link_to_daemon),
    ("a text from the daemon", checks_share.text_from_daemon),
    ("a link from the daemon", checks_share.link_from_daemon),
    ("files between two daemons", checks_share.yardstick),
    ("1 GiB file to the daemon", checks_share.one_to_daemon),
    ("50 files to the daemon", checks_share.many_to_daemon),
    ("1 GiB file from the daemon", checks_share.one_from_daemon),
    ("50 files from the daemon", checks_share.many_from_daemon),
    ("file cut off while sent", checks_share.cut_while_sending),
    ("file cut off while received", checks_share.cut_while_receiving),
    ("killed and started again", connection.killed),
    ("announced again while connected", connection.stays_up),
    ("back after a silent loss", connection.lost_silently),
    ("Home Assistant restarts", connection.home_assistant_restarts),
    ("another key is refused", connection.changed_key),
    ("unpaired by the daemon, paired again", checks.unpaired_there),
    ("unpaired by Home Assistant", checks.unpaired_here),
)
# The first two wait for time-outs of ours, so that one release has to do; the others have
# nothing to look at the picture of another device's player with.
NEWEST_ONLY: Final[frozenset[Check]] = frozenset(
    {
        checks_share.cut_while_sending,
        checks_share.cut_while_receiving,
        checks_offers.artwork,
    }
)
AFTERWARDS: Final[tuple[tuple[str, Check], ...]] = (
    ("Home Assistant's log is quiet", checks.quiet_log),
)


async def run(options: Options) -> bool:
    """Run all checks against the daemons; tell whether every one is fine."""
    chosen = tuple(f for f in Flavour if f.label in options.flavours) or DEFAULT
    ensure_roots(chosen)
    report = Report()
    with Network() as network:
        namespace = network.add_host(*HOME_ASSISTANT)
        server = HomeAssistantServer(
            network.state / "homeassistant",
            command_prefix=network.command_prefix(HOME_ASSISTANT[0]),
            fresh=True,
            integration=options.integration or INTEGRATION,
            yaml=YAML,
        )
        probe = server.config_dir / "custom_components" / PROBE.name
        shutil.copytree(PROBE, probe)
        try:
            seconds = await server.start()
            print(f"Home Assistant is up after {seconds:.1f} s", flush=True)
            async with HomeAssistantApi(server.url, namespace=namespace) as api:
                await api.wait_running()
                for number, flavour in enumerate(chosen, 1):
                    daemon = KdeConnectDaemon(flavour, network, flavour.label, number)
                    world = World(network, server, api, daemon)
                    await _run_checks(world, report, options)
                    await _run_phone_checks(flavour, report, options)
        finally:
            await server.stop()
            _keep_log(server.log.text, "homeassistant")
    report.total()
    if report.failed:
        print(f"the logs are in {LOGS}", flush=True)
    return report.is_fine


async def _run_checks(world: World, report: Report, options: Options) -> None:
    daemon = world.daemon
    world.debug = options.debug
    is_old = daemon.flavour.protocol < 8
    try:
        for title, check in BEFORE_PAIRING:
            # mDNS came with protocol 8.
            if options.only in title and not (
                is_old and check is pairing.discovered_by_mdns
            ):
                await report.check(f"{daemon.name}: {title}", partial(check, world))
        for title, check in PAIRED:
            if _applies(check, daemon.flavour) and options.only in title:
                await report.check(
                    f"{daemon.name}: {title}", partial(_paired, check, world)
                )
        for title, check in AFTERWARDS:
            if options.only in title:
                await report.check(f"{daemon.name}: {title}", partial(check, world))
    finally:
        _keep_log(daemon.log_text, daemon.name)
        with contextlib.suppress(ApiError, OSError, TooLateError):
            await world.forget()
        await daemon.stop()


def _applies(check: Check, flavour: Flavour) -> bool:
    """Tell whether a release is to be checked for it."""
    return flavour is Flavour.KDE26 or check not in NEWEST_ONLY


async def _run_phone_checks(flavour: Flavour, report: Report, options: Options) -> None:
    """Check what the daemon makes of the fake phone."""
    chosen = [
        (f"{flavour.label} and the fake phone: {title}", check)
        for title, check in checks_phone.CHECKS
        if options.only in title
    ]
    if not chosen:
        return
    async with contextlib.AsyncExitStack() as stack:
        pair: checks_phone.Pair | None = None

        async def meet() -> str:
            nonlocal pair
            pair = await stack.enter_async_context(checks_phone.paired(flavour))
            return "the phone asks"

        await report.check(f"{flavour.label} and the fake phone: pairing", meet)
        if pair is not None:
            for title, check in chosen:
                await report.check(title, partial(check, pair))


async def _paired(check: Check, world: World) -> str | None:
    """Run a check of a paired daemon, which is paired first if need be."""
    if not world.daemon.is_running or world.daemon.desktop is None:
        await world.start_fresh(desktop=True)
    if await world.entry() is None:
        if world.hopeless:
            raise CheckError("there is no pairing")
        world.hopeless = True
        await pairing.started_here(world)
        world.hopeless = False
    return await check(world)


def _keep_log(text: str, name: str) -> None:
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / f"{name}.log").write_text(text, encoding="utf-8")
