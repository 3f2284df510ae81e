"""The file of a lab with FRR in each router: a ring that runs IS-IS with SRv6 locators, and an L3VPN between two customers at
opposite ends of it. `scale.py --routed` times it."""

from __future__ import annotations

NODE = """\
  r{n}:
    role: router
    router_id: 10.0.{high}.{low}
    loopback: "fd00::{n}/128"
    locator: "fc00:{n}::/48"
    sid_structure: {{block: 16, node: 32, function: 32, argument: 0}}
    isis: {{instance: core, net: 49.0001.0000.0000.{n:04}.00}}
"""
EDGE = """\
    bgp: {{as: 100, neighbors: [{{node: r{other}, families: [vpnv4]}}]}}
    vrfs:
      blue: {{rd: "100:{n}", import: ["1:1"], export: ["1:1"], sid: "fc00:{n}:0:100::", redistribute: [connected]}}
"""
CUSTOMER = '  {name}: {{role: host, routes: [{{prefix: 192.168.0.0/16, via: "{gateway}"}}]}}\n'
EXERCISE = """\
exercises:
  - name: across
    probes: [{id: ping, from: left, to: right, icmp: 1}]
    expect: {elsewhere: any, packets: [{at: "right:eth1", direction: in, probe: ping}]}
"""


def routed_file(size: int) -> str:
    """A ring of so many routers, 4 or more."""
    edges = {1: 1 + size // 2, 1 + size // 2: 1}
    nodes = "".join(
        NODE.format(n=number, high=number // 256, low=number % 256)
        + (EDGE.format(n=number, other=edges[number]) if number in edges else "")
        for number in range(1, size + 1)
    )
    links = "".join(
        f'  - {{isis: {{}}, mtu: 2000, prefix: "2001:db8:{number}::/64", endpoints: [r{number}, r{number % size + 1}]}}\n'
        for number in range(1, size + 1)
    )
    customers = ""
    for place, (name, number) in enumerate(zip(("left", "right"), edges, strict=True), 1):
        prefix = f"192.168.{place}"
        nodes += CUSTOMER.format(name=name, gateway=f"{prefix}.1")
        customers += (
            f"  - {{prefix: {prefix}.0/24, endpoints: [{{at: r{number}, vrf: blue, address: {prefix}.1}}, "
            f'{{at: "{name}:eth1", address: {prefix}.2}}]}}\n'
        )
    return f"name: routed\nnodes:\n{nodes}links:\n{links}{customers}{EXERCISE}"
