"""The code in mrp_pb2 is what mrp.proto says; script/protobuf makes it."""

from pathlib import Path
import re

from google.protobuf.descriptor import Descriptor, EnumDescriptor

from custom_components.rumpus.protocols.mrp import enums, proto
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb

SCHEMA = Path(proto.__file__).with_name("mrp.proto").read_text("utf-8")


def declared(kind: str) -> dict[str, list[tuple[str, int]]]:
    """Return the messages or the enums of the schema: names and numbers in order."""
    blocks = re.finditer(rf"^{kind} (\w+) {{(.*?)}}$", SCHEMA, re.MULTILINE | re.DOTALL)
    return {
        block[1]: [
            (entry[1], int(entry[2]))
            for entry in re.finditer(r"(\w+) = (\d+);", block[2])
        ]
        for block in blocks
    }


def test_messages() -> None:
    messages: dict[str, Descriptor] = dict(pb.DESCRIPTOR.message_types_by_name)
    made = {
        name: [(field.name, field.number) for field in message.fields]
        for name, message in messages.items()
    }
    assert made == declared("message")
    assert len(made) > 90


def test_enums() -> None:
    types: dict[str, EnumDescriptor] = dict(pb.DESCRIPTOR.enum_types_by_name)
    made = {
        name: [(value.name, value.number) for value in enum.values]
        for name, enum in types.items()
    }
    assert made == declared("enum")
    assert len(made) > 30


def test_nobody_else_has_such_names() -> None:
    """The pool of descriptors is one for all programs in the process."""
    assert pb.DESCRIPTOR.name == "rumpus/protocols/mrp/proto/mrp.proto"
    assert pb.DESCRIPTOR.package == "rumpus.mrp"


def test_our_enums_have_the_same_numbers() -> None:
    pairs = {
        "COMMAND": (enums.Command, pb.Command),
        "SEND_ERROR": (enums.SendError, pb.SendError),
        "HANDLER_RETURN_STATUS": (enums.HandlerReturnStatus, pb.HandlerReturnStatus),
        "PLAYBACK_STATE": (enums.PlaybackState, pb.PlaybackState),
        "SHUFFLE_MODE": (enums.ShuffleMode, pb.ShuffleMode),
        "REPEAT_MODE": (enums.RepeatMode, pb.RepeatMode),
        "KEYBOARD_STATE": (enums.KeyboardState, pb.KeyboardState),
        "KEYBOARD_TYPE": (enums.KeyboardType, pb.KeyboardType),
    }
    for prefix, (ours, theirs) in pairs.items():
        numbers = {f"{prefix}_{member.name}": int(member) for member in ours}
        assert numbers == dict(theirs.items())
    for phase in enums.TouchPhase:
        assert pb.TouchPhase.Value(f"TOUCH_PHASE_{phase.name}") == phase
    for action in enums.TextAction:
        assert pb.ActionType.Value(f"ACTION_TYPE_{action.name}") == action
