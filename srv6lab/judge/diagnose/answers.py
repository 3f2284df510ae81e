"""What is asked of a node to prove a cause: one read-only command each, and how its answer is read.

An answer is the command's output and exit code. `about` is what the suspicion said of the case: names, addresses,
numbers, all as text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Reader = Callable[[str, int, Mapping[str, str]], bool]
_MODE = re.compile(r"\bencap seg6 mode (\S+)")
# A list and its weight, as `ip route` is told and as it shows.
_GIVEN = re.compile(r"\bsegs (\S+)(?:(?!nexthop).)*?(?:weight (\d+)|(?=nexthop|$))")
_SHOWN = re.compile(r"\bsegs \d+ \[ ([^\]]+) \](?:(?!nexthop).)*?(?:weight (\d+)|(?=nexthop|$))")
# Of what is inserted the last one is `::`: where the packet was going is known of each packet only.
_SEGMENTS = re.compile(r"\bsegs \d+ \[ ((?:(?! :: \])[^\]])+)(?: ::)? \]")


def nothing(output: str, code: int, about: Mapping[str, str]) -> bool:
    return not output.strip()


def no_seg6local(output: str, code: int, about: Mapping[str, str]) -> bool:
    return "seg6local" not in output


def has_seg6local(output: str, code: int, about: Mapping[str, str]) -> bool:
    return "seg6local" in output


def bound_otherwise(output: str, code: int, about: Mapping[str, str]) -> bool:
    """The SID is there, but not with just the words that Day0 gave it."""
    if "seg6local" not in output:
        return False
    shown = _SEGMENTS.sub(lambda found: f"segs {','.join(found.group(1).split())}", output)
    missing = [words for words in about["bound"].split("; ") if f" {words} " not in shown + " "]
    return bool(missing) or ("flavors" in shown and "flavors" not in about["bound"])


def bound_to_go_elsewhere(output: str, code: int, about: Mapping[str, str]) -> bool:
    """It isn't an End that became an End.X or the other way round: both may lead the same way."""
    ends = re.compile(r"\baction (End|End\.X)(?![\w.])")
    return not (ends.search(about["bound"]) and ends.search(output))


def no_proxy_sid(output: str, code: int, about: Mapping[str, str]) -> bool:
    return about["sid"] not in output


def empty_cache(output: str, code: int, about: Mapping[str, str]) -> bool:
    found = re.search(r"no_cache\D+(\d+)", output)
    return bool(found and int(found.group(1)))


def no_policy(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip route show match ADDRESS` has no encapsulating route at all."""
    return "encap seg6" not in output


def longer_policy(output: str, code: int, about: Mapping[str, str]) -> bool:
    """A longer prefix than the policy's own holds the address, and leads elsewhere."""
    planned = ip_network(about["prefix"])
    longer = [one for one in _prefixes(output, planned.version) if one[0].prefixlen > planned.prefixlen]
    return bool(longer) and not _as_planned(max(longer, key=lambda one: one[0].prefixlen)[1], about)


def _as_planned(line: str, about: Mapping[str, str]) -> bool:
    segments, mode = _SEGMENTS.search(line), _MODE.search(line)
    if not segments or not mode:
        return False
    return (segments[1].split(), mode[1], _key_of(line)) == _planned(about)


def _planned(about: Mapping[str, str]) -> tuple[list[str], str, str]:
    return about["segments"].split(), about["mode"], about.get("hmac", "")


def _key_of(line: str) -> str:
    """The key that signs the SRH; iproute2 shows its number in hex."""
    found = re.search(r"\bhmac (\S+)", line)
    return str(int(found.group(1), 16)) if found else ""


def other_policy(output: str, code: int, about: Mapping[str, str]) -> bool:
    """The policy's own prefix has other segments, another mode, or another key's HMAC."""
    for line in (line for line in output.splitlines() if " tos " not in line):
        segments, mode = _SEGMENTS.search(line), _MODE.search(line)
        if line.split(" ", 1)[0] in (about["prefix"], about["prefix"].split("/")[0]) and segments and mode:
            return (segments.group(1).split(), mode.group(1), _key_of(line)) != _planned(about)
    return False


def other_lists(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip route show` of one prefix: other segment lists than planned, other weights, another mode, or no route."""
    text = " ".join(output.split())
    shown = sorted(f"{lists.strip()} weight {weight or '1'}" for lists, weight in _SHOWN.findall(text))
    modes = {*_MODE.findall(text)}
    return shown != sorted(about["lists"].split("; ")) or modes != {about["mode"]}


def _prefixes(output: str, version: int) -> list[tuple[IPv4Network | IPv6Network, str]]:
    """The prefixes that are shown, each with its line."""
    found: list[tuple[IPv4Network | IPv6Network, str]] = []
    for line in output.splitlines():
        word = line.split(" ", 1)[0]
        if word == "default" or line.startswith((" ", "\t")) or not word or " tos " in line:
            continue
        try:
            prefix = ip_network(word)
        except ValueError:
            continue
        if prefix.version == version:
            found.append((prefix, line))
    return found


def other_way(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip route get` fails, or names another interface, or a neighbor that isn't one of the `hops`; of link-local
    addresses nobody knows whose they are."""
    if code != 0 or not re.search(rf"\bdev {re.escape(about['nic'])}\b", output):
        return True
    if not about.get("hops"):
        return False
    found = re.search(r"\bvia (?:inet6 )?(\S+)", output)
    to = ip_address(found.group(1) if found else about["destination"])
    return not to.is_link_local and to not in {ip_address(one) for one in about["hops"].split()}


def other_way_in_table(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip route show table … match …`: none leads there, or the longest prefix does by another interface."""
    version = ip_address(about["destination"]).version
    longest = max((prefix.prefixlen for prefix, _ in _prefixes(output, version)), default=0)
    blocks = re.split(r"^(?=\S)", output, flags=re.MULTILINE)
    best = [
        one
        for one in blocks
        if not longest or any(p.prefixlen == longest for p, _ in _prefixes(one, version))
    ]
    return other_way("".join(best), code, about)


def some_way(output: str, code: int, about: Mapping[str, str]) -> bool:
    return code == 0 and " dev " in output


def zero(output: str, code: int, about: Mapping[str, str]) -> bool:
    return "0" in output.split()


def not_zero(output: str, code: int, about: Mapping[str, str]) -> bool:
    return any(word != "0" for word in output.split())


def not_up(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`ip -oneline link show` has no interface, one that isn't up, or one with nobody at its other end."""
    flags = re.search(r"<([^>]*)>", output)
    return down_itself(output, code, about) or bool(flags and "NO-CARRIER" in flags.group(1))


def down_itself(output: str, code: int, about: Mapping[str, str]) -> bool:
    """Not because of its other end."""
    flags = re.search(r"<([^>]*)>", output)
    return code != 0 or not flags or "UP" not in flags.group(1).split(",")


def never(output: str, code: int, about: Mapping[str, str]) -> bool:
    return False


def anything(output: str, code: int, about: Mapping[str, str]) -> bool:
    return bool(output.strip())


def failed(output: str, code: int, about: Mapping[str, str]) -> bool:
    return code != 0


def not_held(output: str, code: int, about: Mapping[str, str]) -> bool:
    """`flock` got the lock: nobody holds it."""
    return code == 0


def other_than_told(output: str, code: int, about: Mapping[str, str]) -> bool:
    """The agent's word (JSON), then `ip route show`: other segment lists, or other weights."""
    try:
        told, end = json.JSONDecoder().raw_decode(output)
    except ValueError:
        return False
    table = [] if about["table"] == "main" else ["table", about["table"]]
    wanted = [" ".join(one["behind"]) for one in told["routes"] if one["route"] == [about["prefix"], *table]]
    given = {(lists.replace(",", " "), weight or "1") for lists, weight in _GIVEN.findall(" ".join(wanted))}
    shown = {
        (lists.strip(), weight or "1") for lists, weight in _SHOWN.findall(" ".join(output[end:].split()))
    }
    return given != shown


def no_class(output: str, code: int, about: Mapping[str, str]) -> bool:
    """No rule leads to the class's table, no packet gets its mark, or not those of each of its flows."""
    mark = re.compile(rf"mark set {int(about['mark']):#010x}\b")
    marking = [f"{line} " for line in output.splitlines() if mark.search(line)]
    flows = (one.split(", ") for one in about.get("flows", "").split("; "))
    unmarked = (
        not any(all(f"{word} " in line for word in flow if word) for line in marking) for flow in flows
    )
    return f"lookup {about['table']}" not in output or any(unmarked)
