"""Policies and SR databases survive being written down as JSON."""

from __future__ import annotations

import json
from ipaddress import IPv6Address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srv6lab.srv6.policy.identity import CandidateId, Originator, PolicyId
from srv6lab.srv6.policy.paths import (
    CandidatePath,
    Check,
    Composite,
    Constituent,
    Explicit,
    Policy,
    SegmentList,
)
from srv6lab.srv6.policy.segments import parse
from srv6lab.srv6.policy.sr_db import SrDb
from srv6lab.srv6.policy.written import read_db, read_policy, write_db, write_policy
from tests.srv6.policy.rulebook import ENDPOINT, HEADEND, network
from tests.srv6.policy.test_computation import PATHS, networks
from tests.srv6.policy.test_segments import LEGAL

WORD32 = st.sampled_from((0, 1, 2**32 - 1))
BYTE = st.none() | st.sampled_from((0, 128, 255))
SEGMENTS = st.sampled_from([parse(written) for written, _ in LEGAL])
LISTS = st.builds(SegmentList, st.lists(SEGMENTS, max_size=3).map(tuple), WORD32)
COMPOSITES = st.builds(
    Composite,
    st.lists(
        st.builds(Constituent, st.integers(2, 9), st.integers(1, 3)),
        unique_by=lambda one: one.color,
        max_size=3,
    ).map(tuple),
)
IDS = st.builds(
    CandidateId,
    st.sampled_from((0, 10, 20, 30)),
    st.builds(Originator.of, WORD32, st.ip_addresses(v=4) | st.ip_addresses(v=6)),
    WORD32,
)
CANDIDATES = st.builds(
    CandidatePath,
    st.builds(Explicit, st.lists(LISTS, max_size=3).map(tuple)) | PATHS | COMPOSITES,
    IDS,
    WORD32,
    st.none() | st.just(HEADEND),
    BYTE,
    st.sampled_from(("", "a name")),
    st.frozensets(st.sampled_from(Check)),
)
POLICIES = st.builds(
    Policy,
    st.builds(
        PolicyId, st.just(HEADEND), st.just(1), st.sampled_from((IPv6Address(ENDPOINT), IPv6Address("::")))
    ),
    st.lists(CANDIDATES, min_size=1, max_size=3, unique_by=lambda one: one.id).map(tuple),
    st.sampled_from(("", "gold")),
    BYTE,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=50)
@given(POLICIES)
def test_a_policy_is_read_as_it_was_written(policy: Policy) -> None:
    assert read_policy(HEADEND, json.loads(json.dumps(write_policy(policy)))) == policy


@settings(max_examples=30)
@given(networks())
def test_a_database_is_read_as_it_was_written(db: SrDb) -> None:
    assert read_db(json.loads(json.dumps(write_db(db)))) == db


def test_what_stands_at_its_default_is_not_written() -> None:
    plain = Policy(
        PolicyId(HEADEND, 1, IPv6Address(ENDPOINT)), (CandidatePath(Explicit((SegmentList(()),))),)
    )
    assert write_policy(plain) == {
        "color": 1,
        "endpoint": ENDPOINT,
        "candidate_paths": [{"segment_lists": [{"segments": []}]}],
    }
    assert write_db(network({}, []))["sids"][0] == {"sid": "fc00:1::a", "node": "h"}


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"endpoint": ENDPOINT, "candidate_paths": []}, KeyError),
        ({"color": 1, "endpoint": ENDPOINT, "candidate_paths": []}, ValueError),
        ({"color": 1, "endpoint": ENDPOINT, "candidate_paths": [{}]}, KeyError),
        ({"color": 1, "endpoint": "x", "candidate_paths": [{"segment_lists": []}]}, ValueError),
        ({"color": 1, "endpoint": ENDPOINT, "candidate_paths": [{"segment_lists": [], "hue": 3}]}, TypeError),
        (
            {"color": 1, "endpoint": ENDPOINT, "shade": 1, "candidate_paths": [{"segment_lists": []}]},
            TypeError,
        ),
    ],
)
def test_what_is_no_policy_is_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read_policy(HEADEND, given)
