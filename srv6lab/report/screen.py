"""Verdicts for a person at a terminal: a line an exercise that passes, a line a link of one that is looked at, and of
one that fails what stands around the break, the cause last. Values in, text out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from srv6lab.errors import printable
from srv6lab.evidence.packets import Direction
from srv6lab.evidence.verdict import NOTES, AsCaptured, Item, PacketsSeen, Status, Verdict
from srv6lab.report.table import width as columns
from srv6lab.report.table import wrapped
from srv6lab.report.text import cause_lines, item_lines, quirk_lines, total_line
from srv6lab.topology.notation import SAME, NotationError, Packet, parse, written

_BEFORE, _FAILED = 3, 4  # links shown before a break, and things that are wrong shown of many
_COLORS = {Status.PASS: "32", Status.FAIL: "31", Status.INCONCLUSIVE: "33"}
_BOLD = "1"


@dataclass(frozen=True, slots=True)
class Look:
    """How wide a terminal is, in columns, and whether it shows colors."""

    width: int = 80
    color: bool = False

    def paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color and text else text


def verdicts_screen(verdicts: Sequence[Verdict], look: Look) -> str:
    """All verdicts, and one line that sums them up. The walk of an exercise that passes is shown where it is alone."""
    lines: list[str] = []
    noted: set[str] = set()
    for verdict in verdicts:
        lines += _verdict(verdict, look, noted, alone=len(verdicts) == 1)
    return "\n".join([*lines, "", total_line(verdicts)]) + "\n"


def _verdict(verdict: Verdict, look: Look, noted: set[str], *, alone: bool) -> Iterator[str]:
    """One of them; what is `noted` already isn't said again."""
    items = [item for item in verdict.items if not isinstance(item, NOTES)]
    passed = verdict.status is Status.PASS
    word = look.paint(f"{verdict.status.upper():5}", _COLORS[verdict.status])
    judged = _judged(items)
    fits = columns(f"{verdict.status:5} {verdict.exercise}  {judged}") <= look.width
    yield f"{word} {look.paint(verdict.exercise, _BOLD)}{f'  {judged}' if judged and fits else ''}"
    if judged and not fits:
        yield from wrapped(judged, look.width, "  ", "  ")
    if passed and alone:
        yield from _walk(items, look)
        for line in quirk_lines(verdict):
            yield from wrapped(line.strip(), look.width, "  ", "    ")
    elif not passed:
        yield from _around_the_break(items, look)
    for note in (printable(item.gist()) for item in verdict.items if isinstance(item, NOTES)):
        yield from [] if note in noted else wrapped(f"note  {note}", look.width, "  ", "        ")
        noted.add(note)
    for line in cause_lines(verdict.suspects):
        for part in _fitted(line, look.width, "  "):
            yield look.paint(part, _BOLD) if line.startswith("  cause") else part


def _judged(items: Sequence[Item]) -> str:
    """What was judged, by its kind."""
    kinds = Counter(item.kind for item in items if item.status is Status.PASS)
    points = kinds.pop("packet", 0)
    words = [f"{points} points"] if points else []
    words += [_many(count, kind) for kind, count in kinds.items() if kind != "settled"]
    return f"{', '.join(words)} as they should be" if words else ""


def _many(count: int, kind: str) -> str:
    return f"{count} {kind}{'s' if count > 1 and kind in ('alert', 'counter', 'message') else ''}"


def _around_the_break(items: Sequence[Item], look: Look) -> Iterator[str]:
    """The way up to the first thing that isn't right, what is wrong there, and how much more is: most of it follows."""
    first = next((i for i, item in enumerate(items) if item.status is not Status.PASS), len(items))
    wrong = [item for item in items if item.status is not Status.PASS]
    probe = wrong[0].probe if wrong else ""
    way = [item for item in items[:first] if item.probe == probe]
    yield from _walk(way, look, _BEFORE)
    broken = [item for item in wrong if (item.point, item.direction) == (wrong[0].point, wrong[0].direction)]
    width = max((len(str(item.point)) + 4 for item in broken if item.point), default=1)
    for item in broken[:_FAILED]:
        for line in item_lines(item, width):
            yield from _fitted(line, look.width, "     ")
    if more := len(wrong) - len(broken[:_FAILED]):
        yield f"  and {more} more that {'is' if more == 1 else 'are'} not right: -v shows all"


# --- the walk


def _walk(items: Sequence[Item], look: Look, last_links: int = 0) -> Iterator[str]:
    """A line a link, of all or of the last ones, said as an author may write it; then what else was judged."""
    rows = [*_links(items)][-last_links:]
    width = max((len(link) for link, _ in rows), default=0)
    probe, before, last = "", None, ""
    several = len({item.probe for item in items if item.probe}) > 1
    for link, item in rows:
        if several and item.probe != probe:
            yield f"  probe {item.probe}"
            before = None
        probe = item.probe
        text, before = _short(item, before)
        yield from _row(f"{link:{width}}", text, last, look)
        last = item.captured or ""
    for item in items:
        if not isinstance(item, PacketsSeen) and item.status is Status.PASS and item.gist():
            place = f"{item.point}  " if item.point else ""
            gist = printable(item.gist())
            word = "" if isinstance(item, AsCaptured) or gist.startswith(item.kind) else f"{item.kind} "
            yield from wrapped(f"{place}{word}{gist}", look.width, "  ", "      ")


def _links(items: Sequence[Item]) -> Iterator[tuple[str, Item]]:
    """Each packet by its wire: what leaves one NIC and comes to the next as it left is one."""
    seen = [item for item in items if isinstance(item, PacketsSeen) and item.point]
    index = 0
    while index < len(seen):
        out, into = seen[index], seen[index + 1] if index + 1 < len(seen) else None
        assert out.point
        if (
            into
            and into.point
            and (out.direction, into.direction) == (Direction.OUT, Direction.IN)
            and _same(out, into)
        ):
            yield f"{out.point.place} > {into.point.place}", out
            index += 2
        else:
            yield f"{'from' if out.direction is Direction.OUT else 'into'} {out.point.place}", out
            index += 1


def _same(one: Item, other: Item) -> bool:
    return (one.captured, one.probe) == (other.captured, other.probe)


def _short(item: Item, before: Packet | None) -> tuple[str, Packet | None]:
    """A packet in the notation of files; as it was captured where that can't say it."""
    captured = item.captured or ""
    text = re.sub(r"^\d+: ", "", captured)
    try:
        packet = parse(text)
    except NotationError:
        return printable(captured), None
    return written(packet, before), packet


def _row(link: str, text: str, last: str, look: Look) -> Iterator[str]:
    """`link  packet`, broken between headers where a line is too short for all of it; what is new is bold."""
    known = set(re.split(r"[\s,\[\]*]+", last))
    if len(link) > look.width // 2:
        yield from wrapped(link.rstrip(), look.width, "  ", "  ")
        link = "  "
    for line in _broken(text, look.width - len(link) - 4):
        yield _bold(f"  {link}  ", line, known, look)
        link = " " * len(link)


def _broken(text: str, width: int) -> Iterator[str]:
    """A packet in lines of so many columns: between headers if that will do, else between words."""
    line = ""
    for part in re.split(r" (?=\| )", text):
        if line and len(line) + 1 + len(part) > width:
            yield from wrapped(line, width, "", "  ")
            line = part
        else:
            line = f"{line} {part}".strip()
    yield from wrapped(line, width, "", "  ")


def _bold(head: str, text: str, known: set[str], look: Look) -> str:
    known = known | {"→", "|", SAME}
    words = re.split(r"([\s,\[\]*]+)", text)
    return head + "".join(
        word if word in known or not word.strip(" ,[]*") else look.paint(word, _BOLD) for word in words
    )


# --- lines that fit


def _fitted(line: str, width: int, further: str) -> Iterator[str]:
    """An indented line, its own lines indented further."""
    text = line.lstrip(" ")
    head = line[: len(line) - len(text)]
    return wrapped(printable(text), width, head, head + further)
