"""Volumes and output devices, with a scripted device."""

import asyncio
import math

import pytest

from custom_components.rumpus.protocols.apple.enums import PowerState
from custom_components.rumpus.protocols.apple.models import OutputDevice
from custom_components.rumpus.protocols.errors import UnsupportedError
from custom_components.rumpus.protocols.mrp import messages
from custom_components.rumpus.protocols.mrp.device_info import MAX_OUTPUT_DEVICES
from custom_components.rumpus.protocols.mrp.enums import VolumeCapability
from custom_components.rumpus.protocols.mrp.events import (
    InfoChanged,
    OutputDevicesChanged,
    OutputVolumeChanged,
    VolumeChanged,
    VolumeControlsChanged,
)
from custom_components.rumpus.protocols.mrp.metadata import MAX_IDENTIFIER, MAX_TEXT
from custom_components.rumpus.protocols.mrp.models import VolumeControls
from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.protocols.mrp.common import (
    UID,
    ScriptedTransport,
    info,
    level_of,
    outputs_of,
    scripted,
    volume,
    volume_controls,
)
from tests.protocols.mrp.vectors import MESSAGES, OWN_UID


async def test_volume_of_the_vectors() -> None:
    transport = ScriptedTransport(device_uid=OWN_UID)
    async with scripted(transport) as (client, _, log):
        assert level_of(client) is None
        for name in (
            "VOLUME_CONTROL_AVAILABILITY true/Both",
            "VOLUME_DID_CHANGE 0.5",
            "VOLUME_CONTROL_CAPABILITIES_DID_CHANGE Absolute",
        ):
            transport.push_bytes(MESSAGES[name].data)
        assert client.volume == 50.0
        assert client.volume_controls == VolumeControls(True, VolumeCapability.ABSOLUTE)
        assert log.of(VolumeChanged) == [VolumeChanged(50.0)]
        assert len(log.of(VolumeControlsChanged)) == 2
        assert log.of(OutputVolumeChanged) == [OutputVolumeChanged(OWN_UID, 50.0)]


async def test_a_device_without_an_id_has_no_volume() -> None:
    transport = ScriptedTransport(device_uid="")
    async with scripted(transport) as (client, _, log):
        transport.push(volume_controls(3), volume(0.5), volume(0.5, ""))
        assert level_of(client) is None
        assert not client.volume_controls.is_available
        with pytest.raises(UnsupportedError):
            await client.set_volume(5)
        with pytest.raises(UnsupportedError):
            await client.volume_up()
        transport.push(info())
        assert client.volume == 50.0
        assert log.of(VolumeChanged) == [VolumeChanged(50.0)]
        assert client.volume_controls.is_absolute


async def test_volumes_that_are_none() -> None:
    async with scripted() as (client, transport, log):
        transport.push(volume_controls(3))
        for level in (-0.1, 1.1, math.nan, math.inf):
            transport.push(volume(level))
        transport.push(
            messages.make(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE),
            volume(0.5, "x" * (MAX_IDENTIFIER + 1)),
        )
        assert dict(client.volumes) == {}
        for level in (-0.1, 100.1, math.nan):
            with pytest.raises(ValueError, match="0 to 100"):
                await client.set_volume(level)
        transport.push(volume(0.2))
        assert client.volume == 20.0  # as a float of 32 bits it is more
        transport.push(volume(0.2))
        assert log.of(VolumeChanged) == [VolumeChanged(20.0)]


async def test_unknown_volume_capabilities() -> None:
    async with scripted() as (client, transport, _):
        transport.push(volume_controls(0x7FFFFFF4 | 2))
        assert client.volume_controls.capabilities is VolumeCapability.ABSOLUTE
        transport.push(volume_controls(0))
        assert not client.volume_controls.is_absolute
        with pytest.raises(UnsupportedError):
            await client.volume_down()


async def test_what_is_reported_of_others() -> None:
    async with scripted() as (client, transport, log):
        transport.push(volume_controls(2))
        other = messages.make(pb.MESSAGE_TYPE_VOLUME_CONTROL_CAPABILITIES_DID_CHANGE)
        told = other.volume_control_capabilities_did_change
        told.output_device_uid = "another"
        transport.push(other)
        assert client.volume_controls.is_absolute
        setting = asyncio.create_task(client.set_volume(7))
        transport.asked.clear()
        await transport.asked.wait()
        transport.push(volume(0.07, "another"))
        await asyncio.sleep(0)
        transport.push(volume(0.07), volume(0.07), volume(0.08))
        await setting
        assert client.volume == 8.0
        update = messages.make(pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE)
        update.update_output_device.output_devices.add(unique_identifier=UID)
        transport.push(update)
        assert client.volume == 8.0
        assert log.of(VolumeChanged) == [VolumeChanged(7.0), VolumeChanged(8.0)]


async def test_reports_come_before_who_waits_has_looked() -> None:
    async with scripted() as (client, transport, _):
        transport.push(volume_controls(2))
        transport.answers[pb.MESSAGE_TYPE_SET_VOLUME] = lambda _: volume(0.01)
        async with asyncio.timeout(5):
            await client.set_volume(50)
        assert client.volume == 1.0
        setting = asyncio.create_task(client.set_volume(60))
        transport.asked.clear()
        await transport.asked.wait()
        transport.end()
        await client.close()
        await setting


async def test_steps_from_an_unknown_volume() -> None:
    async with scripted() as (client, transport, _):
        transport.push(volume_controls(2))
        transport.answers[pb.MESSAGE_TYPE_SET_VOLUME] = lambda message: volume(
            message.set_volume.volume
        )
        await client.volume_up()
        assert client.volume == 5.0


async def test_the_number_of_output_devices_is_bounded() -> None:
    async with scripted() as (client, transport, _):
        transport.push(volume(0.3))
        message = info(is_group_leader=True, unique_identifier="U1", name="Den")
        update = messages.make(pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE)
        for number in range(2 * MAX_OUTPUT_DEVICES):
            message.device_info.grouped_devices.add(
                device_uid=f"D{number}", name="x" * (MAX_TEXT + 1)
            )
            update.update_output_device.output_devices.add(
                unique_identifier=f"V{number}", volume=0.5
            )
            transport.push(volume(0.5, f"W{number}"))
        transport.push(message, update)
        assert len(client.output_devices) == MAX_OUTPUT_DEVICES
        assert client.output_devices[0] == OutputDevice("U1", "Den", 30.0)
        assert client.output_devices[2].name == "x" * MAX_TEXT
        assert len(client.volumes) <= MAX_OUTPUT_DEVICES
        assert client.volume == 30.0
        for identifiers in (
            ("x",) * (MAX_OUTPUT_DEVICES + 1),
            ("x" * (MAX_IDENTIFIER + 1),),
            ("",),
        ):
            with pytest.raises(ValueError, match="output device"):
                await client.set_output_devices(*identifiers)


async def test_volumes_in_one_message_are_one_change_of_the_outputs() -> None:
    """Looking at all of them after each would be work by the square of their number."""
    async with scripted() as (client, transport, log):
        members = info(is_group_leader=True, unique_identifier="U1")
        update = messages.make(pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE)
        for number in range(1, 4):
            members.device_info.grouped_devices.add(device_uid=f"S{number}")
            update.update_output_device.output_devices.add(
                unique_identifier=f"S{number}", volume=number / 10
            )
        transport.push(members)
        log.events.clear()
        transport.push(update)
        assert [one.volume for one in client.output_devices] == [None, 10.0, 20.0, 30.0]
        assert [one.volume for one in log.of(OutputVolumeChanged)] == [10.0, 20.0, 30.0]
        (changed,) = log.of(OutputDevicesChanged)
        assert changed.devices == client.output_devices


async def test_groups_of_the_vectors() -> None:
    async with scripted() as (client, transport, log):
        log.events.clear()
        transport.push_bytes(MESSAGES["DEVICE_INFO_UPDATE off + one grouped"].data)
        assert client.output_devices == (
            OutputDevice("U1", "Living Room"),
            OutputDevice("D2", "HomePod"),
        )
        assert client.power is PowerState.OFF
        transport.push_bytes(MESSAGES["DEVICE_INFO_UPDATE off + one grouped"].data)
        assert len(log.of(InfoChanged)) == 1
        transport.push(
            info(
                is_group_leader=True, is_proxy_group_player=True, logical_device_count=3
            )
        )
        assert outputs_of(client) == []
        assert client.power.value == "on"


async def test_a_device_in_a_proxy_group_is_no_output() -> None:
    async with scripted() as (client, transport, _):
        message = info(group_uid="G", model_id="AppleTV6,2")
        message.device_info.grouped_devices.add(device_uid="D2", name="HomePod")
        message.device_info.grouped_devices.add(device_uid="D2", name="again")
        message.device_info.grouped_devices.add(name="nobody")
        transport.push(message)
        assert client.output_devices == (OutputDevice("D2", "HomePod"),)
        assert client.device_info.group_identifier == "G"
        assert client.device_info.model == "AppleTV6,2"


async def test_a_cluster_whose_volume_nobody_has_told() -> None:
    async with scripted() as (client, transport, log):
        transport.push(volume_controls(2), volume(0.3))
        transport.push(info(cluster_id="C"))
        assert level_of(client) is None
        assert log.of(VolumeChanged) == [VolumeChanged(30.0), VolumeChanged(None)]
        transport.push(volume(0.4, "C"))
        assert client.volume == 40.0


async def test_the_device_as_one_of_its_outputs() -> None:
    async with scripted() as (client, transport, _):
        transport.push(
            volume_controls(2), info(is_group_leader=True, unique_identifier="U1")
        )
        transport.answers[pb.MESSAGE_TYPE_SET_VOLUME] = lambda _: volume(0.5)
        await client.set_volume(50, "U1")
        (sent,) = transport.of(pb.MESSAGE_TYPE_SET_VOLUME)
        assert sent.set_volume.output_device_uid == UID
        assert client.output_devices == (OutputDevice("U1", "", 50.0),)
