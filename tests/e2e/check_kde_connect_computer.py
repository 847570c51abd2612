"""What the check does with a computer: notifications with buttons, sound, lock, keyboard."""

from typing import Final

from .report import Report, require
from .shapes import JsonObject
from .subject import Subject, has

TYPED: Final = "typed-by-home-1618"
REPLIED: Final = "replied-on-the-computer-31415"
PRIVATE: Final = (TYPED, REPLIED)


async def check_computer(computer: Subject, report: Report) -> None:
    """Try everything that goes to the computer."""
    name = computer.fake.name
    async with report.step(
        f"{name}: the press of our notification's button comes back"
    ):
        await _check_button(computer)
    async with report.step(f"{name}: the reply to our notification comes back"):
        await _check_reply(computer)
    async with report.step(f"{name}: volume, mute and output are set"):
        await _check_sound(computer)
    async with report.step(f"{name}: the screen is locked and unlocked"):
        await _check_lock(computer)
    async with report.step(
        f"{name}: the remote control types, points and shows slides"
    ):
        await _check_remote(computer)


async def _check_button(computer: Subject) -> None:
    buttons: list[JsonObject] = [
        {"action": "GATE_OPEN", "title": "Open"},
        {"action": "GATE_WAIT", "title": "Not now"},
    ]
    async with computer.hears("notification_shown", has(title="Gate")):
        await computer.act(
            "send_notification",
            title="Gate",
            message="Somebody is waiting",
            tag="gate",
            actions=[*buttons],
        )
    async with computer.watch("mobile_app_notification_action") as answers:
        await computer.fake.say("click Open")
        answer = await answers.next()
    require(has(action="GATE_OPEN", tag="gate")(answer), f"the event tells {answer}")
    await computer.wait_state(
        "event",
        "notification_answer",
        lambda state: state.attributes.get("action") == "GATE_OPEN",
    )
    await computer.fake.wait(
        lambda event: event["event"] == "notification_gone", "end of the notification"
    )


async def _check_reply(computer: Subject) -> None:
    async with computer.hears("notification_shown", has(text="What shall I buy?")):
        await computer.act("send_notification", message="What shall I buy?", reply=True)
    async with computer.watch("mobile_app_notification_action") as answers:
        await computer.fake.say(f"reply {REPLIED}")
        answer = await answers.next()
    require(has(action="REPLY", reply_text=REPLIED)(answer), f"it tells {answer}")


async def _check_sound(computer: Subject) -> None:
    await computer.wait_state("number", "speakers", "60")
    async with computer.hears("sink_request", has(name="speakers", volume=16384)):
        await computer.do("number.set_value", "speakers", value=25)
    await computer.wait_state("number", "speakers", "25")
    async with computer.hears("sink_request", has(name="speakers", muted=True)):
        await computer.do("switch.turn_on", "speakers")
    await computer.wait_state("switch", "speakers", "on")
    await computer.do("select.select_option", "audio_output", option="Headphones")
    await computer.wait_state("select", "audio_output", "Headphones")
    await computer.fake.say("volume 80")
    await computer.wait_state("number", "headphones", "80")


async def _check_lock(computer: Subject) -> None:
    await computer.wait_state("lock", "screen", "unlocked")
    async with computer.hears("lock_set", has(locked=True)):
        await computer.do("lock.lock", "screen")
    await computer.wait_state("lock", "screen", "locked")
    await computer.fake.say("lock off")
    await computer.wait_state("lock", "screen", "unlocked")


async def _check_remote(computer: Subject) -> None:
    for commands, kind, fits in (
        ([f"text:{TYPED}", "enter"], "key", has(text=TYPED)),
        (["move:40,-20", "click"], "pointer", has(singleclick=True)),
        (["next_slide"], "key", has(special=9)),
    ):
        async with computer.hears(kind, fits):
            await computer.do("remote.send_command", command=[*commands])
