"""What came of an exercise: the things that were judged, each a class that knows its words, and the likely causes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from srv6lab.errors import Location
from srv6lab.evidence.drift import Difference
from srv6lab.evidence.packets import Direction, Point


class Status(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing that was judged; each kind of thing is a class of its own, which knows its words. `kind` is its name
    in JSON and JUnit.

    `expected`, `predicted` and `captured` are the three witnesses' words for `field`, None where a witness says
    nothing; `alone` names the one that disagrees with the others. `location` is where the author wrote the
    expectation. `quirks` are the kernel's departures from the RFC without which `predicted`, the RFC's word, would
    not do. `probe` is the one whose packets were judged, "" for what is of no probe."""

    kind: ClassVar[str]

    status: Status
    point: Point | None = None
    direction: Direction | None = None
    field: str = ""
    expected: str | None = None
    predicted: str | None = None
    captured: str | None = None
    alone: str | None = None
    location: Location | None = None
    note: str = ""
    quirks: tuple[str, ...] = ()
    probe: str = ""

    def gist(self) -> str:
        """What came of it, in a line or a few: of something that differs, what each witness says."""
        return f"{self.field}: {self.witnesses()}{self._stands_alone()}"

    def witnesses(self) -> str:
        """What each of those that speak says, "" if only the captures do."""
        if self.expected is None and self.predicted is None:
            return ""
        words = {"expected": self.expected, "predicted": self.predicted, "captured": self.captured}
        return ", ".join(f"{name} {value}" for name, value in words.items() if value is not None)

    def _stands_alone(self) -> str:
        return f"; {self.alone} stands alone" if self.alone else ""


class AsCaptured(Item):
    """What is as it should be: the captures' words say it all."""

    __slots__ = ()

    def gist(self) -> str:
        return self.captured or ""


class PacketsSeen(AsCaptured):
    """The packets of an expectation or of the model."""

    __slots__ = ()
    kind = "packet"


class MessageSeen(AsCaptured):
    """A routing protocol's message."""

    __slots__ = ()
    kind = "message"


class Settled(AsCaptured):
    """What the lab came to while the exercise changed it, and how long that took."""

    __slots__ = ()
    kind = "settled"


class FieldDiffers(Item):
    """A field of a packet or of a message, with another value."""

    __slots__ = ()
    kind = "field"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountDiffers(Item):
    """Another number of packets, but some; `too_many` says that there are more than there may be."""

    kind = "count"
    too_many: bool = False


class ShareDiffers(Item):
    """Another part of a probe's flows than is likely by its share."""

    __slots__ = ()
    kind = "share"


class RouteParts(Item):
    """A route that parts a probe's flows, and isn't as Day0 left it; `note` says how."""

    __slots__ = ()
    kind = "route"

    def gist(self) -> str:
        return self.note


class Missing(Item):
    """No packet, or no message, where there must be one."""

    __slots__ = ()
    kind = "missing"

    def gist(self) -> str:
        words = "missing" if self.status is Status.FAIL else "not seen, which proves nothing here"
        return f"{words}: {replace(self, captured=None).witnesses()}{self._stands_alone()}"


class Unexpected(Item):
    """Packets where there must be none."""

    __slots__ = ()
    kind = "unexpected"

    def gist(self) -> str:
        return f"unexpected: {self.captured}{self._stands_alone()}"


class Absent(Item):
    """No packet, where there must be none."""

    __slots__ = ()
    kind = "absent"

    def gist(self) -> str:
        if self.status is Status.PASS:
            return "absent, as expected"
        return "absent as far as was seen, which proves nothing here"


class Tally(Item):
    """What was counted: of one that isn't wrong, what it had to be and what was seen."""

    __slots__ = ()

    def gist(self) -> str:
        if self.status is Status.FAIL:
            return Item.gist(self)
        seen = f", seen {self.captured}" if self.captured else ""
        return f"{self.field}: {self.expected}{seen}"


class AlertTally(Tally):
    """An alert of a service that must come, or must not."""

    __slots__ = ()
    kind = "alert"


class CounterTally(Tally):
    """What a firewall or an SR proxy counted."""

    __slots__ = ()
    kind = "counter"


class AnswerTally(Tally):
    """Echo requests that were answered."""

    __slots__ = ()
    kind = "answered"


class HopTally(Tally):
    """Who answered a traceroute, hop by hop."""

    __slots__ = ()
    kind = "hops"

    def gist(self) -> str:
        return Item.gist(self) if self.status is Status.FAIL else f"{self.field}: {self.captured}"


class AnswersMissing(Item):
    """Fewer answers than the model says, by the word of whoever sent the probe."""

    __slots__ = ()
    kind = "answers"


class SidsUnknown(Item):
    """SIDs of a message that nothing can be held against."""

    __slots__ = ()
    kind = "sids"


class Remark(Item):
    """What isn't told by witnesses: `note` says it all."""

    __slots__ = ()

    def gist(self) -> str:
        return self.note


class LostByDesign(Remark):
    """Where the model lets a probe's packets end, none of which is delivered."""

    __slots__ = ()
    kind = "lost"


class NotModeled(Remark):
    """From where on the model doesn't know a probe's packets, and why."""

    __slots__ = ()
    kind = "not-modeled"


class TracerUnsound(Remark):
    """A tracer that may not have seen all."""

    __slots__ = ()
    kind = "tracer"


class DirectionUnknown(Remark):
    """A capture in which nothing tells what came in from what went out."""

    __slots__ = ()
    kind = "direction"


class FrameUnclear(Remark):
    """Frames of which it can't be told whether they are a probe's."""

    __slots__ = ()
    kind = "unclear"


class NotHandedIn(Remark):
    """Of what nothing was handed in, so that it is neither right nor wrong."""

    __slots__ = ()
    kind = "not-handed-in"


class ProbeNotSent(Remark):
    """A probe that didn't leave its node."""

    __slots__ = ()
    kind = "probe"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeFailed(Remark):
    """The exercise couldn't go on: `node` refused a change, if it was one."""

    kind = "apply"
    node: str = ""


class NothingJudged(Remark):
    """An exercise of which nothing was judged."""

    __slots__ = ()
    kind = "exercise"


class RouterFinding(Remark):
    """What is amiss of one router; `field` is its name."""

    __slots__ = ()

    @property
    def node(self) -> str:
        return self.field


class RoutingLacks(RouterFinding):
    """What its routing protocols should have brought about."""

    __slots__ = ()
    kind = "routing"


class PoliciesDiffer(RouterFinding):
    """SR policies that it has elected otherwise than the model."""

    __slots__ = ()
    kind = "policies"


class DiffersFromDay0(Remark):
    """What isn't as Day0 left it: neither right nor wrong by itself. `field` is the namespace."""

    __slots__ = ()
    kind = "drift"

    @classmethod
    def of(cls, one: Difference) -> DiffersFromDay0:
        lines = one.told()
        more = f", and {len(lines) - 4} more" if len(lines) > 4 else ""
        note = f"{one.place} isn't as Day0 left it, {one.section}: {'; '.join(lines[:4])}{more}"
        return cls(status=Status.PASS, field=str(one.place), note=note)


class Unreviewed(Remark):
    """A walk that is the model's own prediction: no author has read it."""

    __slots__ = ()
    kind = "unreviewed"


NOTES = (DiffersFromDay0, NotModeled, Unreviewed)  # neither right nor wrong


@dataclass(frozen=True, slots=True)
class Suspect:
    """What may have caused a failure: `cause` by its name, `what` in a sentence, `argv` the read-only command
    that proves it in `node` (none where nothing is to be asked there), `about` what its answer is held against.
    `proven` is True where an answer proved it surely, else None; `mend` is what mends it."""

    cause: str
    node: str
    what: str
    argv: tuple[str, ...] = ()
    about: tuple[tuple[str, str], ...] = ()
    proven: bool | None = None
    mend: str = ""


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
