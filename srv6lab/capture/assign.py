"""Which NIC a capture file is of: by what somebody says, by the plan's name for it, or by what is in it.

A link is told by its NICs' MACs, else by who announces an address of it (ARP, neighbor discovery), else by packets
that no router has forwarded yet, whose sender is on it. Which end of the link traced it can't be told, and need not be
where one file is there, or two with the same packets: what leaves one end comes in at the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from srv6lab.capture.folder import trace_of
from srv6lab.capture.reading import Capture
from srv6lab.errors import UsageError
from srv6lab.evidence.packets import PacketView, Point
from srv6lab.plan.nodes import Nic, Plan

_UNFORWARDED = frozenset({64, 128, 255})  # hop limits that packets are born with

Link = tuple[Nic, ...]


@dataclass(frozen=True, slots=True)
class Assigned:
    """The file of each point, and why the other files are of none."""

    files: Mapping[Point, str]
    left: Mapping[str, str]


def told(plan: Plan, words: Iterable[str]) -> dict[str, Point]:
    """FILE=NODE:NIC as a file's name and its point; UsageError for what is none."""
    points = {str(nic.point): nic.point for nic in plan.traced()}
    found: dict[str, Point] = {}
    for word in words:
        file, _, at = word.rpartition("=")
        if not file or at not in points:
            raise UsageError(
                f"--map {word} names no file and NIC that is traced",
                f"write --map FILE=NODE:NIC with one of {', '.join(points)}",
            )
        found[file] = points[at]
    return found


def by_name(plan: Plan, files: Iterable[str], said: Mapping[str, Point]) -> dict[Point, str]:
    """The files that need no look into them: those that somebody maps, then those with the plan's names."""
    traces = {nic.trace: nic.point for nic in plan.traced()}
    found = {point: file for file, point in said.items()}
    for file in sorted(set(files) - set(said)):
        point = traces.get(trace_of(file) or "")
        if point is not None:
            found.setdefault(point, file)
    return found


def assign(plan: Plan, named: Mapping[Point, str], others: Mapping[str, Capture]) -> Assigned:
    """Give the other files to the points that have none, by what is in them."""
    links = list(_links(plan))
    files, left = dict(named), {}
    of_link: dict[Link, list[str]] = {}
    for file in sorted(others):
        found = _link_of(links, others[file])
        if isinstance(found, str):
            left[file] = found
        else:
            of_link.setdefault(found, []).append(file)
    for link, mine in of_link.items():
        free = [nic.point for nic in link if nic.point not in files]
        ends = " and ".join(str(nic.point) for nic in link)
        if len(link) > 2:
            left |= dict.fromkeys(mine, f"it is of the bridge of {ends}: --map says which end it is of")
        elif len(mine) > len(free):
            left |= dict.fromkeys(
                mine, f"{len(mine)} such files are of the link of {ends}, for {len(free)} of its ends"
            )
        elif len(mine) == 2 and _shapes(others[mine[0]]) != _shapes(others[mine[1]]):
            left |= dict.fromkeys(mine, f"{' and '.join(mine)} are of the link of {ends}, and differ: --map says which is which")  # fmt: skip
        else:
            files |= dict(zip(free, mine, strict=False))
    return Assigned(files, left)


def without_others(plan: Plan, captures: Mapping[Point, Capture]) -> dict[Point, Capture]:
    """The captures, but those emptied, and told so, of which every packet is of another link than their point's, while
    an end of that link has none: they were exchanged. What was copied is there, too."""
    links, found = list(_links(plan)), dict(captures)
    macs = {point: _ends(capture) for point, capture in captures.items()}
    for point, capture in captures.items():
        for one, other in (link for link in links if len(link) == 2):
            own = point in (one.point, other.point)
            ends = [end for end in (one, other) if end.point in captures]
            lacking = not ends or any(end.mac not in macs[end.point] for end in ends)
            if not own and lacking and macs[point] == {one.mac, other.mac}:
                note = f"it holds what {one.point} and {other.point} sent each other"
                found[point] = Capture(records=capture.records, note=note)
    return found


def _ends(capture: Capture) -> set[str]:
    """The MACs of the packets' ends, without those of groups."""
    macs = {mac for view in capture.packets for mac in (view.source_mac, view.destination_mac)}
    return {mac for mac in macs if mac and not int(mac[:2], 16) & 1}


def _links(plan: Plan) -> Iterator[Link]:
    """The NICs of each link once, what is traced first."""
    far_ends = plan.far_ends()
    seen: set[Point] = set()
    for nic in plan.traced():
        if nic.point not in seen:
            link = (nic, *far_ends[nic.point])
            seen |= {one.point for one in link}
            yield link


def _link_of(links: Sequence[Link], capture: Capture) -> Link | str:
    """The one link that a capture is of, by the first evidence that there is; or why it is of none."""
    macs = {mac for view in capture.packets for mac in (view.source_mac, view.destination_mac)}
    announced = {address for _, address in capture.bindings}
    born = {
        view.outer.source for view in capture.packets if view.headers and view.outer.hop_limit in _UNFORWARDED
    }
    evidence: tuple[tuple[str, Callable[[Nic], bool]], ...] = (
        ("has the MACs", lambda nic: nic.mac in macs),
        ("announces addresses", lambda nic: any(one.ip in announced for one in nic.addresses)),
        ("has packets from addresses", lambda nic: any(one.ip in born for one in nic.addresses)),
    )
    for words, holds in evidence:
        counts = Counter({link: sum(holds(nic) for nic in link) for link in links})
        best = max(counts.values(), default=0)
        fits = [link for link, count in counts.items() if count == best]
        if best and len(fits) == 1:
            return fits[0]
        if best:
            named = ", ".join("–".join(str(nic.point) for nic in link) for link in fits)
            return f"it {words} of several links ({named})"
    return "nothing in it is of a NIC of this lab"


def _shapes(capture: Capture) -> Counter[object]:
    """The packets that are no neighbors' and no routers' own, whatever their order, numbers and times: two tracers
    of a link don't begin and end at once."""
    return Counter(
        (view.source_mac, view.headers, view.icmp, view.payload)
        for view in capture.packets
        if view.headers and (_is_echo(view) if view.icmp else view.innermost.protocol == "udp")
    )


def _is_echo(view: PacketView) -> bool:
    return view.icmp is not None and view.icmp.type in (0, 8, 128, 129)
