"""Own lines of FRR's configuration: they reach FRR as they stand, a stranger's are shown first, and the model says what it
doesn't know."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from srv6lab.cli import trust
from srv6lab.errors import TopologyError, UsageError
from srv6lab.plan.nodes import Plan
from srv6lab.plan.own import unmodeled
from srv6lab.plan.planner import plan
from srv6lab.render.day0 import render
from srv6lab.topology.load import loads
from tests.conftest import tool
from tests.test_injection import PAYLOADS

PAIR = """\
name: pair
nodes:
  a: {role: router, router_id: 192.0.2.1, loopback: "fc00:0:1::1/128", ospf6: {}, frr: OWN}
  b: {role: router, router_id: 192.0.2.2, loopback: "fc00:0:2::1/128", ospf6: {}}
links: [{name: ab, prefix: "2001:db8:1::/64", ospf6: {}, endpoints: ["a:eth1", "b:eth1"]}]
exercises: [{name: ping, probes: [{id: echo, from: a, to: b, icmp: 1}], expect: {}}]
"""


def pair(own: str, folder: Path | None = None) -> Plan:
    lab = loads(PAIR.replace("OWN", own), "pair.yml", folder)
    return plan(lab.topology, lab.source.locate, lab.files)


def written(found: Plan, folder: Path) -> list[str]:
    """What Day0 writes behind the configuration that is generated."""
    script = render(found)["day0/a.sh"]
    (part,) = re.findall(r"^generated=.*?^printf .*?\n", script, re.DOTALL | re.MULTILINE)
    conf = folder / "frr.conf"
    conf.write_text("generated\n")
    shell = "set -eu\neth1=enp0s8\n" + part.replace("/etc/frr/frr.conf", str(conf))
    done = subprocess.run([tool("bash"), "-c", shell], cwd=folder, capture_output=True, text=True, check=True)
    assert not done.stderr and [one.name for one in folder.iterdir() if one.name == "canary"] == []
    return conf.read_text("utf-8").splitlines()[1:]


ONE_LINE = [one for one in PAYLOADS if re.fullmatch("[ -~]+", one) and len(one) <= 500]


def test_a_line_is_written_as_it_stands_and_never_run(tmp_path: Path) -> None:
    lines = [one for one in ONE_LINE if one != "end"]
    assert len(lines) > 20
    own = "{lines: [" + ", ".join("'" + one.replace("'", "''") + "'" for one in lines) + "]}"
    assert written(pair(own), tmp_path) == lines


def test_lines_of_a_file_come_first_and_know_nics_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("interface $eth1\n ip ospf priority 3 $(touch canary)\nexit\nEOF\n")
    found = pair('{file: own.conf, lines: ["! $eth1 and $eth2"]}', tmp_path)
    folder = tmp_path / "node"
    folder.mkdir()
    assert written(found, folder) == [
        "interface enp0s8",
        " ip ospf priority 3 $(touch canary)",
        "exit",
        "EOF",
        "! enp0s8 and $eth2",
    ]


def test_a_command_of_vtysh_in_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.conf").write_text("! first\n  do start-shell bash\n")
    with pytest.raises(TopologyError, match=r"line 2 of own\.conf: `do` is a command of vtysh"):
        pair("{file: own.conf}", tmp_path)


def test_no_text_but_printable_ascii_is_one_line() -> None:
    for text in (r'"a\nb"', r'"a\rb"', '"é"', r'"a\eb"', '""'):
        with pytest.raises(TopologyError, match="one line of printable ASCII"):
            pair(f"{{lines: [{text}]}}")


SAID = """\
[11|zebra] sending configuration
line 12: % Unknown command[7]:  match foo
line 3: % Unknown command[7]: ours
line 12: % Unknown command[7]:  match foo
[11|zebra] Configuration file[/etc/frr/frr.conf] processing failure: 2
"""


def test_what_frr_refuses_is_told_by_its_line_in_frrs_words() -> None:
    script = render(pair('{lines: ["route-map x permit 1", " match foo"]}'))["day0/a.sh"]
    (part,) = re.findall(r"vtysh -b 2>&1\); then\n(.*?)\n +echo \"\$said\"", script, re.DOTALL)
    shell = f"set -eu\ngenerated=10\nsaid=$(cat)\n{part}"
    done = subprocess.run([tool("bash"), "-c", shell], input=SAID, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "day0/a.sh: FRR refuses line 2 of a's own: % Unknown command[7]:  match foo\n"
    of_ours = SAID.replace("line 12", "line 2")
    done = subprocess.run([tool("bash"), "-c", shell], input=of_ours, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")  # all of it is told then


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("[1|zebra] done\\n% Configuration applied with notes:\\nNo changes found", ""),
        ("% Only ipv4 unicast\\n[1|zebra] done\\n% Only ipv4 unicast", "% Only ipv4 unicast"),
        (
            "line 9: Warning[4]...: early exit from config file\\n[1|zebra] done",
            "line 9: Warning[4]...: early exit from config file",
        ),
    ],
)
def test_what_a_daemon_refuses_without_a_line_is_told(said: str, refused: str) -> None:
    script = render(pair('{lines: ["route-map x permit 1"]}'))["day0/a.sh"]
    (part,) = re.findall(r"^  # Some of what daemons.*?^  fi\n", script, re.DOTALL | re.MULTILINE)
    shell = f"set -euo pipefail\nsaid=$'{said}'\nconfigure() {{\n{part}echo went on\n}}\nconfigure"
    done = subprocess.run([tool("bash"), "-c", shell], capture_output=True, text=True)
    told = f"day0/a.sh: FRR refuses some of a's own lines: {refused}\n" if refused else ""
    assert (done.stdout, done.stderr) == ("" if refused else "went on\n", told)


def test_only_lines_that_may_change_routes_are_not_modeled() -> None:
    quiet = pair(
        '{lines: ["! words", "log commands", "interface eth1", " description a link", "exit", "debug ospf6 lsa all"]}'
    )
    assert unmodeled(quiet) == {}
    found = unmodeled(pair('{lines: ["ipv6 route 2001:db8:9::/64 blackhole"]}'))
    assert found == {
        "a": "a has lines of FRR of its own",
        "b": "b learns routes, and a has lines of FRR of its own",
    }
    assert unmodeled(pair('{lines: ["router ospf6"]}'))


def test_a_strangers_lines_are_shown_before_they_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    found = pair('{lines: ["log file /tmp/x", "ip prefix-list p permit any"]}')
    with pytest.raises(UsageError) as caught:
        trust.require(found, "pair", trust=False)
    assert "  a:\n    (FRR) log file /tmp/x\n    (FRR) ip prefix-list p permit any" in str(caught.value)
    trust.require(found, "pair", trust=True)
    trust.require(found, "pair", trust=False)
    with pytest.raises(UsageError):
        trust.require(pair('{lines: ["log file /tmp/y"]}'), "pair", trust=False)


def test_daemons_of_own_lines_are_started_once() -> None:
    found = pair("{daemons: [ripngd, ospf6d]}").node("a")
    assert found.routing and found.routing.daemons == ("mgmtd", "zebra", "staticd", "ospf6d", "ripngd")
