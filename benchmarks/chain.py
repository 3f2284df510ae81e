"""Routers in a row, as many as asked for: one topology in srv6lab's words and one in netlab's.

In both every router has a locator, a loopback and an End SID, and reaches every other router's.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network, summarize_address_range

_LOCATORS = IPv6Network("fd00:cafe::/48")
_LINKS = IPv6Network("fd00:beef::/48")


def topology(size: int) -> str:
    """`topology.yml` of a lab with `size` routers, routed by static routes."""
    lines = ["name: chain", "nodes:"]
    for number in range(1, size + 1):
        locator = _locator(number)
        lines += [f"  node{number}:", "    role: router"]
        lines += [f'    locator: "{locator}"', f'    loopback: "{locator[1]}/64"', "    routes:"]
        lines += [f'      - {{prefix: "{prefix}", via: "{via}"}}' for prefix, via in _routes(number, size)]
    lines.append("links:")
    lines += [_link(number) for number in range(1, size)]
    lines.append("local_sids:")
    for number in range(1, size + 1):
        sid = _locator(number)[0xE]
        lines.append(f'  - {{node: node{number}, sid: "{sid}", behavior: End}}')
    return "\n".join(lines) + "\n"


def netlab_topology(size: int) -> str:
    """The same for `netlab create`: FRR in containers, routed by IS-IS, which hands out the SIDs."""
    lines = ["provider: clab", "name: chain", "module: [isis, srv6]", "defaults.device: frr"]
    lines.append(f"defaults.const.MAX_NODE_ID: {max(size, 150)}")
    lines += ["addressing:", '  loopback: {ipv4: 10.0.0.0/16, ipv6: "2001:db8:1::/48"}']
    lines += ['  p2p: {ipv6: "2001:db8:2::/48"}', "  mgmt: {ipv4: 10.10.0.0/16, start: 100}"]
    lines.append(f"nodes: [{', '.join(f'node{number}' for number in range(1, size + 1))}]")
    lines.append("links:")
    lines += [f"- node{number}-node{number + 1}" for number in range(1, size)]
    return "\n".join(lines) + "\n"


def _locator(number: int) -> IPv6Network:
    """Counted from 0, so that those left of a router need few prefixes."""
    return _subnet(_LOCATORS, number - 1)


def _subnet(block: IPv6Network, number: int) -> IPv6Network:
    return IPv6Network((int(block.network_address) + (number << 64), 64))


def _link(number: int) -> str:
    left, right = f"node{number}:eth{1 if number == 1 else 2}", f"node{number + 1}:eth1"
    prefix = _subnet(_LINKS, number)
    return f'  - {{name: link{number}, prefix: "{prefix}", endpoints: ["{left}", "{right}"]}}'


def _routes(number: int, size: int) -> Iterator[tuple[IPv6Network, IPv6Address]]:
    """To the left in as few prefixes as hold exactly its locators, to the right by default."""
    if number > 1:
        first, last = _locator(1), _locator(number - 1)
        left = _subnet(_LINKS, number - 1)[1]
        yield from ((prefix, left) for prefix in summarize_address_range(first[0], last[-1]))
    if number < size:
        yield IPv6Network("::/0"), _subnet(_LINKS, number)[2]
