"""What a fake console saw and did, kept until a test asks for it."""

from typing import Literal, override

from tests.fakes.event_log import LoggedEvent, LoggedEvents
from tests.fakes.xbox_wire import Value

type EventKind = Literal[
    # In the open. Every packet is told of, repetitions too.
    "discovery_request",  # host, port, client_type
    "power_on",  # host, live_id, right: whether it is ours
    "state",  # value: "on", "booting", "standby", "unplugged"
    "connect_request",  # host, client_uuid, anonymous, repeated
    "connect_answer",  # result, participant
    "dropped",  # reason: a datagram that got no answer
    # What it shows, whoever changed it.
    "titles",  # aums, focused
    "media",  # asset_id, status; None and None for nothing
    "text_opened",  # session, scope
    "text_closed",  # session, result
    # Sessions; data has `participant`.
    "connected",  # host, client_uuid, anonymous
    "joined",  # display_name and the rest of LocalJoin
    "left",  # reason, by: "client", "console", "replaced", "silence", "no_ack"
    "message",  # each message once: name, sequence, channel, need_ack, fields
    "sent",  # the same of ours, with `logs_sent`
    "duplicate",  # a message that came again: name, sequence
    "rejected",  # a message whose ack said no: name, sequence
    "malformed",  # a message that has another layout: name, reason
    "unknown_channel",  # name, channel
    "heartbeat",
    "resent",  # one of ours again: sequence, attempt
    "acked",  # one of ours: sequence, accepted
    "roamed",  # the client's address is another: host, port
    "channel_opened",  # service, channel, title_id
    "channel_refused",  # service, result
    "channel_closed",  # service, channel
    # What clients did with the channels; each command once, data has `sequence`.
    "gamepad",  # the fields
    "touch",
    "sensor",  # name and the fields
    "media_command",  # the fields, and result
    "text_input",  # session, version, length; never the text
    "text_ack",
    "text_done",
    "text_refused",  # reason
    "json_request",  # request, msgid, params
    "json_error",  # reason
    "send_key",  # button_id, device_id, result
    "set_channel",  # channel_id, lineup, found
    "title_launch",  # uri, location, honoured
    "unsnap",
    "game_dvr",  # the fields, effective
    "power_off",  # live_id, right
    "aux_hello",
    "aux_connected",
    "aux_data",  # size
    "aux_closed",  # reason
    "stream",  # what: "start", "stop"; state, error
]


type FakeEvent = LoggedEvent[EventKind, Value]


class EventLog(LoggedEvents[EventKind, Value]):
    """All events of a console."""

    @override
    def describe(self, event: FakeEvent) -> str:
        if event.kind == "message":
            return f"{event.kind}:{event.data['name']}"
        return event.kind
