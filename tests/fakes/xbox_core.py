"""What a fake console does with messages on the core channel."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_service import SERVICES
from tests.fakes.xbox_wire import Fields, WireError, number_of, text_of

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

NOT_FOUND = 0x80000012
ALREADY_STARTED = 0x80080001

type _Handler = Callable[[Participant, Fields, int], None]


class Core:
    """Joins, channels, power off and the rest."""

    def __init__(self, console: FakeConsole) -> None:
        self._console = console
        self._next_channel = 150
        self._timers: set[asyncio.TimerHandle] = set()
        self._handlers: dict[str, _Handler] = {
            "local_join": self._join,
            "start_channel_request": self._start_channel,
            "stop_channel": self._stop_channel,
            "disconnect": self._disconnect,
            "power_off": self._power_off,
            "title_launch": self._title_launch,
            "game_dvr_record": self._record,
            "unsnap": self._unsnap,
        }

    def stop(self) -> None:
        """Forget what would be answered later."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Do something after a while, at once if it is none."""
        if delay <= 0:
            action()
            return

        def run() -> None:
            self._timers.discard(handle)
            action()

        handle = asyncio.get_running_loop().call_later(delay, run)
        self._timers.add(handle)

    def received(
        self, participant: Participant, name: str, fields: Fields, sequence: int
    ) -> None:
        """Take a message. Raises WireError when it does not belong here."""
        handler = self._handlers.get(name)
        if handler is not None:
            handler(participant, fields, sequence)
        elif "raw" not in fields:
            raise WireError("not on the core channel")

    def _join(self, participant: Participant, fields: Fields, sequence: int) -> None:
        participant.device = fields
        participant.emit("joined", **fields)
        delay = self._console.status_delay
        self.later(delay, lambda: self._console.tell_status(participant))

    def _start_channel(
        self, participant: Participant, fields: Fields, sequence: int
    ) -> None:
        console = self._console
        service = SERVICES.get(text_of(fields, "service"), "")
        title_id = number_of(fields, "title_id")
        if service in console.silent_channels:
            return
        result = console.channel_results.get(service, 0)
        if not service or (service == "title" and not console.has_companion(title_id)):
            result = NOT_FOUND
        elif any(
            c.service == service and c.title_id == title_id
            for c in participant.channels.values()
        ):
            result = ALREADY_STARTED

        def answer() -> None:
            number = 0
            if not participant.is_gone:
                if result == 0:
                    number, self._next_channel = (
                        self._next_channel,
                        self._next_channel + 1,
                    )
                self._answer(
                    participant, fields, Channel(number, service, title_id), result
                )

        self.later(console.answer_delay, answer)

    def _answer(
        self, participant: Participant, fields: Fields, channel: Channel, result: int
    ) -> None:
        response: Fields = {
            "channel_request_id": fields["channel_request_id"],
            "target_channel_id": channel.number,
            "result": result,
        }
        if result:
            participant.send("start_channel_response", response)
            participant.emit("channel_refused", service=channel.service, result=result)
            return
        participant.channels[channel.number] = channel
        participant.send("start_channel_response", response)
        participant.emit(
            "channel_opened",
            service=channel.service,
            channel=channel.number,
            title_id=channel.title_id,
        )
        self._console.services[channel.service].opened(participant, channel)

    def _stop_channel(
        self, participant: Participant, fields: Fields, sequence: int
    ) -> None:
        channel = participant.channels.get(number_of(fields, "target_channel_id"))
        if channel is None:
            raise WireError("no such channel")
        participant.close_channel(channel)

    def _disconnect(
        self, participant: Participant, fields: Fields, sequence: int
    ) -> None:
        self._console.remove(
            participant, reason=f"reason {fields['reason']}", by="client"
        )

    def _power_off(
        self, participant: Participant, fields: Fields, sequence: int
    ) -> None:
        live_id = text_of(fields, "liveid")
        right = live_id == self._console.live_id
        participant.emit("power_off", live_id=live_id, right=right, sequence=sequence)
        if right and not self._console.is_updating:
            self._console.turn_off()

    def _title_launch(
        self, participant: Participant, fields: Fields, sequence: int
    ) -> None:
        console = self._console
        participant.emit(
            "title_launch",
            sequence=sequence,
            uri=fields["uri"],
            location=fields["location"],
            honoured=console.honours_launch,
        )
        if console.honours_launch:
            console.launch_uri(text_of(fields, "uri"), number_of(fields, "location"))

    def _record(self, participant: Participant, fields: Fields, sequence: int) -> None:
        effective = participant.is_authenticated
        participant.emit("game_dvr", sequence=sequence, effective=effective, **fields)

    def _unsnap(self, participant: Participant, fields: Fields, sequence: int) -> None:
        participant.emit("unsnap", sequence=sequence)
