"""The rules of nft and of iptables-legacy: which of them concern a packet, and what they do to it.

An answer is `nft list ruleset`, then what `iptables-legacy-save -c` and `ip6tables-legacy-save -c` say. `about` tells of
the packet: `nics` that it came and went by, `in:` and `out:`, and its outermost `headers` there: source, destination, what is in it, and its hop
limit, segments left, DSCP, flow label and length, and the frame's MACs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

_DROP = re.compile(r"\b(?:drop|reject|queue)\b|-j (?:DROP|REJECT|NFQUEUE)\b")
_COPY = re.compile(r"\bdup to\b|-j TEE\b|xt target \"?TEE\b")
_DIVERT = re.compile(r"\bfwd (?:ip6? )?to\b")
_TRANSLATE = re.compile(
    r"\b(?:snat|dnat|masquerade|redirect)\b|-j (?:SNAT|DNAT|MASQUERADE|REDIRECT|NETMAP)\b"
)
_WRITTEN = re.compile(
    r"(?:\b(?!meta\b|ct\b)\w+ [\w-]+|@\w+,\d+,\d+) set \S+"
    r"|-j (?:DSCP|TOS|TTL|HL|CHECKSUM)\b|xt target \"?(?:DSCP|TOS|TTL|HL|CHECKSUM)\b"
)
_UNKNOWN_AFTER = re.compile(r"(?:\bip6? (?:[sd]addr|protocol|nexthdr|length)|@\w+,\d+,\d+) set\b")
_MARK = re.compile(r"\bmark set (0x[0-9a-f]+|\d+)|--set-x?mark (0x[0-9a-f]+|\d+)")
_ELSEWHERE = re.compile(
    r"\b(?:jump|goto|vmap|tproxy|synproxy|flow add|xt target)\b|-j (?:[a-z_]\w*|TPROXY|SYNPROXY)\b"
)
_VERDICTS = re.compile(r"\b(?:meta l4proto|ip protocol|ip6 nexthdr) vmap \{([^}]*)\}")
_HOOK = re.compile(r"\bhook (\w+)(?: devices? =? ?\{? ?\"?([\w.-]+)\"?)?")
_COUNTED = re.compile(r"\bcounter packets (\d+)|^\[(\d+):\d+\]")
_ADDRESS = re.compile(r"\bip6? ([sd])addr (!= )?(\{[^}]*\}|[0-9a-f:.]+(?:/\d+)?)")
_NIC = re.compile(r'\b([io])if(?:name)? (!= )?(\{[^}]*\}|"?[\w.-]+"?)')
_PROTOCOL = re.compile(r"\b(?:meta l4proto|ip protocol|ip6 nexthdr) (!= )?(\{[^}]*\}|[\w-]+)")
_NUMBER = re.compile(
    r"\b(ip6 hoplimit|ip ttl|rt seg-left|rt type|ip6? dscp|ip6 flowlabel|ip6? length|meta length)"
    r" (?:([=!<>]=?) )?(?:(\d+)(?:-(\d+))?(?![\w,])|((?:cs|af|ef)\d*))"
)
_FOR_OTHERS = re.compile(  # what no probe's packet is
    r"\bct state invalid\b|\bpkttype (?:multicast|broadcast)\b|\bfib daddr type \{? ?(?:(?:broadcast|multicast|anycast|,) ?)+\}?"
    r"|\blimit rate over (?:\d{3,}/second|\d{5,}/minute)|\bskuid [1-9]|--ctstate INVALID\b"
)
_MARKED = re.compile(r"(?<!\bset )\b(?:meta|ct) mark (0x[0-9a-f]+|\d+)|-m mark --mark (0x[0-9a-f]+)")
_MAC = re.compile(r"(! )?(?:\bether ([sd])addr (!= )?|--mac-source )((?:[0-9a-fA-F]{2}:){5}\w\w)")
_ROUTING = re.compile(r"\brt (?:type|seg-left|hdrlength)\b|\bexthdr rt exists\b|-m rt\b")
_ACCEPT = re.compile(r"\baccept\b|-j ACCEPT\b")
_PORT = re.compile(r"\b(tcp|udp|icmpv6|icmp) (?:[sd]port|flags|type|code)\b(?! set)")
_LEGACY = re.compile(r"(! )?-([sdio]) (\S+)")
_LEGACY_PROTOCOL = re.compile(r"(?<!! )-p (\S+)")
_NAMES = {"ipv6-route": "43", "icmp": "1", "icmpv6": "58", "ipv6-icmp": "58", "tcp": "6", "udp": "17"}
_NAMES |= {"routing": "43", "ipv4": "4", "ipencap": "4", "ipip": "4", "ipv6": "41"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, or the policy of a chain that has none; `nic` is the one that a chain of netdev is bound to, `chain`
    the rule's own."""

    family: str
    hook: str
    nic: str
    text: str
    chain: str = ""


def drops(output: str, code: int, about: Mapping[str, str]) -> bool:
    return _any(_DROP, output, about)


def surely_drops(output: str, code: int, about: Mapping[str, str]) -> bool:
    """Whether one does that counted, or of which every word is understood."""
    return any(_DROP.search(rule.text) and _sure(rule) for rule in _taking(output, about))


def copies(output: str, code: int, about: Mapping[str, str]) -> bool:
    return any(_COPY.search(rule.text) and not _unused(rule) for rule in rules(output))


def diverts(output: str, code: int, about: Mapping[str, str]) -> bool:
    return _any(_DIVERT, output, about)


def translates(output: str, code: int, about: Mapping[str, str]) -> bool:
    return _any(_TRANSLATE, output, about)


def rewrites(output: str, code: int, about: Mapping[str, str]) -> bool:
    """Of a packet that isn't known again, only what nobody knows it by any more."""
    return _any(_UNKNOWN_AFTER if "unknown" in about else _WRITTEN, output, about)


def sets_mark(output: str, mark: int) -> bool:
    """Whether a rule gives some packet this mark; 0 is the one of a packet that none was given."""
    return not mark or any(int(one or other, 0) == mark for one, other in _MARK.findall(output))


def asks_for_mark(text: str) -> int | None:
    """The mark of the packets that a rule takes, None where it takes any."""
    found = _MARKED.search(text)
    return int(found.group(1) or found.group(2), 0) if found else None


def marks(text: str) -> bool:
    return _MARK.search(text) is not None


def acts(text: str) -> bool:
    """Whether a rule does anything to a packet but let it pass, count it or mark it."""
    return any(does.search(text) for does in (_DROP, _COPY, _DIVERT, _TRANSLATE, _WRITTEN, _ELSEWHERE))


def rules(output: str) -> Iterator[Rule]:
    """The rules of chains that packets come to, each chain's in order and its policy last."""
    family = hook = nic = chain = table = policy = ""
    called = set(re.findall(r"\b(?:jump|goto) (\S+)", output))
    for line in (line.strip() for line in output.splitlines()):
        if found := re.match(r"table (\w+) (\S+)", line):
            family, table = found.groups()
        elif found := re.match(r"# Generated by (ip6?)tables", line):
            family, hook, nic, chain = found.group(1), "legacy", "", ""
        elif found := re.match(r"chain (\S+) \{", line):
            chain, hook, nic, policy = found.group(1), "", "", ""
        elif found := _HOOK.search(line):
            hook, nic = found.group(1), found.group(2) or ""
            policy = "drop" if "policy drop" in line else ""
        elif found := re.match(r":(\w+) DROP \[(\d+):", line):
            yield Rule(family, hook, "", f"[{found.group(2)}:0] -j DROP")
        elif line == "}" and policy:
            yield Rule(family, hook, nic, policy, f"{family} {table} {chain}")
            policy = ""
        elif line.startswith("*"):
            table = line
        elif (hook or chain in called) and line not in ("", "}") and not line.startswith(("#", ":")):
            named = re.search(r"-A (\S+)", line)
            own = f"{family} {table} {named.group(1) if named else chain}"
            yield from (Rule(family, hook, nic, text, own) for text in _plainly(line))


def _plainly(line: str) -> Iterator[str]:
    """A rule without its comment; one that looks the protocol up in a map of verdicts is a rule for each of them."""
    text = re.sub(r'comment "[^"]*"', "", line)
    found = _VERDICTS.search(text)
    pairs = [pair.split(" : ") for pair in found.group(1).split(", ")] if found else []
    for each in pairs if found and all(len(pair) == 2 for pair in pairs) else []:
        yield _VERDICTS.sub(f"meta l4proto {each[0].strip()} {each[1].strip()}", text)
    if not pairs:
        yield text


def _any(does: re.Pattern[str], output: str, about: Mapping[str, str]) -> bool:
    return any(does.search(rule.text) for rule in _taking(output, about))


def _taking(output: str, about: Mapping[str, str]) -> Iterator[Rule]:
    """The rules that take the packet: it comes to their chain, and none before them there has surely accepted it."""
    over: set[str] = set()
    every = [*rules(output)]
    for rule in every:
        marked = asks_for_mark(rule.text)
        if marked is not None and not sets_mark(output, marked):
            continue
        if rule.chain in over or not _reached(rule, every, about):
            continue
        if concerns(rule, about):
            yield rule
        if _ACCEPT.search(rule.text) and not _left(rule.text) and _takes(rule, about, all):
            over.add(rule.chain)


def _reached(rule: Rule, every: Sequence[Rule], about: Mapping[str, str]) -> bool:
    """Whether a packet comes to a rule's chain: by its hook, or by a jump to it."""
    where, _, name = rule.chain.rpartition(" ")
    if (rule.hook and rule.hook != "legacy") or (rule.hook == "legacy" and name.isupper()) or not name:
        return True
    leads = re.compile(rf"(?:\b(?:jump|goto)|-j) {re.escape(name)}(?!\S)")
    return any(
        one is not rule
        and one.chain != rule.chain
        and one.chain.rpartition(" ")[0] == where
        and leads.search(one.text)
        and concerns(one, about)
        for one in every
    )


def _sure(rule: Rule) -> bool:
    counted = _COUNTED.search(rule.text)
    return bool(counted and int(counted.group(1) or counted.group(2))) or not _left(rule.text)


def _left(text: str) -> str:
    """What of a rule can't be held against a packet."""
    known = (
        _ADDRESS,
        _NIC,
        _PROTOCOL,
        _PORT,
        _NUMBER,
        _LEGACY,
        _LEGACY_PROTOCOL,
        _COUNTED,
        _ACCEPT,
        _DROP,
        _MARKED,
    )
    text = re.sub(r"\breject with .*", "", text)
    for one in (*known, _ROUTING):
        text = one.sub("", text)
    text = re.sub(r"queue .*|--reject-with \S+|echo-re\w+|-A \S+|bytes \d+|\bcounter\b", "", text)
    return re.sub(r"\b(?:to \d+|exists|4|-m \w+)\b", "", text).strip(" -")


def _unused(rule: Rule) -> bool:
    counted = _COUNTED.search(rule.text)
    return bool(counted and not int(counted.group(1) or counted.group(2)))


def concerns(rule: Rule, about: Mapping[str, str]) -> bool:
    """Whether a rule takes the packet, as far as it can be told; one that counted nothing doesn't."""
    return _takes(rule, about, any)


def _takes(rule: Rule, about: Mapping[str, str], some: Callable[[Iterable[bool]], bool]) -> bool:
    if rule.family == "arp":
        return "arp" in about and not _unused(rule)
    counted = _COUNTED.search(rule.text)
    if _unused(rule) or (_FOR_OTHERS.search(rule.text) and not counted) or "headers" not in about:
        return False
    ways = dict(word.split(":", 1) for word in about["nics"].split())
    if rule.nic and rule.nic != ways.get({"ingress": "in", "egress": "out"}.get(rule.hook, ""), rule.nic):
        return False
    text = _WRITTEN.sub("", rule.text)
    for way, other, names in _nics(text):
        if ways.get(way) and (ways[way] in names) == other:
            return False
    headers = [word.split(">") for word in about["headers"].split()]
    family = rule.family
    if re.search(r"\bip6? ", rule.text):
        family = "ip6" if "ip6 " in rule.text else "ip"
    return some(_header_fits(family, text, *header) for header in headers)


def _nics(text: str) -> Iterator[tuple[str, bool, list[str]]]:
    for letter, other, names in _NIC.findall(text):
        yield {"i": "in", "o": "out"}[letter], bool(other), re.findall(r"[\w.-]+", names)
    for other, letter, name in _LEGACY.findall(text):
        if letter in "io":
            yield {"i": "in", "o": "out"}[letter], bool(other), [name]


def _header_fits(
    family: str, text: str, source: str, destination: str, protocols: str, numbers: str = ""
) -> bool:
    version = ip_address(destination).version
    if {"ip": 4, "ip6": 6}.get(family, version) != version:
        return False
    ends = {"s": source, "d": destination}
    for letter, other, given in _addresses(text):
        if any(_within(ends[letter], one) for one in given) == other:
            return False
    has = {_NAMES.get(name, name) for name in protocols.split(",")}
    for other, names in _PROTOCOL.findall(text):
        if any(_NAMES.get(name, name) in has for name in re.findall(r"[\w-]+", names)) == bool(other):
            return False
    if _ROUTING.search(text) and "43" not in has:
        return False
    if numbers and not (_numbers_fit(text, numbers.split(",")) and _macs_fit(text, numbers.split(",")[-2:])):
        return False
    return all(_NAMES.get(name, name) in has for name in _PORT.findall(text) + _LEGACY_PROTOCOL.findall(text))


def _numbers_fit(text: str, numbers: list[str]) -> bool:
    """What a rule says of a header's hop limit, segments left, DSCP, flow label and length, as far as it is known."""
    hops, left, *rest = numbers
    known = {"ip6 hoplimit": hops, "ip ttl": hops, "rt seg-left": left or "-1", "rt type": "4"}
    known |= dict(zip(("dscp", "ip6 flowlabel", "meta length"), rest, strict=False))
    for name, sign, low, high, word in _NUMBER.findall(text):
        value = known.get("dscp" if name.endswith("dscp") else name) or known.get("meta length")
        if not value or not value.lstrip("-").isdigit():
            continue
        number, first = int(value), int(low or (0 if word == "cs0" else 1 << 20))
        last = int(high or first)
        fits = {"<": number < first, ">": number > first, "<=": number <= first, ">=": number >= first}
        inside = first <= number <= last
        if not fits.get(sign, inside != (sign == "!=")):
            return False
    return True


def _macs_fit(text: str, macs: list[str]) -> bool:
    """Whether a rule's MACs are the frame's, as far as they are known."""
    ends = dict(zip("sd", macs, strict=True))
    for before, letter, behind, mac in _MAC.findall(text):
        own = ends[letter or "s"]
        if ":" in own and (own.lower() == mac.lower()) == bool(before or behind):
            return False
    return True


def _addresses(text: str) -> Iterator[tuple[str, bool, list[str]]]:
    for letter, other, given in _ADDRESS.findall(text):
        yield letter, bool(other), re.findall(r"[0-9a-f:./]+", given)
    for other, letter, given in _LEGACY.findall(text):
        if letter in "sd":
            yield letter, bool(other), [given]


def _within(address: str, prefix: str) -> bool:
    try:
        return ip_address(address) in ip_network(prefix, strict=False)
    except ValueError:  # a range, or the name of a set: it may
        return True
