"""Scripts, scenes, buttons and switches of this home that the device shows as commands.

The KDE Connect reference, section 11.13.
"""

from collections import deque
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, override

from homeassistant.components.alarm_control_panel.const import (
    AlarmControlPanelEntityFeature as CanArm,
    AlarmControlPanelState,
)
from homeassistant.components.lock.const import LockState
from homeassistant.const import ATTR_SUPPORTED_FEATURES, STATE_UNKNOWN
from homeassistant.core import State, callback
from homeassistant.helpers.translation import (
    async_get_cached_translations,
    async_translate_state,
)

from ....const import LOGGER
from ....protocols.kdeconnect.packet import Packet
from ....protocols.kdeconnect.plugins import Message, runcommand
from ....protocols.kdeconnect.plugins.runcommand import (
    Command,
    CommandRequested,
    CommandsWanted,
)
from ..options import Option
from .offered_entities import MAX_NAME, Call, OfferedFeature, is_available, opaque_key

if TYPE_CHECKING:
    from ..feature import FeatureHost

MAX_RUNS: Final = 5
"""Commands that a device may run within `RUNS_WINDOW`; what comes beyond is ignored."""
RUNS_WINDOW: Final = 10.0
"""Seconds."""

SENSITIVE: Final = ("alarm_control_panel", "cover", "lock")
"""Domains of what may let somebody in: the user is warned."""
DOMAINS: Final = (
    "script",
    "scene",
    "button",
    "input_button",
    "switch",
    "input_boolean",
    *SENSITIVE,
)
"""Domains of what can be offered."""

_STATELESS: Final = frozenset({"scene", "button", "input_button"})
"""Domains whose states are times, which tell nobody anything."""
_SERVICES: Final = {
    "script": "turn_on",
    "scene": "turn_on",
    "button": "press",
    "input_button": "press",
    "switch": "toggle",
    "input_boolean": "toggle",
    "cover": "toggle",
}
_ARM: Final = {
    CanArm.ARM_AWAY: "alarm_arm_away",
    CanArm.ARM_HOME: "alarm_arm_home",
    CanArm.ARM_NIGHT: "alarm_arm_night",
}
_NO_COMMANDS: Final = runcommand.command_list(())


def call_for(state: State) -> Call | None:
    """Return the action that a command performs on an entity as it is now.

    What is not known to be locked is locked, what is known not to be disarmed is disarmed.
    None when there is nothing to do.
    """
    match state.domain:
        case "lock":
            is_locked = state.state == LockState.LOCKED
            return Call("lock", "unlock" if is_locked else "lock")
        case "alarm_control_panel" if state.state == STATE_UNKNOWN:
            return None
        case "alarm_control_panel" as domain:
            if state.state != AlarmControlPanelState.DISARMED:
                return Call(domain, "alarm_disarm")
            can = state.attributes.get(ATTR_SUPPORTED_FEATURES)
            modes = CanArm(can if isinstance(can, int) else 0)
            service = next((arm for mode, arm in _ARM.items() if modes & mode), None)
            return None if service is None else Call(domain, service)
        case domain if domain in _SERVICES:
            return Call(domain, _SERVICES[domain])
    return None


class OfferedCommandsFeature(OfferedFeature):
    """Shows entities as commands on the device, and runs them for it."""

    option: ClassVar[Option | None] = Option.COMMANDS
    offer = Option.COMMANDS
    packet_type = runcommand.TYPE

    def __init__(self, coordinator: FeatureHost) -> None:
        """Start with nothing told and nothing run."""
        super().__init__(coordinator)
        self._entities: dict[str, str] = {}
        self._told: Packet | None = None
        self._runs: deque[float] = deque(maxlen=MAX_RUNS)
        self._is_flooded = False
        self._run_id = 0

    # What is told

    @property
    def _commands(self) -> dict[str, Command]:
        """The commands by entity ids."""
        return {
            entity_id: Command(
                opaque_key(self.hass, entity_id),
                state.name[:MAX_NAME],
                self._subtitle(state),
            )
            for entity_id, state in self.states.items()
            if is_available(state) and state.domain in DOMAINS
        }

    def _subtitle(self, state: State) -> str:
        """Return what an entity is, and how it is now."""
        hass, domain = self.hass, state.domain
        titles = async_get_cached_translations(
            hass, hass.config.language, "title", domain
        )
        kind = titles.get(f"component.{domain}.title", domain)
        if domain in _STATELESS or state.state == STATE_UNKNOWN:
            return kind
        text = async_translate_state(hass, state.state, domain, None, None, None)
        return f"{kind}: {text}"

    @callback
    @override
    def changed(self, entity_id: str) -> None:
        if runcommand.command_list(self._commands.values()) != self._told:
            self.want_list()

    @callback
    @override
    def tell_list(self) -> None:
        commands = self._commands
        self._entities = {command.key: key for key, command in commands.items()}
        self._told = runcommand.command_list(commands.values())
        self.coordinator.ask(self._told)

    @callback
    @override
    def tell_entity(self, entity_id: str) -> None:
        """There is only the list."""

    @callback
    @override
    def forget(self) -> None:
        self._entities = {}
        self._told = None

    @property
    @override
    def farewell(self) -> Packet:
        return _NO_COMMANDS

    # What is wanted

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, CommandsWanted):
            self.want_list()
        elif isinstance(message, CommandRequested):
            self._run(message.key)

    def _run(self, key: str) -> None:
        # A key counts only if this very device was told of it.
        if (entity_id := self._entities.get(key)) is None or not self._admit():
            return
        state = self.hass.states.get(entity_id)
        self._run_id += 1
        run_id = self._run_id
        self._report(
            runcommand.output_started(run_id, "" if state is None else state.name)
        )
        call = None if state is None or not is_available(state) else call_for(state)
        if call is None:
            self._ran(run_id, success=False)
        else:
            self.calls.add(entity_id, call, partial(self._ran, run_id))

    def _admit(self) -> bool:
        """Tell whether one more command may run now."""
        now = self.hass.loop.time()
        if len(self._runs) == MAX_RUNS and now - self._runs[0] < RUNS_WINDOW:
            if not self._is_flooded:
                self._is_flooded = True
                LOGGER.debug("%s runs too many commands", self.device.device_id)
            return False
        self._is_flooded = False
        self._runs.append(now)
        return True

    def _ran(self, run_id: int, success: bool) -> None:
        self._report(
            runcommand.output_finished(
                run_id, success=success, exit_code=0 if success else 1
            )
        )

    def _report(self, packet: Packet) -> None:
        # Only the newest devices know what this is, and they say so.
        if packet.type in self.device.identity.incoming:
            self.coordinator.ask(packet)

    @override
    def diagnostics(self) -> Mapping[str, object]:
        return {
            "offered_commands": {
                "chosen": len(self.chosen),
                "listed": len(self._entities),
            }
        }
