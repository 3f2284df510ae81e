"""Of what differs from Day0 on a node: the lines that differ in nothing which a packet on its way there meets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address, ip_interface

from srv6lab.evidence.drift import Difference
from srv6lab.judge.diagnose.passing import Passing

_WORDS = {
    "link": r"(?<=<)PROMISC,|,(?:PROMISC|ALLMULTI|DYNAMIC)\b| alias \S+| group \S+",
    "route": r" (?:advmss|initcwnd|initrwnd|realms?|window|rtt|rttvar|ssthresh|cwnd|reordering|quickack|proto) \S+"
    r"|(?<= seg6local )(.*) dev (?!lo\b)\S+",  # a SID's own, by which nothing leaves
}
_MTU = {"link": r" mtu (\d+)", "route": r" mtu (\d+)", "sysctl": r"(?<=\.mtu =) (\d+)"}
_LEAST_OF_IPV6 = 1280
_OF_MAIN = 32766  # where the main table's rule stands
_NOTHING = r"(?!)"
_ON_LINK = re.compile(r"(?<= inet )\S+(?: brd \S+)?|(?<= inet6 )\S+|^\S+/\d+(?= dev \S+ proto kernel)")
_END = re.compile(
    r"(\S+) encap seg6local action End(?:\.X nh6 (\S+))? dev (?!lo\b)\S+(?: proto \S+)?(?: metric 1024)?"
)


def other_than_idle(one: Difference, here: Sequence[Passing]) -> tuple[list[str], list[str]]:
    """The lines that are gone, and those that are new, without those that differ in words which none of the packets
    that pass `here` meets, and those that do the same to them."""
    idle, mtu = (re.compile(words.get(one.section, _NOTHING)) for words in (_WORDS, _MTU))
    largest = max([_LEAST_OF_IPV6, *(hop.packet.ip_length for way in here for hop in way.hops())])

    def bare(line: str) -> str:
        line = idle.sub(lambda found: "".join(filter(None, found.groups())), line)
        return mtu.sub(lambda found: "" if int(found[1]) >= largest else found[0], line)

    same = {*map(bare, one.gone)} & {*map(bare, one.new)}
    gone, new = ([line for line in lines if bare(line) not in same] for lines in (one.gone, one.new))
    if one.section == "rule" and len(gone) == len(new) == 1 and _in_another_place(gone[0], new[0], here):
        return [], []
    if one.section in ("address", "route"):
        pairs = [(was, now) for was in gone for now in new if all(_alike(was, now, way) for way in here)]
        same = {line for pair in pairs for line in pair}
    return [line for line in gone if line not in same], [line for line in new if line not in same]


def _in_another_place(was: str, now: str, here: Sequence[Passing]) -> bool:
    """Whether a rule was typed again, and is as before asked before the main table: Day0's rules are for packets of
    different kinds, but for those of VRFs."""
    (place, _, rule), (other, _, same) = was.partition(": "), now.partition(": ")
    before = max(int(place), int(other)) < _OF_MAIN
    return rule == same and before and not any(way.node.routing for way in here)


def _alike(was: str, now: str, way: Passing) -> bool:
    """Whether two lines do the same to a packet; never where nobody knows who the neighbors are."""
    if way.node.routing or way.place.netns:
        return False
    return _reach_alike(was, now, way) or _end_alike(was, now, way)


def _reach_alike(was: str, now: str, way: Passing) -> bool:
    """Whether lines of an address, or of its link, differ in the prefix's length alone, and that for nobody whom the
    packet goes to."""
    before, after = _ON_LINK.search(was), _ON_LINK.search(now)
    if not before or not after or _ON_LINK.sub("", was) != _ON_LINK.sub("", now):
        return False
    try:
        first, second = (ip_interface(found[0].split()[0]) for found in (before, after))
    except ValueError:  # the two ends of a link without a prefix
        return False
    own = first.ip == second.ip or was.startswith(before[0])
    known = {*way.addresses(), *(route.via for route in way.node.routes)}
    return own and all((end in first.network) == (end in second.network) for end in known)


def _end_alike(was: str, now: str, way: Passing) -> bool:
    """Whether an End became an End.X, or the other way round, to where the planned route leads anyway."""
    first, second = _END.fullmatch(was), _END.fullmatch(now)
    if not first or not second or first[1] != second[1] or not way.out:
        return False
    to = way.out.packet.outer.destination
    routes = [one for one in way.node.routes if to in one.prefix and one.table is None]
    longest = max((one.prefix.prefixlen for one in routes), default=-1)
    via = {one.via for one in routes if one.prefix.prefixlen == longest}
    return bool(via) and all(via == {ip_address(found[2])} for found in (first, second) if found[2])
