import pytest

from custom_components.rumpus.protocols.mrp.enums import HidUsage, TouchPhase
from custom_components.rumpus.protocols.mrp.hid import key_event, touch_event
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.vectors import HID, HID_TEMPLATE, MESSAGES

KEYS = {"topmenu": HidUsage.TOP_MENU, "wakeup": HidUsage.WAKE_UP}


@pytest.mark.parametrize("vector", HID, ids=lambda vector: vector["key"])
def test_keys(vector: dict[str, object]) -> None:
    name = str(vector["key"])
    key = KEYS.get(name) or HidUsage[name.upper()]
    assert (key.page, key.usage) == (vector["page"], vector["usage"])
    for way in ("down", "up"):
        data = key_event(key, is_down=way == "down")
        assert data[43:49].hex() == vector[way]
        assert data[:43] + data[49:] == HID_TEMPLATE[:43] + HID_TEMPLATE[49:]


def test_whole_key_event() -> None:
    assert key_event(HidUsage.UP, is_down=True) == HID_TEMPLATE


def test_touch() -> None:
    vector = MESSAGES["SEND_PACKED_VIRTUAL_TOUCH Began 500,850 dev 9"]
    message = pb.ProtocolMessage.FromString(vector.data)
    data = message.send_packed_virtual_touch_event.data
    assert touch_event(500, 850, TouchPhase.BEGAN, 9) == data


def test_a_finger_does_not_leave_the_pad() -> None:
    data = touch_event(-5, 5000, TouchPhase.MOVED, 1 << 17 | 3)
    assert data == bytes.fromhex("0000 e803 0200 0300 0000")
