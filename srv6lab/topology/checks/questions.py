"""Checks of questions: each asks one thing, of what is there."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address

from srv6lab.errors import Problem
from srv6lab.topology.checks.exercises import point_problem
from srv6lab.topology.checks.facts import ExerciseView, Facts, Item
from srv6lab.topology.checks.network import no_node, repeated
from srv6lab.topology.checks.registry import Locate, check, did_you_mean, line_of
from srv6lab.topology.places import Place, Point
from srv6lab.topology.questions import Answer, Question, askable


def _every(view: Facts) -> Iterator[tuple[ExerciseView, Item[Question]]]:
    for exercise in view.exercises:
        for item in exercise.questions:
            yield exercise, item


@check
def question_twice(view: Facts, locate: Locate) -> Iterator[Problem]:
    """In the whole lab, since `invoke answer` names the question alone."""
    for name, first, path in repeated((item.value.id, item.path) for _, item in _every(view)):
        what = f"the question in {line_of(locate, (*first, 'id'))} is already called {name}"
        yield Problem(locate((*path, "id")), what, "give each question of the lab an id of its own")


@check
def one_answer(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _every(view):
        kinds = item.value.answer.kinds
        where = locate((*item.path, "answer"))
        if not kinds and item.whole and (*item.path, "answer") not in view.cut:
            mend = f"say one of {', '.join(f'`{key}`' for key in Answer.model_fields)}"
            yield Problem(where, f"nothing says what is right for {item.value.id}", mend)
        elif len(kinds) > 1:
            what = f"{item.value.id} has the answers {' and '.join(f'`{key}`' for key in kinds)}"
            yield Problem(where, what, "a question asks one thing: take one away")


@check
def unknown_probe(view: Facts, locate: Locate) -> Iterator[Problem]:
    for exercise, item in _every(view):
        for key, name in item.value.answer.probes():
            if exercise.probes_known and exercise.probe_ids and name not in exercise.probe_ids:
                where = locate((*item.path, "answer", *key))
                mend = did_you_mean(name, exercise.probe_ids, "give the exercise a probe")
                yield Problem(where, f"exercise {exercise.name} has no probe {name}", mend)


@check
def unknown_point(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _every(view):
        for key in ("field", "count"):
            asked = getattr(item.value.answer, key)
            if asked is not None and (words := point_problem(view, Point.parse(asked.at))):
                yield Problem(locate((*item.path, "answer", key, "at")), *words)


@check
def unknown_field(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _every(view):
        if (asked := item.value.answer.field) is not None and asked.field not in askable():
            near = did_you_mean(asked.field, askable(), "")
            every = ", ".join(name for name in askable() if "." not in name)
            mend = near if near.startswith("did") else f"of a header: {every}; also `middle.` and `inner.`"
            where = locate((*item.path, "answer", "field", "field"))
            yield Problem(where, f"a packet can't be asked for {asked.field}", mend)


@check
def unowned_sid(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _every(view):
        for key in ("owner", "behavior"):
            sid = getattr(item.value.answer, key)
            if sid is None or not view.sids_known or sid in view.unsound_sids:
                continue
            if view.owner(sid)[0] is None and not (key == "owner" and _by_bgp(view, sid)):
                known = sorted(view.owners)
                mend = f"SIDs of the lab: {', '.join(map(str, known[:8]))}" if known else "it has none"
                yield Problem(locate((*item.path, "answer", key)), f"{sid} is no node's SID", mend)


def _by_bgp(view: Facts, sid: IPv6Address) -> bool:
    """Whether a SID is of the locator of a router that binds SIDs for its VPNs."""
    return any(
        sid in one.prefix for node in view.nodes.values() if node.bgp for one in node.every_locator.values()
    )


@check
def unknown_place(view: Facts, locate: Locate) -> Iterator[Problem]:
    for _, item in _every(view):
        if (text := item.value.answer.place) is None:
            continue
        place, where = Place.parse(text), locate((*item.path, "answer", "place"))
        if words := no_node(view, place.node):
            yield Problem(where, *words)
        elif place.netns and view.services_sound and place not in view.places:
            yield Problem(
                where, f"{place.node} has no network namespace {place.netns}", f"write {place.node}"
            )
