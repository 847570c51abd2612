"""A client of a fake Apple TV's MRP, however its messages come.

The Apple TV reference, part B, sections 3.4, 3.5 and 4.
"""

from collections.abc import Callable
import struct
from typing import TYPE_CHECKING, Final, Protocol
import uuid

from google.protobuf.message import DecodeError

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv_input import Input
from tests.fakes.apple_tv_media import make
from tests.fakes.apple_tv_models import FakeItem, item_message
from tests.fakes.apple_tv_stream import Link

if TYPE_CHECKING:
    from tests.fakes.apple_tv_mrp import MrpDevice

TOUCH_DEVICE: Final = 9
_COMMAND_NAMES: Final = {
    number: name.removeprefix("COMMAND_").lower() for name, number in pb.Command.items()
}
_FOR_STRANGERS: Final = {
    pb.MESSAGE_TYPE_DEVICE_INFO,
    pb.MESSAGE_TYPE_CRYPTO_PAIRING,
}


class Send(Protocol):
    """Sends messages, in one piece if there are several."""

    def __call__(self, *messages: bytes, bare: bool = False) -> None:
        """Send; a bare message goes without its length where that is possible."""


class MrpSession:
    """One client."""

    def __init__(
        self,
        device: MrpDevice,
        send: Send,
        end: Callable[[str], None],
        link: Link,
    ) -> None:
        """Wait for its DEVICE_INFO; before that it gets no answer."""
        self.device = device
        self.link = link  # the connection by which it is known
        self.info: pb.DeviceInfoMessage | None = None
        self.is_connected = False
        self.config: pb.ClientUpdatesConfigMessage | None = None
        self.end = end  # break off the connection, with a reason
        self.input = Input(device, self.emit)
        # Set by a connection on which clients pair: what takes their data.
        self.crypto: Callable[[bytes], None] | None = None
        self.is_trusted = True  # else only information and pairing is answered
        self._send = send
        self._handlers: dict[int, Callable[[pb.ProtocolMessage], None]] = {
            pb.MESSAGE_TYPE_DEVICE_INFO: self._device_info,
            pb.MESSAGE_TYPE_CRYPTO_PAIRING: self._crypto_pairing,
            pb.MESSAGE_TYPE_SET_CONNECTION_STATE: self._connection_state,
            pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG: self._updates_config,
            pb.MESSAGE_TYPE_GET_KEYBOARD_SESSION: self._keyboard_session,
            pb.MESSAGE_TYPE_SEND_COMMAND: self._command,
            pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST: self._queue_request,
            pb.MESSAGE_TYPE_SEND_HID_EVENT: self._hid_event,
            pb.MESSAGE_TYPE_SEND_BUTTON_EVENT: self._button_event,
            pb.MESSAGE_TYPE_REGISTER_HID_DEVICE: self._register_touch,
            pb.MESSAGE_TYPE_SEND_PACKED_VIRTUAL_TOUCH_EVENT: self._touch,
            pb.MESSAGE_TYPE_TEXT_INPUT: self._text_input,
            pb.MESSAGE_TYPE_SET_VOLUME: self._set_volume,
            pb.MESSAGE_TYPE_GET_VOLUME: self._get_volume,
            pb.MESSAGE_TYPE_MODIFY_OUTPUT_CONTEXT_REQUEST: self._modify_outputs,
            pb.MESSAGE_TYPE_WAKE_DEVICE: self._wake,
        }

    @property
    def is_ready(self) -> bool:
        """Whether it wants to hear of changes."""
        return self.config is not None

    def emit(self, kind: str, **data: object) -> None:
        """Tell what happened."""
        self.device.core.events.emit(kind, peer=self.link.peer, **data)

    # Messages of ours

    def send(self, *messages: pb.ProtocolMessage, bare: bool = False) -> None:
        """Send messages, together if the connection can."""
        for message in messages:
            if not message.HasField("unique_identifier"):
                message.unique_identifier = _new_id()
        self._send(*(m.SerializeToString() for m in messages), bare=bare)

    def send_bytes(self, data: bytes) -> None:
        """Send what may be no message at all."""
        self._send(data)

    def answer(self, request: pb.ProtocolMessage, answer: pb.ProtocolMessage) -> None:
        """Answer a request, if it wants that."""
        if request.HasField("identifier"):
            answer.identifier = request.identifier
            self.send(answer)

    def tell(self, message: pb.ProtocolMessage) -> None:
        """Push a change, if the client wants to hear of such ones."""
        config = self.config
        if config is None:
            return
        wants = {
            pb.MESSAGE_TYPE_VOLUME_DID_CHANGE: config.volume_updates,
            pb.MESSAGE_TYPE_VOLUME_CONTROL_AVAILABILITY: config.volume_updates,
            pb.MESSAGE_TYPE_KEYBOARD: config.keyboard_updates,
            pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE: config.output_device_updates,
        }
        if wants.get(message.type, True):
            copy = pb.ProtocolMessage()
            copy.CopyFrom(message)
            self.send(copy)

    # Messages of the client's

    def ended(self) -> None:
        """The connection is gone."""
        self.device.sessions.discard(self)
        self.input.ended()
        self.emit("mrp_ended")

    def received(self, data: bytes) -> None:
        """Take a message."""
        try:
            message = pb.ProtocolMessage.FromString(data)
        except DecodeError:
            self.emit("mrp_malformed", size=len(data))
            return
        self.emit("mrp_message", type=message.type)
        is_first = self.info is None
        if (is_first and message.type != pb.MESSAGE_TYPE_DEVICE_INFO) or (
            not self.is_trusted and message.type not in _FOR_STRANGERS
        ):
            self.emit("mrp_ignored", type=message.type)
            return
        if message.type in self.device.mute:
            return
        handler = self._handlers.get(message.type, self._acknowledge)
        handler(message)

    def _acknowledge(self, message: pb.ProtocolMessage) -> None:
        self.answer(message, make(pb.MESSAGE_TYPE_UNKNOWN))

    def _device_info(self, message: pb.ProtocolMessage) -> None:
        self.info = message.device_info
        self.emit(
            "mrp_device_info",
            name=message.device_info.name,
            identifier=message.device_info.unique_identifier,
        )
        answer = make(pb.MESSAGE_TYPE_DEVICE_INFO)
        answer.device_info.CopyFrom(self.device.info())
        self.answer(message, answer)

    def _crypto_pairing(self, message: pb.ProtocolMessage) -> None:
        if self.crypto is None:
            self._acknowledge(message)
            return
        self.crypto(message.crypto_pairing.pairing_data)

    def _connection_state(self, message: pb.ProtocolMessage) -> None:
        state = message.set_connection_state.state
        self.is_connected = state == pb.CONNECTION_STATE_CONNECTED
        self.emit("mrp_connected", state=state)
        self._acknowledge(message)

    def _updates_config(self, message: pb.ProtocolMessage) -> None:
        self.config = message.client_updates_config
        for told in self.device.state():
            self.tell(told)
        self._acknowledge(message)
        self.emit("mrp_ready")

    def _keyboard_session(self, message: pb.ProtocolMessage) -> None:
        self.answer(message, self.device.keyboard.message())

    def _command(self, message: pb.ProtocolMessage) -> None:
        command = message.send_command
        error, status = self.device.do(command)
        self.emit(
            "command",
            command=command.command,
            name=_COMMAND_NAMES.get(command.command, ""),
            options=options_dict(command.options),
            error=error,
        )
        answer = make(pb.MESSAGE_TYPE_SEND_COMMAND_RESULT)
        answer.send_command_result.send_error = error
        answer.send_command_result.handler_return_status = status
        self.answer(message, answer)

    def _queue_request(self, message: pb.ProtocolMessage) -> None:
        request = message.playback_queue_request
        self.emit(
            "queue_request",
            location=request.location,
            width=request.artwork_width,
            height=request.artwork_height,
        )
        media = self.device.media
        answer = make(pb.MESSAGE_TYPE_SET_STATE)
        player = media.player
        if player is not None and media.active is not None:
            client = media.clients[media.active]
            answer.set_state.player_path.CopyFrom(media.path(client, player))
            queue = answer.set_state.playback_queue
            queue.location = request.location
            wanted = player.items[request.location :][: max(0, request.length)]
            for item in wanted:
                queue.content_items.append(self._with_artwork(item, request))
        self.answer(message, answer)

    def _with_artwork(
        self, item: FakeItem, request: pb.PlaybackQueueRequestMessage
    ) -> pb.ContentItem:
        player = self.device.media.player
        is_current = player is not None and item is player.item
        base = self.device.media.base_url
        message = item_message(item, player if is_current else None, base)
        picture = item.picture
        if request.HasField("artwork_width") and picture and picture.way == "data":
            message.artwork_data = picture.data
            message.artwork_data_width = picture.width
            message.artwork_data_height = picture.height
        return message

    # Input

    def _hid_event(self, message: pb.ProtocolMessage) -> None:
        self.input.hid_event(message.send_hid_event.hid_event_data)
        self._acknowledge(message)

    def _button_event(self, message: pb.ProtocolMessage) -> None:
        event = message.send_button_event
        self.input.button(event.usage_page, event.usage, event.button_down)
        self._acknowledge(message)

    def _register_touch(self, message: pb.ProtocolMessage) -> None:
        descriptor = message.register_hid_device.device_descriptor
        self.emit(
            "touch_registered",
            width=descriptor.screen_size_width,
            height=descriptor.screen_size_height,
        )
        answer = make(pb.MESSAGE_TYPE_REGISTER_HID_DEVICE_RESULT)
        answer.register_hid_device_result.error_code = 0
        answer.register_hid_device_result.device_identifier = TOUCH_DEVICE
        self.answer(message, answer)

    def _touch(self, message: pb.ProtocolMessage) -> None:
        data = message.send_packed_virtual_touch_event.data
        if len(data) != 10:
            self.emit("mrp_malformed", size=len(data))
            return
        x, y, phase, device, finger = struct.unpack("<5H", data)
        self.emit("touch", x=x, y=y, phase=phase, device=device, finger=finger)
        self._acknowledge(message)

    def _text_input(self, message: pb.ProtocolMessage) -> None:
        self.device.keyboard.input(message.text_input)
        self._acknowledge(message)

    # Volume, outputs, power

    def _set_volume(self, message: pb.ProtocolMessage) -> None:
        request = message.set_volume
        self.emit(
            "set_volume",
            volume=round(request.volume, 4),
            output_device=request.output_device_uid,
        )
        self.device.set_volume(request.volume, request.output_device_uid)
        self._acknowledge(message)

    def _get_volume(self, message: pb.ProtocolMessage) -> None:
        answer = make(pb.MESSAGE_TYPE_GET_VOLUME_RESULT)
        uid = message.get_volume.output_device_uid
        if (volume := self.device.volume_of(uid)) is not None:
            answer.get_volume_result.volume = volume
        self.answer(message, answer)

    def _modify_outputs(self, message: pb.ProtocolMessage) -> None:
        request = message.modify_output_context_request
        self.emit(
            "modify_outputs",
            add=tuple(request.adding_devices),
            remove=tuple(request.removing_devices),
            set=tuple(request.setting_devices),
        )
        self.device.modify_outputs(request)
        self._acknowledge(message)

    def _wake(self, message: pb.ProtocolMessage) -> None:
        self.emit("wake_device")
        self.device.core.set_power(True, "mrp")
        self._acknowledge(message)


def crypto_message(data: bytes) -> pb.ProtocolMessage:
    """Return pairing data as a message."""
    message = make(pb.MESSAGE_TYPE_CRYPTO_PAIRING)
    message.crypto_pairing.pairing_data = data
    message.crypto_pairing.status = 0
    return message


def options_dict(options: pb.CommandOptions) -> dict[str, object]:
    """Return the options that are present by their names."""
    return {field.name: value for field, value in options.ListFields()}


def _new_id() -> str:
    return str(uuid.uuid4()).upper()
