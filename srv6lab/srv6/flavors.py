"""Which flavors a behavior can be bound with (RFC 8986 section 4.16, RFC 9800 section 4.1): the numbers that
IANA gave behavior and flavors together in "SRv6 Endpoint Behaviors", and the first Linux that has both.

What a flavor does to a packet stands beside its behavior.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

NEXT_CSID = "NEXT-CSID"
_POPPING = ("PSP", "USP", "USD")


@dataclass(frozen=True, slots=True)
class Flavored:
    """A behavior with flavors. `kernel_since` is None for what Linux has not (End with USP, say), `quirk` what it does
    otherwise with all of them."""

    flavors: tuple[str, ...]
    code_point: int
    kernel_since: tuple[int, int] | None = None
    quirk: str = ""


# The numbers of a behavior with no flavor, with USD alone, and with NEXT-CSID alone: those of the other
# combinations follow each of them in binary order of PSP (1), USP (2) and USD (4).
_POPPED = {"End": (1, 28, 43), "End.X": (5, 32, 52), "End.T": (9, 36, 85)}
_ONLY_NEXT_CSID = {
    "End.DX6": 60,
    "End.DX4": 61,
    "End.DT6": 62,
    "End.DT4": 63,
    "End.DT46": 64,
    "End.DX2": 65,
    "End.DX2V": 66,
    "End.DT2U": 67,
    "End.DT2M": 68,
    "End.B6.Encaps": 93,
    "End.B6.Encaps.Red": 94,
    "End.BM": 95,
}
_LINUX = {
    ("End", ("PSP",)): (6, 3),
    ("End", (NEXT_CSID,)): (6, 1),
    ("End", (NEXT_CSID, "PSP")): (6, 3),
    ("End.X", (NEXT_CSID,)): (6, 6),
}
_QUIRKS: dict[tuple[str, tuple[str, ...]], str] = {("End", (NEXT_CSID, "PSP")): "next-csid-without-psp"}


def in_linux() -> tuple[str, ...]:
    """The flavors that labs can have: those that Linux has of some behavior."""
    return tuple(dict.fromkeys(name for _, flavors in _LINUX for name in flavors))


def flavored(behavior: str) -> tuple[Flavored, ...]:
    """All that a behavior can be bound with, by their numbers; empty for one that takes no flavors."""
    found = ((flavors, number) for flavors, number in _numbers(behavior) if flavors)
    return tuple(
        Flavored(flavors, number, _LINUX.get((behavior, flavors)), _QUIRKS.get((behavior, flavors), ""))
        for flavors, number in sorted(found, key=lambda one: one[1])
    )


def _numbers(behavior: str) -> Iterator[tuple[tuple[str, ...], int]]:
    if behavior in _ONLY_NEXT_CSID:
        yield (NEXT_CSID,), _ONLY_NEXT_CSID[behavior]
    if behavior not in _POPPED:
        return
    plain, with_usd, next_csid = _POPPED[behavior]
    for count in range(len(_POPPING) + 1):
        for flavors in combinations(_POPPING, count):
            bits = sum(1 << _POPPING.index(one) for one in flavors)
            yield flavors, with_usd + bits - 4 if "USD" in flavors else plain + bits
            yield (NEXT_CSID, *flavors), next_csid + bits
