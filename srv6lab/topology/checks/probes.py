"""Checks of probes that are told by their count: of flows and shares, of losses."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from srv6lab.errors import Problem
from srv6lab.topology.checks.facts import Facts
from srv6lab.topology.checks.registry import Locate, check, did_you_mean


@check
def probe_sends_one_thing(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.probes:
            probe = item.value
            if probe.icmp and probe.udp:
                what = "a probe is of `icmp` or of `udp`"
                yield Problem(locate((*item.path, "udp"), key=True), what, "make two probes of it")
            elif not probe.count and item.whole:
                what = f"probe {probe.id} has neither `icmp` nor `udp`"
                yield Problem(locate(item.path, key=True), what, "add `icmp: 3`")
            elif probe.udp and probe.segments:
                what = "only echo requests carry an SRH of their own"
                yield Problem(
                    locate((*item.path, "segments"), key=True), what, "write `icmp`, or take it away"
                )
            elif probe.icmp and "port" in probe.model_fields_set:
                yield Problem(locate((*item.path, "port"), key=True), "ICMP has no ports", "write `udp`")


@check
def share_is_a_part(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        for item in exercise.packets:
            one = item.value
            if one.share is None:
                continue
            if Fraction(one.share) > 1:
                yield Problem(
                    locate((*item.path, "share")), f"{one.share} is more than all of it", "write 3/4"
                )
            elif one.count is not None or one.absent:
                key = "count" if one.count is not None else "absent"
                what = f"`share` and `{key}` both say how many packets there are"
                yield Problem(locate((*item.path, key), key=True), what, "keep one of the two")


@check
def loss_of_a_probe(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise in view.exercises:
        icmp = {item.value.id for item in exercise.probes if item.value.icmp}
        for item in exercise.losses:
            name = item.value.probe
            if exercise.probes_known and name not in exercise.probe_ids:
                mend = did_you_mean(name, exercise.probe_ids, "give the exercise a probe")
                where = locate((*item.path, "probe"))
                yield Problem(where, f"exercise {exercise.name} has no probe {name}", mend)
            elif exercise.probes_known and name not in icmp:
                what = f"nothing answers probe {name}, so all of it is lost"
                yield Problem(locate((*item.path, "probe")), what, "name one with `icmp`")
