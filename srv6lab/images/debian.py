"""Debian as this machine's own apt reaches it: with another suite, but with no mirror named here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from srv6lab.errors import MachineError
from srv6lab.host.command import output, run
from srv6lab.host.lock import hold
from srv6lab.host.packages import SETUP
from srv6lab.host.system import os_release

ROLLING = "sid"  # it has no suites for updates and security, and neither have backports
_BACKPORTS = "-backports"
_APT_SUITE = SETUP.with_name("apt-suite")
_NETWORK = re.compile(r'Acquire::(https?|Check|Retries|ForceIPv)\S* "')  # how apt reaches the mirror here
_MOMENT, _LONG = 30.0, 1800.0  # seconds
_MEND = "use a Debian with entries of its own in /etc/apt"


def sources(suite: str) -> str:
    """This machine's apt sources with that suite in them, as deb822; MachineError where it has none of Debian."""
    family = () if suite == ROLLING or suite.endswith(_BACKPORTS) else ("--family",)
    here = os_release().get("VERSION_CODENAME", "")
    for known in filter(None, (here, suite, "unstable")):
        done = run([str(_APT_SUITE), *family, known, suite], _MOMENT)
        if done.exit_code == 0:
            return done.stdout
    raise MachineError(
        f"this machine's apt has no entry of {here or 'Debian'} to take Debian's {suite} from", _MEND
    )


def mmdebstrap(
    suite: str,
    target: Path,
    packages: Sequence[str],
    left_out: Sequence[str],
    options: Sequence[str] = (),
    *,
    backports: bool = False,
) -> None:
    """Install packages of a suite and what they need into a folder, but for the paths that are left out; what the suite
    lacks is taken from its backports, where these are asked for."""
    archives = [suite, suite + _BACKPORTS] if backports else [suite]
    settings = run(["apt-config", "dump"], _MOMENT).stdout.splitlines()
    command = ["mmdebstrap", "--quiet", *options, f"--include={','.join(packages)}"]
    command += [f"--aptopt={line}" for line in settings if _NETWORK.match(line)]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in left_out]
    output(
        [*command, suite, str(target), "-"],
        _LONG,
        "\n".join(map(sources, archives)),
        mend="mend that, and run it again",
    )


def recipe(*parts: str | bytes) -> str:
    """A name that changes with any part of what something is made from."""
    data = (part if isinstance(part, bytes) else part.encode() for part in parts)
    return hashlib.sha256(b"\0".join(data)).hexdigest()[:12]


@contextmanager
def alone(path: Path, wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock file; whoever comes second is told by `wait`, waits, and finds what the first one made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as lock:
        try:
            hold(lock)
        except BlockingIOError:
            wait()
            hold(lock, wait=True)
        yield
