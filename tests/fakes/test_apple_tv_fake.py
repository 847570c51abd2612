"""The fake Apple TV's Companion link, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import plistlib

import pytest

from tests.fakes.apple_tv import FakeAppleTv
from tests.fakes.apple_tv_commands import BAD_PARAMETER, NO_HANDLER, CommandError
from tests.fakes.apple_tv_core import FLAVOURS, OsName
from tests.fakes.apple_tv_crypto import WireError
from tests.fakes.apple_tv_opack import OpackValue, pack
from tests.fakes.apple_tv_script_client import CompanionScript, Controller, PairingError
from tests.fakes.apple_tv_text import TextField, document, read_operation

pytestmark = pytest.mark.usefixtures("socket_enabled")


@pytest.fixture
async def device() -> AsyncIterator[FakeAppleTv]:
    async with FakeAppleTv() as device:
        yield device


@pytest.fixture
async def controller(device: FakeAppleTv) -> Controller:
    controller = Controller()
    controller.pair(device.desk.accessory("companion").setup, device.pin)
    return controller


async def connect(
    device: FakeAppleTv, controller: Controller, installation: str | None = "a1"
) -> CompanionScript:
    client = await CompanionScript.connect(
        device.address, device.companion_port, controller, installation
    )
    await client.verify()
    await client.start_session()
    return client


@pytest.fixture
async def client(
    device: FakeAppleTv, controller: Controller
) -> AsyncIterator[CompanionScript]:
    async with await connect(device, controller) as client:
        yield client


def insert(session: bytes, text: str | None, *, clears: bool = False) -> bytes:
    """Write the archive of a `_tiC`."""
    uid = plistlib.UID
    operations: dict[str, object] = {
        "targetSessionUUID": uid(2),
        "keyboardOutput": uid(3),
    }
    if clears:
        operations["textToAssert"] = uid(5)
    objects = [
        "$null",
        operations,
        {"NS.uuidbytes": session},
        {"insertionText": uid(4)} if text is not None else {},
        text or "",
        "",
    ]
    archive = {"$top": {"textOperations": uid(1)}, "$objects": objects}
    return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)


def session_of(content: dict[str, OpackValue]) -> tuple[bytes, str]:
    """Return the session and the text that an archive tells of."""
    data = content["_tiD"]
    assert isinstance(data, bytes)
    archive = plistlib.loads(data)
    objects = archive["$objects"]
    session = objects[archive["$top"]["sessionUUID"].data]
    state = objects[archive["$top"]["documentState"].data]
    before = objects[state["docSt"].data].get("contextBeforeInput", plistlib.UID(0))
    return session, "" if before.data == 0 else objects[before.data]


async def test_pair_over_the_wire(device: FakeAppleTv) -> None:
    client = await CompanionScript.connect(device.address, device.companion_port)
    async with client:
        facts = await client.pair(device.pin)
        assert facts[0x11]
        await device.wait_for("pin_shown", pin="1234", protocol="companion")
        await device.wait_for("paired", protocol="companion", name="Script")
        await device.wait_for("pin_hidden")
        # On the same connection, and pairing again inside of it.
        await client.verify()
        await client.pair(device.pin)
        await client.start_session()
    await device.wait_for("companion_lost")


async def test_wrong_pin(device: FakeAppleTv) -> None:
    client = await CompanionScript.connect(device.address, device.companion_port)
    async with client:
        with pytest.raises(PairingError):
            await client.pair("0000")
        await device.wait_for("setup_refused", state=4, code=2)


async def test_session(device: FakeAppleTv, controller: Controller) -> None:
    client = await CompanionScript.connect(
        device.address, device.companion_port, controller
    )
    async with client:
        await client.verify()
        assert await client.code("_hidC", _hBtS=1, _hidC=6) == NO_HANDLER
        info = await client.content("_systemInfo", _i="a1", name="Script")
        assert info["model"] == "AppleTV14,1"
        assert info["_sf"] == 1099513761
        assert info["_lastService"] == "com.apple.tvremoteservices"
        assert await client.code("_sessionStart", _srvT="x", _sid=1) == NO_HANDLER
        number = await client.start_session()
        assert await client.code("_sessionStop", _sid=number + 1) == BAD_PARAMETER
        await client.press(6)
        await client.content("_sessionStop", _sid=number)
        assert await client.code("_launchApp", _bundleID="x") == NO_HANDLER
        assert await client.code("Foo") == NO_HANDLER
        device.companion.commands.needs_session = False
        await client.press(6)
        client.tell("_unheardOf")
        await device.wait_for("unknown_event", name="_unheardOf")


async def test_apps_and_accounts(device: FakeAppleTv, client: CompanionScript) -> None:
    apps = await client.content("FetchLaunchableApplicationsEvent")
    assert apps == device.apps
    await client.content("_launchApp", _bundleID="com.example.radio")
    await client.content("_launchApp", _urlS="tube://x")
    assert device.companion.commands.launches == ["com.example.radio", "tube://x"]
    assert device.current_app == "com.example.radio"
    for wrong in ({"_bundleID": "no.such"}, {"_urlS": "nothing"}, {}):
        assert await client.code("_launchApp", **wrong) == BAD_PARAMETER
    accounts = await client.content("FetchUserAccountsEvent")
    assert list(accounts.values()) == ["Anna", "Ben"]
    ben = list(accounts)[1]
    await client.content("SwitchUserAccountEvent", SwitchAccountID=ben)
    assert device.current_account == ben
    code = await client.code("SwitchUserAccountEvent", SwitchAccountID="x")
    assert code == BAD_PARAMETER


async def test_buttons(device: FakeAppleTv, client: CompanionScript) -> None:
    remotes: list[tuple[str, float | None]] = []
    device.remotes.append(lambda name, seconds: remotes.append((name, seconds)))
    for number in (1, 5, 14):
        await client.press(number)
    presses = device.companion.commands.presses
    assert [press.name for press in presses] == ["up", "menu", "play_pause"]
    assert all(press.length >= 0 for press in presses)
    assert remotes == [("play_pause", None)]
    assert await client.code("_hidC", _hBtS=2, _hidC=3) == BAD_PARAMETER
    assert await client.code("_hidC", _hBtS=1, _hidC=99) == BAD_PARAMETER
    assert await client.code("_hidC", _hBtS=3, _hidC=1) == BAD_PARAMETER
    assert await client.code("_hidC", _hBtS="1", _hidC=1) == BAD_PARAMETER


async def test_volume(device: FakeAppleTv, client: CompanionScript) -> None:
    client.tell("_interest", _regEvents=["_iMC"])
    assert await client.event("_iMC") == {"_mcF": 0x100}
    assert await client.content("_mcc", _mcc=5) == {"_vol": 0.5}
    await client.content("_mcc", _mcc=6, _vol=0.25)
    assert await client.event("_iMC") == {"_mcF": 0x100}
    assert device.volume == 0.25
    await client.press(8)
    await device.wait_for("volume", volume=0.3125)
    await client.press(9)
    await device.wait_for("volume", volume=0.25)
    assert await client.code("_mcc", _mcc=6, _vol=2.0) == BAD_PARAMETER
    device.set_media_flags(0x3)
    contents = [await client.event("_iMC") for _ in range(3)]
    assert contents[2] == {"_mcF": 3}
    assert await client.code("_mcc", _mcc=5) == BAD_PARAMETER
    await client.press(8)
    assert device.volume == 0.25
    client.tell("_interest", _deregEvents=["_iMC"])
    await device.wait_for("interest", names=[])
    device.set_media_flags(0x7)
    client.tell("_interest", _regEvents="_iMC")
    await client.until_end()


async def test_media(device: FakeAppleTv, client: CompanionScript) -> None:
    await client.content("_mcc", _mcc=1)
    await client.content("_mcc", _mcc=7, _skpS=-10.0)
    assert device.companion.commands.media == [("play", None), ("skip", -10.0)]
    assert await client.code("_mcc", _mcc=7, _skpS=3) == BAD_PARAMETER
    assert await client.code("_mcc", _mcc=50) == BAD_PARAMETER
    assert await client.content("_mcc", _mcc=12) == {"_mcs": 3}
    await client.content("_mcc", _mcc=13, _mcs=4)
    assert await client.content("_mcc", _mcc=12) == {"_mcs": 2}
    await client.content("_mcc", _mcc=13, _mcs=3)
    assert not device.has_captions


async def test_power(device: FakeAppleTv, client: CompanionScript) -> None:
    client.tell("_interest", _regEvents=["TVSystemStatus", "SystemStatus"])
    await client.content("TVRCSessionStart", ProtocolVersionKey="1.2")
    assert await client.content("FetchAttentionState") == {"state": 3}
    await client.content("_hidC", _hBtS=2, _hidC=12)
    assert await client.event("TVSystemStatus") == {"state": 1}
    await client.content("_hidC", _hBtS=2, _hidC=13)
    assert await client.event("TVSystemStatus") == {"state": 3}
    await client.press(11)
    assert await client.event("TVSystemStatus") == {"state": 2}
    await client.press(1)
    assert await client.event("TVSystemStatus") == {"state": 3}
    device.sleep(deep=False)
    assert await client.event("TVSystemStatus") == {"state": 1}
    await client.press(7)
    assert await client.event("TVSystemStatus") == {"state": 3}
    device.screensaver()
    assert device.is_on
    device.power.sleeps_deeply = True
    await client.press(12)
    await client.until_end()
    assert device.is_deeply_asleep


@pytest.mark.parametrize(
    ("os", "names", "fetched"),
    [
        ("tvos_14", ["SystemStatus"], 3),
        ("tvos_17", ["SystemStatus", "TVSystemStatus"], 3),
        ("tvos_26", ["TVSystemStatus"], None),
        ("tvos_27", ["TVSystemStatus"], NO_HANDLER),
    ],
)
async def test_systems(os: OsName, names: list[str], fetched: int | None) -> None:
    async with FakeAppleTv(os=os) as device:
        controller = Controller()
        controller.pair(device.desk.accessory("companion").setup, device.pin)
        async with await connect(device, controller) as client:
            client.tell("_interest", _regEvents=["SystemStatus", "TVSystemStatus"])
            if fetched is None:
                client.send(
                    8, pack({"_i": "FetchAttentionState", "_t": 2, "_c": {}, "_x": 1})
                )
            elif fetched == NO_HANDLER:
                assert await client.code("FetchAttentionState") == fetched
            else:
                assert await client.content("FetchAttentionState") == {"state": fetched}
            answer = await client.ask("TVRCSessionStart", ProtocolVersionKey="1.2")
            assert ("_em" in answer) == (os == "tvos_14")
            assert await client.content("_tiStart") == {}
            device.sleep(deep=False)
            for name in names:
                assert await client.event(name) == {"state": 1}


async def test_no_status_without_an_id(
    device: FakeAppleTv, controller: Controller
) -> None:
    device.flavour = FLAVOURS["tvos_17"]
    async with await connect(device, controller, None) as client:
        client.tell("_interest", _regEvents=["SystemStatus", "TVSystemStatus"])
        await device.wait_for("interest")
        device.sleep(deep=False)
        await client.event("SystemStatus")
        await client.content("_tiStart")
        assert not client.events


async def test_twins_push_each_other_out(
    device: FakeAppleTv, controller: Controller
) -> None:
    async with (
        await connect(device, controller) as one,
        await connect(device, controller, "b2") as other,
        await connect(device, controller) as two,
    ):
        await one.until_end()
        await device.wait_for("evicted")
        await other.press(1)
        await two.press(1)
        assert len(device.companion.connections) == 2
        device.flavour = replace(device.flavour, evicts_twins=False)
        async with await connect(device, controller) as three:
            await two.press(1)
            await three.press(1)


async def test_touch(device: FakeAppleTv, client: CompanionScript) -> None:
    points = [(100, 200, 1), (500, 500, 3), (1000, 1000, 4)]
    for at, (x, y, phase) in enumerate(points):
        client.tell("_hidT", _ns=at * 16_000_000, _tFg=1, _cx=x, _cy=y, _tPh=phase)
    await device.wait_for("touch", phase=4)
    touches = device.companion.commands.touches
    assert [(touch.x, touch.y, touch.phase) for touch in touches] == points
    assert touches[1].nanoseconds == 16_000_000
    await client.content("_touchStop", _i=1)
    client.tell("_hidT", _ns=0, _tFg=1, _cx=0, _cy=0, _tPh=1)
    await device.wait_for("touch_ignored")
    assert await client.code("_touchStart", _width=1000) == BAD_PARAMETER
    await client.content("_touchStart", _width=1000.0)
    client.tell("_hidT", _ns=0, _tFg=1, _cx=1001, _cy=0, _tPh=1)
    await client.until_end()


async def test_text(device: FakeAppleTv, client: CompanionScript) -> None:
    changes: list[str] = []
    device.text_listeners.append(lambda: changes.append("x"))
    assert await client.content("_tiStart") == {}
    device.open_text("Hello")
    first, text = session_of(await client.event("_tiStarted"))
    assert text == "Hello"
    await client.content("_tiStop")
    session, text = session_of(await client.content("_tiStart"))
    assert (text, session != first) == ("Hello", True)
    client.tell("_tiC", _tiV=1, _tiD=insert(session, " you"))
    await device.wait_for("text", length=9)
    client.tell("_tiC", _tiV=1, _tiD=insert(first, "old"))
    await device.wait_for("text_ignored")
    client.tell("_tiC", _tiV=1, _tiD=insert(session, None, clears=True))
    await device.wait_for("text", length=0)
    assert session_of(await client.content("_tiStart"))[1] == ""
    device.close_text()
    assert await client.event("_tiStopped") == {}
    assert len(changes) == 4
    device.flavour = replace(device.flavour, tells_focus=False)
    device.open_text(is_secure=True)
    assert await client.content("_tiStop") == {}
    assert not client.events
    client.tell("_tiC", _tiV=1, _tiD=b"rubbish")
    await client.until_end()


def test_text_archives() -> None:
    assert session_of({"_tiD": document(b"s" * 16, TextField("åäö"))}) == (
        b"s" * 16,
        "åäö",
    )
    operation = read_operation(insert(b"s" * 16, "Hi", clears=True))
    assert (operation.clears, operation.inserted) == (True, "Hi")
    for data in (
        b"",
        plistlib.dumps({}),
        plistlib.dumps({"$top": {"textOperations": "x"}, "$objects": []}),
        b"<plist><dict>",
        insert(b"", None).replace(b"NS.uuidbytes", b"NS.uuidbites"),
    ):
        with pytest.raises(WireError):
            read_operation(data)


async def test_switches(device: FakeAppleTv, client: CompanionScript) -> None:
    companion = device.companion
    companion.errors = {"_tiStart": CommandError(7, "Broken", "Domain")}
    answer = await client.ask("_tiStart")
    assert (answer["_ec"], answer["_em"], answer["_ed"]) == (7, "Broken", "Domain")
    companion.errors = {}
    companion.answers_twice = True
    companion.sends_pointers = False
    await client.content("_tiStart")
    assert (await client.message())["_t"] == 3
    companion.answers_twice = False
    companion.mute = {"_launchApp"}
    launch: dict[str, OpackValue] = {"_i": "_launchApp", "_t": 2, "_x": 1}
    client.send(8, pack({**launch, "_c": {"_bundleID": "com.example.radio"}}))
    await device.wait_for("launch")
    companion.answer_delay = 0.01
    device.split(1)
    assert await client.content("FetchLaunchableApplicationsEvent") == device.apps
    companion.close_after = 1
    await client.content("_tiStart")
    await client.until_end()


async def test_mischief(device: FakeAppleTv, client: CompanionScript) -> None:
    mischief = device.mischief
    mischief.no_ops(2)
    mischief.unknown_frame()
    assert [(await client.receive())[0] for _ in range(3)] == [1, 1, 0x42]
    mischief.unknown_event()
    mischief.unknown_request()
    mischief.unknown_message_type()
    mischief.stray_response()
    assert [(await client.message())["_t"] for _ in range(4)] == [1, 2, 99, 3]
    mischief.flood(100)
    for _ in range(100):
        assert (await client.message())["_i"] == "_iMC"
    mischief.wrong_types()
    for _ in range(8):
        assert (await client.message())["_t"] == 1
    for action in (
        mischief.not_opack,
        mischief.not_a_dictionary,
        mischief.deep_opack,
        mischief.pointer_to_nothing,
    ):
        action()
        with pytest.raises(WireError):
            await client.message()
    mischief.message({"_i": "x"})
    assert await client.message() == {"_i": "x"}


@pytest.mark.parametrize("name", ["undecryptable", "plain"])
async def test_bad_frames(
    device: FakeAppleTv, client: CompanionScript, name: str
) -> None:
    getattr(device.mischief, name)()
    with pytest.raises(WireError):
        await client.receive()


async def test_ends(device: FakeAppleTv, controller: Controller) -> None:
    async with await connect(device, controller) as client:
        device.mischief.half_frame(closes=True)
        assert 0 < len(await client.until_end()) < 20
    async with await connect(device, controller) as client:
        device.mischief.half_frame()
        device.mischief.close()
        await client.until_end()
    async with await connect(device, controller) as client:
        device.mischief.oversized()
        device.mischief.abort()
        await client.until_end()
    for _ in range(3):
        await device.wait_for("companion_lost")
    with pytest.raises(LookupError):
        device.mischief.close()


@pytest.mark.parametrize(
    ("kind", "payload"),
    [(8, b"\xe0"), (3, b"\xe0"), (3, b"\xd0"), (8, b"\x00")],
    ids=["unverified", "no data", "array", "rubbish"],
)
async def test_bad_clients(device: FakeAppleTv, kind: int, payload: bytes) -> None:
    client = await CompanionScript.connect(device.address, device.companion_port)
    async with client:
        client.send(1, b"")
        client.send(0x20, b"x")
        client.send(kind, payload)
        assert await client.until_end() == b""
    await device.wait_for("no_op")
    await device.wait_for("unknown_frame", type=0x20)
    await device.wait_for("malformed")


async def test_bad_messages(device: FakeAppleTv, controller: Controller) -> None:
    for payload in (pack({"_t": 2}), pack({"_i": "x", "_t": 2, "_c": 5})):
        async with await connect(device, controller, None) as client:
            client.send(8, payload)
            await client.until_end()
    async with await connect(device, controller, None) as client:
        client.write(b"\x08\x00\x00\x20" + bytes(32))
        await client.until_end()
    async with await connect(device, controller, None) as client:
        client.tell("_hidT", _cx="1")
        await client.until_end()
    async with await connect(device, controller, None) as client:
        client.tell("_tiC", _tiV=1, _tiD="x")
        await client.until_end()


async def test_silent_steps(device: FakeAppleTv) -> None:
    device.desk.silent = {("setup", 2)}
    client = await CompanionScript.connect(device.address, device.companion_port)
    async with client:
        client.send(3, pack({"_pd": Controller().setup_start()}))
        await device.wait_for("setup_m1")
        client.send(1, b"")
        await device.wait_for("no_op")


async def test_vanish(device: FakeAppleTv, client: CompanionScript) -> None:
    device.vanish()
    client.send(8, pack({"_i": "_tiStart", "_t": 2, "_c": {}, "_x": 1}))
    late = await CompanionScript.connect(device.address, device.companion_port)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await late.receive()
    assert not device.seen("request", name="_tiStart")
    device.come_back()
    await client.until_end()
    await late.close()


async def test_restart(device: FakeAppleTv, controller: Controller) -> None:
    async with await connect(device, controller) as client:
        port = device.companion_port
        await device.restart()
        await client.until_end()
        assert device.companion_port == port
    async with await connect(device, controller):
        await device.restart(new_ports=True)
        assert device.companion_port != port
    async with await connect(device, controller):
        device.unpair()
    with pytest.raises(PairingError):
        await connect(device, controller)


async def test_move(device: FakeAppleTv, controller: Controller) -> None:
    port = device.companion_port
    await device.move("127.0.0.1")
    assert (device.address, device.companion_port) == ("127.0.0.1", port)
    async with await connect(device, controller) as client:
        await client.press(1)


async def test_deep_sleep(device: FakeAppleTv, controller: Controller) -> None:
    async with await connect(device, controller) as client:
        device.sleep()
        await client.until_end()
    assert device.is_deeply_asleep
    device.power.wake_delay = 0.05
    async with await connect(device, controller) as client:
        await device.wait_for("knocked")
        await device.wait_for("deep", asleep=False)
        assert not device.is_on
        await client.content("_hidC", _hBtS=2, _hidC=13)
        await device.wait_for("power", state="awake")
    device.sleep()
    device.power.wake_delay = 0
    device.mark()
    _, writer = await asyncio.open_connection(device.address, device.companion_port)
    await device.wait_for("knocked")  # without a word
    writer.close()
    await writer.wait_closed()
    device.sleep()
    device.power.knocks_wake = False
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await connect(device, controller)
    device.wake()
    assert device.is_on


async def test_knock_ports() -> None:
    async with FakeAppleTv() as other:
        free = other.companion_port
    async with FakeAppleTv(knock_ports=[free]) as device:
        device.sleep()
        _, writer = await asyncio.open_connection(device.address, free)
        await device.wait_for("knocked", port=free)
        assert not device.is_deeply_asleep
        writer.close()
        await writer.wait_closed()


async def test_stop_for_a_while(device: FakeAppleTv, controller: Controller) -> None:
    await device.stop_for_a_while(0.01)
    device.mark()
    async with await connect(device, controller):
        await device.wait_for("client", name="Script")


async def test_homepod_is_never_off() -> None:
    async with FakeAppleTv("Kitchen", "homepod") as device:
        device.set_power(False, "test")
        assert device.is_on
        assert device.airplay_pairing == "transient"
        client = await CompanionScript.connect(device.address, device.companion_port)
        async with client:
            with pytest.raises(PairingError):
                await client.pair(device.pin)


async def test_events_tell_what_happened_instead(device: FakeAppleTv) -> None:
    device.emit("something")
    with pytest.raises(TimeoutError, match="something"):
        await device.wait_for("else", timeout=0.01)
