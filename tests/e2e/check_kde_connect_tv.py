"""What the check does with a TV of this home: shown to a phone, paired, and controlled."""

from typing import Final

from .kde_connect_devices import device_id
from .report import Report, require
from .shapes import get_str
from .subject import DOMAIN, Subject, has
from .walk import Walk

NAME: Final = "Den TV"
PLAYER: Final = "media_player.kitchen_radio"


async def check_tv(phone: Subject, screen: Subject, report: Report) -> None:
    """Show a TV to the phone whose remote is a computer's, and use it there."""
    name = phone.fake.name
    remote = await screen.entity("remote")
    async with report.step(f"{NAME}: added, with {screen.fake.name}'s remote"):
        mark = phone.fake.position
        walk = await Walk.begin(phone.api, DOMAIN)
        if walk.result.step_id == "user":
            await walk.choose("kde_connect_user")
        await walk.choose("kde_connect_tv")
        await walk.submit(media_player=PLAYER)
        await walk.submit(name=NAME, remote=remote)
        await phone.api.wait_entry(walk.entry().entry_id)
        tv = Subject(phone.lab, walk.entry(), phone.fake)
        await phone.fake.wait(has(event="link_up"), "link to the TV", start=mark)
    async with report.step(f"{NAME}: {name} asks for pairing and is allowed"):
        await _pair(phone)
        await tv.wait_state("sensor", "phones", "1")
    async with report.step(f"{NAME}: {name}'s key arrives at {screen.fake.name}"):
        async with screen.hears("key", has(special=5)):
            await phone.fake.say("tv up")
        await tv.wait_state(
            "event", "tv_key", lambda state: state.attributes.get("event_type") == "up"
        )
    async with report.step(f"{NAME}: {name} plays it"):
        await phone.fake.say("player Play Kitchen radio")
        await phone.api.wait_state(PLAYER, "playing")


async def check_tv_back(phone: Subject, report: Report) -> None:
    """Check that the phone has found the TV again."""
    async with report.step(f"{NAME}: {phone.fake.name} is back after the restart"):
        entries = await phone.api.entries(DOMAIN)
        entry = next(entry for entry in entries if entry.title == NAME)
        await Subject(phone.lab, entry, phone.fake).wait_state("sensor", "phones", "1")


async def _pair(phone: Subject) -> None:
    fake = phone.fake
    mark = fake.position
    await fake.say("request")
    flow = await phone.api.wait_flow(
        DOMAIN, ending=device_id(fake), source="integration_discovery"
    )
    walk = await Walk.resume(phone.api, DOMAIN, flow.flow_id)
    shown = walk.result.placeholders.get("key")
    await walk.choose("kde_connect_tv_allow")
    walk.require_abort("phone_paired")
    paired = await fake.wait(has(event="paired"), "pairing", start=mark)
    key = get_str(paired, "verification_key")
    require(key == shown, f"Home Assistant shows {shown}, the phone {key}")
