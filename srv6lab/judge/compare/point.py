"""One point and direction, three witnesses: what was expected, predicted and captured there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from srv6lab.evidence.prediction import Hop
from srv6lab.evidence.verdict import Item, Status
from srv6lab.evidence.wording import describe, sentence
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
    """What is known beside the packets: how many were `sent`, whether the model speaks at all, why the absence
    of a packet proves nothing ("" if it does), and the author's word that nothing else comes here ("" for none)."""

    sent: int
    modeled: bool
    blind: str = ""
    nothing_else: str = ""


def judge_place(
    expected: Sequence[Expected], foreseen: Sequence[Permitted], hops: Sequence[Hop], scene: PointContext
) -> Iterator[Item]:
    """Every packet belongs to the expectation that it fits best, of those that it fits equally to the one that
    says most. What fits none is held against the model alone."""
    seen, unclaimed = _shared(hops, expected, lambda one, hop: one.means(hop.packet), _far_from, scene.sent)
    said, unsaid = _shared(foreseen, expected, lambda one, item: one.means(item.packet), _far_between, 1)
    for one, mine, permitted in zip(expected, seen, said, strict=True):
        yield from _judge(one, permitted, mine, scene)
    modeled, unforeseen = _shared(unclaimed, unsaid, _same_flow, _far_from_model, scene.sent)
    for item, mine in zip(unsaid, modeled, strict=True):
        yield from (
            _against_author(item, mine, scene) if scene.nothing_else else _against_model(item, mine, scene)
        )
    if scene.nothing_else:
        yield from _unexpected(unforeseen, CAPTURED, scene.nothing_else)
    elif scene.modeled:
        yield from _unexpected(
            unforeseen, None, "the model has no such packet here, and the author says nothing"
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
                most = (owner.count if isinstance(owner, Expected) else None) or full
                fits.append((wrong, len(shares[index]) >= most, preference, index))
        if fits:
            shares[min(fits)[-1]].append(item)
        else:
            left.append(item)
    return shares, left


def _far_from(one: Expected, hop: Hop) -> tuple[int, int]:
    return one.mismatches(describe(hop.packet)), -len(one.fields)


def _far_between(one: Expected, item: Permitted) -> tuple[int, int]:
    return min(one.mismatches(fields) for fields in item.variants), -len(one.fields)


def _far_from_model(item: Permitted, hop: Hop) -> tuple[int, int]:
    return item.mismatches(describe(hop.packet)), 0


def _same_flow(item: Permitted, hop: Hop) -> bool:
    one, other = item.packet.innermost, hop.packet.innermost
    return (one.source, one.destination) == (other.source, other.destination)


# --- an expectation, the model and the captures


def _judge(
    one: Expected, foreseen: Sequence[Permitted], hops: Sequence[Hop], scene: PointContext
) -> Iterator[Item]:
    permitted = _span(foreseen) if scene.modeled else None
    faults = [] if one.absent else list(_wrong_fields(one, foreseen, hops))
    faults += (
        _wrong_share(one, foreseen, hops, scene) if one.share else _wrong_count(one, permitted, hops, scene)
    )
    if faults:
        yield from faults
    elif one.absent:
        status = Status.INCONCLUSIVE if scene.blind else Status.PASS
        predicted = span(*permitted) if permitted else None
        yield _item(one, "absent", status, "count", "0", predicted, "0", note=scene.blind)
    else:
        wanted, predicted = sentence(dict(one.fields)), _foreseen_words(foreseen)
        captured = f"{len(hops)}: {_sentences(hops)}"
        quirks = _quirks(foreseen, hops)
        note = f"{one.share} of {scene.sent} flows" if one.share else ""
        yield _item(one, "packet", Status.PASS, "", wanted, predicted, captured, note=note, quirks=quirks)


def _wrong_fields(one: Expected, foreseen: Sequence[Permitted], hops: Sequence[Hop]) -> Iterator[Item]:
    """Fields that the author named, and those that only the model speaks of."""
    described = [describe(hop.packet) for hop in hops]
    said = dict(one.fields)
    for name in described[0] if described else ():
        value = said.get(name)
        captured = distinct(fields[name] for fields in described)
        permitted = distinct(word for item in foreseen for word in item.permits(name)) if foreseen else None
        wrong = [word for word in captured if value is not None and word != value]
        unforeseen = [word for word in captured if permitted is not None and word not in permitted]
        if wrong or unforeseen:
            predicted = " or ".join(permitted) if permitted else None
            alone = values_alone(value, permitted, captured)
            seen = " and ".join(wrong or unforeseen)
            yield _item(one, "field", Status.FAIL, name, value, predicted, seen, alone)


def _wrong_count(
    one: Expected, permitted: Span | None, hops: Sequence[Hop], scene: PointContext
) -> Iterator[Item]:
    wanted, count = 0 if one.absent else one.count or scene.sent, len(hops)
    predicted = span(*permitted) if permitted else None
    alone = counts_alone(wanted, permitted, count)
    if count < wanted:
        status = Status.INCONCLUSIVE if scene.blind else Status.FAIL
        kind = "count" if hops else "missing"
        alone = None if scene.blind else alone
        yield _item(one, kind, status, "count", str(wanted), predicted, str(count), alone, scene.blind)
    elif count > wanted:
        kind = "unexpected" if one.absent else "count"
        captured = f"{count}: {_sentences(hops)}" if one.absent else str(count)
        yield _item(one, kind, Status.FAIL, "count", str(wanted), predicted, captured, alone)
    elif permitted and not permitted[0] <= count <= permitted[1] and not (one.absent and scene.blind):
        yield _item(one, "count", Status.FAIL, "count", str(wanted), predicted, str(count), alone)


def _wrong_share(
    one: Expected, foreseen: Sequence[Permitted], hops: Sequence[Hop], scene: PointContext
) -> Iterator[Item]:
    """A count that is unlikely by the share that the author expects, or a model that has another share."""
    wanted, count = one.share or Fraction(0), len(hops)
    modeled = sum((item.share for item in foreseen), Fraction(0)) if scene.modeled else wanted
    by_author, by_model = likely(count, scene.sent, wanted), likely(count, scene.sent, modeled)
    if by_author and modeled == wanted:
        return
    status = Status.INCONCLUSIVE if scene.blind and modeled == wanted else Status.FAIL
    alone = CAPTURED if modeled == wanted else EXPECTED if by_model else PREDICTED if by_author else None
    predicted = str(modeled) if scene.modeled else None
    seen = f"{count} of {scene.sent}"
    yield _item(
        one,
        "share",
        status,
        "share",
        str(wanted),
        predicted,
        seen,
        None if scene.blind else alone,
        scene.blind,
    )


def _item(
    one: Expected,
    kind: str,
    status: Status,
    field: str,
    expected: str | None,
    predicted: str | None,
    captured: str,
    alone: str | None = None,
    note: str = "",
    quirks: tuple[str, ...] = (),
) -> Item:
    return Item(
        kind, status, one.point, field, expected, predicted, captured, alone, one.location, note,
        one.direction, quirks,
    )  # fmt: skip


# --- the model and the captures, where the author says nothing


def _against_model(item: Permitted, hops: Sequence[Hop], scene: PointContext) -> Iterator[Item]:
    count, place = len(hops), (item.point, item.direction)
    described = [describe(hop.packet) for hop in hops]
    faults = []
    for name in item.fields:
        permitted = item.permits(name)
        if wrong := distinct(fields[name] for fields in described if fields[name] not in permitted):
            faults.append(("field", name, " or ".join(permitted), " and ".join(wrong)))
    if not item.least <= count <= item.most and not (count < item.least and scene.blind):
        faults.append(("count" if hops else "missing", "count", span(item.least, item.most), str(count)))
    note = "the author says nothing here"
    for kind, name, predicted, captured in faults:
        yield Item(
            kind, Status.FAIL, place[0], name, None, predicted, captured, note=note, direction=place[1]
        )
    if hops and not faults:
        words = f"{count}: {_sentences(hops)}"
        quirks = _quirks([item], hops)
        yield Item(
            "packet", Status.PASS, place[0], "", None, sentence(item.fields), words, note=note,
            direction=place[1], quirks=quirks,
        )  # fmt: skip


def _against_author(item: Permitted, hops: Sequence[Hop], scene: PointContext) -> Iterator[Item]:
    """The author says that nothing is here, the model that something is."""
    if hops:
        alone = None if item.mismatches(describe(hops[0].packet)) else EXPECTED
        predicted = f"{span(item.least, item.most)}: {sentence(item.fields)}"
        yield from _unexpected(hops, alone, scene.nothing_else, predicted)
    elif item.least and not scene.blind:
        predicted = f"{item.least}: {sentence(item.fields)}"
        yield Item(
            "missing", Status.FAIL, item.point, "count", "0", predicted, "0", PREDICTED,
            note=scene.nothing_else, direction=item.direction,
        )  # fmt: skip


def _unexpected(
    hops: Sequence[Hop], alone: str | None, note: str, predicted: str | None = None
) -> Iterator[Item]:
    groups: dict[str, list[Hop]] = {}
    for hop in hops:
        groups.setdefault(sentence(describe(hop.packet)), []).append(hop)
    for text, group in groups.items():
        yield Item(
            "unexpected", Status.FAIL, group[0].point, "count", "0", predicted, f"{len(group)}: {text}", alone,
            note=note, direction=group[0].direction,
        )  # fmt: skip


# --- words


def _span(foreseen: Iterable[Permitted]) -> Span:
    items = list(foreseen)
    return sum(item.least for item in items), sum(item.most for item in items)


def _quirks(foreseen: Sequence[Permitted], hops: Sequence[Hop]) -> tuple[str, ...]:
    """The departures from the RFC without which the captured packets aren't the predicted ones."""
    by_rfc = [item.fields for item in foreseen if item.by_rfc]
    if all(describe(hop.packet) in by_rfc for hop in hops):
        return ()
    return tuple(distinct(quirk for item in foreseen for quirk in item.quirks))


def _foreseen_words(foreseen: Sequence[Permitted]) -> str | None:
    return " or ".join(distinct(sentence(item.fields) for item in foreseen)) or None


def _sentences(hops: Sequence[Hop]) -> str:
    return " and ".join(distinct(sentence(describe(hop.packet)) for hop in hops))
