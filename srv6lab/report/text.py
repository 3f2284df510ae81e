"""Verdicts for a person at a terminal: one line a hop, what differs under it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from srv6lab.errors import printable
from srv6lab.evidence.verdict import NOTES, Item, Status, Suspect, Verdict
from srv6lab.srv6.quirks import QUIRKS

_WORDS = {Status.PASS: "ok", Status.FAIL: "FAIL", Status.INCONCLUSIVE: "?"}


def verdicts_text(verdicts: Sequence[Verdict]) -> str:
    """All verdicts, and one line that sums them up."""
    blocks = ["\n".join(_verdict(verdict)) for verdict in verdicts]
    return printable("\n\n".join([*blocks, total_line(verdicts)]) + "\n")


def total_line(verdicts: Sequence[Verdict]) -> str:
    """How many exercises came to what."""
    return f"exercises: {_counted(verdict.status for verdict in verdicts)}"


def _counted(statuses: Iterable[Status]) -> str:
    counts = Counter(statuses)
    return ", ".join(f"{counts[status]} {status}" for status in Status if counts[status])


def _verdict(verdict: Verdict) -> Iterator[str]:
    yield f"exercise {verdict.exercise}: {verdict.status.upper()}"
    width = max((len(_place(item)) for item in verdict.items), default=0)
    several = len({item.probe for item in verdict.items} - {""}) > 1
    for probe, items in groupby(verdict.items, key=lambda item: item.probe):
        if several:
            yield f"  probe {probe}" if probe else "  all probes together"
        for item in items:
            yield from item_lines(item, width)
    yield f"  {_counted(item.status for item in verdict.items) or 'nothing was judged'}"
    yield from quirk_lines(verdict)
    yield from cause_lines(verdict.suspects)


def quirk_lines(verdict: Verdict) -> Iterator[str]:
    """Where packets passed that the RFC would form otherwise, and Linux is known to form so."""
    for name in sorted({quirk for item in verdict.items for quirk in item.quirks}):
        yield f"  by Linux, not by {QUIRKS[name].section}: {QUIRKS[name].what} ({name})"


def cause_lines(suspects: Sequence[Suspect]) -> Iterator[str]:
    """The cause that was proven; else all that can't be told apart, with what would prove each."""
    if not suspects:
        return
    suspects = [
        *{(one.what, one.argv and one.node, one.argv, one.mend, one.proven): one for one in suspects}.values()
    ]  # what is wrong at both ends of a wire is said once
    if suspects[0].proven:
        yield f"  cause: {suspects[0].what}"
    else:
        yield (
            "  one of these, which the captures can't tell apart:" if len(suspects) > 1 else "  likely cause:"
        )
    for one in suspects:
        if not one.proven:
            yield f"    {one.what}"
        if one.argv:
            yield f"      {'shown' if one.proven else 'ask'} on {one.node}: {shlex.join(one.argv)}"
        if one.mend and (one.proven or not one.argv):
            yield f"      to mend it: {one.mend}"


def item_lines(item: Item, width: int) -> Iterator[str]:
    """What came of one thing; where it isn't right, all that is known of it."""
    gist = item.gist()
    first, *more = gist.split("\n")
    word = "note" if isinstance(item, NOTES) else _WORDS[item.status]
    yield f"  {word:4} {_place(item):{width}}  {first}".rstrip()
    if item.status is Status.PASS:
        return
    if item.note and item.note != gist:
        more += item.note.split("\n")
    yield from (f"       {line}" for line in more)
    if item.location:
        yield f"       {item.location}"


def _place(item: Item) -> str:
    if item.point is None:
        return "-"
    return f"{item.point} {item.direction or ''}".rstrip()
