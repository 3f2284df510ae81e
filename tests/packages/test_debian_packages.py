"""The Debian packages, as apt installs and removes them: each built in a chroot of the release that it is for, and installed in
another, which has never seen a checkout, a compiler or pip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import make_packages
from tests.conftest import SITE
from tests.test_first_run import CACHE, CLONE, RELEASES, Chroot, minimal_debian, needs_machine, snapshot

LAB = SITE.course()[0][0].name
QUIET = "apt-get -qq -o Dpkg::Use-Pty=0"
BUILD = (
    f"{QUIET} update",
    f"{QUIET} install --no-install-recommends python3-venv >/dev/null",
    "python3 -m venv /opt/venv",
    *CLONE,
    "/opt/venv/bin/python scripts/make_packages.py --out /srv/debs srconf-deb srv6lab-deb",
)
OURS = r"find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /srv \) -prune -o -iname \*srv6lab\* -print -o -iname \*srconf\* -print"
INSTALL = (
    f"{QUIET} update",
    # Minimal images leave manuals out; these are looked at.
    f"{QUIET} install --no-install-recommends man-db >/dev/null",
    "! command -v gcc cc pip",
    f"{OURS} | sort >/tmp/before",
    f"{QUIET} install --no-install-recommends /srv/debs/*.deb >/dev/null",
)
RUN = (
    "export HOME=/tmp/home && mkdir /tmp/home && cd /tmp/home",
    f"srv6lab up {LAB}",
    f"srv6lab check {LAB}",
    f"srv6lab destroy {LAB} --purge",
    "srconf localsid help | grep -q end.ad4 && echo srconf answers",
    "MANPAGER=cat man srv6lab | grep -q doctor && echo manual of srv6lab",
    "MANPAGER=cat man srconf | grep -q localsid && echo manual of srconf",
    "srv6lab --complete -- srv6lab destr",
)
REMOVE = (
    f"{QUIET} purge srv6lab srconf >/dev/null",
    f"{OURS} | sort | comm -13 /tmp/before - >/tmp/left",
    "cat /tmp/left && test ! -s /tmp/left && echo nothing is left",
)


def built(release: str, folder: Path) -> Path:
    """A folder with the packages of a release."""
    folder.mkdir()
    snapshot(folder / "source.git")
    chroot = Chroot(folder / RELEASES[release], CACHE)
    chroot.prepare(minimal_debian(RELEASES[release]), folder / "source.git")
    done = chroot.run(*BUILD)
    assert done.returncode == 0, f"Debian {release} exited {done.returncode}:\n{done.stdout[-20_000:]}"
    shutil.move(chroot.root / "srv/debs", folder / "debs")
    shutil.rmtree(chroot.root)
    return folder / "debs"


@pytest.mark.prove
@needs_machine
@pytest.mark.parametrize("release", RELEASES)
def test_apt_installs_and_removes_both(
    release: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    debs = built(release, tmp_path / "builder")
    chroot = Chroot(tmp_path / RELEASES[release], CACHE)
    chroot.prepare(minimal_debian(RELEASES[release]), debs, "srv/debs")
    done = chroot.run(*INSTALL, *RUN, *REMOVE)
    assert done.returncode == 0, f"Debian {release} exited {done.returncode}:\n{done.stdout[-20_000:]}"
    lines = done.stdout.splitlines()
    for said in ("srconf answers", "manual of srv6lab", "manual of srconf", "destroy", "nothing is left"):
        assert said in lines
    assert "exercises: 2 pass" in done.stdout or re.search(r"^exercises?:.* pass$", done.stdout, re.MULTILINE)
    record_property("bytes of srv6lab's package", next(debs.glob("srv6lab_*.deb")).stat().st_size)
    shutil.rmtree(chroot.root)


@pytest.mark.prove
def test_lintian_has_nothing_to_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what the overrides say, each beside its reason; who built them is known here."""
    monkeypatch.setattr(make_packages, "MAINTAINER", "Somebody Careful <careful@debian.org>")
    packages = [make_packages.srconf_deb(tmp_path), make_packages.srv6lab_deb(tmp_path)]
    command = [
        "lintian",
        "--allow-root",
        "--tag-display-limit",
        "0",
        "--fail-on",
        "error,warning",
        *map(str, packages),
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LANG": "C.UTF-8"})
    assert (done.returncode, re.findall(r"^[EW]: .*", done.stdout, re.MULTILINE)) == (0, []), done.stderr
