"""The wheel on systems that have never seen it: Python, pip, and nothing else; no compiler and no checkout.

Each is a chroot as in `tests/test_first_run.py`. What a lab needs is installed by `srv6lab doctor --mend`, and how long the
first green check takes from there is a property of the test, in prove/packages.json.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import SITE
from tests.test_first_run import CACHE, RELEASES, Chroot, minimal_debian, needs_machine
from tests.test_wheel import Built
from tests.test_wheel import built as built

LAB = SITE.course()[0][0].name
INSTALL = (
    "apt-get -qq update",
    "apt-get -qq install --no-install-recommends python3-venv >/dev/null",
    "! command -v gcc cc",
    "python3 -m venv /opt/venv",
    "/opt/venv/bin/pip install --quiet --only-binary :all: /srv/wheel/*.whl",
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


@pytest.mark.prove
@needs_machine
@pytest.mark.parametrize("release", RELEASES)
def test_the_wheel_on_a_fresh_debian(
    release: str, built: Built, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    shutil.copy(built.wheel, wheels)
    chroot = Chroot(tmp_path / RELEASES[release], CACHE)
    chroot.prepare(minimal_debian(RELEASES[release]), wheels, "srv/wheel")
    done = chroot.run(*INSTALL, *RUN)
    assert done.returncode == 0, f"Debian {release} exited {done.returncode}:\n{done.stdout[-20_000:]}"
    assert re.search(r"^  tshark +reads the captures back$", done.stdout, re.MULTILINE)
    found = re.search(r"^green after (\d+) ms$", done.stdout, re.MULTILINE)
    assert found, done.stdout[-20_000:]
    record_property("milliseconds from the packages to the first green check", int(found[1]))
    shutil.rmtree(chroot.root)
