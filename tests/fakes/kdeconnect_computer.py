"""The programs that a fake KDE Connect computer may be (section 10).

A computer with protocol 7 is KDE 22.12, with protocol 8 KDE 26.08, unless it becomes
another one before its first link::

    computer = FakeDevice("computer")
    become(computer, "gsconnect")
"""

from typing import TYPE_CHECKING, Final, Literal

from tests.fakes.kdeconnect_wire import capabilities, full_type

if TYPE_CHECKING:
    from tests.fakes.kdeconnect import FakeDevice

type ComputerProgram = Literal["kde25", "kde_master", "gsconnect", "valent"]

# What differs from KDE 26.08. R = incoming, S = outgoing, - = neither.
_NEW_IN_KDE_26: Final = """
clipboard.file -, digitizer -, digitizer.session -, shareinputdevices -,
shareinputdevices.request -
"""
_DIFFERENCES: Final[dict[ComputerProgram, str]] = {
    "kde25": _NEW_IN_KDE_26 + ", bigscreen.stt RS",
    "kde_master": "runcommand.output S",
    "gsconnect": _NEW_IN_KDE_26
    + """, battery.request RS, connectivity_report.request S, lock -, lock.request -,
mousepad.echo RS, share.request.update -, sms.attachment_file -,
sms.request_attachment -, systemvolume S, systemvolume.request R, telephony R,
telephony.request S, telephony.request_mute S, virtualmonitor -,
virtualmonitor.request -
""",
    "valent": _NEW_IN_KDE_26
    + """, connectivity_report RS, contacts.request_all_uids_timestamps RS,
contacts.request_vcards_by_uid RS, contacts.response_uids_timestamps RS,
contacts.response_vcards RS, mousepad.echo RS, presenter RS, sftp RS, sftp.request RS,
share.request.update RS, telephony R, telephony.request_mute S, virtualmonitor -,
virtualmonitor.request -
""",
}


def computer_capabilities(
    program: ComputerProgram,
) -> tuple[frozenset[str], frozenset[str]]:
    """Return what a program receives and sends, as full types."""
    incoming, outgoing = (set(types) for types in capabilities("computer", 8))
    for row in _DIFFERENCES[program].split(","):
        if row.strip():
            name, marks = row.split()
            for types, mark in ((incoming, "R"), (outgoing, "S")):
                change = types.add if mark in marks else types.discard
                change(full_type(name))
    return frozenset(incoming), frozenset(outgoing)


def become(device: FakeDevice, program: ComputerProgram) -> None:
    """Let a computer with protocol 8 behave as another program."""
    if device.kind != "computer" or device.protocol < 8:
        raise ValueError("only a computer with protocol 8 can be another program")
    device.incoming, device.outgoing = computer_capabilities(program)
    match program:
        case "kde25":
            device.desktop.program = "kde25"
            device.monitor.body["supports_vnc"] = device.monitor.body.pop(
                "supports_rdp"
            )
        case "kde_master":
            device.commands.sends_output = True
        case "gsconnect":
            device.sends_target = False
            device.share.style = device.desktop.program = "gsconnect"
            device.desktop.echoes = True
            device.sinks.repeats = False
            device.input.takes_keys = True
        case "valent":
            device.share.style = device.desktop.program = "valent"
            device.sinks.repeats = False
            device.lock.asks_with = True
            device.lock.tells_result = False
