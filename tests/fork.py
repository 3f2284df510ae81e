"""A topology of the tests' own with a headend: three ways from gate to exit, and a customer on either side."""

from __future__ import annotations

from srv6lab.plan.nodes import Plan
from tests.small import planned

FORK = """\
name: fork
nodes:
  west: {role: host, routes: [{prefix: 10.0.2.0/24, via: 10.0.1.2}]}
  gate:
    role: router
    locator: "fc00:a::/64"
    loopback: "fc00:a::1/64"
    headend: {flows: [{class: 1, protocol: udp, port: 5001}]}
    routes:
      - {prefix: "fc00:c::/64", via: "2001:ac::2"}
      - {prefix: "fc00:d::/64", via: "2001:ad::2"}
      - {prefix: "fc00:b::/64", via: "2001:ab::2"}
  north: {role: router, locator: "fc00:c::/64", loopback: "fc00:c::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:ac::1"}, {prefix: "fc00:b::/64", via: "2001:cb::2"}]}
  south: {role: router, locator: "fc00:d::/64", loopback: "fc00:d::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:ad::1"}, {prefix: "fc00:b::/64", via: "2001:db::2"}]}
  exit: {role: router, locator: "fc00:b::/64", loopback: "fc00:b::1/64", routes: [{prefix: "fc00:a::/64", via: "2001:ab::1"}, {prefix: "fc00:c::/64", via: "2001:cb::1"}]}
  east: {role: host, routes: [{prefix: 10.0.1.0/24, via: 10.0.2.2}]}
links:
  - {name: cable-a, prefix: 10.0.1.0/24, endpoints: ["west:eth1", "gate:eth1"]}
  - {name: upper, prefix: "2001:ac::/64", mtu: 2000, delay: 5, affinities: [gold], srlgs: [7], endpoints: ["gate:eth2", "north:eth1"]}
  - {name: lower, prefix: "2001:ad::/64", mtu: 2000, te_metric: 3, endpoints: ["gate:eth3", "south:eth1"]}
  - {name: short, prefix: "2001:ab::/64", mtu: 2000, delay: 90, igp_metric: 5, endpoints: ["gate:eth4", "exit:eth4"]}
  - {name: upper-end, prefix: "2001:cb::/64", mtu: 2000, delay: 5, endpoints: ["north:eth2", "exit:eth2"]}
  - {name: lower-end, prefix: "2001:db::/64", mtu: 2000, endpoints: ["south:eth2", "exit:eth3"]}
  - {name: cable-b, prefix: 10.0.2.0/24, endpoints: ["east:eth1", "exit:eth1"]}
local_sids:
  - {node: gate, sid: "fc00:a::d4", behavior: End.DX4, nh4: 10.0.1.1}
  - {node: gate, sid: "fc00:a::c", behavior: End.X, nh6: "2001:ac::2"}
  - {node: north, sid: "fc00:c::e", behavior: End}
  - {node: south, sid: "fc00:d::e", behavior: End}
  - {node: exit, sid: "fc00:b::e", behavior: End}
  - {node: exit, sid: "fc00:b::d4", behavior: End.DX4, nh4: 10.0.2.1}
policies:
  - headend: gate
    color: 10
    endpoint: "fc00:b::1"
    name: gold
    candidate_paths:
      - preference: 200
        discriminator: 1
        binding_sid: "fc00:a::b"
        segment_lists: [{segments: ["fc00:c::e"], weight: WEIGHT}, {segments: ["fc00:d::e"], weight: 1}]
      - {discriminator: 2, binding_sid: "fc00:a::b", segment_lists: [{segments: ["fc00:b::e"]}]}
  - headend: gate
    color: 20
    endpoint: "fc00:b::1"
    drop_upon_invalid: true
    candidate_paths: [{dynamic: {metric: delay}}]
steering:
  - {headend: gate, match: {prefix: 10.0.2.0/24}, to: TARGET}
  - {headend: exit, match: {prefix: 10.0.1.0/24}, to: {segments: ["fc00:a::d4"]}}
exercises:
  - name: shared
    apply: APPLY
    probes: [{id: flows, from: west, to: east, udp: 400, port: PORT}]
    expect:
      packets:
        - {at: "gate:eth2", direction: out, probe: flows, share: 3/4, destination: "fc00:c::e", segments_left: 1, inner: {destination: 10.0.2.1}}
        - {at: "gate:eth3", direction: out, probe: flows, share: 1/4, destination: "fc00:d::e", segments_left: 1, inner: {destination: 10.0.2.1}}
"""
GOLD = '{endpoint: "fc00:b::1", colors: [10], sid: "fc00:b::d4"}'
FAST = '{endpoint: "fc00:b::1", colors: [20], sid: "fc00:b::d4"}'
BY_CLASS = '{endpoint: "fc00:b::1", array: [{class: 0, color: 10}, {class: 1, color: 20}], sid: "fc00:b::d4"}'


def text(target: str = GOLD, *cut: str, port: int = 5000, weight: int = 3) -> str:
    """With some links cut in its exercise; `weight` is that of the first list, beside 1."""
    apply = "[" + ", ".join(f"{{cut: {{link: {name}}}}}" for name in cut) + "]"
    given = {"TARGET": target, "APPLY": apply, "PORT": str(port), "WEIGHT": str(weight)}
    made = FORK
    for name, value in given.items():
        made = made.replace(name, value)
    return made


def fork(target: str = GOLD, *cut: str, port: int = 5000, weight: int = 3) -> Plan:
    return planned(text(target, *cut, port=port, weight=weight))
