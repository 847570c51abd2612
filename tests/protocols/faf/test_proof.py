"""The helper that makes the machine proof, in a process of its own."""

import asyncio
import logging
import os
from pathlib import Path
import sys

import pytest

from custom_components.rumpus.protocols.faf.errors import ProofFailedError
from custom_components.rumpus.protocols.faf.proof import (
    HELPER_TIMEOUT,
    MAX_OUTPUT,
    MIN_PROOF,
    HelperProof,
)

PROOF = "x" * MIN_PROOF


def helper(folder: Path, body: str) -> Path:
    """Return a program that does that; `number` is what it is started with."""
    path = folder / "faf-uid"
    path.write_text(
        f"#!{sys.executable} -I\nimport sys\nnumber = sys.argv[1]\n{body}\n"
    )
    path.chmod(0o700)
    return path


def is_running(pid: int) -> bool:
    """Tell whether there is such a process, other than as a dead one."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return words[0] not in "ZX"


def fifo(folder: Path) -> Path:
    """Return a pipe by which a program tells its number."""
    path = folder / "told"
    os.mkfifo(path)
    return path


async def test_proof(tmp_path: Path) -> None:
    path = helper(tmp_path, "print('proof-' + 40 * 'x' + number)")
    assert await HelperProof(path).prove(4294967294) == f"proof-{40 * 'x'}4294967294"
    assert await HelperProof(str(path)).prove(0) == f"proof-{40 * 'x'}0"


async def test_it_gets_one_argument_and_no_input(tmp_path: Path) -> None:
    body = "assert sys.argv[1:] == ['7']\nassert not sys.stdin.read()\nprint(40 * 'x')"
    assert await HelperProof(helper(tmp_path, body)).prove(7) == 40 * "x"


async def test_it_sees_little_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_TOKEN", "secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TZ", raising=False)
    body = (
        "import os\nassert 'SUPERVISOR_TOKEN' not in os.environ\n"
        f"assert os.environ['HOME'] == {str(tmp_path)!r}\nprint(40 * 'x')"
    )
    assert await HelperProof(helper(tmp_path, body)).prove(1) == 40 * "x"


async def test_blanks_around_it(tmp_path: Path) -> None:
    path = helper(tmp_path, f"print('\\n  {PROOF} \\r\\n')")
    assert await HelperProof(path).prove(1) == PROOF


@pytest.mark.parametrize(
    "body",
    [
        "print((32 - 1) * 'x')",
        "print()",
        "print(20 * 'x' + ' ' + 20 * 'x')",
        "print(20 * 'x' + chr(10) + 20 * 'x')",
        "print(40 * chr(7))",
        "sys.stdout.buffer.write(40 * b'\\xff')",
        "print(40 * 'x'); sys.exit(3)",
        "raise SystemExit('secret-of-the-helper')",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    ],
)
async def test_no_proof(
    body: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ProofFailedError) as caught:
        await HelperProof(helper(tmp_path, body)).prove(1)
    shown = f"{caught.value!r} {caplog.text}"
    assert 20 * "x" not in shown
    assert "secret-of-the-helper" not in shown


async def test_max_output(tmp_path: Path) -> None:
    path = helper(tmp_path, f"print({MAX_OUTPUT} * 'x', end='')")
    assert len(await HelperProof(path).prove(1)) == MAX_OUTPUT
    helper(tmp_path, f"print({MAX_OUTPUT + 1} * 'x', end='')")
    with pytest.raises(ProofFailedError, match=f"more than {MAX_OUTPUT} bytes"):
        await HelperProof(path).prove(1)


async def test_it_prints_without_end(tmp_path: Path) -> None:
    path = helper(tmp_path, "while True: print(1000 * 'x')")
    with pytest.raises(ProofFailedError, match="more than"):
        await HelperProof(path).prove(1)


@pytest.mark.parametrize(
    "kind", ["missing", "folder", "forbidden", "no program", "zero"]
)
async def test_it_cannot_be_started(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "secret-name"
    match kind:
        case "folder":
            path.mkdir()
        case "forbidden":
            path.write_text("#!/bin/sh\n")
        case "no program":
            path.write_bytes(b"\x00\x01")
            path.chmod(0o700)
        case "zero":
            path = tmp_path / "secret-name\0"
    with pytest.raises(ProofFailedError) as caught:
        await HelperProof(path).prove(1)
    assert "secret-name" not in str(caught.value)
    assert caught.value.__context__ is None


async def test_helper_timeout(tmp_path: Path) -> None:
    told = fifo(tmp_path)
    body = (
        f"import os, time\nopen({str(told)!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)"
    )
    path = helper(tmp_path, body)
    proof = asyncio.create_task(HelperProof(path, timeout=1).prove(1))
    pid = int(await asyncio.to_thread(told.read_text))
    with pytest.raises(ProofFailedError, match="too long"):
        await proof
    assert not is_running(pid)
    assert HELPER_TIMEOUT == 30


async def test_it_is_ended_with_what_it_has_started(tmp_path: Path) -> None:
    told = fifo(tmp_path)
    body = (
        "import os, subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(told)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "child.wait()"
    )
    proof = asyncio.create_task(HelperProof(helper(tmp_path, body)).prove(1))
    pids = [int(pid) for pid in (await asyncio.to_thread(told.read_text)).split()]
    assert all(is_running(pid) for pid in pids)
    ended = asyncio.Event()
    descriptor = os.pidfd_open(pids[1])
    asyncio.get_running_loop().add_reader(descriptor, ended.set)
    try:
        proof.cancel()
        with pytest.raises(asyncio.CancelledError):
            await proof
        assert not is_running(pids[0])
        # Its end is the system's business, and comes a moment later.
        async with asyncio.timeout(5):
            await ended.wait()
    finally:
        asyncio.get_running_loop().remove_reader(descriptor)
        os.close(descriptor)


async def test_it_leaves_somebody_behind(tmp_path: Path) -> None:
    """What holds the pipe open must not hold us up when the helper itself has ended."""
    told = fifo(tmp_path)
    body = (
        "import subprocess\nchild = subprocess.Popen(['sleep', '600'])\n"
        f"open({str(told)!r}, 'w').write(str(child.pid))"
    )
    path = helper(tmp_path, body)
    proof = asyncio.create_task(HelperProof(path, timeout=1).prove(1))
    pid = int(await asyncio.to_thread(told.read_text))
    try:
        with pytest.raises(ProofFailedError, match="too long"):
            await proof
    finally:
        os.kill(pid, 9)
