"""Day0 gets compiler and headers from a Debian's own archive, and fetches, changes and builds SREXT with them: here in
that Debian's userland, under a `uname` that tells its kernel. That the module serves takes that kernel itself:
`test_day0.py`. SREXT=FOLDER is a clone to take it from; else it comes from where Day0 fetches it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from srv6lab.render.day0 import day0_path, render
from tests.srext.test_day0 import SUITE, lab_of_srext
from tests.test_srext import function
from tests.userland import inside

FUNCTIONS = ("patch_srext", "fetch_srext", "build_srext", "srext_tools", "install_srext")
# What only the kernel itself can do is written down instead. `uname` is a program, for make asks it, too.
MACHINE = r"""
apt-get -qq update
kernel=$(apt-cache depends linux-headers-amd64 | sed -n 's/^ *Depends: linux-headers-//p' | head -n 1)
printf '#!/bin/sh\necho %s\n' "$kernel" >/usr/local/bin/uname
printf '#!/bin/sh\necho "${0##*/} $*" >>/root/done\n' >/usr/local/bin/depmod
cp /usr/local/bin/depmod /usr/local/bin/modprobe
chmod 755 /usr/local/bin/uname /usr/local/bin/depmod /usr/local/bin/modprobe
if [[ -d /srext ]]; then
  printf '[safe]\ndirectory = *\n[url "file:///srext"]\ninsteadOf = https://github.com/netgroup/SRv6-net-prog\n' >/etc/gitconfig
fi
"""
ASKED = r"""
install_srext || { echo "no: $why"; tail -n 30 /var/log/srext.log; exit 1; }
git -C /usr/local/src/SRv6-net-prog rev-parse HEAD
cat /root/done
echo "$kernel"
ls /usr/bin/srconf
grep -ao 'vermagic=[^ ]*' "/lib/modules/$kernel/extra/srext.ko"
"""


def script(commit: str = "") -> str:
    """Day0's own functions, by which SREXT comes to a machine."""
    plan = lab_of_srext()
    proxy = next(node for node in plan.nodes if node.proxies)
    text = render(plan)[day0_path(proxy)]
    (pinned,) = [line for line in text.splitlines() if line.startswith("srext_commit=")]
    wanted = f"srext_commit={commit}" if commit else pinned
    return "\n".join(
        ["set -euo pipefail", MACHINE, wanted, *(function(text, one) for one in FUNCTIONS), ASKED]
    )


def built(folder: Path, commit: str = "") -> subprocess.CompletedProcess[str]:
    mirror = os.environ.get("SREXT", "")
    shares = {"srext": Path(mirror)} if mirror else {}
    return inside(SUITE, ["bash", "-c", script(commit)], folder, shares=shares)


@pytest.mark.prove
def test_day0_builds_srext_against_debian_12s_kernel(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    done = built(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    head, depmod, modprobe, kernel, tool, vermagic = done.stdout.splitlines()
    assert f"srext_commit={head}\n" in script()
    assert (depmod, modprobe, tool) == ("depmod -a", "modprobe srext", "/usr/bin/srconf")
    assert vermagic == f"vermagic={kernel}"
    record_property("commit_of_srext", head)
    record_property("kernel", kernel)


@pytest.mark.prove
def test_another_commit_is_not_built(tmp_path: Path) -> None:
    done = built(tmp_path, "0" * 40)
    assert done.returncode == 1
    assert done.stdout.startswith("no: SREXT cannot be fetched: see /var/log/srext.log\n")
