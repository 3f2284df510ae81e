"""How FRR cuts SIDs into block, node and function."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

import pytest

from srv6lab.topology.sid_structure import LONGEST, SHORTEST, function_in, structure_of


@pytest.mark.parametrize(
    ("length", "parts"),
    [
        (32, (16, 16)),
        (39, (23, 16)),
        (40, (16, 24)),
        (48, (24, 24)),
        (64, (40, 24)),
        (96, (64, 32)),
        (112, (64, 48)),
    ],
)
def test_block_and_node_are_the_locator_and_long_enough_for_frr(length: int, parts: tuple[int, int]) -> None:
    structure = structure_of(IPv6Network((IPv6Address("fc00::"), length)))
    assert (structure.block, structure.node) == parts
    assert structure.function == 16
    assert all(SHORTEST <= part <= LONGEST for part in parts)


LOCATOR = IPv6Network("2001:db8:1:1::/64")


@pytest.mark.parametrize(
    ("sids", "length"),
    [
        ([], 16),
        (["2001:db8:1:1:1::"], 32),
        (["2001:db8:1:1:0:1::", "2001:db8:1:1:2::"], 32),
        (["2001:db8:1:1:100::"], 32),
        (["2001:db8:1:1::1"], 16),
        (["2001:db8:2:2:1::"], 16),
    ],
)
def test_functions_are_as_long_as_keeps_the_sids_of_vpns_out_of_labels(sids: list[str], length: int) -> None:
    assert structure_of(LOCATOR, [IPv6Address(sid) for sid in sids]).function == length


@pytest.mark.parametrize(
    ("sid", "length", "function"),
    [
        ("2001:db8:1:1:1::", 16, 1),
        ("2001:db8:1:1:1::", 32, 0x10000),
        ("2001:db8:1:1:0:1::", 16, None),
        ("2001:db8:1:1:0:1::", 32, 1),
        ("2001:db8:1:1::", 16, None),
        ("2001:db8:1:2:1::", 16, None),
        ("2001:db8:1:1:1::", 96, None),
    ],
)
def test_a_function_is_a_number_that_frr_can_count_to(sid: str, length: int, function: int | None) -> None:
    assert function_in(LOCATOR, IPv6Address(sid), length) == function
