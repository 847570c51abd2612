"""The game-streaming control of a fake console (the NANO reference, section 3)."""

from typing import TYPE_CHECKING, override

from tests.fakes.xbox_json import JsonObject, JsonValue
from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_service import Service

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

START, STOP, STATE, ENABLED, ERROR, TELEMETRY, PREVIEW = range(1, 8)
INITIALIZING, STARTED, STOPPED = 1, 2, 3
OTHER_ACCOUNT, STREAMING_DISABLED = 7, 13
CONFIGURATION_KEYS = 34


class BroadcastService(Service):
    """Starts and stops, and says so; there is no stream behind it."""

    name = "broadcast"

    def __init__(self, console: FakeConsole) -> None:
        super().__init__(console)
        self.enabled = True
        self.needs_account = True  # an anonymous client gets error 7
        self.error: int | None = None  # what every start is answered with
        self.udp_port = 49152
        self.tcp_port = 49153
        self.protocol_version = (6, 0)
        self.is_streaming = False
        self.configuration: dict[str, str] = {}
        self._session = 0

    @property
    def session_id(self) -> str:
        """The name of the stream that was started last."""
        return f"{{00000000-0000-4000-8000-{self._session:012X}}}"

    def enabled_body(self) -> JsonObject:
        """Return what every client is told first."""
        major, minor = self.protocol_version
        return {
            "type": ENABLED,
            "enabled": self.enabled,
            "canBeEnabled": True,
            "majorProtocolVersion": major,
            "minorProtocolVersion": minor,
        }

    def state_body(self, state: int) -> JsonObject:
        """Return what a client is told of a state."""
        body: JsonObject = {
            "type": STATE,
            "state": state,
            "sessionId": self.session_id,
        }
        if state == INITIALIZING:
            body |= {"udpPort": self.udp_port, "tcpPort": self.tcp_port}
        elif state == STARTED:
            body |= {
                "isWirelessConnection": False,
                "wirelessChannel": 0,
                "transmitLinkSpeed": 1_000_000_000,
            }
        return body

    def say(self, body: JsonObject) -> None:
        """Send all clients an object."""
        for participant, channel in self.open_channels():
            participant.send_json(channel, body)

    def set_enabled(self, *, enabled: bool) -> None:
        """Change the console's option."""
        self.enabled = enabled
        self.say(self.enabled_body())

    def interrupt(self, error: int | None = None) -> None:
        """End the stream, as the console may at any time."""
        if error is not None:
            self.say({"type": ERROR, "errorType": error, "errorValue": 0})
        self.is_streaming = False
        self.say(self.state_body(STOPPED))

    @override
    def stop(self) -> None:
        self.is_streaming = False

    @override
    def opened(self, participant: Participant, channel: Channel) -> None:
        participant.send_json(channel, self.enabled_body())

    @override
    def received_json(
        self,
        participant: Participant,
        channel: Channel,
        body: JsonObject,
        sequence: int,
    ) -> None:
        match body.get("type"):
            case 1:
                self._start(participant, channel, body, sequence)
            case 2:
                participant.emit("stream", what="stop", sequence=sequence)
                self.is_streaming = False
                self._answer(participant, channel, self.state_body(STOPPED))
            case other:
                participant.emit("json_error", reason=f"type {other!r}")

    def _start(
        self,
        participant: Participant,
        channel: Channel,
        body: JsonObject,
        sequence: int,
    ) -> None:
        error = self.error
        configuration = _texts(body.get("configuration"))
        if len(configuration) != CONFIGURATION_KEYS:
            reason = f"{len(configuration)} texts in the configuration"
            participant.emit("json_error", reason=reason)
        if not self.enabled:
            error = STREAMING_DISABLED
        elif self.needs_account and not participant.is_authenticated:
            error = OTHER_ACCOUNT
        participant.emit("stream", what="start", sequence=sequence, error=error)
        if body.get("reQueryPreviewStatus") is True:
            preview: JsonObject = {
                "type": PREVIEW,
                "isPublicPreview": False,
                "isInternalPreview": False,
            }
            self._answer(participant, channel, preview)
        if error is not None:
            failed: JsonObject = {"type": ERROR, "errorType": error, "errorValue": 0}
            self._answer(participant, channel, failed)
            return
        self._session += 1
        self.is_streaming = True
        self.configuration = configuration
        for state in (INITIALIZING, STARTED):
            self._answer(participant, channel, self.state_body(state))

    def _answer(
        self, participant: Participant, channel: Channel, body: JsonObject
    ) -> None:
        def answer() -> None:
            if channel.number in participant.channels:
                participant.send_json(channel, body)

        self.console.later(self.console.answer_delay, answer)


def _texts(value: JsonValue) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}
