"""What proves to a console who connects (the SmartGlass reference, sections 4.3 and 14)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tokens:
    """The userhash, a decimal number as text, and the XSTS token of a signed-in user."""

    userhash: str = field(repr=False)
    xsts_token: str = field(repr=False)
