"""What the services of a fake console have in common, and its input."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, override

from tests.fakes.xbox_events import EventKind, FakeEvent
from tests.fakes.xbox_json import JsonObject
from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_wire import Fields, Value

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

SERVICES = {
    "fa20b8ca-66fb-46e0-adb6-0b978a59d35f": "input",
    "d451e3b3-60bb-4c71-b3db-f994b1aca3a7": "tv",
    "48a9ca24-eb6d-4e12-8c43-d57469edd3cd": "media",
    "7af3e6a2-488b-40cb-a931-79c04b7da3a0": "text",
    "b6a117d8-f5e2-45d7-862e-8fd8e3156476": "broadcast",
    "00000000-0000-0000-0000-000000000000": "title",
}
SERVICE_UUIDS = {name: text for text, name in SERVICES.items()}


class Service:
    """One kind of channel; `received` says whether it knows the message."""

    name = ""

    def __init__(self, console: FakeConsole) -> None:
        self.console = console

    def opened(self, participant: Participant, channel: Channel) -> None:
        """Greet on a new channel."""

    def closed(self, participant: Participant, channel: Channel) -> None:
        """Forget a channel."""

    def stop(self) -> None:
        """End what runs by itself."""

    def received(
        self,
        participant: Participant,
        channel: Channel,
        name: str,
        fields: Fields,
        sequence: int,
    ) -> bool:
        """Take a message."""
        return False

    def received_json(
        self,
        participant: Participant,
        channel: Channel,
        body: JsonObject,
        sequence: int,
    ) -> None:
        """Take an object."""
        participant.emit("json_error", reason=f"no JSON on {self.name}")

    def open_channels(self) -> Iterator[tuple[Participant, Channel]]:
        """Return who has such a channel open."""
        for participant in list(self.console.participants.values()):
            for channel in list(participant.channels.values()):
                if channel.service == self.name:
                    yield participant, channel

    def send_all(self, message: str, fields: Fields) -> None:
        """Send a message to all who have such a channel open."""
        for participant, channel in self.open_channels():
            participant.send(message, fields, channel.number)


class InputService(Service):
    """Writes down what is pressed and touched."""

    name = "input"
    _KINDS: dict[str, EventKind] = {
        "gamepad": "gamepad",
        "system_touch": "touch",
        "title_touch": "touch",
        "accelerometer": "sensor",
        "gyrometer": "sensor",
        "inclinometer": "sensor",
        "compass": "sensor",
        "orientation": "sensor",
    }

    @override
    def received(
        self,
        participant: Participant,
        channel: Channel,
        name: str,
        fields: Fields,
        sequence: int,
    ) -> bool:
        kind = self._KINDS.get(name)
        if kind is None:
            return False
        described: dict[str, Value] = dict(fields)
        if kind != "gamepad":
            described["name"] = name
        participant.emit(kind, sequence=sequence, **described)
        return True

    @property
    def presses(self) -> list[FakeEvent]:
        """All Gamepad messages, each once, with the times they came at."""
        return self.console.events.seen("gamepad")
