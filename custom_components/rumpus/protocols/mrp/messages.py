"""Messages to the device (the Apple TV reference, part B, sections 3.2, 3.4 and 4)."""

from typing import Final, cast
from uuid import uuid4

from google.protobuf.message import DecodeError

from ..apple.identity import ClientIdentity
from ..errors import ProtocolError
from .bounds import MAX_PLAIN, check_plain
from .enums import Command, TextAction
from .proto import mrp_pb2 as pb

LAST_MESSAGE_TYPE: Final = 108
"""The newest type that we say to know."""
DEFAULT_ARTWORK_WIDTH: Final = 512


def new_identifier() -> str:
    """Return a new id for a message: devices compare its case, too."""
    return str(uuid4()).upper()


def make(kind: pb.MessageType) -> pb.ProtocolMessage:
    """Return a message without its payload."""
    return pb.ProtocolMessage(
        type=kind,
        error_code=pb.ERROR_CODE_NO_ERROR,
        unique_identifier=new_identifier(),
    )


def decode(data: bytes) -> pb.ProtocolMessage:
    """Return what a device sent. Raises ProtocolError."""
    if len(data) > MAX_PLAIN:
        check_plain(data)
    try:
        return pb.ProtocolMessage.FromString(data)
    except DecodeError:
        raise ProtocolError("A message cannot be decoded") from None


def device_info(identity: ClientIdentity, client_id: str) -> pb.ProtocolMessage:
    """Return what we say about ourselves, the first message of all."""
    message = make(pb.MESSAGE_TYPE_DEVICE_INFO)
    message.device_info.MergeFrom(
        pb.DeviceInfoMessage(
            unique_identifier=client_id,
            name=identity.name,
            localized_model_name="iPhone",
            system_build_version=identity.os_build,
            application_bundle_identifier="com.apple.TVRemote",
            application_bundle_version="344.28",
            protocol_version=1,
            last_supported_message_type=LAST_MESSAGE_TYPE,
            supports_system_pairing=True,
            allows_pairing=True,
            system_media_application="com.apple.TVMusic",
            supports_acl=True,
            supports_shared_queue=True,
            supports_extended_motion=True,
            shared_queue_version=2,
            device_class=pb.DEVICE_CLASS_IPHONE,
            logical_device_count=1,
        )
    )
    return message


def crypto_pairing(data: bytes, state: int) -> pb.ProtocolMessage:
    """Return a message of pairing; `state` is 2 where a pairing with a PIN begins."""
    message = make(pb.MESSAGE_TYPE_CRYPTO_PAIRING)
    message.crypto_pairing.MergeFrom(
        pb.CryptoPairingMessage(
            pairing_data=data,
            status=0,
            is_retrying=False,
            is_using_system_pairing=False,
            state=state,
        )
    )
    return message


def connected() -> pb.ProtocolMessage:
    """Return the end of introductions."""
    message = make(pb.MESSAGE_TYPE_SET_CONNECTION_STATE)
    message.set_connection_state.state = pb.CONNECTION_STATE_CONNECTED
    return message


def updates_config() -> pb.ProtocolMessage:
    """Return what we want to be told of."""
    message = make(pb.MESSAGE_TYPE_CLIENT_UPDATES_CONFIG)
    message.client_updates_config.MergeFrom(
        pb.ClientUpdatesConfigMessage(
            artwork_updates=True,
            now_playing_updates=False,
            volume_updates=True,
            keyboard_updates=True,
            output_device_updates=True,
        )
    )
    return message


def command(
    number: Command | int, options: pb.CommandOptions | None = None
) -> pb.ProtocolMessage:
    """Return a command for the player in front."""
    message = make(pb.MESSAGE_TYPE_SEND_COMMAND)
    message.send_command.command = cast("pb.Command", int(number))
    if options is not None:
        message.send_command.options.CopyFrom(options)
    return message


def hid_event(data: bytes) -> pb.ProtocolMessage:
    """Return a key that goes down or up."""
    message = make(pb.MESSAGE_TYPE_SEND_HID_EVENT)
    message.send_hid_event.hid_event_data = data
    return message


def register_touch_pad(size: float) -> pb.ProtocolMessage:
    """Return the wish for a touch pad of that width and height."""
    message = make(pb.MESSAGE_TYPE_REGISTER_HID_DEVICE)
    message.register_hid_device.device_descriptor.MergeFrom(
        pb.VirtualTouchDeviceDescriptor(
            absolute=False,
            integrated_display=False,
            screen_size_width=size,
            screen_size_height=size,
        )
    )
    return message


def touch(data: bytes) -> pb.ProtocolMessage:
    """Return a sample of the touch pad."""
    message = make(pb.MESSAGE_TYPE_SEND_PACKED_VIRTUAL_TOUCH_EVENT)
    message.send_packed_virtual_touch_event.data = data
    return message


def set_volume(level: float, output_device: str) -> pb.ProtocolMessage:
    """Return a new volume, from 0 to 1."""
    message = make(pb.MESSAGE_TYPE_SET_VOLUME)
    message.set_volume.volume = level
    message.set_volume.output_device_uid = output_device
    return message


def modify_outputs(
    *,
    adding: tuple[str, ...] = (),
    removing: tuple[str, ...] = (),
    setting: tuple[str, ...] = (),
) -> pb.ProtocolMessage:
    """Return who is to play along; every id goes into two fields (section 4.7)."""
    message = make(pb.MESSAGE_TYPE_MODIFY_OUTPUT_CONTEXT_REQUEST)
    message.modify_output_context_request.MergeFrom(
        pb.ModifyOutputContextRequestMessage(
            type=pb.MODIFY_OUTPUT_CONTEXT_REQUEST_TYPE_SHARED_AUDIO_PRESENTATION,
            adding_devices=adding,
            removing_devices=removing,
            setting_devices=setting,
            cluster_aware_adding_devices=adding,
            cluster_aware_removing_devices=removing,
            cluster_aware_setting_devices=setting,
        )
    )
    return message


def artwork_request(location: int, width: int, height: int) -> pb.ProtocolMessage:
    """Return the wish for the picture of one item of the queue."""
    message = make(pb.MESSAGE_TYPE_PLAYBACK_QUEUE_REQUEST)
    message.playback_queue_request.MergeFrom(
        pb.PlaybackQueueRequestMessage(
            location=location,
            length=1,
            artwork_width=width,
            artwork_height=height,
            return_content_item_assets_in_user_completion=True,
        )
    )
    return message


def text_input(text: str, action: TextAction) -> pb.ProtocolMessage:
    """Return text for the focused field."""
    message = make(pb.MESSAGE_TYPE_TEXT_INPUT)
    message.text_input.MergeFrom(
        pb.TextInputMessage(
            timestamp=0.0, text=text, action_type=cast("pb.ActionType", int(action))
        )
    )
    return message
