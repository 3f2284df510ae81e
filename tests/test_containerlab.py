"""Plan → containerlab: valid by its published schema, the plan's NICs, and a Day0 that works in containers.

No container runtime is needed: the last tests do by hand, in namespaces, what the rendered file says.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema_rs import Draft7Validator

from srv6lab.plan.nodes import Plan
from srv6lab.render import containerlab as module
from srv6lab.render.containerlab import IMAGE, containerlab
from srv6lab.render.day0 import day0_path, day0_scripts
from tests.conftest import LABS, REPOSITORY, SITE, need_root
from tests.machine import settles
from tests.small import EAST, SMALL, planned

SCHEMA = REPOSITORY.parent / "shared" / "data" / "clab.schema.json"

PROXY = """
services:
  guard: {node: gate, netns: guard, ports: [{outside: in0, inside: in1, prefix: 192.168.1.0/24}, {outside: out0, inside: out1, prefix: 192.168.2.0/24}], rules: guard.rules}
local_sids:
  - {node: gate, sid: "fc00:a::a4", behavior: End.AD4, service: guard}
"""
WITH_PROXY = SMALL.replace("gate: {role: router", "gate: {role: sr-proxy").replace("\nlocal_sids:\n", PROXY)

SENSOR = """
services:
  sensor: {node: exit, listen: eth1, engine: ENGINE, rules: sensor.rules}
local_sids:
"""


def with_sensor(engine: str) -> str:
    return SMALL.replace("\nlocal_sids:\n", SENSOR.replace("ENGINE", engine))


def document(plan: Plan, image: str = IMAGE) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(containerlab(plan, image)[f"{plan.name}.clab.yml"])
    return found


def labs() -> list[Plan]:
    """The tests' own lab, with and without an SR proxy, and those of the repository."""
    return [planned(), planned(WITH_PROXY), *(SITE.load(SITE.refer(name))[0] for name in LABS)]


PLANS = pytest.mark.parametrize("plan", labs(), ids=lambda plan: plan.name)


def complaints(schema: Any, found: Any) -> list[str]:
    return [error.message for error in Draft7Validator(schema).iter_errors(found)]


BROKEN: dict[str, Callable[[dict[str, Any]], object]] = {
    "a node of no known kind": lambda found: found["topology"]["nodes"]["gate"].update(kind="linus"),
    "a key that no node has": lambda found: found["topology"]["nodes"]["gate"].update(bind=[]),
    "no command": lambda found: found["topology"]["nodes"]["gate"].update(exec=[]),
    "a MAC that is none": lambda found: found["topology"]["links"][0]["endpoints"][0].update(mac="02:00"),
    "a link with one end": lambda found: found["topology"]["links"][0]["endpoints"].pop(),
    "no name": lambda found: found.pop("name"),
}


def test_what_is_rendered_is_valid_and_what_is_broken_is_not() -> None:
    if not SCHEMA.exists():
        pytest.skip(f"containerlab's published schema isn't here: {SCHEMA}")
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for plan in labs():
        assert complaints(schema, document(plan)) == []
    for what, spoil in BROKEN.items():
        found = deepcopy(document(planned()))
        spoil(found)
        assert complaints(schema, found) != [], what


@PLANS
def test_links_are_the_plans(plan: Plan) -> None:
    links = document(plan)["topology"]["links"]
    ends = [
        (end["node"], end["interface"], end["mac"], link["mtu"])
        for link in links
        for end in link["endpoints"]
    ]
    assert sorted(ends) == sorted((nic.point.node, nic.name, nic.mac, nic.mtu) for nic in plan.nics())
    peers = {nic.point: nic.peer for nic in plan.nics()}
    for link in links:
        one, other = link["endpoints"]
        peer = next(
            peers[point] for point in peers if (point.node, point.nic) == (one["node"], one["interface"])
        )
        assert (peer.node, peer.nic) == (other["node"], other["interface"])
        assert link["type"] == "veth"


@PLANS
def test_every_node_is_spelled_out_with_its_day0(plan: Plan) -> None:
    files = containerlab(plan)
    found = document(plan)
    assert set(found) == {"name", "topology"}
    assert set(found["topology"]) == {"nodes", "links"}
    assert list(found["topology"]["nodes"]) == [machine.name for machine in plan.nodes]
    for machine in plan.nodes:
        node = found["topology"]["nodes"][machine.name]
        assert (node["kind"], node["image"]) == ("linux", IMAGE)
        (source, target, mode), *more = (bind.split(":") for bind in node["binds"])
        assert files[source] == day0_scripts(plan)[day0_path(machine)]
        assert mode == "ro"
        agent = [["agent/srv6lab", "/usr/local/lib/srv6lab/srv6lab", "ro"]] if machine.headend else []
        srconf = [["srconf", "/srv6lab/srconf", "ro"]] if machine.proxies else []
        assert more == agent + srconf
        assert not agent or "agent/srv6lab/agent/__main__.py" in files
        assert not srconf or "srconf/srconf" in files
        told = ["env", "SRV6LAB_SRCONF=/srv6lab/srconf"] if srconf else []
        assert shlex.split(node["exec"][-1]) == [*told, "bash", target]


@PLANS
def test_no_node_is_an_alias_of_another(plan: Plan) -> None:
    text = containerlab(plan)[f"{plan.name}.clab.yml"]
    assert not [event for event in yaml.parse(text) if getattr(event, "anchor", None)]


def test_the_image_can_be_chosen() -> None:
    nodes = document(planned(), image="registry.example/lab:1").get("topology", {})["nodes"]
    assert {node["image"] for node in nodes.values()} == {"registry.example/lab:1"}


@PLANS
def test_libyaml_and_python_write_the_same_bytes(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    first = containerlab(plan)
    monkeypatch.setattr(module, "_DUMPER", yaml.SafeDumper)
    assert containerlab(plan) == first


def test_a_lab_without_links_has_no_empty_list_of_them() -> None:
    plan = replace(planned(), nodes=(replace(planned().nodes[0], nics=(), routes=()),))
    assert set(document(plan)["topology"]) == {"nodes"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL, ""),
        (with_sensor("auto"), "# Its services need snort or suricata in the image"),
        (with_sensor("suricata"), "# Its services need suricata in the image"),
        (WITH_PROXY, "# Its SR proxy, srconf, needs python3"),
    ],
)
def test_what_the_image_needs_is_said_in_the_file(text: str, said: str) -> None:
    written = containerlab(planned(text))["small.clab.yml"]
    assert said in written and ("# Its " in written) == bool(said)


# A container as far as Day0 can tell: a network namespace with its own /sys, and a root of its own.
CONTAINER = """
top=$1
mount -t tmpfs tmpfs "$top"
mkdir "$top/upper" "$top/work" "$top/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$top/upper,workdir=$top/work" "$top/root"
mount -t sysfs sysfs "$top/root/sys"
mount -t proc proc "$top/root/proc"
mount --rbind /dev "$top/root/dev"
shift
while [ "$1" != -- ]; do
  mkdir -p "$(dirname "$top/root$2")"
  cp -r "$1" "$top/root$2"
  shift 2
done
shift
exec chroot "$top/root" sh -euc "$1"
"""


@dataclass(frozen=True)
class Deployed:
    """What the file says, in network namespaces that live as long as a process in each."""

    found: Mapping[str, Any]
    folder: Path
    nodes: dict[str, subprocess.Popen[str]]

    def inside(self, node: str, *command: str) -> str:
        # --root, since in a chroot the mount namespace's root is another.
        spaces = ("--net", "--mount", "--root", "--wd=/")
        return run("nsenter", "--target", str(self.nodes[node].pid), *spaces, *command)

    def deploy(self) -> None:
        for node, config in self.found["topology"]["nodes"].items():
            self.nodes[node] = namespace()
            for name, value in config["sysctls"].items():
                self.inside(node, "sysctl", "-q", "-w", f"{name}={value}")
        for link in self.found["topology"]["links"]:
            one, other = (self.veth(end, link["mtu"]) for end in link["endpoints"])
            run("ip", "link", "add", *one, "type", "veth", "peer", *other)
        for link in self.found["topology"]["links"]:
            for end in link["endpoints"]:
                self.inside(end["node"], "ip", "link", "set", "dev", end["interface"], "up")

    def veth(self, end: Mapping[str, str], mtu: int) -> list[str]:
        netns = str(self.nodes[end["node"]].pid)
        return ["name", end["interface"], "address", end["mac"], "mtu", str(mtu), "netns", netns]

    def configure(self, node: str) -> str:
        """The node's `exec`, in a container with its `binds`."""
        config = self.found["topology"]["nodes"][node]
        top = self.folder / f"root-{node}"
        top.mkdir()
        binds = [part for bind in config["binds"] for part in bind.split(":")[:2]]
        binds[::2] = [str(self.folder / source) for source in binds[::2]]
        commands = " && ".join(shlex.join(shlex.split(command)) for command in config["exec"])
        unshared = ("unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child")
        return self.inside(node, *unshared, "sh", "-euc", CONTAINER, "sh", str(top), *binds, "--", commands)

    def destroy(self) -> None:
        """Links and addresses go with the namespaces, and these with their processes."""
        for process in self.nodes.values():
            process.kill()
            process.communicate()


def namespace() -> subprocess.Popen[str]:
    """A process in a network and a mount namespace of its own, once it is there."""
    command = ["unshare", "--net", "--mount", "sh", "-c", "echo there; exec sleep infinity"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "there\n"
    return process


def run(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, f"{shlex.join(command[:6])}: {result.stderr or result.stdout}"
    return result.stdout


@pytest.fixture
def deployed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Deployed]:
    need_root()
    before = outside()
    for path, content in containerlab(planned(getattr(request, "param", SMALL))).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content if isinstance(content, bytes) else content.encode())
    found = yaml.safe_load((tmp_path / "small.clab.yml").read_text(encoding="utf-8"))
    lab = Deployed(found, tmp_path, {})
    try:
        lab.deploy()
        yield lab
    finally:
        lab.destroy()
    links, mounts = before
    assert settles(lambda: outside()[0] == links and outside()[1] <= mounts), outside()


def outside() -> tuple[list[str], frozenset[str]]:
    """What a namespace or a mount left behind would show up in. What others mounted may go away meanwhile."""
    links = sorted(path.name for path in Path("/sys/class/net").iterdir())
    return links, frozenset(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())


def test_day0_works_in_what_containerlab_would_build(deployed: Deployed) -> None:
    for node in deployed.found["topology"]["nodes"]:
        deployed.configure(node)
    probe = planned().exercises[0].probes[0]
    said = deployed.inside(probe.source, "ping", "-c", str(probe.icmp), "-i", "0.2", "-W", "2", EAST)
    assert f"{probe.icmp} received" in said
    assert "encap seg6 mode encap" in deployed.inside("gate", "ip", "route", "show", "10.0.2.0/24")


def test_without_the_files_mac_day0_says_which_nic_is_missing(deployed: Deployed) -> None:
    deployed.inside("gate", "ip", "link", "set", "dev", "eth2", "address", "02:00:00:00:00:01")
    with pytest.raises(AssertionError, match=r"gate has no NIC with MAC [0-9a-f:]+ \(eth2\)"):
        deployed.configure("gate")


@pytest.mark.parametrize("deployed", [WITH_PROXY], indirect=True)
def test_srconf_serves_in_what_containerlab_would_build(deployed: Deployed) -> None:
    assert "SID fc00:a::a4 End.AD4: srconf on eBPF serves" in deployed.configure("gate")


@pytest.mark.parametrize("deployed", [WITH_PROXY], indirect=True)
def test_without_its_bind_day0_says_what_is_missing(deployed: Deployed) -> None:
    deployed.found["topology"]["nodes"]["gate"]["binds"].pop()
    with pytest.raises(AssertionError, match="cannot stat '/srv6lab/srconf'"):
        deployed.configure("gate")
