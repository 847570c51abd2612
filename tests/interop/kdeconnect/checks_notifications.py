"""What is checked of notifications, ours on the daemon's desktop and the other way round."""

import asyncio
from typing import Final

from .stubs import Notification, NotificationsStub, make_png
from .waiting import until_true
from .world import DOMAIN, World
from tests.e2e.shapes import JsonObject, JsonValue, as_object, get_object, get_str
from tests.e2e.websocket import Subscription
from tests.interop.report import CheckError

TITLE: Final = "Wäsche"
TEXT: Final = "The washing machine has finished"
REPLY: Final = "I am coming \N{PARTY POPPER}"
APP: Final = "Interop Mail"
PRIVATE: Final = (TEXT, REPLY, "A private letter")
_PATIENCE: Final = 45.0
_ANSWERED: Final = "mobile_app_notification_action"
_CLEARED: Final = "mobile_app_notification_cleared"


async def answered(world: World) -> str:
    """A button and a reply to our notification come back to automations."""
    buttons: JsonObject = {"action": "SNOOZE", "title": "Later"}
    async with await world.api.subscribe_events(_ANSWERED) as events:
        shown = await _show(world, tag="wash", actions=[buttons], reply=True)
        if not (key := shown.key_of("Later")):
            raise CheckError(f"the buttons are {shown.actions}")
        world.daemon.notifications.invoke(shown.number, key)
        event = await _data(events)
        if event.get("action") != "SNOOZE" or event.get("tag") != "wash":
            raise CheckError(f"the button came back as {event}")
        if not any(key == NotificationsStub.REPLY for key, _ in shown.actions):
            raise CheckError(f"there is no field for a reply in {shown.actions}")
        shown = await _show(world, tag="wash", reply=True)
        world.daemon.notifications.reply(shown.number, REPLY)
        event = await _data(events)
        if event.get("reply_text") != REPLY:
            raise CheckError("the reply did not come back as it was")
    await world.wait_state(
        "event",
        "notification_answer",
        lambda s: s.attributes.get("event_type") == "reply",
    )
    return "a button and a reply"


async def closed(world: World) -> str:
    """Our notification is seen to be dismissed there, and can be taken back."""
    async with await world.api.subscribe_events(_CLEARED) as events:
        shown = await _show(world, tag="dismissed")
        # What its list of notifications shows; closing the pop-up does not count.
        await (await world.us()).dismiss_notifications()
        event = await _data(events)
        if event.get("tag") != "dismissed":
            raise CheckError(f"the dismissal came back as {event}")
    shown = await _show(world, tag="back")
    mark = len(world.daemon.notifications.closed)
    await world.act("send_notification", message="clear_notification", tag="back")
    await until_true(
        lambda: shown.number in world.daemon.notifications.closed[mark:],
        "the notification is taken back",
    )
    return "dismissed there, taken back here"


async def with_picture(world: World) -> str:
    """Our notification carries a picture."""
    picture = world.outbox / "notification.png"
    picture.write_bytes(make_png())
    shown = await _show(world, image=str(picture))
    if not shown.has_picture:
        raise CheckError("it is shown without the picture")
    return "shown with it"


async def through_entity(world: World) -> str:
    """The notify entity shows a notification."""
    mark = len(world.daemon.notifications.shown)
    data: JsonObject = {"message": TEXT, "title": TITLE}
    await world.call("notify", "send_message", "notify", "notify", data)
    await world.daemon.wait_notification(TEXT, mark)
    return "shown"


async def forwarded(world: World) -> str:
    """What the daemon's desktop shows is told to automations, changed or new."""
    await world.allow("notifications")
    us = await world.us()
    await us.enable("sendnotifications")
    async with await world.api.subscribe_events(f"{DOMAIN}_notification") as events:
        # It begins to listen some time after it was switched on.
        event = await _posted(world, events)
        if event.get("app") != APP or PRIVATE[2] not in str(event.get("text")):
            raise CheckError("app or text is missing")
        number = await world.daemon.post_notification(APP, "Letter", "First")
        await _data(events)
        await world.daemon.post_notification(APP, "Letter", "Next", replaces=number)
        event = await _data(events)
        if "Next" not in str(event.get("text")):
            raise CheckError("the change is missing")
    state = await world.wait_state("sensor", "notifications", lambda s: s.state > "0")
    await us.enable("sendnotifications", enabled=False)
    return f"{state.state} notifications, {get_str(event, 'type')}"


async def _posted(world: World, events: Subscription) -> JsonObject:
    """Post until one is forwarded; return its event."""
    for _ in range(30):
        await world.daemon.post_notification(APP, "Letter", PRIVATE[2])
        try:
            async with asyncio.timeout(1):
                return get_object(as_object(await events.get()), "data")
        except TimeoutError:
            continue
    raise CheckError("nothing is forwarded")


async def _show(world: World, **data: JsonValue) -> Notification:
    """Send our notification; return it as the daemon's desktop got it."""
    mark = len(world.daemon.notifications.shown)
    await world.act("send_notification", title=TITLE, message=TEXT, **data)
    return await world.daemon.wait_notification(TEXT, mark)


async def _data(events: Subscription) -> JsonObject:
    """Wait for an event; return its data."""
    async with asyncio.timeout(_PATIENCE):
        return get_object(as_object(await events.get()), "data")
