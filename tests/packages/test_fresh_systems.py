"""The wheel on systems that have never seen it: Python, pip, and nothing else; no compiler and no checkout.

Each is a chroot as in `tests/test_first_run.py`; Ubuntu's comes from its own archive, which mmdebstrap knows. What a lab
needs is installed by `srv6lab doctor --mend`, and how long the first green check takes from there is a property of the
test, in prove/packages.json.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SITE
from tests.test_first_run import CACHE, RELEASES, Chroot, minimal_debian, must, needs_machine
from tests.test_wheel import Built
from tests.test_wheel import built as built

LAB = SITE.course()[0][0].name
QUIET = "env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 --no-install-recommends install"
PIP = "pip install --quiet --only-binary :all: /srv/wheel/*.whl"
UBUNTU = {"22.04": "jammy", "24.04": "noble"}
SYSTEMS = {f"Debian {name}": suite for name, suite in RELEASES.items()} | {
    f"Ubuntu {name}": suite for name, suite in UBUNTU.items()
}
# Ubuntu 22.04 has another Python than its own in its universe.
PYTHON = {"jammy": "python3.11"}
REFUSED = (  # by the Python that it calls python3
    f"{QUIET} python3-venv >/dev/null",
    "python3 -m venv /opt/older",
    f"/opt/older/bin/{PIP} >/tmp/said 2>&1 && exit 1",
    'grep "requires a different Python" /tmp/said',
)


def install(suite: str) -> tuple[str, ...]:
    """The lines of a shell that end with `srv6lab` on the PATH, in an empty folder."""
    python = PYTHON.get(suite, "python3")
    return (
        "apt-get -qq update",
        *(REFUSED if suite in PYTHON else ()),
        f"{QUIET} {python}-venv >/dev/null",
        "! command -v gcc cc",
        f"{python} -m venv /opt/venv",
        f"/opt/venv/bin/{PIP}",
        "mkdir /tmp/empty && cd /tmp/empty",
        "PATH=$PATH:/opt/venv/bin",
    )


RUN = (
    f"srv6lab doctor --mend --yes lab={LAB}",
    "begun=$(date +%s%N)",
    f"srv6lab up {LAB}",
    f"srv6lab check {LAB}",
    'echo "green after $((($(date +%s%N) - begun) / 1000000)) ms"',
    f"srv6lab destroy {LAB}",
    "srv6lab init /tmp/my-labs && cd /tmp/my-labs && srv6lab validate",
)


def minimal(suite: str) -> Path:
    """The tar of a system with python3 and a few tools, built once a week and user."""
    if suite not in UBUNTU.values():
        return minimal_debian(suite)
    tar = CACHE / f"{suite}.tar"
    if not tar.exists() or time.time() - tar.stat().st_mtime > 7 * 86400:
        CACHE.mkdir(parents=True, exist_ok=True)
        kind = ("--variant=minbase", "--components=main,universe", "--include=apt,ca-certificates,python3")
        must("mmdebstrap", "--quiet", *kind, suite, tar.with_suffix(".unfinished.tar"))
        tar.with_suffix(".unfinished.tar").rename(tar)
    return tar


@pytest.mark.prove
@needs_machine
@pytest.mark.parametrize("system", SYSTEMS)
def test_the_wheel_on_a_fresh_system(
    system: str, built: Built, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    wheels, suite = tmp_path / "wheels", SYSTEMS[system]
    wheels.mkdir()
    shutil.copy(built.wheel, wheels)
    chroot = Chroot(tmp_path / suite, CACHE)
    chroot.prepare(minimal(suite), wheels, "srv/wheel")
    done = chroot.run(*install(suite), *RUN)
    assert done.returncode == 0, f"{system} exited {done.returncode}:\n{done.stdout[-20_000:]}"
    assert re.search(r"^  tshark +reads the captures back$", done.stdout, re.MULTILINE)
    found = re.search(r"^green after (\d+) ms$", done.stdout, re.MULTILINE)
    assert found, done.stdout[-20_000:]
    assert int(found[1]) <= 60_000
    record_property("milliseconds from the packages to the first green check", int(found[1]))
    shutil.rmtree(chroot.root)
