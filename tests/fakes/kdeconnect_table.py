"""Which plugins a fake KDE Connect device has.

Each is an attribute of the device; those that are not in `plugins` are there but
neither greet nor hear anything.
"""

from typing import TYPE_CHECKING

from tests.fakes.kdeconnect_clipboard import ClipboardPlugin
from tests.fakes.kdeconnect_controller import PlayersPlugin
from tests.fakes.kdeconnect_desktop import DesktopPlugin
from tests.fakes.kdeconnect_input import (
    DigitizerPlugin,
    InputPlugin,
    MonitorPlugin,
    PresenterPlugin,
    RemoteInputPlugin,
)
from tests.fakes.kdeconnect_media import MediaPlugin
from tests.fakes.kdeconnect_messages import MessagesPlugin
from tests.fakes.kdeconnect_notifications import NotificationsPlugin
from tests.fakes.kdeconnect_phone import (
    ConnectivityPlugin,
    ContactsPlugin,
    PhotoPlugin,
    TelephonyPlugin,
)
from tests.fakes.kdeconnect_plugins import (
    BatteryPlugin,
    CommandsPlugin,
    FindPlugin,
    LockPlugin,
    PingPlugin,
    Plugin,
    RemoteCommandsPlugin,
    SmallTalkPlugin,
)
from tests.fakes.kdeconnect_remotes import SlidesPlugin, TvRemotePlugin
from tests.fakes.kdeconnect_share import SharePlugin
from tests.fakes.kdeconnect_sinks import RemoteSinksPlugin, SinksPlugin
from tests.fakes.kdeconnect_storage import StoragePlugin

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice


class PluginTable:
    """The plugins of a device, which derives from this."""

    def add_plugins(self, device: FakeDevice, battery: int | None) -> None:
        """Make the plugins that this kind of device has."""
        self.plugins: list[Plugin] = []
        self._add_common(device, battery)
        self._add_phone(device)
        self._add_computer(device)
        # Last: what no plugin says is said by this one.
        self.plugins.append(SmallTalkPlugin(device))

    def _add_common(self, device: FakeDevice, battery: int | None) -> None:
        self.battery = BatteryPlugin(device, battery)
        self.ping = PingPlugin(device)
        self.find = FindPlugin(device)
        self.remote_commands = RemoteCommandsPlugin(device)
        self.media = MediaPlugin(device)
        self.players = PlayersPlugin(device)
        self.remote_sinks = RemoteSinksPlugin(device)
        self.input = InputPlugin(device)
        self.remote_input = RemoteInputPlugin(device)
        self.clipboard = ClipboardPlugin(device)
        self.share = SharePlugin(device)
        self.plugins += [
            self.battery,
            self.ping,
            self.find,
            self.remote_commands,
            self.media,
            self.players,
            self.remote_sinks,
            self.input,
            self.remote_input,
            self.clipboard,
            self.share,
        ]

    def _add_phone(self, device: FakeDevice) -> None:
        """What only phones have."""
        self.connectivity = ConnectivityPlugin(device)
        self.telephony = TelephonyPlugin(device)
        self.contacts = ContactsPlugin(device)
        self.photo = PhotoPlugin(device)
        self.notifications = NotificationsPlugin(device)
        self.sms = MessagesPlugin(device)
        self.storage = StoragePlugin(device)
        # These two only send.
        self.slides = SlidesPlugin(device)
        self.tv_remote = TvRemotePlugin(device)
        if device.kind == "phone":
            self.plugins += [
                self.connectivity,
                self.telephony,
                self.contacts,
                self.photo,
                self.notifications,
                self.sms,
                self.storage,
            ]

    def _add_computer(self, device: FakeDevice) -> None:
        """What only computers have."""
        self.lock = LockPlugin(device)
        self.commands = CommandsPlugin(device)
        self.sinks = SinksPlugin(device)
        self.presenter = PresenterPlugin(device)
        self.digitizer = DigitizerPlugin(device)
        self.monitor = MonitorPlugin(device)
        self.desktop = DesktopPlugin(device)
        if device.kind == "computer":
            self.plugins += [
                self.lock,
                self.commands,
                self.sinks,
                self.presenter,
                self.digitizer,
                self.monitor,
                self.desktop,
            ]
