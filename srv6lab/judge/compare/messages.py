"""What routing protocols said, against what the author expected. The model says nothing here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address

from srv6lab.evidence.observations import Tracer
from srv6lab.evidence.packets import Direction, Message, Point
from srv6lab.evidence.verdict import FieldDiffers, Item, MessageSeen, Missing, SidsUnknown, Status
from srv6lab.judge.expectations import ExpectedMessage, ExpectedSids

Heard = Mapping[tuple[Point, Direction], Sequence[Message]]


def judge_messages(
    expected: Sequence[ExpectedMessage],
    heard: Heard,
    tracers: Mapping[Point, Tracer],
    bound: Mapping[str, Sequence[tuple[str, str]]],
) -> Iterator[Item]:
    """One item a message, or one for each field that is wrong. The last message counts: what a router said
    before it knew all is no fault. `bound` are the (SID, behavior) pairs of each node's kernel."""
    for one in expected:
        meant = [
            message
            for message in heard.get((one.point, one.direction), ())
            if message.protocol == one.protocol and not list(_differences(one.where, message))
        ]
        if not meant:
            yield _missing(one, tracers[one.point])
            continue
        wrong = list(_differences(one.fields, meant[-1]))
        for name, wanted, seen in wrong:
            yield _item(FieldDiffers, one, Status.FAIL, name, wanted, seen, f"frame {meant[-1].number}")
        for sids in one.sids:
            yield from _judge_sids(one, sids, meant[-1].fields.get(sids.field, ()), bound.get(sids.node))
        if not wrong:
            yield _item(
                MessageSeen, one, Status.PASS, "", _words(one), f"{_words(one)}: {len(one.fields)} fields"
            )


def _judge_sids(
    one: ExpectedMessage, sids: ExpectedSids, seen: Sequence[str], bound: Sequence[tuple[str, str]] | None
) -> Iterator[Item]:
    """In the locator, each once, and the same as in the kernel."""
    strays = [sid for sid in seen if sids.locator is None or IPv6Address(sid) not in sids.locator]
    if strays:
        yield _item(FieldDiffers, one, Status.FAIL, sids.field, f"SIDs in {sids.locator}", _list(strays))
    elif bound is None:
        note = f"nothing was observed of the kernel of {sids.node}"
        yield _item(SidsUnknown, one, Status.INCONCLUSIVE, sids.field, "as in the kernel", _list(seen), note)
    elif sorted(seen) != (wanted := sorted(sid for sid, behavior in bound if behavior == sids.behavior)):
        words = f"{_list(wanted)}, which the kernel of {sids.node} binds to {sids.behavior}"
        yield _item(FieldDiffers, one, Status.FAIL, sids.field, words, _list(seen))


def _differences(
    wanted: Sequence[tuple[str, tuple[str, ...]]], message: Message
) -> Iterator[tuple[str, str, str]]:
    """The fields that a message has otherwise: name, wanted, seen."""
    for name, values in wanted:
        seen = message.fields.get(name, ())
        if seen != values:
            yield name, _list(values), _list(seen)


def _missing(one: ExpectedMessage, tracer: Tracer) -> Item:
    """No such message: the lab's failure, if the tracer would have seen it."""
    status = Status.FAIL if tracer.sound else Status.INCONCLUSIVE
    return _item(Missing, one, status, one.protocol, _words(one), "0", "" if tracer.sound else tracer.note)


def _item(
    kind: type[Item], one: ExpectedMessage, status: Status, field: str, wanted: str, seen: str, note: str = ""
) -> Item:
    alone = "captured" if status is Status.FAIL else None
    return kind(
        status=status,
        point=one.point,
        direction=one.direction,
        field=field,
        expected=wanted,
        captured=seen,
        alone=alone,
        location=one.location,
        note=note,
    )


def _words(one: ExpectedMessage) -> str:
    where = ", ".join(f"{name} {_list(values)}" for name, values in one.where)
    return f"{one.protocol} with {where}" if where else one.protocol


def _list(values: Sequence[str]) -> str:
    return ", ".join(values) or "none"
