"""What the demo shows."""

from typing import Final

from .demo_apple_tv import AppleTvDemo
from .demo_faf import FafDemo
from .demo_kde_connect import KdeConnectDemo
from .demo_xbox import XboxDemo
from .families import DemoFamily

FAMILIES: Final[tuple[DemoFamily, ...]] = (
    KdeConnectDemo(),
    XboxDemo(),
    AppleTvDemo(),
    FafDemo(),
)
