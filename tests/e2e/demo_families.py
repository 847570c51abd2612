"""What the demo shows."""

from typing import Final

from .demo_kde_connect import KdeConnectDemo
from .families import DemoFamily

FAMILIES: Final[tuple[DemoFamily, ...]] = (KdeConnectDemo(),)
