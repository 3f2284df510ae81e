"""Routers in a tree, as many as asked for, and probes between them that carry an SRH: one topology."""

from __future__ import annotations

import random
from collections.abc import Iterator
from ipaddress import IPv6Address, IPv6Network

CHILDREN = 5
_LOCATORS = int(IPv6Address("fd00:cafe::"))
_LINKS = int(IPv6Address("fd00:beef::"))


def topology(size: int, probes: int, segments: int) -> str:
    """`topology.yml` of a lab with `size` routers; each probe visits so many of them on its way to another."""
    lines = ["name: tree", "nodes:"]
    for number in range(size):
        locator = _locator(number)
        lines += [f"  node{number}:", "    role: router", f'    locator: "{locator}"']
        lines += [f'    loopback: "{locator[1]}/64"', "    routes:"]
        lines += [f'      - {{prefix: "{prefix}", via: "{via}"}}' for prefix, via in _routes(number, size)]
    lines.append("links:")
    for number in range(1, size):
        up = _parent(number)
        nic = (number - 1) % CHILDREN + 2
        ends = f'["node{up}:eth{nic}", "node{number}:eth1"]'
        lines.append(f'  - {{name: link{number}, prefix: "{_link(number)}", endpoints: {ends}}}')
    lines.append("local_sids:")
    for number in range(size):
        lines.append(f'  - {{node: node{number}, sid: "{_locator(number)[0xE]}", behavior: End}}')
    return "\n".join([*lines, *_exercise(size, probes, segments)]) + "\n"


def _exercise(size: int, probes: int, segments: int) -> Iterator[str]:
    chance = random.Random(8986)
    yield "exercises:\n  - name: across\n    probes:"
    for number in range(probes):
        source, to, *visited = chance.sample(range(size), 2 + segments)
        path = ", ".join(f'"{_locator(one)[0xE]}"' for one in visited)
        yield f"      - {{id: p{number}, from: node{source}, to: node{to}, icmp: 1, segments: [{path}]}}"
    yield '    expect: {packets: [{at: "node1:eth1", direction: in, probe: p0, absent: true}]}'


def _parent(number: int) -> int:
    return (number - 1) // CHILDREN


def _locator(number: int) -> IPv6Network:
    return IPv6Network((_LOCATORS + (number << 64), 64))


def _link(number: int) -> IPv6Network:
    return IPv6Network((_LINKS + (number << 64), 64))


def _routes(number: int, size: int) -> Iterator[tuple[IPv6Network, IPv6Address]]:
    """Up by default; down to each locator and link below a child."""
    if number:
        yield IPv6Network("::/0"), _link(number)[1]
    first = number * CHILDREN + 1
    for child in range(first, min(first + CHILDREN, size)):
        for below in _below(child, size):
            yield _locator(below), _link(child)[2]
            if below != child:
                yield _link(below), _link(child)[2]


def _below(number: int, size: int) -> Iterator[int]:
    pending = [number]
    while pending:
        one = pending.pop()
        yield one
        pending += [
            child for child in range(one * CHILDREN + 1, one * CHILDREN + 1 + CHILDREN) if child < size
        ]
