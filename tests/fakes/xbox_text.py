"""The on-screen keyboard of a fake console (section 12.3)."""

from typing import TYPE_CHECKING, override

from tests.fakes.xbox_participant import Channel, Participant
from tests.fakes.xbox_service import Service
from tests.fakes.xbox_wire import Fields, Value, number_of, text_of

if TYPE_CHECKING:
    from tests.fakes.xbox import FakeConsole

PASSWORD_SCOPE = 0x1F
SEARCH_SCOPE = 0x32
PASSWORD_OPTION = 0x02
CANCELLED, ACCEPTED = 0, 1


class TextService(Service):
    """One text field at a time; both sides type into it."""

    name = "text"

    def __init__(self, console: FakeConsole) -> None:
        super().__init__(console)
        self.text = ""
        self.session: int | None = None
        self.version = 0
        self.result: int | None = None  # of the session that ended last
        self.greets_done = True  # with the Done for session 0 of real consoles
        self.greets_late = True  # tell a new client of the field that is open
        self.acks_input = True
        self.refuses_input = False  # keep our own text whatever a client types
        self._last_session = 8
        self._configuration: Fields = {}
        self._message = "system_text_configuration"
        self._chunks: tuple[int, bytes] = (0, b"")

    @property
    def is_open(self) -> bool:
        """Whether there is a text field."""
        return self.session is not None

    def open(
        self,
        prompt: str = "",
        text: str = "",
        scope: int = 0,
        max_length: int = 0,
        options: int = 0,
        *,
        by_title: bool = False,
        session: int | None = None,
    ) -> int:
        """Open a field; returns the session's number."""
        self._last_session = self._last_session + 1 if session is None else session
        self.session, self.text, self.result = self._last_session, text, None
        self.version = 1
        self._configuration = {
            "text_session_id": self.session,
            "text_buffer_version": 0,
            "text_options": options,
            "input_scope": scope,
            "max_text_length": max_length,
            "locale": self.console.locale,
            "prompt": prompt,
        }
        name = "title_text_configuration" if by_title else "system_text_configuration"
        self._message = name
        self.console.events.emit("text_opened", session=self.session, scope=scope)
        for participant, channel in self.open_channels():
            self._introduce(participant, channel)
        return self.session

    def _introduce(self, participant: Participant, channel: Channel) -> None:
        participant.send(self._message, self._configuration, channel.number)
        if self._message == "system_text_configuration":
            fields = self._input_fields(0)
            participant.send("system_text_input", fields, channel.number)

    def _input_fields(self, base: int, delta: list[Value] | None = None) -> Fields:
        return {
            "text_session_id": (self.session or 0) & 0xFFFFFFFF,
            "base_version": base,
            "submitted_version": self.version,
            "total_text_byte_len": len(self.text.encode()),
            "selection_start": -1,
            "selection_length": -1,
            "flags": 0,
            "text_chunk_byte_start": 0,
            "text_chunk": self.text,
            "delta": delta,
        }

    def type(self, text: str, *, delta: tuple[int, int, str] | None = None) -> None:
        """Let the console's user change the whole text.

        `delta` (offset, characters gone, characters new) is told beside the text.
        Raises LookupError when no field is open.
        """
        if self.session is None:
            raise LookupError("no text field is open")
        base, self.version, self.text = self.version, self.version + 1, text
        rows: list[Value] | None = None
        if delta is not None:
            offset, gone, new = delta
            rows = [{"offset": offset, "delete_count": gone, "insert_content": new}]
        self.send_all("system_text_input", self._input_fields(base, rows))

    def close(self, *, accepted: bool = True) -> None:
        """End the session, as by the console's user."""
        if self.session is not None:
            self._finish(ACCEPTED if accepted else CANCELLED)

    def _finish(self, result: int) -> None:
        done: Fields = {
            "text_session_id": (self.session or 0) & 0xFFFFFFFF,
            "text_version": self.version,
            "flags": 0,
            "result": result,
        }
        self.console.events.emit("text_closed", session=self.session, result=result)
        self.session, self.result = None, result
        self.send_all("system_text_done", done)

    def forget(self) -> None:
        """End the session without a word."""
        self.session = None

    @override
    def opened(self, participant: Participant, channel: Channel) -> None:
        if self.session is not None:
            if self.greets_late:
                self._introduce(participant, channel)
        elif self.greets_done:
            done: Fields = {
                "text_session_id": 0,
                "text_version": 0,
                "flags": 0,
                "result": 0,
            }
            participant.send("system_text_done", done, channel.number)

    @override
    def received(
        self,
        participant: Participant,
        channel: Channel,
        name: str,
        fields: Fields,
        sequence: int,
    ) -> bool:
        if "text_session_id" not in fields:
            return False
        session = number_of(fields, "text_session_id")
        ours = self.session is not None and session == self.session & 0xFFFFFFFF
        match name:
            case "system_text_ack":
                version = fields["text_version_ack"]
                participant.emit("text_ack", session=session, version=version)
            case "system_text_input" if ours:
                self._typed(participant, channel, fields, sequence)
            case "system_text_done" if ours:
                result = number_of(fields, "result")
                participant.emit(
                    "text_done",
                    sequence=sequence,
                    session=session,
                    version=fields["text_version"],
                    result=result,
                )
                self._finish(result)
            case "title_text_input" if ours:
                self.text = text_of(fields, "text")
                self.version = number_of(fields, "text_buffer_version")
                self._tell_typed(participant, sequence)
            case "title_text_selection" if ours:
                pass
            case _:
                participant.emit("text_refused", reason=f"{name} of no session")
        return True

    def _typed(
        self, participant: Participant, channel: Channel, fields: Fields, sequence: int
    ) -> None:
        submitted = number_of(fields, "submitted_version")
        text = self._assembled(fields, submitted)
        if text is None:
            return
        limit = number_of(self._configuration, "max_text_length")
        reason = ""
        if self.refuses_input:
            reason = "refused"
        elif submitted <= self.version:
            reason = "an old version"
        elif limit and len(text) > limit:
            reason = "too long"
        if reason:
            participant.emit("text_refused", reason=reason)
            own = self._input_fields(self.version)
            participant.send("system_text_input", own, channel.number)
            return
        base, self.text, self.version = self.version, text, submitted
        self._tell_typed(participant, sequence)
        ack: Fields = {
            "text_session_id": fields["text_session_id"],
            "text_version_ack": submitted,
        }
        if self.acks_input:
            participant.send("system_text_ack", ack, channel.number)
        for other, their_channel in self.open_channels():
            if other is not participant:
                others = self._input_fields(base)
                other.send("system_text_input", others, their_channel.number)

    def _tell_typed(self, participant: Participant, sequence: int) -> None:
        participant.emit(
            "text_input",
            sequence=sequence,
            session=self.session,
            version=self.version,
            length=len(self.text),
        )

    def _assembled(self, fields: Fields, submitted: int) -> str | None:
        """Return the whole text once all its chunks are here."""
        chunk = text_of(fields, "text_chunk").encode()
        start = number_of(fields, "text_chunk_byte_start")
        version, before = self._chunks
        if start:
            if version != submitted or len(before) != start:
                return None
            chunk = before + chunk
        self._chunks = (submitted, chunk)
        if len(chunk) < number_of(fields, "total_text_byte_len"):
            return None
        return chunk.decode()
