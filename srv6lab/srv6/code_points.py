"""IANA's numbers in "SRv6 Endpoint Behaviors", where a behavior with flavors has a number of its own
(RFC 8986 section 10.2.2, RFC 9800 section 13)."""

from __future__ import annotations

from collections.abc import Iterable

from .behaviors import REGISTRY
from .results import Flavor

# The first of four numbers: with none of PSP and USP, with PSP, with USP, with both.
_FOUR = {
    ("End", False): 1, ("End", True): 28,
    ("End.X", False): 5, ("End.X", True): 32,
    ("End.T", False): 9, ("End.T", True): 36,
}  # fmt: skip
# The first of eight: the same four without USD, then with it.
_EIGHT = {"End": 43, "End.X": 52, "End.T": 85}
_NEXT_CSID = {
    "End.DX6": 60, "End.DX4": 61, "End.DT6": 62, "End.DT4": 63, "End.DT46": 64, "End.DX2": 65, "End.DX2V": 66,
    "End.DT2U": 67, "End.DT2M": 68, "End.B6.Encaps": 93, "End.B6.Encaps.Red": 94, "End.BM": 95,
}  # fmt: skip


def code_point(behavior: str, flavors: Iterable[Flavor] = (), *, next_csid: bool = False) -> int | None:
    """The number of a behavior of the registry with its flavors; None if IANA has none for them."""
    chosen = frozenset(flavors)
    popped = (Flavor.PSP in chosen) + 2 * (Flavor.USP in chosen)
    if next_csid and behavior in _EIGHT:
        return _EIGHT[behavior] + popped + 4 * (Flavor.USD in chosen)
    if not next_csid and chosen:
        four = _FOUR.get((behavior, Flavor.USD in chosen))
        return None if four is None else four + popped
    if chosen:
        return None
    return _NEXT_CSID.get(behavior) if next_csid else REGISTRY[behavior].code_point
