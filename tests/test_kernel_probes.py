"""Probes from a chosen address to a chosen one, marked, short-lived, and by TCP, on this kernel: all witnesses agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from srv6lab.cli.tasks import check
from srv6lab.evidence.verdict import Status
from tests.conftest import silent

ENDS = """\
name: ends
nodes:
  west: {role: host, loopback: "fd00:1::1/128", routes: [{prefix: 10.0.0.0/8, via: 10.0.1.2}, {prefix: "2001:b::/64", via: "2001:a::2"}, {prefix: "fd00:2::/64", via: "2001:a::2"}]}
  gate: {role: router, locator: "fc00:a::/64", routes: [{prefix: "fc00:b::/64", via: "2001:ab::2"}, {prefix: "fd00:1::/64", via: "2001:a::1"}, {prefix: "fd00:2::/64", via: "2001:ab::2"}]}
  exit: {role: router, locator: "fc00:b::/64", routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}, {prefix: "fd00:2::/64", via: "2001:b::1"}, {prefix: "fd00:1::/64", via: "2001:ab::1"}]}
  east: {role: host, loopback: "fd00:2::1/128", routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}, {prefix: "2001:a::/64", via: "2001:b::2"}, {prefix: "fd00:1::/64", via: "2001:b::2"}]}
links:
  - {name: cable-a, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "gate:eth1"]}
  - {name: core, prefix: "2001:ab::/64", mtu: 2000, endpoints: ["gate:eth2", "exit:eth2"]}
  - {name: cable-b, prefix: 10.0.2.0/24, endpoints: ["east:eth1", "exit:eth1"]}
  - {name: cable-c, prefix: "2001:a::/64", endpoints: ["west:eth2", "gate:eth3"]}
  - {name: cable-d, prefix: "2001:b::/64", endpoints: ["east:eth2", "exit:eth3"]}
local_sids:
  - {node: gate, sid: "fc00:a::d4", behavior: End.DX4, nh4: 10.0.1.1}
  - {node: gate, sid: "fc00:a::d6", behavior: End.DT6, table: 254}
  - {node: exit, sid: "fc00:b::e", behavior: End}
  - {node: exit, sid: "fc00:b::d4", behavior: End.DX4, nh4: 10.0.2.1}
  - {node: exit, sid: "fc00:b::d6", behavior: End.DT6, table: 254}
steering:
  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: {segments: ["fc00:b::e", "fc00:b::d4"]}}
  - {headend: exit, match: {prefix: 10.0.1.0/24}, to: {segments: ["fc00:a::d4"]}}
  - {headend: gate, match: {prefix: "2001:b::/64"}, to: {segments: ["fc00:b::d6"]}}
  - {headend: exit, match: {prefix: "2001:a::/64"}, to: {segments: ["fc00:a::d6"]}}
exercises:
  - name: marked
    probes:
      - {id: six, from: west, to: east, family: 6, icmp: 2, dscp: 46, answered: all}
      - {id: four, from: west, to: east, icmp: 2, dscp: 46, answered: all}
      - {id: fourof, from: west, to: east, family: 4, udp: 2, dscp: 10, size: 300, hop_limit: 9}
      - {id: sixof, from: west, to: east, family: 6, udp: 2, dscp: 10, size: 300, hop_limit: 9}
      - {id: srh, from: gate, to: exit, icmp: 2, segments: ["fc00:b::e"], dscp: 46, hop_limit: 7, source: "2001:a::2"}
    expect: {packets: [{at: "east:eth2", direction: in, probe: six}]}
  - name: chosen
    probes:
      - {id: loops, from: west, source: "fd00:1::1", destination: "fd00:2::1", icmp: 2, answered: all}
      - {id: udp, from: west, source: "fd00:1::1", destination: "fd00:2::1", udp: 3}
      - {id: nobody, from: west, destination: 10.0.2.77, icmp: 2, answered: none}
      - {id: nowhere, from: west, destination: 10.7.7.7, icmp: 2, answered: none}
      - {id: nosid, from: west, destination: "2001:b::77", icmp: 2, answered: none}
    expect: {packets: [{at: "east:eth2", direction: in, probe: loops, source: "fd00:1::1"}]}
  - name: short4
    probes:
      - {id: one, from: west, to: east, icmp: 1, hop_limit: 1, answered: none}
      - {id: two, from: west, to: east, icmp: 1, hop_limit: 2, answered: all}
      - {id: uone, from: west, to: east, udp: 1, hop_limit: 1}
    expect: {packets: [{at: "west:eth1", direction: out, probe: one, hop_limit: 1}]}
  - name: short6
    probes:
      - {id: one, from: west, to: east, icmp: 1, family: 6, hop_limit: 1, answered: none}
      - {id: two, from: west, to: east, icmp: 1, family: 6, hop_limit: 2, answered: all}
      - {id: three, from: west, to: east, icmp: 1, family: 6, hop_limit: 3}
      - {id: l1, from: west, destination: "fd00:2::1", icmp: 1, hop_limit: 1, answered: none}
      - {id: l2, from: west, destination: "fd00:2::1", icmp: 1, hop_limit: 2, answered: none}
      - {id: l3, from: west, destination: "fd00:2::1", icmp: 1, hop_limit: 3, answered: all}
    expect: {packets: [{at: "west:eth2", direction: out, probe: two, hop_limit: 2}]}
  - name: moved
    probes: [{id: move, from: west, to: east, tcp: 60000, answered: all, dscp: 10}]
    expect:
      walk:
        move:
          there:
            - west:eth1 > gate:eth1: 10.0.1.1 → 10.0.2.1 hl 64 tcp
            - gate > exit: 2001:ab::1 → fc00:b::e hl 63 [fc00:b::d4, *fc00:b::e] | same
            - exit:eth1 > east:eth1: same hl 63
          back:
            - east:eth1 > exit:eth1: 10.0.2.1 → 10.0.1.1 hl 64 tcp
            - exit > gate: 2001:ab::2 → fc00:a::d4 hl 63 [*fc00:a::d4] | same
            - gate:eth1 > west:eth1: same hl 63
  - name: moved6
    probes: [{id: move, from: west, to: east, family: 6, tcp: 60000, answered: all, port: 80, hop_limit: 20}]
    expect: {packets: [{at: "east:eth2", direction: in, probe: move}]}
  - name: hole
    apply: [{mtu: {link: core, to: 1500}}]
    probes: [{id: move, from: west, to: east, tcp: 60000, answered: none}, {id: little, from: west, to: east, tcp: 1000, answered: all}]
    expect: {packets: [{at: "west:eth1", direction: in, probe: move}]}
  - name: pmtu
    apply: [{mtu: {link: core, to: 1400}}]
    probes: [{id: move, from: west, source: "fd00:1::1", to: east, destination: "fd00:2::1", tcp: 60000, answered: all}]
    expect: {packets: [{at: "east:eth2", direction: in, probe: move}]}
  - name: hops
    probes:
      - {id: four, from: west, to: east, traceroute: 5, hops: [exit, east]}
      - {id: six, from: west, to: east, family: 6, traceroute: 4, hops: ["*", east]}
      - {id: plain, from: west, source: "fd00:1::1", destination: "fd00:2::1", traceroute: 4, hops: [gate, exit, "fd00:2::1"]}
      - {id: nobody, from: west, destination: 10.0.2.77, traceroute: 2}
      - {id: short, from: west, source: "fd00:1::1", destination: "fd00:2::1", traceroute: 2, dscp: 10, size: 100, hops: [gate, exit]}
    expect: {}
"""


def test_kernel_and_model_agree_and_what_is_done_to_a_node_is_named(bring_up: Any, tmp_path: Path) -> None:
    (path := tmp_path / "ends.yml").write_text(ENDS)
    lab = bring_up(str(path))
    names = [one.name for one in lab.plan.exercises]
    for verdict in check(lab.running, lab.plan, names, silent):
        wrong = [item for item in verdict.items if item.status is not Status.PASS]
        assert not wrong, (verdict.exercise, wrong)

    rule = "add table ip6 t; add chain ip6 t c { type filter hook postrouting priority 0; }; "
    lab.sh("west", f"nft '{rule}add rule ip6 t c icmpv6 type echo-request ip6 dscp set cs0'")
    lab.sh("gate", "ip link set eth2 mtu 1500")
    lab.sh("exit", "sysctl -qw net.ipv4.icmp_ratelimit=600000; sysctl -qw net.ipv6.icmp.ratelimit=600000")
    marked, moved, hops = check(lab.running, lab.plan, ["marked", "moved", "hops"], silent)
    assert ("traffic_class", "west:eth2", "six") in {
        (item.field, str(item.point), item.probe) for item in marked.items if item.status is Status.FAIL
    }
    assert marked.suspects[0].cause == "field-rewritten"
    assert "stalled at 0 of 60000 bytes" in " ".join(item.note for item in moved.items)
    assert [(one.cause, one.node, one.proven) for one in moved.suspects] == [("mtu", "gate", True)]
    (tally,) = (item for item in hops.items if item.kind == "hops" and item.probe == "plain")
    assert (tally.status, tally.captured, tally.alone) == (Status.FAIL, "gate, *, east", "captured")
    assert [(one.cause, one.node, one.proven) for one in hops.suspects] == [("errors-limited", "exit", True)]


BEHIND = """\
name: behind
nodes:
  west: {role: host, routes: [{prefix: "fc00:a::/64", via: "2001:a::2"}]}
  gate: {role: sr-proxy, locator: "fc00:a::/64"}
services:
  box:
    node: gate
    netns: box
    ports:
      - {outside: in0, inside: in1, prefix: "fd00:1::/64"}
      - {outside: out0, inside: out1, prefix: "fd00:2::/64"}
    rules: box.rules
links:
  - {name: cable, prefix: "2001:a::/64", endpoints: ["west:eth1", "gate:eth1"]}
local_sids:
  - {node: gate, sid: "fc00:a::ad6", behavior: End.AD6, service: box}
"""


def test_a_services_neighbors_answer_from_the_first_packet_on(bring_up: Any, tmp_path: Path) -> None:
    """A router asks for its neighbors from a link-local address, once that isn't tentative any more."""
    (path := tmp_path / "behind.yml").write_text(BEHIND)
    (tmp_path / "box.rules").write_text('alert icmp any any -> any any (msg:"seen"; sid:1000;)\n')
    lab = bring_up(str(path))
    assert lab.sh("gate", "ip -6 -netns box -oneline address show scope link").count("\n") == 2
    assert lab.sh("gate", "ip -6 -netns box -oneline address show tentative").strip() == ""
    settings = "cat /proc/sys/net/ipv6/conf/{all,default,in1,out1}/accept_dad"
    assert {*lab.sh("gate", f"ip netns exec box bash -c '{settings}'").split()} == {"0"}
