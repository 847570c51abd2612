"""Commands that the device offers to run."""

from dataclasses import replace
from typing import Final, override

from homeassistant.core import callback

from ....protocols.kdeconnect.plugins import Message, runcommand
from ..feature import Feature

MAX_COMMANDS: Final = 64
"""Commands that become entities; what a device lists beyond is left out."""


def names_by_key(message: runcommand.CommandList) -> dict[str, str]:
    """Return the names of the commands by their keys, as many as become entities."""
    return {command.key: command.name for command in message.commands[:MAX_COMMANDS]}


class CommandsFeature(Feature):
    """Knows the commands and runs them."""

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, runcommand.CommandList):
            names = names_by_key(message)
            self.coordinator.publish(replace(self.state, commands=names))

    async def async_run(self, key: str) -> None:
        """Run a command."""
        await self.coordinator.async_send(runcommand.run(key))

    @override
    def diagnostics(self) -> dict[str, object]:
        commands = self.state.commands
        return {"commands": None if commands is None else len(commands)}
