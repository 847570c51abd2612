"""Remote control of the device: pointer, keyboard, presenter and pen."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import override

from homeassistant.core import callback
from homeassistant.exceptions import ServiceValidationError

from ....const import DOMAIN
from ....protocols.kdeconnect.plugins import Message, mousepad
from ..feature import Feature
from ..remote_commands import Command


class InputFeature(Feature):
    """Knows whether the device takes text, and sends what a remote control is told."""

    @callback
    @override
    def received(self, message: Message) -> None:
        if isinstance(message, mousepad.KeyboardState):
            # A computer without a display tells of no state: then keys are taken at least.
            takes_text = message.state is not False
            self.coordinator.publish(replace(self.state, takes_text=takes_text))

    async def async_send(
        self, commands: Iterable[Command], *, repeats: int, delay: float, hold: float
    ) -> None:
        """Send commands in turn, all of them several times; `delay` and `hold` in seconds.

        Raises ServiceValidationError for keys while no text field takes them.
        """
        first = True
        for _ in range(repeats):
            for command in commands:
                if not first:
                    await asyncio.sleep(delay)
                first = False
                self._check(command)
                await self._async_send_one(command, hold)

    def _check(self, command: Command) -> None:
        """Refuse what the device would drop without a word.

        Not before the first command: one before this may click into a text field.
        """
        if command.is_typing and self.state.takes_text is False:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="no_text_field",
                translation_placeholders={"name": self.device.name},
            )

    async def _async_send_one(self, command: Command, hold: float) -> None:
        if hold > 0 and command.release is not None:
            await self.coordinator.async_send(mousepad.hold())
            try:
                await asyncio.sleep(hold)
            finally:
                # Whatever happens, no button stays down.
                await self.coordinator.async_send(command.release)
            return
        for packet in command.packets:
            await self.coordinator.async_send(packet)
