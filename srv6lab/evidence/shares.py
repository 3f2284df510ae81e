"""Which part of a probe's flows may come to a point, where nodes choose a way for all of them or for any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from srv6lab.evidence.prediction import Choice


@dataclass(frozen=True, slots=True)
class Way:
    """The `share` of the flows that take a walk, if the `choices` on it were so."""

    share: Fraction
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Shares:
    """All shares that are possible; `open_` says that whatever lies between two of them is possible too."""

    possible: frozenset[Fraction]
    open_: bool = False

    @classmethod
    def of(cls, ways: Iterable[Way]) -> Shares:
        ways = tuple(ways)
        open_ = any(not choice.all_ for way in ways for choice in way.choices)
        return cls(frozenset(_totals(ways)), open_)

    @classmethod
    def written(cls, text: str) -> Shares:
        """`3/4`, or `any` for whatever part."""
        if text == "any":
            return cls(frozenset({Fraction(0), Fraction(1)}), True)
        return cls(frozenset({Fraction(text)}))

    @property
    def any_(self) -> bool:
        return self.open_ and self.possible == {0, 1}

    def permit(self, share: Fraction) -> bool:
        between = min(self.possible) <= share <= max(self.possible)
        return share in self.possible or (self.open_ and between)

    @property
    def sure(self) -> Fraction | None:
        """The only one that is possible, if there is only one."""
        return next(iter(self.possible)) if len(self.possible) == 1 else None

    def __str__(self) -> str:
        if self.any_:
            return "any"
        return (" to " if self.open_ else " or ").join(str(one) for one in self._ends())

    def _ends(self) -> Sequence[Fraction]:
        ordered = sorted(self.possible)
        return sorted({ordered[0], ordered[-1]}) if self.open_ else ordered


def _totals(ways: Sequence[Way]) -> Iterator[Fraction]:
    """The sum of the shares for each combination of what the nodes may choose."""
    one = next((choice for way in ways for choice in way.choices), None)
    if one is None:
        yield sum((way.share for way in ways), Fraction(0))
        return
    for taken in range(one.ways):
        yield from _totals([*_left(ways, one.key, taken)])


def _left(ways: Iterable[Way], key: str, taken: int) -> Iterator[Way]:
    for way in ways:
        if all(choice.taken == taken for choice in way.choices if choice.key == key):
            yield replace(way, choices=tuple(choice for choice in way.choices if choice.key != key))
