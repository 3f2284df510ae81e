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
from srv6lab.judge.compare import permitted
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

    def remembered(*arguments: object) -> Any:
        key = tuple(one if isinstance(one, int | str) else id(one) for one in arguments)
        return known.get(key, arguments, lambda: function(*arguments))

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
        (first_break, "foretell", foretell),
        (first_break, "describe", describe),
    )
    with ExitStack() as stack:
        for owner, name, value in places:
            stack.enter_context(patch.object(owner, name, value))
        yield
