"""What is checked of the fake phone: whether the real daemons understand what it says.

No Home Assistant takes part. Whatever Home Assistant is tested with elsewhere is by this
known to be what a phone says.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
import contextlib
from typing import Final

from .daemon import KdeConnectDaemon
from .device import Device
from .network import Network
from .phone import Phone
from .phone_program import ADA, BOB
from .roots import Flavour
from .stubs import NotificationsStub
from .waiting import until, until_true
from tests.interop.report import CheckError

REPLY: Final = "on my way"
_CONVERSATIONS: Final = "org.kde.kdeconnect.device.conversations"


class Pair:
    """A daemon and a phone that are paired."""

    def __init__(self, daemon: KdeConnectDaemon, phone: Phone) -> None:
        """Put them together."""
        self.daemon = daemon
        self.phone = phone

    @property
    def seen(self) -> Device:
        """The phone as the daemon sees it."""
        return self.daemon.device(self.phone.device_id)


@contextlib.asynccontextmanager
async def paired(flavour: Flavour) -> AsyncIterator[Pair]:
    """Run a daemon and a phone on a network of their own."""
    with Network() as network:
        daemon = KdeConnectDaemon(flavour, network, "daemon", 1)
        phone = Phone(network, "phone", 2)
        try:
            await daemon.start(fresh=True)
            await phone.start()
            pair = Pair(daemon, phone)
            await phone.do("announce", host=daemon.address)
            await pair.seen.wait_reachable()
            await phone.do("pair")
            await pair.seen.wait_asked()
            await pair.seen.accept()
            await phone.wait("paired")
            await pair.seen.wait_paired()
            yield pair
        finally:
            await phone.stop()
            await daemon.stop()


async def contacts(pair: Pair) -> str:
    """The daemon stores the phone's contacts."""
    folder = pair.daemon.home / ".local/share/kpeoplevcard"
    await pair.seen.call_plugin("contacts", "synchronizeRemoteWithLocal")
    await until_true(lambda: len(list(folder.rglob("*.vcf"))) == 2, "there are 2 cards")
    cards = "".join(p.read_text(encoding="utf-8") for p in folder.rglob("*.vcf"))
    for words in (ADA, BOB, "Bob Builder", "ada@example.org"):
        if words not in cards:
            raise CheckError(f"{words} is not in the cards")
    return "2 contacts"


async def messages(pair: Pair) -> str:
    """The daemon lists the phone's conversations, hears of new messages and answers."""
    daemon, path = pair.daemon, pair.seen.path

    async def call(member: str, signature: str = "", *body: object) -> list[object]:
        return await daemon.bus.call(
            "org.kde.kdeconnect", path, _CONVERSATIONS, member, signature, *body
        )

    async def listed() -> list[object] | None:
        [found] = await call("activeConversations")
        return found if isinstance(found, list) and len(found) == 2 else None

    await call("requestAllConversationThreads")
    await until(listed, "2 conversations are listed")
    await pair.phone.do("text", text="No, we cannot")

    async def has_new() -> bool:
        return "No, we cannot" in str(await listed())

    await until(has_new, "the new message is listed")
    mark = pair.phone.mark
    await call("replyToConversation", "xsav", 2, REPLY, [])
    event = await pair.phone.wait("sms_sent", mark)
    if event.get("text") != REPLY or BOB not in str(event.get("addresses")):
        raise CheckError("the answer is not what was sent")
    return "2 conversations, a new message, an answer"


async def call(pair: Pair) -> str:
    """The daemon shows a call and can silence it."""
    mark = len(pair.daemon.notifications.shown)
    await pair.phone.do("ring")
    shown = await pair.daemon.wait_notification("Ada Lövelace", mark)
    if not shown.actions:
        raise CheckError("there is no button that silences it")
    seen = pair.phone.mark
    pair.daemon.notifications.invoke(shown.number, shown.actions[-1][0])
    await pair.phone.wait("call_muted", seen)
    await pair.phone.do("hang_up")
    return "shown and silenced"


async def notification(pair: Pair) -> str:
    """The daemon shows a notification; reply, button and dismissal come to the phone."""
    daemon, phone = pair.daemon, pair.phone
    mark = len(daemon.notifications.shown)
    await phone.do("notification", title="Ada", text="Are you there?")
    shown = await daemon.wait_notification("Are you there?", mark)
    seen = phone.mark
    daemon.notifications.invoke(shown.number, shown.key_of("Mark read"))
    await phone.wait("notification_asked", seen, what="action", action="Mark read")
    await phone.do("notification", title="Ada", text="Hello?")
    shown = await daemon.wait_notification("Hello?", mark)
    if any(key == NotificationsStub.REPLY for key, _ in shown.actions):
        daemon.notifications.reply(shown.number, REPLY)
    else:
        await pair.seen.call_plugin(
            "notifications", "sendReply", "ss", "reply-1", REPLY
        )
    await phone.wait("notification_asked", seen, what="reply", message=REPLY)
    await pair.seen.dismiss_notifications()
    await phone.wait("notification_asked", seen, what="cancel")
    return "button, reply and dismissal"


async def networks(pair: Pair) -> str:
    """The daemon shows the mobile network and the battery."""
    await pair.phone.do("networks")
    seen = pair.seen

    async def fits() -> bool:
        kind = await seen.plugin_property("connectivity_report", "cellularNetworkType")
        bars = await seen.plugin_property(
            "connectivity_report", "cellularNetworkStrength"
        )
        return (kind, bars) == ("LTE", 3)

    await until(fits, "the network is LTE with 3 bars")
    charge = await seen.plugin_property("battery", "charge")
    if charge != 80:
        raise CheckError(f"the battery has {charge} %")
    return "LTE, 3 bars, 80 %"


CHECKS: Final[tuple[tuple[str, Callable[[Pair], Awaitable[str]]], ...]] = (
    ("contacts", contacts),
    ("messages", messages),
    ("a call", call),
    ("a notification", notification),
    ("networks and battery", networks),
)
