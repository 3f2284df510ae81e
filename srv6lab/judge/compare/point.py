"""One point and direction, three witnesses: what was expected, predicted and captured there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from srv6lab.evidence.fields import differing
from srv6lab.evidence.packets import Direction, Point
from srv6lab.evidence.shares import Shares
from srv6lab.evidence.verdict import (
    Absent,
    CountDiffers,
    FieldDiffers,
    Item,
    Missing,
    PacketsSeen,
    ShareDiffers,
    Status,
    Unexpected,
)
from srv6lab.evidence.wording import Described, sentence
from srv6lab.judge.compare.binomial import likely
from srv6lab.judge.compare.permitted import Permitted
from srv6lab.judge.compare.witnesses import (
    CAPTURED,
    EXPECTED,
    PREDICTED,
    Span,
    counts_alone,
    distinct,
    span,
    values_alone,
)
from srv6lab.judge.expectations import Expected

T = TypeVar("T")
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class PointContext:
    """Where it is, and what is known beside the packets: how many were `sent`, whether the model speaks at all, why
    the absence of a packet proves nothing ("" if it does), and the author's word that nothing else comes here ("" for
    none), which is held against the model's packets, too, where the author is `strict`. Where it is `open` the model says
    nothing of packets that it doesn't foresee. Of a probe that isn't `counted` there may be more than were sent."""

    point: Point
    direction: Direction
    sent: int
    modeled: bool
    blind: str = ""
    nothing_else: str = ""
    strict: bool = False
    open: bool = False
    counted: bool = True

    def speaks(self, foreseen: Sequence[Permitted]) -> bool:
        """Whether the model says how many packets there are, of which it foresees these."""
        return self.modeled and (bool(foreseen) or not self.open)

    def item(self, kind: type[Item], status: Status, author: Expected | None, **words: Any) -> Item:
        """Something judged here, of the author's expectation if it is of one."""
        location = author.location if author else None
        return kind(status=status, point=self.point, direction=self.direction, location=location, **words)


def judge_spot(
    expected: Sequence[Expected],
    foreseen: Sequence[Permitted],
    packets: Sequence[Described],
    here: PointContext,
) -> Iterator[Item]:
    """Every packet belongs to the expectation that it fits best, of those that it fits equally to the one that
    says most. What fits none is held against the model alone."""
    expected = _once(expected)
    meant = {id(one): _Meant.of(one, foreseen) for one in expected}
    seen, unclaimed = _shared(
        packets, expected, lambda one, it: meant[id(one)].holds(it), _far_from, here.sent
    )
    said, unsaid = _shared(
        foreseen, expected, lambda one, item: meant[id(one)].foretold(item), _far_between, 1
    )
    for one, mine, permitted in zip(expected, seen, said, strict=True):
        yield from _judge(one, permitted, mine, here)
    modeled, unforeseen = _shared(unclaimed, unsaid, _same_flow, _far_from_model, here.sent)
    against = _against_author if here.nothing_else and here.strict else _against_model
    for item, mine in zip(unsaid, modeled, strict=True):
        yield from against(item, mine, here)
    if here.nothing_else:
        yield from _unexpected(unforeseen, here, CAPTURED, here.nothing_else)
    elif here.speaks(()):
        note = "the model has no such packet here, and the author says nothing"
        yield from _unexpected(unforeseen, here, None, note)


def _once(expected: Sequence[Expected]) -> Sequence[Expected]:
    """Any part of the flows, said of a bridge's end for two others from which they come, is said once."""
    known: dict[object, Expected] = {}
    for one in expected:
        any_part = one.share is not None and one.share.any_
        known.setdefault((one.fields, one.flow) if any_part else id(one), one)
    return tuple(known.values())


@dataclass(frozen=True, slots=True)
class _Meant:
    """Which packets an expectation is about: where the model has some that are as it says, those of the model that are
    otherwise are not among them, nor captured ones that are just like these."""

    author: Expected
    others: tuple[Permitted, ...]

    @classmethod
    def of(cls, author: Expected, foreseen: Sequence[Permitted]) -> _Meant:
        mine = [item for item in foreseen if author.means(item.packet)]
        others = tuple(item for item in mine if _far_between(author, item)[0])
        return cls(author, others if len(others) < len(mine) else ())

    def foretold(self, item: Permitted) -> bool:
        return self.author.means(item.packet) and not any(item is one for one in self.others)

    def holds(self, packet: Described) -> bool:
        return self.author.means(packet.packet) and not any(
            _same_flow(item, packet) and not item.mismatches(packet.fields) for item in self.others
        )


def _shared(
    items: Iterable[T],
    owners: Sequence[M],
    means: Callable[[M, T], bool],
    far: Callable[[M, T], tuple[int, int]],
    full: int,
) -> tuple[list[list[T]], list[T]]:
    """Each item with the owner that it fits best, one that isn't full first, and those that fit none."""
    shares: list[list[T]] = [[] for _ in owners]
    left = []
    for item in items:
        fits = []
        for index, owner in enumerate(owners):
            if means(owner, item):
                wrong, preference = far(owner, item)
                most = (owner.count if isinstance(owner, Expected) else _most(owner)) or full
                fits.append((wrong, len(shares[index]) >= most, preference, index))
        if fits:
            shares[min(fits)[-1]].append(item)
        else:
            left.append(item)
    return shares, left


def _most(owner: object) -> int | None:
    return owner.most if isinstance(owner, Permitted) else None


def _far_from(one: Expected, packet: Described) -> tuple[int, int]:
    return one.mismatches(packet.fields), -len(one.fields)


def _far_between(one: Expected, item: Permitted) -> tuple[int, int]:
    return min(one.mismatches(fields) for fields in item.variants), -len(one.fields)


def _far_from_model(item: Permitted, packet: Described) -> tuple[int, int]:
    return item.mismatches(packet.fields), 0


def _same_flow(item: Permitted, packet: Described) -> bool:
    one, other = item.packet.innermost, packet.packet.innermost
    return (one.source, one.destination) == (other.source, other.destination)


# --- an expectation, the model and the captures


def _judge(
    one: Expected, foreseen: Sequence[Permitted], packets: Sequence[Described], here: PointContext
) -> Iterator[Item]:
    permitted = _span(foreseen) if here.speaks(foreseen) else None
    faults = [] if one.absent else list(_wrong_fields(one, foreseen, packets, here))
    if one.share:
        faults += _wrong_share(one, one.share, foreseen, len(packets), here)
    else:
        faults += _wrong_count(one, permitted, packets, here)
    if faults:
        yield from faults
    elif one.absent:
        status = Status.INCONCLUSIVE if here.blind else Status.PASS
        predicted = span(*permitted) if permitted else None
        words = {"expected": "0", "predicted": predicted, "captured": "0", "note": here.blind}
        yield here.item(Absent, status, one, field="count", **words)
    else:
        yield here.item(
            PacketsSeen,
            Status.PASS,
            one,
            expected=sentence(dict(one.fields)),
            predicted=_foreseen_words(foreseen),
            captured=_counted(packets),
            note=f"{one.share} of {here.sent} flows" if one.share else "",
            quirks=_quirks(foreseen, packets),
        )


def _wrong_fields(
    one: Expected, foreseen: Sequence[Permitted], packets: Sequence[Described], here: PointContext
) -> Iterator[Item]:
    """Fields that the author named, and those that only the model speaks of."""
    said, foretold = dict(one.fields), _foretold(foreseen, packets)
    for name in dict.fromkeys((*(packets[0].fields if packets else ()), *foretold)):
        value = said.get(name)
        captured = distinct(packet.fields[name] for packet in packets if name in packet.fields)
        permitted = distinct(word for item in foreseen for word in item.permits(name)) or None
        wrong = [word for word in captured if value is not None and word != value]
        words, unforeseen = foretold.get(name, (permitted or [], []))
        if wrong or unforeseen:
            yield here.item(
                FieldDiffers,
                Status.FAIL,
                one,
                field=name,
                expected=value,
                predicted=" or ".join(words) if permitted else None,
                captured=" and ".join(wrong or unforeseen),
                alone=values_alone(value, words if permitted else None, captured),
            )


def _foretold(
    foreseen: Sequence[Permitted], packets: Sequence[Described]
) -> dict[str, tuple[list[str], list[str]]]:
    """What differs from whole packets of the model: by field, the words of the nearest ones and of the captured."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for packet in packets if foreseen else ():
        nearest = min((item.nearest(packet.fields) for item in foreseen), key=lambda it: len(differing(it, packet.fields)))  # fmt: skip
        for name in differing(nearest, packet.fields):
            words, captured = found.setdefault(name, ([], []))
            alike = distinct(word for item in foreseen for word in item.permits(name))
            seen = packet.fields[name]
            words += [nearest[name]] if seen in alike else alike
            captured.append(seen)
    return {name: (distinct(words), distinct(captured)) for name, (words, captured) in found.items()}


def _wrong_count(
    one: Expected, permitted: Span | None, packets: Sequence[Described], here: PointContext
) -> Iterator[Item]:
    wanted, count = 0 if one.absent else one.count or here.sent, len(packets)
    if not (here.counted or one.absent):
        count = min(count, wanted)  # more may come of it
    words: dict[str, Any] = {
        "field": "count",
        "expected": str(wanted),
        "predicted": span(*permitted) if permitted else None,
        "captured": str(count),
        "alone": counts_alone(wanted, permitted, count),
    }
    if count < wanted and here.blind:
        words |= {"alone": None, "note": here.blind}
        yield here.item(CountDiffers if count else Missing, Status.INCONCLUSIVE, one, **words)
    elif count < wanted:
        yield here.item(CountDiffers if count else Missing, Status.FAIL, one, **words)
    elif count > wanted and one.absent:
        yield here.item(Unexpected, Status.FAIL, one, **words | {"captured": _counted(packets)})
    elif count > wanted:
        yield here.item(CountDiffers, Status.FAIL, one, **words, too_many=True)
    elif permitted and not permitted[0] <= count <= permitted[1] and not (one.absent and here.blind):
        yield here.item(CountDiffers, Status.FAIL, one, **words)


def _wrong_share(
    one: Expected, wanted: Shares, foreseen: Sequence[Permitted], count: int, here: PointContext
) -> Iterator[Item]:
    """A count that is unlikely by the share that the author expects, or a model that has another share."""
    ways = [way for item in foreseen for way in item.ways]
    modeled = Shares.of(ways) if here.speaks(foreseen) else wanted
    by_author, by_model = (_explains(shares, count, here.sent) for shares in (wanted, modeled))
    agreed = wanted.any_ or all(modeled.permit(part) for part in wanted.possible)
    if agreed and by_author and by_model:
        return
    if agreed:
        alone = None if by_model else CAPTURED
    else:
        alone = EXPECTED if by_model else PREDICTED if by_author else None
    chose = sorted({str(choice.place) for way in ways for choice in way.choices})
    note = f"{' and '.join(chose)} may send all of them by one way: write `share: any`" if chose else ""
    yield here.item(
        ShareDiffers,
        Status.INCONCLUSIVE if here.blind and agreed else Status.FAIL,
        one,
        field="share",
        expected=str(wanted),
        predicted=str(modeled) if here.speaks(foreseen) else None,
        captured=f"{count} of {here.sent}",
        alone=None if here.blind else alone,
        note=here.blind or note,
    )


def _explains(shares: Shares, count: int, whole: int) -> bool:
    """Whether a count of flows is likely by some share that is possible."""
    seen = Fraction(count, whole) if whole else Fraction(0)
    return (shares.open_ and shares.permit(seen)) or any(likely(count, whole, one) for one in shares.possible)


# --- the model and the captures, where the author says nothing


def _against_model(item: Permitted, packets: Sequence[Described], here: PointContext) -> Iterator[Item]:
    count, note = len(packets), "the author says nothing here"
    good = True
    for name, (permitted, wrong) in _foretold([item], packets).items():
        good = False
        words = {"predicted": " or ".join(permitted), "captured": " and ".join(wrong)}
        yield here.item(FieldDiffers, Status.FAIL, None, field=name, **words, note=note)
    if not item.least <= count <= item.most and not (count < item.least and here.blind):
        good = False
        words = {"field": "count", "predicted": span(item.least, item.most), "captured": str(count)}
        if count:
            yield here.item(CountDiffers, Status.FAIL, None, **words, too_many=count > item.most, note=note)
        else:
            yield here.item(Missing, Status.FAIL, None, **words, note=note)
    if packets and good:
        words = {"predicted": sentence(item.fields), "captured": _counted(packets), "note": note}
        yield here.item(PacketsSeen, Status.PASS, None, **words, quirks=_quirks([item], packets))


def _against_author(item: Permitted, packets: Sequence[Described], here: PointContext) -> Iterator[Item]:
    """The author says that nothing is here, the model that something is."""
    if packets:
        alone = None if item.mismatches(packets[0].fields) else EXPECTED
        predicted = f"{span(item.least, item.most)}: {sentence(item.fields)}"
        yield from _unexpected(packets, here, alone, here.nothing_else, predicted)
    elif item.least and not here.blind:
        yield here.item(
            Missing,
            Status.FAIL,
            None,
            field="count",
            expected="0",
            predicted=f"{item.least}: {sentence(item.fields)}",
            captured="0",
            alone=PREDICTED,
            note=here.nothing_else,
        )


def _unexpected(
    packets: Sequence[Described],
    here: PointContext,
    alone: str | None,
    note: str,
    predicted: str | None = None,
) -> Iterator[Item]:
    groups: dict[str, int] = {}
    for packet in packets:
        text = sentence(packet.fields)
        groups[text] = groups.get(text, 0) + 1
    for text, count in groups.items():
        words = {"expected": "0", "predicted": predicted, "captured": f"{count}: {text}", "alone": alone}
        yield here.item(Unexpected, Status.FAIL, None, field="count", **words, note=note)


# --- words


def _span(foreseen: Iterable[Permitted]) -> Span:
    items = list(foreseen)
    return sum(item.least for item in items), sum(item.most for item in items)


def _quirks(foreseen: Sequence[Permitted], packets: Sequence[Described]) -> tuple[str, ...]:
    """The departures from the RFC without which the captured packets aren't the predicted ones."""
    by_rfc = [item.fields for item in foreseen if item.by_rfc]
    if all(any(not differing(one, packet.fields) for one in by_rfc) for packet in packets):
        return ()
    return tuple(distinct(quirk for item in foreseen for quirk in item.quirks))


def _foreseen_words(foreseen: Sequence[Permitted]) -> str | None:
    return " or ".join(distinct(sentence(item.fields) for item in foreseen)) or None


def _counted(packets: Sequence[Described]) -> str:
    """`3: …`, and what they look like."""
    return f"{len(packets)}: {' and '.join(distinct(sentence(packet.fields) for packet in packets))}"
