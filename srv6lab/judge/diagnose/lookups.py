"""How a node's answers on rules, routes, neighbors, addresses and switches are read. `about` says what they are held
against, as in `answers`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network

from srv6lab.judge.diagnose.firewalls import sets_mark

_KINDS = ("blackhole", "unreachable", "prohibit", "throw")
REFUSING = ("blackhole", "unreachable", "prohibit")
_RULE = re.compile(r"^(\d+):\s+(.*)$")
_QUIET_QUEUES = ("noqueue", "fq_codel", "pfifo_fast", "mq", "pfifo", "fq", "clsact", "ingress")
_LEAST_OF_IPV6 = 1280


def taken_by_rule(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip rule show`, the routes of all tables to the address, and the rules that set marks: a rule before the main
    table's takes the packet, and refuses it or finds a route in another table; or none looks into the main table."""
    if code == 0 and not re.search(r"from all lookup main$", output, re.MULTILINE):
        return True
    tables, planned = set(re.findall(r"\btable (\S+)", output)), set(about["planned"].split())
    if planned & set(re.findall(r"\blookup (\S+)", output)):  # before which main may stand
        tables.add("main")
    for line in output.splitlines():
        found = _RULE.match(line)
        if not found or int(found.group(1)) >= 32766 or "l3mdev" in line or not selects(line, output, about):
            continue
        table = re.search(r"\blookup (\S+)", line)
        if table and table.group(1) in tables - {"local"} - planned:
            return True
        if any(re.search(rf"\b{word}\b", line) for word in REFUSING):
            return True
    return False


def selects(line: str, output: str, about: Mapping[str, str]) -> bool:
    """Whether a rule's selectors take the packet; a mark must be set by a rule of a firewall."""
    words = line.split()
    given = dict(itertools.pairwise(words))
    wrong = [
        not inside(about["source"], given.get("from", "all")),
        not inside(about["destination"], given.get("to", "all")),
        given.get("iif", about["in"]) != about["in"],
        given.get("oif", about["out"]) != about["out"],
        "uidrange" in given and about["in"] != "lo",
        "fwmark" in given and not sets_mark(output, int(given.get("fwmark", "0").split("/")[0], 0)),
        "ipproto" in given and given["ipproto"] not in about["protocols"].split(","),
        bool(given.keys() & {"tos", "dsfield", "tun_id"}),
        bool(given.keys() & {"sport", "dport"}) and not {"udp", "tcp"} & {*about["protocols"].split(",")},
    ]
    if "not" in words:
        return any(wrong)
    return not any(wrong) and bool(
        given.keys() & {"to", "iif", "oif", "uidrange", "fwmark", "ipproto"} or _from(given)
    )


def _from(given: Mapping[str, str]) -> bool:
    return (
        given.get("from", "all") != "all" or "lookup" not in given or given["lookup"] not in ("local", "main")
    )


def no_rule(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip rule show` has no rule with that preference, or one with other selectors or another table. A mask of a whole
    address isn't shown."""
    for line in output.splitlines():
        number, _, said = line.partition(":")
        if number == about["preference"]:
            words = re.sub(r"(?<=[\da-f:])/(?:32|128)(?!\d)", "", about["rule"]).split("; ")
            return any(f" {word} " not in f" {' '.join(said.split())} " for word in words)
    return code == 0


def inside(address: str, prefix: str) -> bool:
    try:
        return prefix == "all" or ip_address(address) in ip_network(prefix, strict=False)
    except ValueError:
        return False


def refuses(route: str) -> bool:
    """Whether a route as it is shown is one that refuses."""
    return route.split(" ", 1)[0] in _KINDS


def discards(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip route show match ADDRESS`: the longest prefix of all is one that refuses."""
    best = max(_matches(output), default=None)
    return bool(best and best[2])


def _matches(output: str) -> Iterator[tuple[int, int, bool]]:
    """Of each route the length of its prefix, its metric (a smaller one is more) and whether it refuses."""
    for line in output.splitlines():
        words = line.split()
        if not words or line[0].isspace() or "tos" in words:
            continue
        kind = refuses(line)
        prefix = words[1] if kind else words[0]
        metric = re.search(r"\bmetric (\d+)", line)
        try:
            length = 0 if prefix == "default" else ip_network(prefix).prefixlen
        except ValueError:
            continue
        yield length, -int(metric.group(1) if metric else 0), kind


def other_neighbor(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip neighbor show` and `ip link show` of a NIC: a fixed entry with a MAC that isn't the other end's, or nobody
    is asked at all."""
    fixed = [
        line
        for line in output.splitlines()
        if line.startswith(about["neighbor"] + " ") and "PERMANENT" in line
    ]
    return any(about["mac"] not in line for line in fixed) or bool(re.search(r"<[^>]*\bNOARP\b", output))


def other_mac(output: str, code: int, about: Mapping[str, str]) -> bool:
    found = re.search(r"\blink/ether (\S+)", output)
    return bool(found and found.group(1) != about["mac"])


def no_address(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip address show` of a NIC lacks an address, or has it with another prefix length."""
    return code == 0 and about["address"] not in output.split()


def no_address_at_all(output: str, code: int, about: Mapping[str, str]) -> bool:
    """It hasn't it with another prefix length either, by which many a packet passes all the same."""
    address = about["address"].partition("/")[0]
    return code == 0 and not any(word.partition("/")[0] == address for word in output.split())


def first_differs(output: str, code: int, about: Mapping[str, str]) -> bool:
    """The number in a file is the one that was captured."""
    return output.strip() == about["captured"]


def other_hash(output: str, code: int, about: Mapping[str, str]) -> bool:
    return code == 0 and output.strip() != "1"


def tunnel_source(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip sr tunsrc show` names another source than the plan (`::` for the one of the NIC): the one that was captured,
    or none, where the plan has one."""
    found = re.search(r"\baddr (\S+)", output)
    return bool(found and found.group(1) != about["planned"] and found.group(1) in (about["captured"], "::"))


def other_source(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip route get` would send from another address than the planned one."""
    found = re.search(r"\bsrc (\S+)", output)
    return bool(found and found.group(1) != about["source"])


def other_key(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip sr hmac show`: no such key, or another algorithm or secret."""
    for line in output.splitlines():
        found = re.match(r'hmac (\S+) algo (\S+) secret "(.*)"', line)
        if found and found.group(1) == about["key"]:
            return found.groups()[1:] != (about["algorithm"], about["secret"])
    return code == 0


def slow_queue(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`tc -s qdisc show`: a queue that somebody put there, and that dropped or keeps packets."""
    for block in re.split(r"^(?=qdisc )", output, flags=re.MULTILINE):
        kind = re.match(r"qdisc (\S+)", block)
        held = re.search(r"dropped (\d+)[^)]*\)\s+backlog \S+ (\d+)p", block)
        if kind and kind.group(1) not in _QUIET_QUEUES and held and any(int(n) for n in held.groups()):
            return True
    return False


def some_one(output: str, code: int, about: Mapping[str, str]) -> bool:
    return "1" in output.split()


def too_seldom(output: str, code: int, about: Mapping[str, str]) -> bool:
    """Milliseconds between two ICMP errors to one host, of IPv4 and of IPv6, then how many a second and at once there are
    at most: less than Linux begins with."""
    given = [int(word) for word in output.split() if word.isdigit()]
    return len(given) == 4 and (max(given[:2]) > 1000 or given[2] < 1000 or given[3] < 50)


def small_mtu(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip link show`: packets don't fit, or IPv6 doesn't work there at all (RFC 8200 section 5)."""
    found = re.search(r"\bmtu (\d+)", output)
    mtu = int(found.group(1)) if found else 1 << 16
    return mtu < int(about["bytes"]) or (about["version"] == "6" and mtu < _LEAST_OF_IPV6)


def other_proxy(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`srconf localsid show SID`: another behavior, next hop, MAC, port or tunnel than the plan's."""
    shown = output.lower()
    if about["sid"] not in shown:
        return False
    if not re.search(rf"\bbehavior\W+{re.escape(about['behavior'].lower())}\s", shown):
        return True
    hop = re.search(r"\bnext hop\W+([0-9a-f.:]+)", shown)
    if hop and hop.group(1) not in (about["next_hop"], about["mac"]):
        return True
    tunnel = (re.search(rf"\b{name}\W+(\S+)", shown) for name in ("source", "segments"))
    if any(
        one and one.group(1) != about[name] for one, name in zip(tunnel, ("source", "segments"), strict=True)
    ):
        return True
    ports = (re.search(rf"\b{name}\W+(\S+)", shown) for name in ("oif", "iif"))
    return any(port and port.group(1) != own for port, own in zip(ports, about["ports"].split(), strict=True))


def stopped(output: str, code: int, about: Mapping[str, str]) -> bool:
    return re.search(r"^State:\s+T\b", output, re.MULTILINE) is not None


def gone(output: str, code: int, about: Mapping[str, str]) -> bool:
    """No process has the daemon's number, or it has ended, or the number is another's now."""
    name, state = (re.search(rf"^{key}:\s+(\S+)", output, re.MULTILINE) for key in ("Name", "State"))
    if not name or not state:
        return "No such file" in output
    return name.group(1) != about["daemon"] or state.group(1) in ("Z", "X")
