"""Checks of probes that are told by their count: of flows and shares, of answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts, Item
from srv6lab.topology.checks.network import no_node
from srv6lab.topology.checks.registry import Locate, check
from srv6lab.topology.exercises import NOBODY, PROBE_KINDS, Probe, ProbeKind, is_address


@check
def probe_sends_one_thing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.probes:
            probe = item.value
            if len(probe.kinds) > 1:
                what = f"a probe is of {_keys(' or of ')}"
                where = locate((*item.path, probe.kinds[1].key), key=True)
                yield Problem(where, what, "make two probes of it")
            elif not probe.kinds and item.whole:
                what = f"probe {probe.id} has neither {_keys(' nor ')}"
                yield Problem(locate(item.path, key=True), what, "add `icmp: 3`")
            elif probe.kinds:
                yield from _unfit(item, locate)


def _keys(between: str, kinds: Iterable[ProbeKind] = PROBE_KINDS) -> str:
    return between.join(f"`{kind.key}`" for kind in kinds)


def _unfit(item: Item[Probe], locate: Locate) -> Iterator[Problem]:
    """What a probe says that its kind doesn't have."""
    probe, kind = item.value, item.value.kind
    if probe.segments and not kind.segments:
        fit = [one for one in PROBE_KINDS if one.segments]
        what = f"only {' and '.join(one.words for one in fit)} carry an SRH of their own"
        where = locate((*item.path, "segments"), key=True)
        yield Problem(where, what, f"write {_keys(' or ', fit)}, or take it away")
    elif "port" in probe.model_fields_set and not kind.ports:
        fit = [one for one in PROBE_KINDS if one.ports]
        where = locate((*item.path, "port"), key=True)
        yield Problem(where, f"{kind.words} have no ports", f"write {_keys(' or ', fit)}")
    if probe.hops and not kind.grows:
        fit = [one for one in PROBE_KINDS if one.grows]
        where = locate((*item.path, "hops"), key=True)
        yield Problem(
            where, f"{kind.words} have one hop limit", f"write {_keys(' or ', fit)}, or take it away"
        )
    if probe.hop_limit and kind.grows:
        where = locate((*item.path, "hop_limit"), key=True)
        yield Problem(where, f"{kind.words} have no single one", "take it away")
    if probe.rate and not kind.rated:
        fit = [one for one in PROBE_KINDS if one.rated]
        what = f"only {' and '.join(one.words for one in fit)} have a `rate`"
        yield Problem(locate((*item.path, "rate"), key=True), what, "take it away, or write `interval`")
    elif probe.rate and probe.interval:
        what = "`rate` and `interval` both say how fast it is sent"
        yield Problem(locate((*item.path, "rate"), key=True), what, "keep one of the two")
    for key in ("size", "interval"):
        if key in probe.model_fields_set and not kind.counted:
            what = f"{kind.words} are one transfer, whose packets have no `{key}` of their own"
            yield Problem(locate((*item.path, key), key=True), what, "take it away")


@check
def share_is_a_part(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.packets:
            one = item.value
            if one.share is None:
                continue
            if one.share != "any" and Fraction(one.share) > 1:
                yield Problem(
                    locate((*item.path, "share")), f"{one.share} is more than all of it", "write 3/4"
                )
            elif one.count is not None or one.absent:
                key = "count" if one.count is not None else "absent"
                what = f"`share` and `{key}` both say how many packets there are"
                yield Problem(locate((*item.path, key), key=True), what, "keep one of the two")


@check
def transfer_has_no_number(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Of a kind that isn't counted nobody knows how many packets it takes, and how long they are."""
    for exercise in view.exercises:
        probes = [item.value for item in exercise.probes if item.value.kinds]
        uncounted = {probe.id for probe in probes if not probe.kind.counted}
        for one in exercise.packets:
            for key in ("count", "share", "length") if one.value.probe in uncounted else ():
                if getattr(one.value, key) is not None:
                    what = f"the `{key}` of a transfer's packets isn't known before it"
                    yield Problem(locate((*one.path, key), key=True), what, "take it away")


@check
def transfer_has_two_ends(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.probes:
            probe = item.value
            if probe.kinds and not probe.kind.counted and probe.to is None and probe.destination is not None:
                what = f"{probe.kind.words} need a node that listens"
                yield Problem(locate((*item.path, "destination"), key=True), what, "add `to: NODE`")


@check
def hops_are_there(view: Facts, locate: Locate) -> Iterator[Problem]:
    """Each hop is a node, an address, or nobody."""
    for exercise in view.exercises:
        for item in exercise.probes:
            for number, hop in enumerate(item.value.hops):
                where = locate((*item.path, "hops", number))
                if hop == NOBODY or is_address(hop):
                    continue
                if words := no_node(view, hop):
                    yield Problem(where, *words)
            if item.value.kinds and item.value.kind.grows and len(item.value.hops) > item.value.count:
                what = f"{item.value.id} comes {item.value.count} hops far at most, and `hops` has {len(item.value.hops)}"
                yield Problem(
                    locate((*item.path, "hops")),
                    what,
                    f"write `{item.value.kind.key}: {len(item.value.hops)}`",
                )


@check
def answers_of_a_probe(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.probes:
            probe, where = item.value, locate((*item.path, "answered"))
            if len(probe.kinds) != 1 or probe.answers is None:
                continue
            if not probe.kind.answered:
                fit = [kind for kind in PROBE_KINDS if kind.answered]
                what = f"nothing answers {probe.kind.words}"
                what = "`hops` says who answers growing hop limits" if probe.kind.grows else what
                yield Problem(where, what, f"write {_keys(' or ', fit)}, or take it away")
            elif not probe.kind.counted and probe.answered not in ("all", "none"):
                what = f"{probe.id} is one transfer, which is whole or not"
                yield Problem(where, what, "write `all` or `none`")
            elif probe.answers[0] > probe.sends:
                what = f"{probe.id} sends {probe.sends}, so {probe.answers[0]} can't be answered"
                yield Problem(where, what, "write `all`, or a smaller number")
