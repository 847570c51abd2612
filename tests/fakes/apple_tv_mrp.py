"""MRP of a fake Apple TV: what it tells of itself and what remotes can change.

In a test, `fake.mrp` is one of these::

    fake.mrp.media.play("com.example.films", FakeItem("1", "A film"), name="Films")
    fake.mrp.set_capabilities(pb.VOLUME_CAPABILITIES_ABSOLUTE)
    fake.mrp.results[pb.COMMAND_PLAY] = pb.SEND_ERROR_NO_COMMAND_HANDLERS
    await fake.wait_for("command", name="pause")

The Apple TV reference, part B, sections 3.4, 4 and 5.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Final

from custom_components.rumpus.protocols.mrp.proto import mrp_pb2 as pb
from tests.fakes.apple_tv_artwork import ArtworkServer
from tests.fakes.apple_tv_host import Host
from tests.fakes.apple_tv_input import Keyboard
from tests.fakes.apple_tv_media import MediaModel, make
from tests.fakes.apple_tv_models import FakeOutput
from tests.fakes.apple_tv_mrp_session import MrpSession, Send
from tests.fakes.apple_tv_stream import Link

VOLUME_STEP: Final = 0.0625
LAST_MESSAGE_TYPE: Final = 139
UNKNOWN_TYPE: Final = 131
_REMOTE: Final = {
    "play": pb.COMMAND_PLAY,
    "pause": pb.COMMAND_PAUSE,
    "play_pause": pb.COMMAND_TOGGLE_PLAY_PAUSE,
    "next": pb.COMMAND_NEXT_TRACK,
    "previous": pb.COMMAND_PREVIOUS_TRACK,
}
_VOLUME_FLAG: Final = 0x100
_SKIPS: Final = (pb.COMMAND_SKIP_FORWARD, pb.COMMAND_SKIP_BACKWARD)
# What Companion says of commands, by their bits.
_FLAGS: Final = {
    pb.COMMAND_PLAY: 0x1,
    pb.COMMAND_PAUSE: 0x2,
    pb.COMMAND_NEXT_TRACK: 0x4,
    pb.COMMAND_PREVIOUS_TRACK: 0x8,
    pb.COMMAND_SKIP_FORWARD: 0x200,
    pb.COMMAND_SKIP_BACKWARD: 0x400,
}
UNKNOWN_FIELD: Final = b"\xf2\x3f\x05hello"  # field 1022


class MrpDevice:
    """The device behind all MRP sessions. Attributes are switches for tests."""

    is_group_leader = True
    is_proxy = False
    cluster_id: str | None = None
    sleeps_by_menu: bool  # by home for long, then select: until tvOS 17
    volume_answers = True  # tells of the volume that somebody set

    def __init__(self, core: Host) -> None:
        """Nothing plays."""
        self.core = core
        # Later systems sleep by Companion alone.
        self.sleeps_by_menu = int(core.os_version.partition(".")[0]) < 18
        self.uid = core.psi
        self.sessions: set[MrpSession] = set()
        self.media = MediaModel(self.tell)
        self.artwork = ArtworkServer(self.media, core.events.emit)
        self.keyboard = Keyboard(self.tell, core.events.emit)
        self.is_volume_available = True
        self.capabilities: pb.VolumeCapabilities = (
            pb.VOLUME_CAPABILITIES_ABSOLUTE
            if core.kind == "homepod"
            else pb.VOLUME_CAPABILITIES_BOTH
        )
        # Speakers that can be had, and those that play along now.
        self.known_outputs: dict[str, FakeOutput] = {}
        self.outputs: dict[str, FakeOutput] = {}
        # Results to give, by command, instead of doing it.
        self.results: dict[
            int, pb.SendError | tuple[pb.SendError, pb.HandlerReturnStatus]
        ] = {}
        self.mute: set[int] = set()  # types of messages that get no answer

    async def start(self, address: str) -> None:
        """Serve pictures."""
        self.media.base_url = await self.artwork.start(address)

    async def stop(self) -> None:
        """End that."""
        await self.artwork.stop()

    def drop(self) -> None:
        """Break off all connections."""
        self.artwork.drop()

    def open(self, send: Send, end: Callable[[str], None], link: Link) -> MrpSession:
        """Return a new client's session."""
        session = MrpSession(self, send, end, link)
        self.sessions.add(session)
        return session

    # What is told

    @property
    def output_uid(self) -> str:
        """What its own volume is called by."""
        return self.cluster_id or self.uid

    def tell(self, message: pb.ProtocolMessage) -> None:
        """Push a message to all clients."""
        for session in tuple(self.sessions):
            session.tell(message)
        if message.type == pb.MESSAGE_TYPE_SET_STATE:
            player, item = self.media.player, self.media.item
            self.core.events.emit(
                "playing",
                app=self.media.active,
                title=item.title if item else None,
                state=player.state if player else None,
            )
        self._tell_flags()

    def _tell_flags(self) -> None:
        player = self.media.player
        flags = self.core.media_flags
        for command, flag in _FLAGS.items():
            known = player.commands.get(command) if player else None
            is_enabled = known is not None and known.is_enabled
            flags = flags | flag if is_enabled else flags & ~flag
        if flags != self.core.media_flags:
            self.core.set_media_flags(flags)

    def tell_unknown(self) -> None:
        """Push what no client knows: another type, and a field more."""
        message = make(pb.MESSAGE_TYPE_UNKNOWN)
        message.type = UNKNOWN_TYPE  # type: ignore[assignment] # enums are open
        data = message.SerializeToString() + UNKNOWN_FIELD
        self.tell_bytes(data)

    def tell_bytes(self, data: bytes) -> None:
        """Push what may be no message at all."""
        for session in tuple(self.sessions):
            session.send_bytes(data)

    def flood(self, count: int) -> None:
        """Push a lot of changes that change nothing."""
        message = make(pb.MESSAGE_TYPE_UPDATE_CONTENT_ITEM)
        message.update_content_item.content_items.add(identifier="flood")
        for _ in range(count):
            self.tell(message)

    def info(self) -> pb.DeviceInfoMessage:
        """Return what DEVICE_INFO tells."""
        core = self.core
        is_speaker = core.kind == "homepod"
        message = pb.DeviceInfoMessage(
            unique_identifier=self.uid,
            device_uid=self.uid,
            name=core.name,
            localized_model_name="HomePod" if is_speaker else "Apple TV",
            system_build_version=core.build,
            application_bundle_identifier="com.apple.mediaremoted",
            application_bundle_version="1.0",
            protocol_version=1,
            last_supported_message_type=LAST_MESSAGE_TYPE,
            supports_system_pairing=True,
            allows_pairing=True,
            supports_acl=True,
            supports_shared_queue=True,
            supports_extended_motion=True,
            shared_queue_version=2,
            device_class=pb.DEVICE_CLASS_APPLE_TV,
            model_id=core.model,
            logical_device_count=1 if core.is_on else 0,
            is_group_leader=self.is_group_leader,
            is_proxy_group_player=self.is_proxy,
            is_airplay_active=bool(self.outputs),
        )
        if self.cluster_id is not None:
            message.cluster_id = self.cluster_id
        for output in self.outputs.values():
            message.grouped_devices.add(
                name=output.name,
                device_uid=output.identifier,
                unique_identifier=output.identifier,
            )
        return message

    def state(self) -> Iterator[pb.ProtocolMessage]:
        """Return all that a client has to know that connects now."""
        yield self._availability()
        yield self._volume_changed(self.output_uid, self.core.volume)
        yield self._output_devices()
        yield from self.media.messages()
        yield self.keyboard.message()

    def info_changed(self) -> None:
        """Tell of the device again."""
        message = make(pb.MESSAGE_TYPE_DEVICE_INFO_UPDATE)
        message.device_info.CopyFrom(self.info())
        self.tell(message)

    def power_changed(self) -> None:
        """Tell that it was turned on or off."""
        self.info_changed()

    # Commands

    def do(
        self, command: pb.SendCommandMessage
    ) -> tuple[pb.SendError, pb.HandlerReturnStatus]:
        """Do what a remote asks for and return the result."""
        success, failed = (
            pb.HANDLER_RETURN_STATUS_SUCCESS,
            pb.HANDLER_RETURN_STATUS_COMMAND_FAILED,
        )
        result = self.results.get(command.command)
        if isinstance(result, tuple):
            return result
        if result is not None:
            return result, success if result == pb.SEND_ERROR_NO_ERROR else failed
        error = self.media.command(command.command, command.options)
        return error, success if error == pb.SEND_ERROR_NO_ERROR else failed

    def remote(self, name: str, seconds: float | None = None) -> None:
        """Do what a remote of another protocol asks for; the core calls it."""
        number = _REMOTE.get(name)
        options = pb.CommandOptions()
        if name == "skip" and seconds is not None:
            number = _SKIPS[seconds < 0]
            options.skip_interval = abs(seconds)
        if number is not None:
            self.media.command(number, options)

    # Volume

    def set_capabilities(
        self, capabilities: pb.VolumeCapabilities, *, is_available: bool = True
    ) -> None:
        """Control the volume in another way from now on."""
        self.capabilities = capabilities
        self.is_volume_available = is_available
        flags = self.core.media_flags & ~_VOLUME_FLAG
        if self._has(pb.VOLUME_CAPABILITIES_ABSOLUTE):
            flags |= _VOLUME_FLAG
        self.core.set_media_flags(flags)
        message = make(pb.MESSAGE_TYPE_VOLUME_CONTROL_CAPABILITIES_DID_CHANGE)
        told = message.volume_control_capabilities_did_change
        told.capabilities.volume_control_available = is_available
        told.capabilities.volume_capabilities = capabilities
        told.output_device_uid = self.output_uid
        told.endpoint_uid = self.uid
        self.tell(message)

    def set_volume(self, volume: float, uid: str = "") -> None:
        """Set the volume of the device or of a speaker, as of 1.0."""
        is_own = uid in {"", self.uid, self.output_uid}
        volume = min(1.0, max(0.0, volume))
        if is_own:
            if self._has(pb.VOLUME_CAPABILITIES_ABSOLUTE):
                self.core.set_volume(volume, by="mrp")
            return
        output = self.outputs.get(uid) or self.known_outputs.get(uid)
        if output is None or output.volume is None:
            return
        changed = output.at(volume)
        for outputs in (self.outputs, self.known_outputs):
            if uid in outputs:
                outputs[uid] = changed
        if self.volume_answers:
            self.tell(self._volume_changed(uid, volume))

    def step_volume(self, steps: int) -> None:
        """Change the volume as the keys of a remote do."""
        self.core.events.emit("volume_step", steps=steps)
        if not self._has(pb.VOLUME_CAPABILITIES_RELATIVE):
            return
        if self._has(pb.VOLUME_CAPABILITIES_ABSOLUTE):
            volume = self.core.volume + steps * VOLUME_STEP
            self.core.set_volume(min(1.0, max(0.0, volume)), by="mrp")

    def volume_of(self, uid: str) -> float | None:
        """Return the volume of the device or of a speaker."""
        if uid in {"", self.uid, self.output_uid}:
            return self.core.volume
        output = self.outputs.get(uid)
        return output.volume if output else None

    def _has(self, capability: int) -> bool:
        return self.is_volume_available and bool(self.capabilities & capability)

    def volume_changed(self) -> None:
        """Tell of the volume; the core calls it, whoever changed it."""
        if self.volume_answers:
            self.tell(self._volume_changed(self.output_uid, self.core.volume))

    def _availability(self) -> pb.ProtocolMessage:
        message = make(pb.MESSAGE_TYPE_VOLUME_CONTROL_AVAILABILITY)
        told = message.volume_control_availability
        told.volume_control_available = self.is_volume_available
        told.volume_capabilities = self.capabilities
        return message

    def _volume_changed(self, uid: str, volume: float) -> pb.ProtocolMessage:
        message = make(pb.MESSAGE_TYPE_VOLUME_DID_CHANGE)
        message.volume_did_change.volume = volume
        message.volume_did_change.endpoint_uid = self.uid
        message.volume_did_change.output_device_uid = uid
        return message

    # Speakers

    def add_speaker(self, output: FakeOutput, *, plays: bool = False) -> None:
        """Let there be a speaker; it plays along only if told to."""
        self.known_outputs[output.identifier] = output
        if plays:
            self.set_outputs((*self.outputs, output.identifier))

    def modify_outputs(self, request: pb.ModifyOutputContextRequestMessage) -> None:
        """Do as a remote says."""
        wanted = list(self.outputs)
        if request.setting_devices:
            wanted = list(request.setting_devices)
        wanted += [uid for uid in request.adding_devices if uid not in wanted]
        gone = set(request.removing_devices)
        self.set_outputs(uid for uid in wanted if uid not in gone)

    def set_outputs(self, uids: Iterable[str]) -> None:
        """Let these speakers play along; unknown ones do not exist."""
        known = self.known_outputs
        self.outputs = {uid: known[uid] for uid in uids if uid in known}
        self.core.events.emit("outputs", identifiers=tuple(self.outputs))
        self.info_changed()
        self.tell(self._output_devices())

    def _output_devices(self) -> pb.ProtocolMessage:
        message = make(pb.MESSAGE_TYPE_UPDATE_OUTPUT_DEVICE)
        own = FakeOutput(self.output_uid, self.core.name, self.core.volume)
        if not self._has(pb.VOLUME_CAPABILITIES_ABSOLUTE):
            own = replace(own, volume=None)
        told = message.update_output_device
        for number, output in enumerate((own, *self.outputs.values())):
            descriptor = told.output_devices.add(
                name=output.name,
                unique_identifier=output.identifier,
                device_type=pb.DEVICE_TYPE_AIRPLAY,
                is_local_device=number == 0,
                is_volume_control_available=output.volume is not None,
                volume_capabilities=0 if output.volume is None else 3,
            )
            if output.volume is not None:
                descriptor.volume = output.volume
        told.cluster_aware_output_devices.extend(told.output_devices)
        told.endpoint_uid = self.uid
        return message
