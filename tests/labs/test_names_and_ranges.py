"""What large labs are written with, on a real kernel: names of all kinds, and a fabric of ranges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from tests.conftest import REPOSITORY, Up, silent

NAMES = """\
name: Names_1
vars: {core_mtu: 2000}
groups: {edges: {members: ["PE[1-2]"], role: router, locator: "fc00:{n}::/64", loopback: "fc00:{n}::1/64"}}
nodes:
  Host_a: {role: host, routes: [{prefix: "::/0", via: "2001:a::2"}]}
  PE1: {routes: [{prefix: "fc00:2::/64", via: "2001:12::2"}]}
  PE2: {routes: [{prefix: "fc00:1::/64", via: "2001:12::1"}]}
  hostB: {role: host, routes: [{prefix: "::/0", via: "2001:b::2"}]}
links:
  - {name: Net_0, prefix: "2001:a::/64", endpoints: ["Host_a:net0", "PE1:ge-0-0-1"]}
  - {name: Core, prefix: "2001:12::/64", mtu: "{core_mtu}", endpoints: ["PE1:Gi0_2", "PE2:nic"]}
  - {prefix: "2001:b::/64", endpoints: ["hostB:PATH", "PE2:eth1.10"]}
local_sids:
  - {node: "PE[1-2]", sid: "fc00:{n}::d6", behavior: End.DT6, table: 254}
steering:
  - {headend: PE1, match: {prefix: "2001:b::/64"}, to: {segments: ["fc00:2::d6"]}}
  - {headend: PE2, match: {prefix: "2001:a::/64"}, to: {segments: ["fc00:1::d6"]}}
exercises:
  - name: Across_1
    apply: [{mtu: {link: Core, to: 1800}}]
    probes: [{id: Ping_1, from: Host_a, to: hostB, icmp: 3}]
    steps:
      - apply: [{cut: {link: Core}}]
        probes: [{id: cut-off, from: Host_a, to: hostB, icmp: 1, answered: none}]
    expect:
      walk:
        Ping_1:
          there:
            - Host_a > PE1: "@Host_a → @hostB hl 64 icmpv6"
            - PE1 > PE2: → PE2.End.DT6 hl 63 | same
            - PE2 > hostB:PATH: same hl 63
          back:
            - hostB > PE2: "@hostB → @Host_a hl 64 icmpv6"
            - PE2:nic > PE1:Gi0_2: → PE1.End.DT6 hl 63 | same
            - PE1:ge-0-0-1 > Host_a: same hl 63
        cut-off:
          there:
            - Host_a > PE1: "@Host_a → @hostB hl 64"
            - PE1 > PE2: → PE2.End.DT6 | same
            - lost at PE2: link Core lets nothing through
"""


def begun(text: str, folder: Path, bring_up: Callable[[str], Up]) -> Up:
    (folder / "topology.yml").write_text(text, encoding="utf-8")
    return bring_up(str(folder / "topology.yml"))


def test_names_of_all_kinds_reach_the_kernel(tmp_path: Path, bring_up: Callable[[str], Up]) -> None:
    lab = begun(NAMES, tmp_path, bring_up)
    assert lab.sh("Host_a", "uname -n; ls /sys/class/net").split() == ["Host_a", "lo", "net0"]
    (verdict,) = check(lab.running, lab.plan, ["Across_1"], silent)
    assert verdict.status is Status.PASS
    lab.sh("PE2", "ip -6 route del fc00:2::d6")
    (verdict,) = check(lab.running, lab.plan, ["Across_1"], silent)
    assert verdict.status is Status.FAIL
    assert "fc00:2::d6" in str(verdict.suspects[0]) and "PE2" in str(verdict.suspects[0])
    lab.again()
    (verdict,) = check(lab.running, lab.plan, ["Across_1"], silent)
    assert verdict.status is Status.PASS


def test_a_smaller_fabric_of_the_document_passes(tmp_path: Path, bring_up: Callable[[str], Up]) -> None:
    """The document's has 98 leaves; a tenth of them is the same to a kernel."""
    text = (
        (REPOSITORY / "docs" / "large-labs.md")
        .read_text("utf-8")
        .partition("```yaml\n")[2]
        .partition("```")[0]
    )
    lab = begun(text.replace("98", "9"), tmp_path, bring_up)
    assert len(lab.plan.nodes) == 22
    (verdict,) = check(lab.running, lab.plan, ["across"], silent)
    assert verdict.status is Status.PASS
    assert {item.kind for item in verdict.items} == {"packet"}
