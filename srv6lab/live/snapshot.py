"""What Day0 left on each node, kept at the end of `up`; and what of it differs later.

A node is asked by one script through the provider, so namespaces and virtual machines are asked alike. What a node
counts, and what it learned by itself a moment ago, is no difference.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from srv6lab.called import CALLED
from srv6lab.errors import LabError, MachineError
from srv6lab.evidence.drift import Difference
from srv6lab.host.files import write_whole
from srv6lab.live.instance import Instance

KEPT = "day0.json"
_PATIENCE = 10.0
_HEADER = "-- "

# Every namespace of a node says each section by itself; what a node hasn't got, says nothing. Each process counts: the
# proxy's, which is slow, is asked meanwhile.
SCRIPT = r"""
exec 2>/dev/null
if command -v srconf >/dev/null; then exec {proxy}< <(timeout 3 srconf localsid show; (($? > 1)) || echo answered); fi
look() {
  echo "-- ip $1"
  ip -force -oneline -batch - <<<$'link show\naddress show\nneighbor show nud permanent\nneighbor show proxy
sr hmac show\nsr tunsrc show\nroute show table all\nrule show\nxfrm policy show'
  ip -6 rule show
  echo "-- firewall $1"; nft --stateless list ruleset
  if read -r _ </proc/net/ip_tables_names; then iptables-legacy-save; fi
  if read -r _ </proc/net/ip6_tables_names; then ip6tables-legacy-save; fi
  local queues kind nic; queues=$(tc qdisc show)
  echo "-- tc $1"; echo "$queues"
  while read -r _ kind _ _ nic _; do
    [[ $kind == clsact || $kind == ingress ]] || continue
    echo "filters of $nic:"
    tc -batch - <<<"filter show dev $nic ingress"$'\n'"filter show dev $nic egress"
  done <<<"$queues"
  echo "-- sysctl $1"; grep -r --exclude-dir=default . /proc/sys/net/{ipv4,ipv6,mpls,vrf}
}
look
for netns in /run/netns/*; do
  [[ ! -e $netns ]] || ip netns exec "${netns##*/}" bash -c "$(declare -f look); look ${netns##*/}"
done
echo "-- file"; while read -r file; do
  stat -c '%n mode %a owner %U:%G' "$file" && sha256sum <"$file"
done </var/lib/srv6lab/files
echo "-- frr"; [[ ! -e /run/frr/zebra.vty ]] || timeout 3 vtysh -c 'show running-config no-header'
echo "-- proxy"; [[ -z $proxy ]] || cat <&$proxy
"""

_ASKED = ("proxy", "frr")  # daemons, which may not answer

Sections = Mapping[tuple[str, str], Counter[str]]  # by netns and section, the lines


def keep(lab: Instance) -> None:
    """Write down what Day0 left, once: what is kept of a node already stays."""
    kept = _kept(lab) if (lab.home.path / KEPT).exists() else {}
    lacking = [node for node in lab.nodes() if node not in kept]
    if lacking:
        lab.home.own(KEPT)
        write_whole(lab.home.path / KEPT, json.dumps(kept | ask(lab, lacking)))


def forget(lab: Instance, nodes: Iterable[str]) -> None:
    """Nothing is kept of these nodes, until what Day0 has left there now is."""
    if (lab.home.path / KEPT).exists():
        gone = {*nodes}
        kept = {node: answer for node, answer in _kept(lab).items() if node not in gone}
        write_whole(lab.home.path / KEPT, json.dumps(kept))


def _kept(lab: Instance) -> dict[str, str]:
    """LabError where it isn't as it was written."""
    path = lab.home.path / KEPT
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        mend = f"{CALLED} destroy lab={lab.name}, then up again"
        raise LabError(f"{path} isn't as it was written: {error}", mend) from None


def drifted(lab: Instance, nodes: Collection[str]) -> set[str]:
    """Those of these nodes that aren't as they were kept."""
    return {one.node for one in differences(lab, nodes) or ()} if nodes else set()


def differences(lab: Instance, nodes: Collection[str] | None = None) -> tuple[Difference, ...] | None:
    """What of each node, or of these, isn't as it was kept, nothing of a node that can't be asked; None where nothing was
    kept."""
    try:
        before = json.loads((lab.home.path / KEPT).read_text(encoding="utf-8"))
        if not isinstance(before, dict) or not before:
            return None
        after = ask(lab, lab.nodes() if nodes is None else sorted(nodes))
        other = [node for node in after if before.get(node, "") != after[node]]
        told = ((node, read(before.get(node, "")), read(after[node])) for node in other)
        return tuple(one for node, was, now in told for one in compare(node, was, now))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def differences_of(lab: Instance, node: str) -> tuple[Difference, ...] | None:
    """The same of one node; None also where it doesn't answer."""
    try:
        before = json.loads((lab.home.path / KEPT).read_text(encoding="utf-8"))[node]
        after = _ask(lab, node)
        return tuple(compare(node, read(before), read(after))) if before and after else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def ask(lab: Instance, nodes: Sequence[str]) -> dict[str, str]:
    """What each of these nodes says of its settings; nothing where it doesn't answer."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(nodes, pool.map(partial(_ask, lab), nodes), strict=True))


def _ask(lab: Instance, node: str) -> str:
    with suppress(MachineError):
        return lab.exec(node, ["bash", "-c", SCRIPT], timeout=_PATIENCE).stdout
    return ""


def compare(node: str, before: Sections, after: Sections) -> Iterator[Difference]:
    """What differs between two answers of a node, a Difference for each section of each of its namespaces."""
    if not before or not after:
        return
    for netns, section in dict.fromkeys([*before, *after]):
        was, now = (one.get((netns, section), Counter()) for one in (before, after))
        gone, new = (
            was - now,
            Counter({line: count for line, count in (now - was).items() if not _LATE.search(line)}),
        )
        gone, new = _without_renumbered(gone, new)
        silent = section in _ASKED and not (was and now)  # then or now
        if (gone or new) and not silent:
            yield Difference(node, netns, section, tuple(gone.elements()), tuple(new.elements()))


def _without_renumbered(gone: Counter[str], new: Counter[str]) -> tuple[Counter[str], Counter[str]]:
    """What differs, but SIDs that IS-IS gave an adjacency anew: it takes the next number each time."""
    was, now = (
        {line.partition(" ")[2]: line for line in lines if _OF_ADJACENCIES.search(line)}
        for lines in (gone, new)
    )
    same = was.keys() & now.keys()
    return gone - Counter(was[one] for one in same), new - Counter(now[one] for one in same)


_OF_ADJACENCIES = re.compile(r"^\S+ encap seg6local action End\.X .*\bproto isis\b")
# Over whom IPv4 goes that has an IPv6 next hop: FRR lays that when it needs it.
_OF_ZEBRA = re.compile(r"^169\.254\.0\.1 dev \S+ lladdr \S+ PERMANENT proto zebra")
_LATE = re.compile(
    r"^(?:(?:local|anycast) )?fe80:|^multicast ff00:|^\S+ inet6 fe80:"  # comes by itself with a NIC,
    r"|^169\.254\.0\.1 dev \S+ lladdr \S+ PERMANENT proto zebra$"  # or with IPv4 over an IPv6 session (RFC 8950)
)


def read(answer: str) -> Sections:
    """A node's answer by namespace and section: the lines that are settings, without what was counted."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for block in re.split(rf"^{_HEADER}", answer, flags=re.MULTILINE)[1:]:
        title, _, text = block.partition("\n")
        section, _, netns = title.strip().partition(" ")
        settings = (line for line in _LINES[section](text) if line and not _OF_ZEBRA.search(line))
        for line in settings:
            part = _part_of_ip(line) if section == "ip" else section
            found.setdefault((netns, part), Counter())[line] += 1
    return found


def _part_of_ip(line: str) -> str:
    """What a line of `ip` tells of: its commands are run by one process."""
    return next(part for part, begins in _PARTS.items() if re.match(begins, line))


_PARTS = {
    "rule": r"\d+: (?:not )?from ",
    "link": r"\S+: <",
    "address": r"\S+ inet6? ",
    "neighbor": r"\S+ dev \S+ (?:lladdr|PERMANENT|NOARP|proxy)",
    "tunnel source": "tunsrc ",
    "hmac key": r"hmac \S+ algo ",
    "ipsec": r"src \S+ dst ",
    "route": "",
}


_NUMBERS = re.compile(
    r"^\d+: (?!not |from )|@\S+(?=:)| qdisc \S+| qlen \d+| link-netns(?:id)? \S+| promiscuity \d+| valid_lft.*|(?<= expires) \S+| nhid \d+"
    r"| (?:tentative|optimistic|nodad)\b| pref medium| refcnt \d+| id \d+| jited| not_in_hw| handle \S+| tag \S+"
    r"|\[\d+:\d+\] | \[\d+:\d+\]$"
)
_RESTLESS = re.compile(r"/(?:tcp_fastopen_key|stable_secret|route/flush|nf_conntrack_\S*|inet_peer_\S*):")


def _plain(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield " ".join(_NUMBERS.sub("", line).replace("\\", " ").split())


def _traffic(text: str) -> Iterator[str]:
    """Queues, and filters behind the NIC that they are on."""
    nic = ""
    for line in _plain(text):
        if line.startswith("filters of "):
            nic = f"dev {line.split()[2].rstrip(':')} "
        else:
            yield nic + line if line else ""


def _sysctls(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if not _RESTLESS.search(line):
            path, _, value = line.partition(":")
            yield f"{path.removeprefix('/proc/sys/').replace('/', '.')} = {' '.join(value.split())}"


def _firewall(text: str) -> Iterator[str]:
    """Rules, each behind the chain that it is in."""
    chain = table = ""
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if line.startswith("table "):
            table = line.rstrip(" {")
        elif line.startswith(("# Generated by", "*")):
            table, chain = (
                (line.split()[3].removesuffix("-save") if "#" in line else f"{table} {line[1:]}"),
                "",
            )
        elif line.startswith(("chain ", "set ", "map ", "flowtable ")) and line.endswith("{"):
            chain = f" {line.rstrip(' {')}"
        elif line.startswith("type ") and " hook " in line:
            chain += f" ({line.partition(' hook ')[2].partition(' priority')[0]})"
            yield f"{table}{chain}: policy drop" if "policy drop" in line else ""
        elif line == "}":
            chain = ""
        elif line and not line.startswith("#") and line != "COMMIT" and not _IDLE.search(line):
            yield f"{table}{chain}: {_NUMBERS.sub('', line)}"


_IDLE = re.compile(r"^:\w+ (?:ACCEPT|-) ")  # a chain that does nothing by itself


def _proxy(text: str) -> Iterator[str]:
    """The properties of each SID of a proxy, behind the SID."""
    sid = ""
    for line in text.splitlines():
        if line == "answered":  # perhaps with no SID at all
            yield line
        name, colon, value = (part.strip() for part in line.partition(":"))
        sid = value if name == "SID" else sid
        if colon and sid and name != "SID" and " packets :" not in value:
            yield f"{sid}: {name} {value}"


def _files(text: str) -> Iterator[str]:
    """A lab's own files, each with what is in it."""
    lines = text.splitlines()
    for about, digest in zip(lines[::2], lines[1::2], strict=False):
        yield f"{about} sha256 {digest.split()[0][:12]}"


def _frr(text: str) -> Iterator[str]:
    """Lines of FRR's configuration, each behind the block that it is in."""
    block = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            block = line.strip()
        if line.strip() not in ("", "!", "exit", "end", "exit-address-family", "exit-vrf"):
            yield f"{block}: {line.strip()}" if line.startswith(" ") else line.strip()


_LINES: Mapping[str, Callable[[str], Iterator[str]]] = {
    "ip": _plain,
    "tc": _traffic,
    "sysctl": _sysctls,
    "firewall": _firewall,
    "proxy": _proxy,
    "file": _files,
    "frr": _frr,
}
