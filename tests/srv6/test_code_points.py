"""The registry has the behaviors of RFC 8986 and their numbers, which are typed here from the RFCs' tables."""

from __future__ import annotations

import pytest

from srv6lab.srv6.behaviors import REGISTRY
from srv6lab.srv6.flavors import flavored

# RFC 8986 section 4: its subsections, and table 6.
IN_ORDER = (
    "End", "End.X", "End.T", "End.DX6", "End.DX4", "End.DT6", "End.DT4", "End.DT46", "End.DX2", "End.DX2V",
    "End.DT2U", "End.DT2M", "End.B6.Encaps", "End.B6.Encaps.Red", "End.BM",
)  # fmt: skip
NUMBERS = """
    1 End, 2 End with PSP, 3 End with USP, 4 End with PSP & USP, 5 End.X, 6 End.X with PSP, 7 End.X with USP,
    8 End.X with PSP & USP, 9 End.T, 10 End.T with PSP, 11 End.T with USP, 12 End.T with PSP & USP,
    14 End.B6.Encaps, 15 End.BM, 16 End.DX6, 17 End.DX4, 18 End.DT6, 19 End.DT4, 20 End.DT46, 21 End.DX2,
    22 End.DX2V, 23 End.DT2U, 24 End.DT2M, 27 End.B6.Encaps.Red, 28 End with USD, 29 End with PSP & USD,
    30 End with USP & USD, 31 End with PSP & USP & USD, 32 End.X with USD, 33 End.X with PSP & USD,
    34 End.X with USP & USD, 35 End.X with PSP & USP & USD, 36 End.T with USD, 37 End.T with PSP & USD,
    38 End.T with USP & USD, 39 End.T with PSP & USP & USD,
    43 End with NEXT-CSID, 44 End with NEXT-CSID & PSP, 45 End with NEXT-CSID & USP,
    46 End with NEXT-CSID & PSP & USP, 47 End with NEXT-CSID & USD, 48 End with NEXT-CSID & PSP & USD,
    49 End with NEXT-CSID & USP & USD, 50 End with NEXT-CSID & PSP & USP & USD,
    52 End.X with NEXT-CSID, 53 End.X with NEXT-CSID & PSP, 54 End.X with NEXT-CSID & USP,
    55 End.X with NEXT-CSID & PSP & USP, 56 End.X with NEXT-CSID & USD, 57 End.X with NEXT-CSID & PSP & USD,
    58 End.X with NEXT-CSID & USP & USD, 59 End.X with NEXT-CSID & PSP & USP & USD,
    60 End.DX6 with NEXT-CSID, 61 End.DX4 with NEXT-CSID, 62 End.DT6 with NEXT-CSID, 63 End.DT4 with NEXT-CSID,
    64 End.DT46 with NEXT-CSID, 65 End.DX2 with NEXT-CSID, 66 End.DX2V with NEXT-CSID,
    67 End.DT2U with NEXT-CSID, 68 End.DT2M with NEXT-CSID,
    85 End.T with NEXT-CSID, 86 End.T with NEXT-CSID & PSP, 87 End.T with NEXT-CSID & USP,
    88 End.T with NEXT-CSID & PSP & USP, 89 End.T with NEXT-CSID & USD, 90 End.T with NEXT-CSID & PSP & USD,
    91 End.T with NEXT-CSID & USP & USD, 92 End.T with NEXT-CSID & PSP & USP & USD,
    93 End.B6.Encaps with NEXT-CSID, 94 End.B6.Encaps.Red with NEXT-CSID, 95 End.BM with NEXT-CSID
"""
TABLE = {name.strip(): int(number) for number, name in (one.split(maxsplit=1) for one in NUMBERS.split(","))}


def numbered(name: str) -> int | None:
    """The number of a behavior as a table of IANA writes it."""
    behavior, _, rest = name.partition(" with ")
    numbers = {frozenset(one.flavors): one.code_point for one in flavored(behavior)}
    return {frozenset(): REGISTRY[behavior].code_point, **numbers}.get(
        frozenset(rest.split(" & ") if rest else ())
    )


@pytest.mark.parametrize("name", TABLE)
def test_a_behavior_with_its_flavors_has_its_number(name: str) -> None:
    assert numbered(name) == TABLE[name]


@pytest.mark.parametrize(
    "name", ["End.DX4 with PSP", "End.DX4 with NEXT-CSID & USD", "End.AD4", "End.AD4 with NEXT-CSID"]
)
def test_no_number_where_iana_has_none(name: str) -> None:
    assert numbered(name) is None


def test_the_registry_has_the_order_of_the_rfc() -> None:
    records = list(REGISTRY.values())[: len(IN_ORDER)]
    assert tuple(one.name for one in records) == IN_ORDER
    assert [one.section for one in records] == [f"RFC 8986 4.{n + 1}" for n in range(len(IN_ORDER))]
    assert all(one.section.startswith("draft-") for one in list(REGISTRY.values())[len(IN_ORDER) :])


def test_there_are_no_more_flavors_than_numbers() -> None:
    assert {one.code_point for name in REGISTRY for one in flavored(name)} <= set(TABLE.values())
    assert {name: one.code_point for name, one in REGISTRY.items() if one.code_point} == {
        name: number for name, number in TABLE.items() if " with " not in name
    }
