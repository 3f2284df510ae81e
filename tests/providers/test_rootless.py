"""A lab of somebody who isn't root: what a real ordinary user can do, and what he can't."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from srv6lab.host.requirements import no_namespaces
from srv6lab.providers import needs_root, rootless
from srv6lab.providers.keeping import enter
from srv6lab.providers.netns import Data
from srv6lab.providers.state import Home
from tests.conftest import REPOSITORY, SITE, need_root, tool
from tests.machine import anybodys_python, site_packages
from tests.small import SMALL, planned

LEARNER, OTHER = 65001, 65002
FRIEND = """\
import os, sys
os.setgroups([1, 2]); os.setgid(7); os.setuid(7)
os.chown(sys.argv[1], 7, 7)
print(os.getuid(), os.stat(sys.argv[1]).st_uid)
"""


@dataclass(frozen=True)
class Learner:
    """A folder with srv6lab in it, and a user whose it is."""

    folder: Path
    uid: int = LEARNER

    def run(self, *argv: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(self.folder), *site_packages()])
        environment = {"HOME": str(self.folder), "PATH": os.environ["PATH"], "PYTHONPATH": path}
        who = [f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        return subprocess.run(
            [tool("setpriv"), *who, *argv],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        )

    def invoke(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(anybodys_python(), "-m", "invoke", *words)

    def sh(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in a node."""
        node = self.data().nodes["gate"].pid
        join = [anybodys_python(), "-I", "-S", rootless.__file__, str(node)]
        return self.run(
            *join, "nsenter", f"--target={node}", "-m", "-n", "-p", "-u", "--root", "--wd", "sh", "-c", script
        )

    def home(self, name: str) -> Home:
        return Home(self.folder / ".srv6lab" / name)

    def data(self) -> Data:
        state = self.home("small").read()
        assert state
        return Data.of(state)


@pytest.fixture(scope="module")
def learner() -> Iterator[Learner]:
    """Somebody with a copy of this repository and a lab of his own in it, which is up."""
    need_root()
    folder = Path(tempfile.mkdtemp(prefix="learner-"))
    for name in ("srv6lab", "templates", "labs"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "tasks.py", folder)
    (folder / "labs/small").mkdir()
    (folder / "labs/small/topology.yml").write_text(SMALL)
    subprocess.run(["chown", "-R", f"{LEARNER}:{LEARNER}", folder], check=True)
    one = Learner(folder)
    try:
        done = one.invoke("up", "small")
        assert done.returncode == 0, done.stderr
        yield one
    finally:
        one.invoke("destroy", "small")
        shutil.rmtree(folder)


def test_a_lab_runs_and_is_judged(learner: Learner) -> None:
    """Of the walk of a ping every packet is held against the model; the expectations of this lab's file are wrong."""
    done = learner.invoke("walk", "small", "--from", "west", "--to", "east")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS" in done.stdout
    captures = list(learner.home("small").captures.glob("*.pcap"))
    assert captures
    assert {path.stat().st_uid for path in captures} == {LEARNER}


def test_all_of_it_is_the_learners(learner: Learner) -> None:
    """Whoever is root in a node is the learner outside, also what root starts in it."""
    node = learner.data().nodes["gate"]
    said = learner.invoke("exec", "small", "gate", "--", "sh", "-c", "id -u; touch /run/mine")
    assert said.stdout.split() == ["0"], said.stderr
    subprocess.run([*enter(node), "touch", "/run/roots"], check=True)
    for name in ("mine", "roots"):
        assert Path(f"/proc/{node.pid}/root/run/{name}").stat().st_uid == LEARNER


def test_daemons_that_become_somebody_else_start(learner: Learner) -> None:
    said = learner.sh(f"touch /run/file; python3 -c {shlex.quote(FRIEND)} /run/file")
    assert said.stdout.split() == ["0", "0"], said.stderr


@pytest.mark.parametrize(
    "attack",
    ["cat /etc/shadow", "echo x >>/etc/passwd", "echo 1 >/proc/sys/kernel/sysrq", "mount /dev/vda /mnt"],
)
def test_root_in_a_node_is_not_root(learner: Learner, attack: str) -> None:
    before = Path("/etc/passwd").read_bytes()
    said = learner.sh(attack)
    assert said.returncode != 0
    assert "root:" not in said.stdout
    assert Path("/etc/passwd").read_bytes() == before


def test_what_he_hands_to_a_command_stays_his(learner: Learner) -> None:
    script = learner.folder / "script"
    script.write_text("echo stolen >/proc/self/fd/0; echo heard")
    script.chmod(0o666)
    words = f"{anybodys_python()} -m invoke exec small --node gate -- bash <script"
    done = learner.run("bash", "-c", words)
    assert "heard" in done.stdout, done.stderr
    assert "stolen >" in script.read_text()


def test_what_a_node_may_change_is_forgotten(learner: Learner) -> None:
    """The folders that Day0 and people write to are the node's own."""
    said = learner.sh("for d in /etc /var/lib /usr/local/sbin /root; do touch $d/x-node || exit; done")
    assert said.returncode == 0, said.stderr
    assert not any(Path(f"{one}/x-node").exists() for one in ("/etc", "/var/lib", "/usr/local/sbin", "/root"))


def test_another_learner_is_kept_out(learner: Learner) -> None:
    other = replace(learner, uid=OTHER)
    data = learner.data()
    node = data.nodes["gate"]
    script = str(Path(rootless.__file__))
    for argv in (
        [anybodys_python(), "-I", "-S", script, str(node.pid), "true"],
        ["kill", "-KILL", str(data.keeper.pid)],
        ["ls", f"/proc/{node.pid}/root/"],
        ["nsenter", f"--net=/proc/{node.pid}/ns/net", "true"],
        [anybodys_python(), "-m", "invoke", "destroy", "small"],
    ):
        assert other.run(*argv).returncode != 0, argv
    assert learner.data().alive(node)
    assert learner.invoke("status", "small").returncode == 0


def test_a_lab_that_needs_root_is_refused_before_it_begins(learner: Learner) -> None:
    lab = next(plan.name for plan in SITE.plans() if any([*needs_root.of_node(node)] for node in plan.nodes))
    done = learner.invoke("up", lab)
    assert done.returncode == 3
    assert f"{lab} needs root" in done.stderr
    assert "--kernel" in done.stderr
    assert not learner.home(lab).path.exists()


def test_without_namespaces_the_setting_is_named(learner: Learner, tmp_path: Path) -> None:
    """In a namespace whose users may make none."""
    forbid = "echo 0 >/proc/sys/user/max_user_namespaces; "
    become = f"exec setpriv --no-new-privs {anybodys_python()} -I -S {rootless.__file__} new true"
    inside = ["unshare", "--user", "--map-root-user", "sh", "-c", forbid + become]
    done = subprocess.run(inside, capture_output=True, text=True)
    assert done.returncode == 1
    assert "can't be run in a user namespace" in done.stderr
    for name, value in (("kernel/unprivileged_userns_clone", "0\n"), ("user/max_user_namespaces", "100\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(value)
    assert no_namespaces(tmp_path) == "sudo sysctl kernel.unprivileged_userns_clone=1"
    assert "CONFIG_USER_NS" in no_namespaces(tmp_path / "nothing")


def test_root_needs_no_namespace_of_its_own() -> None:
    need_root()
    assert (rootless.begin(), rootless.within(os.getpid())) == ((), ())


def test_what_takes_root_is_told_of_a_node() -> None:
    node = planned().node("gate")
    assert list(needs_root.of_node(node)) == []
    told = replace(node, tunnel_source=next(iter(node.addresses())))
    assert "tunsrc" in next(needs_root.of_node(told))


def test_he_edits_the_lab_while_it_is_up(learner: Learner) -> None:
    """A node and a link more, and one address else: the new node is his as the others are."""
    file = learner.folder / "labs/small/topology.yml"
    more = SMALL.replace("nodes:\n", "nodes:\n  new: {role: host}\n").replace("fc00:b::1/64", "fc00:b::9/64")
    more = more.replace(
        "links:\n",
        'links:\n  - {name: cable-n, prefix: 10.0.9.0/24, endpoints: ["new:eth1", "gate:eth3"]}\n',
    )
    before = learner.data().nodes
    try:
        file.write_text(more)
        done = learner.invoke("up", "small")
        assert done.returncode == 0 and "new: new" in done.stderr, done.stderr
        assert before.items() <= learner.data().nodes.items()
        assert Path(f"/proc/{learner.data().nodes['new'].pid}").stat().st_uid == LEARNER
        assert "1 received" in learner.sh("ping -c 1 -w 5 10.0.9.1").stdout
    finally:
        file.write_text(SMALL)
        done = learner.invoke("up", "small")
    assert done.returncode == 0 and "new: taken away" in done.stderr, done.stderr
    assert learner.data().nodes == before
