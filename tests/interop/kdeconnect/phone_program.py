"""The fake phone as a program, with something of everything on it.

It is told what to do by lines of JSON, ``{"do": NAME, ...}``, and prints what happens,
one JSON object per line: ``{"event": KIND, ...}``. It ends when its input ends.
"""

import asyncio
from collections.abc import Awaitable, Callable
import json
import sys
from typing import Final

from tests.fakes.kdeconnect import FakeDevice
from tests.fakes.kdeconnect_events import FakeEvent
from tests.fakes.kdeconnect_notifications import FakeNotification
from tests.fakes.kdeconnect_phone import FakeContact
from tests.fakes.kdeconnect_wire import Body

ADA: Final = "+4912345001"
BOB: Final = "+4912345002"


def fill(phone: FakeDevice) -> None:
    """Give the phone contacts and conversations."""
    phone.contacts.add("ada", FakeContact("Ada Lövelace", (ADA,), ("ada@example.org",)))
    phone.contacts.add("bob", FakeContact("Bob Builder", (BOB,)))
    for number, text in ((ADA, "Hello Home"), (BOB, "Can we fix it?")):
        phone.sms.add(number, text, date=1_790_000_000_000)


def actions(phone: FakeDevice) -> dict[str, Callable[[Body], Awaitable[object]]]:
    """Return what the phone can be told to do."""

    async def post(data: Body) -> None:
        await phone.notifications.post(
            FakeNotification(
                "0|chat|1",
                "Chat",
                title=str(data["title"]),
                text=str(data["text"]),
                reply_id="reply-1",
                actions=("Mark read",),
            )
        )

    return {
        "announce": lambda data: _now(phone.announce, str(data["host"])),
        "pair": lambda _: phone.request_pairing(),
        "ring": lambda _: phone.telephony.ring(ADA, "Ada Lövelace"),
        "hang_up": lambda _: phone.telephony.hang_up(),
        "text": lambda data: phone.sms.arrive(BOB, str(data["text"])),
        "networks": lambda _: phone.connectivity.set("1", network_type="LTE", bars=3),
        "notification": post,
        "withdraw": lambda _: phone.notifications.remove("0|chat|1"),
    }


async def _now(function: Callable[[str], None], argument: str) -> None:
    function(argument)


async def run(address: str) -> None:
    """Be the phone until the input ends."""
    phone = FakeDevice("phone", name="Interop phone", bind=address, udp_port=1716)
    fill(phone)

    def say(event: str, data: Body) -> None:
        print(json.dumps({"event": event, **data}), flush=True)

    def happened(event: FakeEvent) -> None:
        say(event.kind, event.data)

    phone.events.keep = False
    phone.events.listeners.append(happened)
    known = actions(phone)
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async with phone:
        say("ready", {"id": phone.device_id})
        while line := await reader.readline():
            wish = json.loads(line)
            await known[wish["do"]](wish)
            say("done", {"what": wish["do"]})


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
