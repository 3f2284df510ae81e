"""From what was found to an answer: what labs need, what is unmet, and how it is printed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.doctor import choose, diagnose, tools
from srv6lab.doctor.asking import Answer
from srv6lab.doctor.findings import Diagnosis, Finding, LabAnswer, Need, State, unmet
from srv6lab.doctor.needs import memory, of_lab
from srv6lab.doctor.probes import bound, probes
from srv6lab.errors import UsageError
from srv6lab.host.packages import Tool, listed
from srv6lab.host.system import System
from srv6lab.images import frr_root
from srv6lab.report.doctor import diagnosis_json, diagnosis_text
from tests.conftest import LABS, SITE
from tests.small import planned

DEBIAN = System("debian", "Debian 12", "Linux 6.1", "x86-64")
WINDOWS = System("windows", "Windows 11", "NT 10.0", "x86-64")
TOOLS = tools.of_groups(("lab",))
SAID = {
    "mmdebstrap": "mmdebstrap 1.3.5\n",
    "bash": "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)",
    "ip": "ip utility, iproute2-6.1.0, libbpf 1.1.2",
    "iptables": "iptables v1.8.9 (nf_tables)",
    "nft": "nftables v1.0.6 (Lester Gooch #5)",
    "nsenter": "nsenter from util-linux 2.38.1",
    "ping": "ping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no",
    "suricata": "This is Suricata version 7.0.10 RELEASE",
    "tc": "tc utility, iproute2-ss200127",
    "tcpdump": "tcpdump version 4.99.3\nlibpcap version 1.10.3 (with TPACKET_V3)\nOpenSSL 3.0.19 27 Jan 2026",
    "tshark": "TShark (Wireshark) 4.0.17 (Git v4.0.17 packaged as 4.0.17-0+deb12u3).",
}
VERSIONS = {
    "mmdebstrap": "1.3.5",
    "bash": "5.2.15",
    "ip": "6.1.0",
    "iptables": "1.8.9",
    "nft": "1.0.6",
    "nsenter": "2.38.1",
    "ping": "20221126",
    "suricata": "7.0.10",
    "tc": "200127",
    "tcpdump": "4.99.3",
    "tshark": "4.0.17",
}


def test_every_tool_of_the_list_has_a_recorded_version() -> None:
    assert {tool.how for tool in TOOLS} == set(SAID) == set(VERSIONS)


@pytest.mark.parametrize("name", SAID)
def test_a_tools_version_is_read(name: str) -> None:
    assert tools.version_in(SAID[name]) == VERSIONS[name]


@pytest.mark.parametrize("gone", SAID)
def test_a_tool_that_is_gone_fails_or_hangs_is_lacking(gone: str) -> None:
    """And no other one is."""
    wrong = {
        "": None,
        "fails: error while loading shared libraries": Answer(127, "error while loading shared libraries\n"),
        "gives no answer": Answer(-1, late=True),
    }
    for said, answer in wrong.items():
        answers = {name: Answer(0, text) for name, text in SAID.items() if name != gone}
        found = tools.findings(TOOLS, answers | ({gone: answer} if answer else {}), DEBIAN)
        states = {one.name: one.state for one in found}
        assert {name for name, state in states.items() if state is not State.OK} == {gone}
        (one,) = (one for one in found if one.name == gone)
        assert one.found == said
        assert "scripts/setup lab" in one.mend
        assert one.purpose


def test_what_is_asked_is_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("srv6lab.host.packages._ROOTS_PATH", "/nonexistent")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tools.questions(TOOLS) == {}
    (tmp_path / "ip").write_text("#!/bin/sh\n")
    (tmp_path / "ip").chmod(0o755)
    assert tools.questions(TOOLS) == {"ip": (str(tmp_path / "ip"), "-V")}


@pytest.mark.parametrize("name", LABS)
def test_a_labs_needs_name_its_parts(name: str) -> None:
    plan, _ = SITE.load(SITE.refer(name))
    names = {one for need in of_lab(plan) for one in need.names}
    for machine in plan.nodes:
        assert {bound(local.behavior.name, local.flavors) for local in machine.local_sids} <= names
        assert {f"seg6 {policy.mode}" for policy in machine.steering} <= names
        assert not machine.proxies or "SR proxy" in names
        assert not machine.services or {"suricata", "snort"} & names
    assert memory(plan) == sum(machine.memory for machine in plan.nodes)


@pytest.mark.parametrize("name", LABS)
def test_every_need_of_a_lab_can_be_met(name: str) -> None:
    """By something that is looked at: a need by a name that nothing has would never be."""
    looked_at = (
        {probe.name for probe in probes()}
        | {tool.how for tool in TOOLS}
        | {tool.how for tool in tools.OTHER_ENGINES}
    )
    plan, _ = SITE.load(SITE.refer(name))
    for need in of_lab(plan):
        assert set(need.names) <= looked_at


def test_the_small_lab_needs_what_it_says_and_no_more() -> None:
    assert of_lab(planned()) == (
        Need(("seg6 encap",), "gate steers into 2 segments"),
        Need(("End.DX4",), "SID fc00:a::d4 of gate"),
        Need(("End",), "SID fc00:b::e of exit"),
    )


@pytest.mark.parametrize("there", [True, False])
def test_a_lab_with_frr_needs_what_builds_its_root_until_it_is_there(
    there: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frr_root, "is_here", lambda: there)
    plan = next(plan for plan in SITE.plans() if any(node.routing for node in plan.nodes))
    assert [need.names for need in of_lab(plan)].count(("mmdebstrap",)) == (0 if there else 1)


@pytest.mark.parametrize(
    ("flavors", "name"),
    [
        ((), "End"),
        (("PSP",), "End with PSP"),
        (("NEXT-CSID",), "End with NEXT-CSID"),
        (("PSP", "NEXT-CSID"), "End with NEXT-CSID, PSP"),
    ],
)
def test_flavors_are_needed_with_their_behavior(flavors: tuple[str, ...], name: str) -> None:
    """By the name of a probe: else nothing would ever meet the need."""
    plan = planned()
    (leave,) = (machine for machine in plan.nodes if machine.name == "exit")
    (end,) = (local for local in leave.local_sids if local.behavior.name == "End")
    alone = replace(leave, local_sids=(replace(end, flavors=flavors),), steering=())
    (need,) = of_lab(replace(plan, nodes=(alone,)))
    assert need.names == (name,)
    assert name in {probe.name for probe in probes()}


def finding(name: str, state: State = State.OK, mend: str = "") -> Finding:
    return Finding("tools", name, state, "said", "purpose", mend)


def test_any_one_of_several_is_enough() -> None:
    either = Need(("suricata", "snort"), "service ids")
    lacking = finding("suricata", State.LACKING)
    assert unmet([either], [lacking, finding("snort")]) == ()
    assert unmet([either], [lacking, finding("snort", State.UNKNOWN)]) == (either,)
    assert unmet([either], []) == (either,)


def diagnosis(*findings: Finding, needs: tuple[Need, ...], lab: str = "") -> Diagnosis:
    return Diagnosis("netns", DEBIAN, findings, needs, (LabAnswer("one", unmet(needs, findings)),), lab)


def test_what_is_needed_and_lacking_stands_out() -> None:
    found = diagnosis(
        finding("ip"),
        finding("tshark", State.LACKING, "scripts/setup lab"),
        finding("VRF", State.LACKING, "another kernel"),
        finding("End", State.UNKNOWN),
        needs=(Need(("ip",), "every lab"), Need(("tshark",), "every check")),
    )
    assert not found.works
    assert diagnosis_text(found) == (
        "Debian 12, Linux 6.1, x86-64; provider netns\n"
        "tools\n"
        "  ok    ip      purpose (said)\n"
        "  MISS  tshark  purpose\n"
        "                said: said\n"
        "                mend: scripts/setup lab\n"
        "  -     VRF     purpose\n"
        "                said: said\n"
        "                mend: another kernel\n"
        "  ?     End     purpose (said)\n"
        "labs\n"
        "  -     one: lacks tshark (every check)\n"
        "netns: this machine lacks tshark\n"
    )


def test_what_a_tool_says_steers_no_terminal() -> None:
    rude = Finding("tools", "ip", State.LACKING, "\x1b[2Jgone\x07", "purpose", "scripts/setup lab")
    assert "said: \ufffd[2Jgone\ufffd\n" in diagnosis_text(diagnosis(rude, needs=()))
    assert "\\u001b[2Jgone" in diagnosis_json(diagnosis(rude, needs=()))


def test_all_that_is_needed_is_said() -> None:
    found = diagnosis(finding("ip"), needs=(Need(("ip",), "every lab"),), lab="one")
    assert found.works
    assert diagnosis_text(found).endswith(
        "  ok    one\none under netns: this machine has all that is needed\n"
    )


def test_json_has_every_word() -> None:
    need = Need(("suricata", "snort"), "service ids")
    lacking = finding("suricata", State.LACKING, "scripts/setup lab")
    found = diagnosis(lacking, finding("ip"), needs=(need,), lab="one")
    assert json.loads(diagnosis_json(found)) == {
        "schema": 1,
        "provider": "netns",
        "lab": "one",
        "works": False,
        "system": {"family": "debian", "name": "Debian 12", "kernel": "Linux 6.1", "processor": "x86-64"},
        "findings": [
            {
                "area": "tools",
                "name": "suricata",
                "state": "lacking",
                "found": "said",
                "purpose": "purpose",
                "mend": "scripts/setup lab",
                "needed": True,
            },
            {
                "area": "tools",
                "name": "ip",
                "state": "ok",
                "found": "said",
                "purpose": "purpose",
                "mend": "",
                "needed": False,
            },
        ],
        "labs": [
            {
                "name": "one",
                "runs": False,
                "lacks": [{"any_of": ["suricata", "snort"], "why": "service ids"}],
            }
        ],
    }


def test_one_that_another_stands_in_for_is_not_missed() -> None:
    either = Need(("suricata", "snort"), "service ids")
    found = diagnosis(finding("suricata", State.LACKING), finding("snort"), needs=(either,))
    assert found.works
    assert "MISS" not in diagnosis_text(found)


def test_the_provider_is_the_systems_own_unless_named() -> None:
    assert choose("", DEBIAN) == "netns"
    assert choose("", WINDOWS) == "virtualbox"
    assert choose("libvirt", DEBIAN) == "libvirt"
    with pytest.raises(UsageError, match=r"no provider 'vmware'"):
        choose("vmware", DEBIAN)
    with pytest.raises(UsageError, match="netns is for Linux, and this is Windows 11"):
        choose("netns", WINDOWS)


def test_virtual_machines_of_a_lab_need_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked for a lab, its memory and disk are needed; asked for none, they are only told."""
    plan, _ = SITE.load(SITE.refer(LABS[0]))
    monkeypatch.setattr("srv6lab.doctor.vagrant.free_disk", lambda _: 1)
    monkeypatch.setattr(
        "srv6lab.doctor.vagrant.ask",
        lambda *_: {"memory": Answer(0, "MemTotal: 9999 kB\nMemAvailable: 2048 kB\n")},
    )
    asked = diagnose("virtualbox", [], plan, tmp_path)
    assert {"memory", "disk"} <= {str(need) for need in asked.unmet}
    (answer,) = asked.labs
    assert (answer.name, answer.runs) == (plan.name, False)
    every = diagnose("virtualbox", [plan], None, tmp_path)
    assert not {"memory", "disk"} & {str(need) for need in every.unmet}


def test_the_list_is_not_empty() -> None:
    assert {tool.group for tool in listed()} == {
        "lab",
        "kernel",
        "box",
        "virtualbox",
        "libvirt",
        "prove",
        "site",
        "test",
    }
    assert all(isinstance(tool, Tool) and tool.purpose and tool.package for tool in listed())
