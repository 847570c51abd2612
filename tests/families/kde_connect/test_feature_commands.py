"""The commands of a device, as Home Assistant keeps them."""

from custom_components.rumpus.families.kde_connect.features.commands import (
    MAX_COMMANDS,
    names_by_key,
)
from custom_components.rumpus.protocols.kdeconnect.plugins.runcommand import (
    Command,
    CommandList,
)


def test_commands_are_bounded() -> None:
    commands = tuple(Command(str(key), "a", "") for key in range(MAX_COMMANDS + 1))
    names = names_by_key(CommandList(commands, False))
    assert list(names) == [str(key) for key in range(MAX_COMMANDS)]
