"""What the check does with a phone: its notifications, calls, messages, contacts, clipboard."""

from collections.abc import Mapping
from typing import Final

from .kdeconnect_furniture import ADA, ANSWERED, CHAT, CHAT_TEXT, HISTORY, PEOPLE
from .models import State
from .report import Report, require
from .shapes import get_str, objects
from .subject import Subject, has
from .walk import set_options

BARS: Final = "3"
"""Of the first SIM card, as the phone tells when it connects."""
PRIVATE_OPTIONS: Final = (
    "notifications",
    "callers",
    "messages",
    "contacts",
    "clipboard",
    "storage",
)
NEW_CHAT: Final = "Then I bring the charcoal"
CHAT_ANSWER: Final = "Thank you, see you at six"
COPIED: Final = "copied-on-the-phone-4711"
PASTED: Final = "pasted-from-home-0815"
NEW_TEXT: Final = "I am at the door, please open"
SENT_TEXT: Final = "Coming down the stairs"
SHARED_TEXT: Final = "shared-text-2718"
PRIVATE: Final = (
    NEW_CHAT,
    CHAT_ANSWER,
    COPIED,
    PASTED,
    NEW_TEXT,
    SENT_TEXT,
    SHARED_TEXT,
)
"""The texts that only events, responses and what the user has allowed may show."""
_PRIVATE_ENTITIES: Final = (
    "_notification",
    "_notifications",
    "_notification_icon",
    "_clipboard",
    "_message",
)
"""The ends of the ids of the entities that need a permission."""


async def check_private_is_off(phone: Subject, report: Report) -> None:
    """Check that nothing private is there before the user has allowed it, and allow it."""
    async with report.step(f"{phone.fake.name}: tells nothing private at first"):
        entities = await phone.entity_ids()
        wrong = [
            entity_id
            for entity_id in entities
            if any(
                word in entity_id for word in ("notification", "clipboard", "message")
            )
            and not entity_id.endswith("notification_answer")
        ]
        require(not wrong, f"not allowed, but there: {wrong}")
        await _check_nameless_call(phone)
    async with report.step(f"{phone.fake.name}: options allow private content"):
        await set_options(
            phone.api,
            phone.entry,
            "kde_connect_private",
            **dict.fromkeys(PRIVATE_OPTIONS, True),
        )
        await phone.wait_state("sensor", "notifications", "2")


async def check_private_goes(phone: Subject, report: Report) -> None:
    """Take every permission back: what showed private content goes."""
    async with report.step(f"{phone.fake.name}: what is private goes with its options"):
        await set_options(
            phone.api,
            phone.entry,
            "kde_connect_private",
            **dict.fromkeys(PRIVATE_OPTIONS, False),
        )
        await phone.api.wait_entry(phone.entry.entry_id)
        await phone.api.wait_states(lambda states: not _shown(phone, states))
        left = [
            entity_id
            for entity_id in await phone.entity_ids()
            if entity_id.endswith(_PRIVATE_ENTITIES)
        ]
        require(not left, f"still there: {left}")


def _shown(phone: Subject, states: Mapping[str, State]) -> list[str]:
    """Return the entities with private content that have a state."""
    name = phone.fake.name.lower().replace(" ", "_")
    return [
        entity_id
        for entity_id in states
        if name in entity_id and entity_id.endswith(_PRIVATE_ENTITIES)
    ]


async def _check_nameless_call(phone: Subject) -> None:
    async with phone.watch("rumpus_call") as calls:
        await phone.fake.say("call")
        call = await calls.next(has(type="ringing"))
        require("number" not in call, "it tells who calls")
        await phone.fake.say("hang-up")
        await calls.next(has(type="ended"))


async def check_sims(phone: Subject, report: Report) -> None:
    """Check what the phone tells of its mobile networks: when it connects, and on a change."""
    async with report.step(f"{phone.fake.name}: its SIM cards are shown"):
        await phone.wait_state("sensor", "signal_strength_1", BARS)
        await phone.fake.say("bars 4")
        await phone.wait_state("sensor", "signal_strength_1", "4")
        await phone.fake.say(f"bars {BARS}")
        await phone.wait_state("sensor", "signal_strength_1", BARS)
        await phone.wait_state("sensor", "signal_strength_2", "2")
        await phone.wait_state("sensor", "network_type_1", "5g")
        await phone.wait_state("sensor", "network_type_2", "lte")


async def check_phone(phone: Subject, report: Report) -> None:
    """Try everything that comes from the phone."""
    name = phone.fake.name
    async with report.step(f"{name}: a notification is an event, and is answered"):
        await _check_notification(phone)
    async with report.step(f"{name}: a notification is pressed and dismissed"):
        await _check_dismissal(phone)
    async with report.step(f"{name}: a call rings and is muted"):
        await _check_call(phone)
    async with report.step(f"{name}: shows our notification"):
        await _check_notify(phone)
    async with report.step(f"{name}: its search for us is an event"):
        await _check_search(phone)


async def _check_search(phone: Subject) -> None:
    async with phone.watch("rumpus_search") as searches:
        await phone.fake.say("find")
        await searches.next()


async def _check_notification(phone: Subject) -> None:
    event = await phone.entity("event", "_notification")
    async with phone.watch("rumpus_notification") as changes:
        await phone.fake.say(f"notify {PEOPLE[ADA]} | {NEW_CHAT}")
        shown = await changes.next(has(type="updated", notification_id=CHAT))
    told = has(app="Chat", can_reply=True, title=PEOPLE[ADA], text=NEW_CHAT)
    require(told(shown), f"the event tells {shown}")
    state = await phone.api.wait_state(
        event, lambda state: state.attributes.get("event_type") == "updated"
    )
    require(told(state.attributes), f"the entity shows {state.attributes}")
    answer = {"notification_id": CHAT, "message": CHAT_ANSWER}
    async with phone.hears(
        "notification_asked", has(what="reply", message=CHAT_ANSWER)
    ):
        await phone.act("reply_notification", **answer)


async def _check_dismissal(phone: Subject) -> None:
    async with phone.hears("notification_asked", has(action="Mark as read")):
        await phone.act(
            "invoke_notification_action", notification_id=CHAT, action="Mark as read"
        )
    async with phone.watch("rumpus_notification") as changes:
        await phone.act("dismiss_notification", all=True)
        await changes.next(has(type="removed", notification_id=CHAT))
    # What cannot be dismissed is still there.
    await phone.wait_state("sensor", "notifications", "1")
    await phone.fake.say(f"notify {PEOPLE[ADA]} | {CHAT_TEXT}")
    await phone.wait_state("sensor", "notifications", "2")


async def _check_call(phone: Subject) -> None:
    async with phone.watch("rumpus_call") as calls:
        await phone.fake.say("call")
        call = await calls.next(has(type="ringing"))
        require(call.get("number") == ADA, "it does not tell who calls")
        require(call.get("contact") == PEOPLE[ADA], "it does not tell the name")
        await phone.wait_state("sensor", "_call", "ringing")
        async with phone.hears("call_muted", has(muted=True)):
            await phone.act("mute_ringer")
        await phone.fake.say("miss")
        await calls.next(has(type="missed"))
    await phone.wait_state("sensor", "_call", "idle")


async def _check_notify(phone: Subject) -> None:
    def is_shown(event: Mapping[str, object]) -> bool:
        return "Dinner is ready" in str(event.get("ticker"))

    async with phone.hears("notification_shown", is_shown):
        await phone.do(
            "notify.send_message", message="Dinner is ready", title="Kitchen"
        )


async def check_messages(phone: Subject, report: Report) -> None:
    """Try the phone's text messages and contacts."""
    name = phone.fake.name
    async with report.step(f"{name}: conversations are listed"):
        await _check_conversations(phone)
    async with report.step(f"{name}: a text message comes"):
        event = await phone.entity("event", "message")
        before = phone.api.states[event].state
        await _check_message(phone)
        await phone.api.wait_state(event, lambda state: state.state != before)
    async with report.step(f"{name}: a text message is sent"):
        await _check_sending(phone)
    async with report.step(f"{name}: its contacts are answered"):
        contacts = objects((await phone.ask("get_contacts")).get("contacts"))
        names = {get_str(contact, "name") for contact in contacts}
        require(names == set(PEOPLE.values()), f"there are {names}")


async def _check_message(phone: Subject) -> None:
    async with phone.watch("rumpus_message") as messages:
        await phone.fake.say(f"text {NEW_TEXT}")
        message = await messages.next(has(text=NEW_TEXT))
    require(message.get("number") == ADA, f"it comes from {message.get('number')}")
    require(message.get("contact") == PEOPLE[ADA], "the contact is not known")


async def _check_sending(phone: Subject) -> None:
    async with phone.hears("sms_sent", has(text=SENT_TEXT, addresses=[ADA])):
        await phone.act("send_sms", recipients=[ADA], message=SENT_TEXT)


async def _check_conversations(phone: Subject) -> None:
    answer = await phone.ask("list_conversations")
    conversations = objects(answer.get("conversations"))
    require(len(conversations) == 2, f"there are {len(conversations)} conversations")
    newest = {get_str(item, "text"): item for item in conversations}
    require(
        set(newest) == {ANSWERED, HISTORY[-1][1]}, f"their last texts are {set(newest)}"
    )
    thread = newest[ANSWERED].get("thread_id")
    answer = await phone.ask("get_conversation", thread_id=thread)
    texts = [get_str(item, "text") for item in objects(answer.get("messages"))]
    wanted = [text for number, text in HISTORY if number == ADA] + [ANSWERED]
    require(sorted(texts) == sorted(wanted), f"the conversation is {texts}")


async def check_clipboard(phone: Subject, report: Report) -> None:
    """Try the clipboard both ways."""
    async with report.step(f"{phone.fake.name}: the clipboard goes both ways"):
        await phone.fake.say(f"copy {COPIED}")
        await phone.wait_state("text", "clipboard", COPIED)
        answer = await phone.ask("get_clipboard")
        require(COPIED in answer.values(), "the action answers something else")
        async with phone.hears("clipboard", has(content=PASTED)):
            await phone.do("text.set_value", "clipboard", value=PASTED)
        await phone.wait_state("text", "clipboard", PASTED)
        async with phone.hears("clipboard", has(content=COPIED)):
            await phone.act("set_clipboard", text=COPIED)
