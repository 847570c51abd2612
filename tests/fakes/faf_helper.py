"""A program that plays the helper which makes machine proofs (section 6.3).

The real one is closed, and prints one long token for the number of a session. This one
prints what only it and `check_proof` know how to make.
"""

import hashlib
from pathlib import Path
import sys
from typing import Final, Literal

_SECRET: Final = "fake machine"

type Conduct = Literal[
    "good",
    "short",  # fewer than 32 characters
    "spaced",  # with white space in it
    "wrong",  # good looks, but another machine's
    "failing",  # exit code 1
    "silent",  # nothing at all
    "stuck",  # never ends
    "endless",  # never ends to print
    "noisy",  # good, and complains on standard error
    "binary",  # no text
]

_BODIES: Final[dict[Conduct, str]] = {
    "good": "print(proof)",
    "short": "print(proof[:31])",
    "spaced": "print(proof[:20], proof[20:])",
    "wrong": "print(proof[::-1])",
    "failing": "print(proof); sys.exit(1)",
    "silent": "pass",
    "stuck": "print(proof, flush=True); import signal; signal.pause()",
    "endless": "while True: print(proof * 100)",
    "noisy": "print('warning ' * 1000, file=sys.stderr); print(proof)",
    "binary": "sys.stdout.buffer.write(bytes(range(128, 256)))",
}


def proof_of(session: int) -> str:
    """Return the proof for a session."""
    return hashlib.sha256(f"{_SECRET} {session}".encode()).hexdigest() * 4


def check_proof(session: int, unique_id: str) -> bool:
    """Whether a proof is for a session; for `FakeLobby.proof_check`."""
    return unique_id == proof_of(session)


def make_helper(path: Path, conduct: Conduct = "good") -> Path:
    """Write the program to a file, which is returned."""
    path.write_text(
        f"#!{sys.executable} -SE\n"
        "import hashlib, sys\n"
        f'text = f"{_SECRET} {{int(sys.argv[1])}}"\n'
        "proof = hashlib.sha256(text.encode()).hexdigest() * 4\n"
        f"{_BODIES[conduct]}\n",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return path
