"""Packets with pictures in them, for a device that was allowed to send such."""

import json
import time

import pytest

from .bench import bench
from .support import EventLog, turns
from custom_components.rumpus.protocols.json_lines import JsonLinesStream
from custom_components.rumpus.protocols.kdeconnect.device import RemoteDevice
from custom_components.rumpus.protocols.kdeconnect.events import MessageReceived
from custom_components.rumpus.protocols.kdeconnect.link import (
    MAX_LONG_LINE,
    MAX_PAIRED_LINE,
    MAX_UNPAIRED_LINE,
)
from custom_components.rumpus.protocols.kdeconnect.packet import decode_packet
from custom_components.rumpus.protocols.kdeconnect.plugins import decode_message
from custom_components.rumpus.protocols.kdeconnect.plugins.ping import Ping
from custom_components.rumpus.protocols.kdeconnect.plugins.sms import TextMessages
from tests.fakes.kdeconnect import FakeDevice


def line(size: int) -> bytes:
    """Return a packet of so many bytes without its LF."""
    start = (
        b'{"type":"kdeconnect.sms.messages","body":{"messages":[{"_id":1,"thread_id":1,'
        b'"date":1,"attachments":[{"part_id":1,"unique_identifier":"a",'
        b'"encoded_thumbnail":"'
    )
    end = b'"}]}]}}'
    return start + b"x" * (size - len(start) - len(end)) + end


async def test_max_long_line(friend: RemoteDevice, phone: FakeDevice) -> None:
    """One byte more is dropped, and the link lives."""
    log = EventLog(friend.subscribe)
    friend.allow_packets(MAX_LONG_LINE)
    await phone.mischief.send_raw(line(MAX_LONG_LINE) + b"\n")
    await log.wait_for(
        MessageReceived, lambda event: isinstance(event.message, TextMessages)
    )
    await phone.mischief.send_raw(line(MAX_LONG_LINE + 1) + b"\n")
    await phone.ping.send("behind it")
    await log.wait_for(
        MessageReceived, lambda event: event.message == Ping("behind it")
    )
    texts = [
        event
        for event in log.seen(MessageReceived)
        if isinstance(event, MessageReceived)
        and isinstance(event.message, TextMessages)
    ]
    assert len(texts) == 1
    assert friend.is_connected


async def test_every_link_of_a_paired_device_takes_long_packets() -> None:
    async with bench(paired=True) as made:
        old, _, _ = made.link()
        made.device.attach(old)
        assert old.stream.max_message == MAX_PAIRED_LINE
        made.device.allow_packets(MAX_LONG_LINE)
        new, _, _ = made.link()
        made.device.attach(new)
        await turns()
        assert old.stream.max_message == new.stream.max_message == MAX_LONG_LINE
        await made.device.unpair()
        assert old.stream.max_message == new.stream.max_message == MAX_UNPAIRED_LINE
        made.device.allow_packets(MAX_PAIRED_LINE)
        assert new.stream.max_message == MAX_UNPAIRED_LINE


async def test_device_that_is_repaired_sends_short_packets() -> None:
    """Without its pairing it is a stranger, whatever was allowed before."""
    async with bench(paired=True) as made:
        link, _, _ = made.link()
        made.device.attach(link)
        made.device.allow_packets(MAX_LONG_LINE)
        made.device.untrust()
        assert link.stream.max_message == MAX_UNPAIRED_LINE
        made.device.trust(made.stored)
        assert link.stream.max_message == MAX_LONG_LINE
        await turns()


def uids(number: int) -> bytes:
    """Return a list of contacts that is as long as it may be, with few usable ids."""
    body = {"uids": ["a"] * number}
    packet = {"type": "kdeconnect.contacts.response_uids_timestamps", "body": body}
    return json.dumps(packet, separators=(",", ":")).encode()


def texts(number: int) -> bytes:
    """Return as many messages as are read of a packet, with many people each."""
    people = [{"address": f"+1555{index:06}"} for index in range(14)]
    messages = [
        {
            "_id": index,
            "thread_id": index,
            "date": 1,
            "addresses": people,
            "body": "x" * 7000,
        }
        for index in range(number)
    ]
    packet = {"type": "kdeconnect.sms.messages", "body": {"messages": messages}}
    return json.dumps(packet, separators=(",", ":")).encode()


def attachments(number: int) -> bytes:
    """Return as many messages as are read of a packet, with much attached to each."""
    people = [{"address": str(index)} for index in range(8)]
    attached = [{"part_id": part, "unique_identifier": "a"} for part in range(20)]
    messages = [
        {
            "_id": index,
            "thread_id": index,
            "date": 1,
            "addresses": people,
            "attachments": attached,
            "body": "é" * 7500,
        }
        for index in range(number)
    ]
    packet = {"type": "kdeconnect.sms.messages", "body": {"messages": messages}}
    return json.dumps(packet, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "data",
    [line(MAX_LONG_LINE), uids(130_000), texts(1000), attachments(525)],
    ids=["picture", "uids", "texts", "attachments"],
)
def test_no_long_packet_takes_long(data: bytes) -> None:
    """From the line to the message: below 50 ms, whatever is in it."""
    assert len(data) <= MAX_LONG_LINE
    taken = []
    for _ in range(3):
        begin = time.thread_time()
        message = decode_message(decode_packet(JsonLinesStream.decode_message(data)))
        taken.append(time.thread_time() - begin)
        assert message is not None
    assert min(taken) < 0.05
