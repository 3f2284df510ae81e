"""The kernel's own answers, tried in a throwaway node: on this kernel, and where something is taken away from it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest

from srv6lab.doctor import kernel
from srv6lab.doctor.asking import Answer, ask
from srv6lab.doctor.probes import HMAC, PROXY, SOURCE, VRF, VRF_NETNS, Probe, probes
from srv6lab.host.system import kernel_release
from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.flavors import flavored
from tests.conftest import REPOSITORY, need_root, tool
from tests.machine import MARK, anybodys_python, marked, settles, site_packages

ALL = {probe.name: probe for probe in probes()}
FIRST = ("SRv6", "nodes")
LOOK = """
import json, sys
sys.path[:0] = sys.argv[1:]
from srv6lab.doctor import netns
print(json.dumps({one.name: [one.state, one.found, one.mend] for one in netns._kernel()}))
"""
Found = Mapping[str, list[str]]


def look(*before: str, shell: str = "", python: str = sys.executable) -> Found:
    """What is found in a process that starts behind the words `before`; `shell` is run in a mount namespace of
    its own first."""
    need_root()
    command = [*before, python, "-c", LOOK, str(REPOSITORY), *site_packages()]
    if shell:
        command = ["unshare", "--mount", "sh", "-c", f'set -e; {shell}\nexec "$@"', "sh", *command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: Found = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def here() -> Found:
    """What is found on this machine as it is."""
    return look()


def stand_in(folder: Path, **scripts: str) -> str:
    """A line of shell after which nodes have these scripts in the first place of their PATH."""
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return f"mount --bind '{folder}' /usr/local/sbin"


def refusing(words: str, said: str, code: int = 2) -> str:
    """A stand-in for `ip` that refuses what holds these words, and hands on all else."""
    return f'case " $* " in *" {words} "*) echo \'{said}\' >&2; exit {code} ;; esac\nexec {tool("ip")} "$@"'


def test_a_kernel_that_is_new_enough_has_it(here: Found) -> None:
    """What the registry says of versions: all that this kernel is old enough for works, but for what needs a VRF."""
    assert [here[name][0] for name in FIRST] == ["ok"] * len(FIRST)
    lacking = {name for name in ALL if here[name][0] != "ok"}
    too_new = {name for name, probe in ALL.items() if probe.since and probe.since > kernel_release()}
    optional = {}
    for config in ("CONFIG_NET_VRF", "CONFIG_NET_SCH_NETEM"):
        optional[config] = {name for name, probe in ALL.items() if config in probe.config}
        assert optional[config], "nothing asks for it"
    absent = {name for names in optional.values() if names & lacking for name in names}
    assert lacking == too_new | absent
    assert VRF in optional["CONFIG_NET_VRF"]


def test_every_action_and_flavor_of_the_registry_is_tried() -> None:
    actions = {name for name, one in REGISTRY.items() if one.kernel_since}
    flavors = {
        f"{name} with {', '.join(f.flavors)}" for name in REGISTRY for f in flavored(name) if f.kernel_since
    }
    assert actions | flavors <= set(ALL)
    assert not (set(REGISTRY) - actions) & set(ALL)


def test_the_parameters_of_every_action_have_a_value() -> None:
    """An action without its parameters is refused, which would be no answer about the action."""
    for name, one in REGISTRY.items():
        if one.kernel_since:
            (command,) = ALL[name].commands
            after = command[command.index(name) + 1 : -2]
            assert len(after) >= 2 * len(one.parameters), command


def test_each_probe_fails_where_its_thing_is_refused(tmp_path: Path) -> None:
    """A machine whose tools refuse all of it: every probe is lacking, each with the words of the refusal."""
    no = "RTNETLINK answers: Operation not supported"
    ip = f'case " $* " in *" seg6"*|*" vrf "*|*" sr hmac "*|*" sr tunsrc "*) echo \'{no}\' >&2; exit 2 ;; esac\nexec {tool("ip")} "$@"'
    refuse = "echo 'Error: Could not process rule: Operation not supported' >&2; exit 1"
    found = look(
        shell=stand_in(
            tmp_path,
            ip=ip,
            tc="echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2",
            nft=refuse,
            iptables=refuse,
            ip6tables=refuse,
        )
    )
    assert {name: found[name][0] for name in ALL} == dict.fromkeys(ALL, "lacking")
    assert found["nodes"][0] == "ok"
    assert {found[name][1] for name in ALL if name.startswith(("End", "seg6"))} == {no}
    assert "qdisc kind is unknown" in found[PROXY][1]
    for name in ALL:
        assert "boot " in found[name][2], name


@pytest.mark.parametrize(
    ("words", "name"),
    [("mode l2encap", "seg6 l2encap"), ("action End.DX4", "End.DX4"), ("flavors psp", "End with PSP")],
)
def test_only_what_is_refused_is_lacking(words: str, name: str, here: Found, tmp_path: Path) -> None:
    found = look(shell=stand_in(tmp_path, ip=refusing(words, "RTNETLINK answers: Invalid argument")))
    changed = {one for one in ALL if found[one][:2] != here[one][:2]}
    assert name in changed
    assert changed <= {name, PROXY, VRF_NETNS}  # the two decapsulate by End.DX4
    assert found[name][1] == "RTNETLINK answers: Invalid argument"


def test_an_ip_that_has_no_word_for_it_is_told_from_a_kernel_that_lacks_it(tmp_path: Path) -> None:
    said = 'Error: argument "End.DX2" is wrong: "action" value is invalid'
    found = look(shell=stand_in(tmp_path, ip=refusing("action End.DX2", said, 255)))
    assert found["End.DX2"] == ["lacking", said, "install a newer iproute2: this one has no word for it"]


def test_a_flavor_that_is_taken_and_forgotten_is_lacking(tmp_path: Path) -> None:
    """As Linux does for actions that know no flavors: the route is there, without it."""
    forget = f"""case " $* " in *" flavors psp "*) set -- $(echo "$*" | sed 's/ flavors psp / /') ;; esac
exec {tool("ip")} "$@\""""
    found = look(shell=stand_in(tmp_path, ip=forget))
    assert found["End with PSP"][:2] == ["lacking", "accepted, but not done"]
    assert found["End with NEXT-CSID"][0] == "ok"


def test_a_tool_that_is_absent_or_hangs_in_a_node(tmp_path: Path) -> None:
    path = Path(tool("nft")).resolve()
    for name in ("bin", "up", "work"):
        (tmp_path / name).mkdir()
    hide = f"""mknod {tmp_path}/up/{path.name} c 0 0
mount -t overlay overlay -o lowerdir={path.parent},upperdir={tmp_path}/up,workdir={tmp_path}/work {path.parent}"""
    found = look(shell=f"{hide}; {stand_in(tmp_path / 'bin', iptables='exec sleep 60')}")
    assert found["iptables rule"][:2] == ["lacking", "no answer in 5 s"]
    state, said, mend = found["nftables rule"]
    assert (state, mend) == ("lacking", "scripts/setup lab")
    assert "No such file" in said


@pytest.mark.parametrize(
    ("capability", "said"),
    [("sys_admin", "unshare"), ("net_admin", "wired: RTNETLINK answers: Operation not permitted")],
)
def test_without_a_capability_there_is_no_node(capability: str, said: str) -> None:
    found = look("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")
    state, why, mend = found["nodes"]
    assert state == "lacking"
    assert said in why
    assert "with all capabilities" in mend
    assert {found[name][0] for name in ALL} == {"unknown"}


def test_an_ordinary_user_has_what_a_user_namespace_gives(here: Found) -> None:
    """The kernel is tried in a node of the user's own: there it refuses what it does for root alone, and nothing else."""
    found = look("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", python=anybodys_python())
    assert found["nodes"][0] == "ok"
    less = {name for name in ALL if found[name][0] != here[name][0]}
    assert less <= {PROXY, HMAC, SOURCE, VRF_NETNS}
    assert {PROXY, SOURCE} <= less
    assert "needs no root" in found[SOURCE][2]


def test_a_kernel_without_srv6_is_told() -> None:
    found = look(shell="mount -t tmpfs tmpfs /proc/sys/net/ipv6/conf")
    assert found["SRv6"][0] == "lacking"
    assert "has no SRv6" in found["SRv6"][1]
    assert "CONFIG_IPV6_SEG6_LWTUNNEL" in found["SRv6"][2]


def test_a_kernel_without_overlays_is_told(tmp_path: Path) -> None:
    """An overlay can't lie on one that lies on another: the kernel refuses the node's root as it would with no
    overlayfs at all."""
    layers = [
        f"mkdir -p {tmp_path}/{n}/up {tmp_path}/{n}/work {tmp_path}/{n}/root; "
        f"mount -t overlay overlay -o lowerdir={lower},upperdir={tmp_path}/{n}/up,workdir={tmp_path}/{n}/work {tmp_path}/{n}/root"
        for n, lower in (("a", "/"), ("b", f"{tmp_path}/a/root"))
    ]
    mounts = f"mount -t tmpfs tmpfs {tmp_path}; {'; '.join(layers)}; root={tmp_path}/b/root"
    inside = 'for d in proc sys dev tmp; do mount --rbind /$d $root/$d; done; exec chroot $root "$@"'
    found = look(shell=f"{mounts}; {inside}")
    assert found["nodes"][0] == "lacking"
    assert "mount(overlay" in found["nodes"][1]
    assert "CONFIG_OVERLAY_FS" in found["nodes"][2]


def test_an_older_kernel_is_told_the_version_that_it_needs() -> None:
    newer = (kernel_release()[0], kernel_release()[1] + 1)
    probe = Probe("End.New", "", (), newer)
    said = kernel.judged(probe, False, "RTNETLINK answers: Operation not supported")
    assert said.mend == f"boot Linux {newer[0]}.{newer[1]} or newer"


KVM = [sys.executable, "-I", "-S", str(REPOSITORY / "srv6lab" / "doctor" / "kvm.py")]


class TestKvm:
    """The script's answer where /dev/kvm is something else; that it runs here depends on the machine."""

    def said(self, shell: str, *before: str) -> Answer:
        need_root()
        return ask(
            {"kvm": ["unshare", "--mount", "sh", "-c", f'set -e; {shell}\nexec "$@"', "sh", *before, *KVM]}
        )["kvm"]

    def test_no_device(self) -> None:
        assert self.said("mount -t tmpfs tmpfs /dev") == Answer(1, "No such file or directory\n")

    def test_another_device(self) -> None:
        done = self.said("mount -t tmpfs tmpfs /dev; mknod /dev/kvm c 1 3")
        assert done == Answer(1, "Inappropriate ioctl for device\n")

    def test_a_device_for_others(self) -> None:
        nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        done = self.said("mount -t tmpfs tmpfs /dev; mknod -m 600 /dev/kvm c 10 232", *nobody)
        assert done == Answer(1, "Permission denied\n")

    def test_it_runs_or_says_why_not(self) -> None:
        done = ask({"kvm": KVM})["kvm"]
        assert done.late or (done.ok and done.out == "ran\n") or (not done.ok and done.out.strip())


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    answers = ask(
        {"stuck": ["sh", "-c", "sleep 60; true"], "absent": ["/nonexistent"], "fine": ["echo", "here"]},
        {"stuck": 0.2},
    )
    assert time.monotonic() - began < 10
    assert answers == {"stuck": Answer(-1, late=True), "absent": Answer(None), "fine": Answer(0, "here\n")}
    monkeypatch.delenv(MARK)
    assert settles(lambda: not marked(mark)), marked(mark)


def doctor(**env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "invoke", "doctor"],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, **env},
    )


def test_it_leaves_no_trace(tmp_path: Path) -> None:
    need_root()
    mark = uuid.uuid4().hex
    began = (REPOSITORY / ".srv6lab").exists()
    popen = doctor(**{MARK: mark}, TMPDIR=str(tmp_path))
    assert settles(lambda: any("keeper.py" in line for line in marked(mark)), 20), "the test can't see it"
    said, _ = popen.communicate(timeout=60)
    assert "provider netns" in said
    assert "Traceback" not in said
    assert settles(lambda: not marked(mark)), marked(mark)
    assert list(tmp_path.iterdir()) == []
    assert (REPOSITORY / ".srv6lab").exists() == began
    assert "probe0" not in [path.name for path in Path("/sys/class/net").iterdir()]
    scratch = str(REPOSITORY / "srv6lab" / "doctor")
    assert scratch not in Path("/proc/self/mountinfo").read_text()
    assert sorted(path.name for path in Path(scratch).iterdir() if path.suffix != ".py") in (
        [],
        ["__pycache__"],
    )


@pytest.mark.parametrize("after", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_stopped_in_the_middle_it_leaves_no_process(number: signal.Signals, after: float) -> None:
    """`after` seconds into its work in a node; with its processes their namespaces and mounts are gone."""
    need_root()
    mark = uuid.uuid4().hex
    popen = doctor(**{MARK: mark})
    assert settles(lambda: any("keeper.py" in line for line in marked(mark)), 20)
    time.sleep(after)
    popen.send_signal(number)
    said, _ = popen.communicate(timeout=60)
    assert "Traceback" not in said
    if number == signal.SIGINT and popen.returncode:
        assert (popen.returncode, said) == (1, "interrupted\n")
    assert settles(lambda: not marked(mark)), marked(mark)
