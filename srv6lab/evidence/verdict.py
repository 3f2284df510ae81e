"""The values that the witnesses of a packet hand to each other.

Nothing here reads a file, runs a program or knows a lab: only what a packet looked like
at a point, what somebody said it should look like, and what follows from the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from srv6lab.errors import Location
from srv6lab.evidence.packets import Direction, Point


class Status(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was judged. `expected`, `predicted` and `captured` are the three witnesses'
    words for `field`, None where a witness says nothing; `alone` names the one that disagrees
    with the others. `location` is where the author wrote the expectation. `quirks` are the kernel's
    departures from the RFC without which `predicted`, the RFC's word, would not do. `probe` is the one whose packets
    were judged, "" for what is of no probe."""

    kind: str
    status: Status
    point: Point | None
    field: str = ""
    expected: str | None = None
    predicted: str | None = None
    captured: str | None = None
    alone: str | None = None
    location: Location | None = None
    note: str = ""
    direction: Direction | None = None
    quirks: tuple[str, ...] = ()
    probe: str = ""


@dataclass(frozen=True, slots=True)
class Suspect:
    """What may have caused a failure: `cause` by its name, `what` in a sentence, `argv` the read-only command
    that proves it in `node` (none where nothing is to be asked there), `about` what its answer is held against.
    `proven` is None as long as nobody asked."""

    cause: str
    node: str
    what: str
    argv: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    proven: bool | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one exercise. A failure that was seen outweighs what could not be seen. `suspects` are the
    likely causes, the likeliest first; those that can't be told apart stand together."""

    exercise: str
    items: tuple[Item, ...]
    schema: int = 1
    suspects: tuple[Suspect, ...] = ()

    @property
    def status(self) -> Status:
        found = {item.status for item in self.items}
        if Status.FAIL in found:
            return Status.FAIL
        if Status.INCONCLUSIVE in found or not found:
            return Status.INCONCLUSIVE
        return Status.PASS
