"""A text field that is open on a console (the SmartGlass reference, sections 7.17 and 12.3)."""

from dataclasses import dataclass, field
from typing import Final

from ..enums import TextInputScope, TextOption

NO_SELECTION: Final = -1
"""Stands for no selection, as its start and as its length."""
NO_OPTIONS: Final = TextOption(0)


@dataclass(frozen=True, slots=True)
class TextField:
    """An open text field and what is in it.

    `max_length` is in UTF-16 code units, 0 when it is unlimited or unknown; the selection
    is in the same units, as the console told it. A field that was open before we came has
    no known configuration: no options, no prompt.
    """

    session_id: int
    text: str = field(default="", repr=False)
    version: int = 0
    options: TextOption = NO_OPTIONS
    scope: TextInputScope | int = TextInputScope.DEFAULT
    max_length: int = 0
    locale: str = ""
    prompt: str = ""
    selection_start: int = NO_SELECTION
    selection_length: int = NO_SELECTION
    is_title: bool = False
    """Whether it belongs to a title with a keyboard of its own."""

    @property
    def is_password(self) -> bool:
        """Whether nobody may read what is typed."""
        return (
            TextOption.PASSWORD in self.options or self.scope == TextInputScope.PASSWORD
        )
