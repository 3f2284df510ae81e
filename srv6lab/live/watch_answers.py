"""What a node says when it is asked: its NICs and what they counted, its routes, its policies. One script through the
provider, so namespaces and virtual machines are asked alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from srv6lab.agent import FOLDER
from srv6lab.errors import MachineError
from srv6lab.live.instance import Instance
from srv6lab.live.watch_state import DOWN, UP, Counted, Policy, Route

POLICIES = f"{FOLDER}/state.json"
_PATIENCE = 15.0
_HEAD = "-- "
_END = "-- end"
SCRIPT = rf"""
look() {{
  echo "{_HEAD}dev $1"; cat /proc/net/dev; echo "{_HEAD}link $1"; ip -json link show; echo
  echo "{_HEAD}v6 $1"; ip -s -json -6 route show table all; echo
  echo "{_HEAD}v4 $1"; ip -s -json -4 route show table all; echo
}}
exec 2>/dev/null
look
for netns in /run/netns/*; do
  [[ ! -e $netns ]] || nsenter --net="$netns" bash -c "$(declare -f look); look ${{netns##*/}}"
done
echo "{_HEAD}policies"; cat {POLICIES}; echo; echo "{_END}"
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one node said. NICs and their MACs are by NIC with its namespace (`r1/service:eth1`), routes by namespace."""

    nics: Mapping[str, str]
    macs: Mapping[str, str]
    packets: Mapping[str, Counted]
    routes: Mapping[str, frozenset[Route]]
    policies: Mapping[tuple[str, str], Policy]


def ask(lab: Instance, node: str) -> Answer:
    """Ask a node; MachineError if it doesn't answer."""
    result = lab.exec(node, ["bash", "-c", SCRIPT], timeout=_PATIENCE)
    if result.exit_code or _END not in result.stdout:
        raise MachineError(f"{node} can't be asked: {result.stderr.strip() or 'it said nothing'}")
    return read(node, result.stdout)


def read(node: str, said: str) -> Answer:
    """A node's answer as values; MachineError if it isn't as tools write it."""
    nics: dict[str, str] = {}
    macs: dict[str, str] = {}
    packets: dict[str, Counted] = {}
    routes: dict[str, frozenset[Route]] = {}
    policies: Mapping[tuple[str, str], Policy] = {}
    try:
        for section, netns, text in _sections(said):
            place = f"{node}/{netns}" if netns else node
            if section == "dev":
                packets |= {f"{place}:{nic}": one for nic, one in counters(text).items()}
            elif section == "link":
                for nic, state, mac in _links(json.loads(text or "[]")):
                    nics[f"{place}:{nic}"], macs[f"{place}:{nic}"] = state, mac
            elif section in ("v4", "v6"):
                found = _routes(json.loads(text or "[]"))
                routes[place] = routes.get(place, frozenset()) | frozenset(found)
            elif section == "policies":
                policies = read_policies(node, text)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise MachineError(f"{node} answers otherwise than its tools do: {error!r}") from None
    return Answer(nics, macs, packets, routes, policies)


def _sections(said: str) -> Iterator[tuple[str, str, str]]:
    for block in f"\n{said}".split(f"\n{_HEAD}")[1:]:
        title, _, text = block.partition("\n")
        section, _, netns = title.strip().partition(" ")
        yield section, netns, text.strip()


def counters(text: str) -> dict[str, Counted]:
    """/proc/net/dev by NIC, without the loopback."""
    found = {}
    for line in text.splitlines()[2:]:
        nic, _, rest = line.rpartition(":")
        if (name := nic.strip()) and name != "lo":
            numbers = [int(word) for word in rest.split()]
            found[name] = Counted(numbers[1], numbers[9], numbers[0], numbers[8], numbers[3] + numbers[11])
    return found


def _links(document: Any) -> Iterator[tuple[str, str, str]]:
    """Each NIC but the loopback, whether it is up and has a carrier, and its MAC."""
    for one in document:
        flags = one.get("flags", ())
        if "LOOPBACK" not in flags:
            state = UP if {"UP", "LOWER_UP"} <= {*flags} else DOWN
            yield str(one["ifname"]), state, str(one.get("address", ""))


_BY_ITSELF = ("local", "broadcast", "multicast", "anycast")  # these come with an address
_NOT_TOLD = frozenset(
    {
        "dst",
        "type",
        "table",
        "protocol",
        "flags",
        "pref",
        "stats64",
        "metric",
        "expires",
        "cache",
        "encap_type",
    }
    | {"scope", "nhid", "users", "age"}
)


def _routes(document: Any) -> Iterator[Route]:
    for one in document:
        if one.get("type") in _BY_ITSELF or one["dst"].startswith("fe80:"):
            continue
        encap = one.get("encap", {})
        if isinstance(encap, str):  # iproute2 before 6.15 lays it flat
            encap = {**one, "encap_type": encap}
        local = encap.get("encap_type") == "seg6local"
        packets = encap.get("stats64", {}).get("packets") if local else None
        yield Route(
            prefix=str(one["dst"]),
            table=str(one.get("table", "main")),
            how=" ".join(_how(one)),
            protocol=str(one.get("protocol", "boot")),
            behavior=str(encap.get("action", "")) if local else "",
            packets=packets if isinstance(packets, int) else None,
        )


def _how(route: Mapping[str, Any]) -> Iterator[str]:
    """What a route does, as `ip route` would say it, without what it counts."""
    if (kind := route.get("type", "unicast")) != "unicast":
        yield str(kind)
    for key, value in route.items():
        if key in _NOT_TOLD or value in ("", None):
            continue
        if key == "nexthops":
            yield from (f"nexthop {' '.join(_how(hop))}" for hop in value)
        elif isinstance(value, Mapping):
            yield f"{key} {' '.join(_how(value))}"
        elif isinstance(value, list):
            yield f"{key} {','.join(map(str, value))}"
        else:
            yield f"{_WORDS.get(key, key)} {value}"


_WORDS = {"gateway": "via"}


def read_policies(node: str, text: str) -> dict[tuple[str, str], Policy]:
    """What the agent of a headend says; nothing of one that has said nothing yet."""
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    found = {}
    for one in document["policies"]:
        active = next((path for path in one["candidate_paths"] if path["state"].startswith("active")), None)
        lists = (f"{', '.join(flow['segments'])} ({flow['share']})" for flow in one["flows"])
        candidate = (active["name"] or active["id"]) if active else ""
        said = Policy(one["name"] or "", one["action"], candidate, " and ".join(lists))
        found[node, f"{one['color']} to {one['endpoint']}"] = said
    return found
