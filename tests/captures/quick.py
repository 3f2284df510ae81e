"""Judging the same packets again and again, quickly: what is a function of its arguments is computed once for them.

A mutant differs from its right run in a packet or two, so nearly all that is judged of it has been judged before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from srv6lab.evidence import wording
from srv6lab.judge import compare, grade
from srv6lab.judge.compare import carried, errors, permitted
from srv6lab.judge.diagnose import first_break

_MOST = 200_000  # of what is remembered by one function


class _Known:
    """Results by the identity of arguments, which are kept so that no other object takes theirs."""

    def __init__(self) -> None:
        self._found: dict[object, tuple[object, Any]] = {}

    def get(self, key: object, kept: object, compute: Callable[[], Any]) -> Any:
        if key not in self._found:
            if len(self._found) > _MOST:
                self._found.clear()
            self._found[key] = kept, compute()
        return self._found[key][1]


def _by_identity(function: Callable[..., Any]) -> Callable[..., Any]:
    known = _Known()

    def remembered(*arguments: object, **named: object) -> Any:
        every = (*arguments, *named.values())
        key = tuple(one if isinstance(one, int | str) else id(one) for one in every)
        return known.get(key, every, lambda: function(*arguments, **named))

    return remembered


def _spots(function: Callable[..., Iterator[Any]]) -> Callable[..., list[Any]]:
    known = _Known()

    def remembered(*arguments: Any) -> list[Any]:
        *lists, here = arguments
        groups: list[Sequence[object]] = [tuple(one) for one in lists]
        key = (here, *(tuple(map(id, group)) for group in groups))
        found: list[Any] = known.get(key, groups, lambda: list(function(*groups, here)))
        return found

    return remembered


def _of_packets(function: Callable[..., Any]) -> Callable[..., Any]:
    """Of one packet: of its views at their spots."""
    known = _Known()

    def remembered(views: Sequence[tuple[object, object]], asked: object) -> Any:
        key = (id(asked), *((spot, id(view)) for spot, view in views))
        return known.get(key, (views, asked), lambda: function(views, asked))

    return remembered


def _of_walks(function: Callable[..., Any]) -> Callable[..., Any]:
    """Of where one packet was seen, how often."""
    known: dict[object, Any] = {}

    def remembered(walks: Sequence[object], seen: Any, sound: Any, arrived: bool) -> Any:
        key = (
            *map(id, walks),
            *((spot, len(views)) for spot, views in seen.items()),
            frozenset(sound),
            arrived,
        )
        if key not in known:
            known[key] = function(walks, seen, sound, arrived)
        return known[key]

    return remembered


def _predictions() -> Callable[..., Any]:
    known: dict[tuple[str, str], Any] = {}
    function = grade.predict

    def remembered(plan: Any, exercise: str) -> Any:
        key = plan.name, exercise
        if key not in known:
            known[key] = function(plan, exercise)
        return known[key]

    return remembered


@contextmanager
def without_causes() -> Iterator[None]:
    """As long as this is open, no verdict says what likely caused it."""
    with patch.object(grade, "diagnose", lambda *_: ()):
        yield


@contextmanager
def remembered() -> Iterator[None]:
    """As long as this is open."""
    describe, foretell = _by_identity(wording.describe), _by_identity(wording.foretell)
    places: tuple[tuple[object, str, Any], ...] = (
        (grade, "predict", _predictions()),
        (grade, "expectations", _by_identity(grade.expectations)),
        (compare, "foresee", _by_identity(compare.foresee)),
        (compare, "judge_spot", _spots(compare.judge_spot)),
        (wording.Described, "of", staticmethod(_by_identity(wording.Described.of))),
        (permitted, "foretell", foretell),
        (errors, "foretell", foretell),
        (errors, "judge_spot", _spots(errors.judge_spot)),
        (carried, "_of_one", _of_packets(carried._of_one)),
        (carried, "_nearest", _of_walks(carried._nearest)),
        (first_break, "foretell", foretell),
        (first_break, "describe", describe),
    )
    with ExitStack() as stack:
        for owner, name, value in places:
            stack.enter_context(patch.object(owner, name, value))
        yield
