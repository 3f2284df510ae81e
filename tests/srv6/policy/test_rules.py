"""RFC 9256, sentence by sentence: the cases of `rules.yml`."""

from __future__ import annotations

import pytest

from tests.srv6.policy.rulebook import Case, book

SENTENCES, CASES = book()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_headend_does_what_the_sentence_says(case: Case) -> None:
    assert case.differences() == []


def test_every_sentence_has_a_case() -> None:
    assert {one for case in CASES for one in case.says} == set(SENTENCES)


def test_no_case_stands_twice() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_can_fail(case: Case) -> None:
    """Each value that a case expects is compared: another one in its place is a difference."""
    for number, step in enumerate(case.steps):
        for color, expected in step["expect"].items():
            for key in expected:
                wrong = {**step, "expect": {color: {**expected, key: "something else"}}}
                if key in ("why", "lists", "reasons", "faults"):
                    wrong["expect"][color][key] = dict.fromkeys(expected[key], "something else")
                steps = (*case.steps[:number], wrong)
                assert Case(case.name, case.says, steps).differences()
