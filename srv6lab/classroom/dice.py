"""Numbers that look random and are the same for the same key, on every machine and in every Python."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from itertools import pairwise


class Dice:
    """A stream of numbers from a key and what they are for."""

    def __init__(self, key: str, *purpose: object) -> None:
        self._key = key.encode()
        self._purpose = "\0".join(map(str, purpose))
        self._thrown = 0

    def below(self, end: int) -> int:
        """One of 0 to `end` - 1. The 128 bits that it is made of leave no number more likely than another."""
        text = f"{self._purpose}\0{self._thrown}".encode()
        self._thrown += 1
        return int.from_bytes(hmac.digest(self._key, text, "sha256")[:16], "big") % end

    def rising(self, values: Iterable[int], low: int, high: int) -> dict[int, int]:
        """Other numbers from `low` to `high` for the values, in the same order; themselves where there is no room."""
        ordered = sorted(set(values))
        if len(ordered) > high - low + 1:
            return {value: value for value in ordered}
        chosen: set[int] = set()
        while len(chosen) < len(ordered):
            chosen.add(low + self.below(high - low + 1))
        return dict(zip(ordered, sorted(chosen), strict=True))

    def rising_between(
        self, values: Iterable[int], low: int, high: int, fixed: Iterable[int]
    ) -> Mapping[int, int]:
        """The same where some values stay as they are; the others keep their order with them, too."""
        posts = sorted({low - 1, *fixed, high + 1})
        found = {value: value for value in posts}
        free = {value for value in values if value not in found}
        for before, after in pairwise(posts):
            found |= self.rising([one for one in free if before < one < after], before + 1, after - 1)
        return found
