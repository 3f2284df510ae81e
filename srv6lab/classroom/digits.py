"""Other digits for digits, in the same order: what numbers of a lab become, wherever they stand.

r1 is known by fc00:1::/64 and by 2001:12::/64, its link to r2. One table for the digits in names and addresses leaves
that so: where r1 is r3 and r2 is r7, the link is …37.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from srv6lab.classroom.dice import Dice

_DECIMAL = frozenset("123456789")
_LETTERS = frozenset("abcdef")


@dataclass(frozen=True, slots=True)
class Digits:
    """What each hexadecimal digit becomes. 0 stays, so a number keeps its length, and of two numbers the same one is the
    larger."""

    table: Mapping[str, str] = field(default_factory=dict)

    def of(self, text: str) -> str:
        return "".join(self.table.get(char, char) for char in text)

    def of_number(self, number: int, base: str = "x") -> int:
        return int(self.of(format(number, base)), 16 if base == "x" else 10)


def told_apart(dice: Dice, used: Iterable[str], fixed: Iterable[str] = ()) -> Digits:
    """A table that leaves decimal digits decimal and letters letters, for what people read as numbers."""
    used, fixed = frozenset(used), frozenset(fixed)
    table: dict[str, str] = {}
    for kind in (_DECIMAL, _LETTERS):
        table |= _table(dice, used & kind, fixed & kind, min(kind), max(kind))
    return Digits(table)


def together(dice: Dice, used: Iterable[str], fixed: Iterable[str] = ()) -> Digits:
    """A table for hexadecimal digits of any kind."""
    return Digits(_table(dice, frozenset(used) - {"0"}, frozenset(fixed) - {"0"}, "1", "f"))


def _table(dice: Dice, used: frozenset[str], fixed: frozenset[str], low: str, high: str) -> dict[str, str]:
    numbers = [int(one, 16) for one in used]
    found = dice.rising_between(numbers, int(low, 16), int(high, 16), (int(one, 16) for one in fixed))
    return {format(old, "x"): format(found[old], "x") for old in numbers}
