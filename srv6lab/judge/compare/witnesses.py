"""Who of three witnesses stands alone, and the words for several."""

from __future__ import annotations

from collections.abc import Collection, Iterable

EXPECTED, PREDICTED, CAPTURED = "expected", "predicted", "captured"
Span = tuple[int, int]
UNLIMITED = 1 << 40  # packets: more than any probe sends


def values_alone(
    expected: str | None, predicted: Collection[str] | None, captured: Collection[str]
) -> str | None:
    """The witness whose word the other two don't share; None where all differ, or where the author says nothing. Where
    the model says nothing the captures are held against the author alone.

    `predicted` are the values that the model permits; None where a witness says nothing.
    """
    if predicted is None:
        return CAPTURED
    foreseen = set(captured) <= set(predicted)
    if expected is None:
        return None
    if expected in predicted:
        return None if foreseen else CAPTURED
    if foreseen:
        return EXPECTED
    return PREDICTED if set(captured) == {expected} else None


def counts_alone(expected: int, predicted: Span | None, captured: int) -> str | None:
    """The same for how many packets there were; the model permits a span."""
    if predicted is None:
        return CAPTURED
    if expected == captured:
        return PREDICTED
    if predicted[0] <= expected <= predicted[1]:
        return CAPTURED
    return EXPECTED if predicted[0] <= captured <= predicted[1] else None


def span(least: int, most: int) -> str:
    if most >= UNLIMITED:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(words))
