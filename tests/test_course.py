"""The labs of this repository are a course: one beginning, an order, and each says what it teaches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pytest

from srv6lab.topology.model import Topology
from tests.conftest import LABS, REPOSITORY, SITE, invoke

COURSE, BROKEN = SITE.course()


def wrong(course: Iterable[Topology]) -> Iterator[str]:
    """What keeps labs from being a course, in words."""
    by_name = {one.name: one for one in course}
    begins = [one.name for one in by_name.values() if not one.requires]
    if len(begins) != 1:
        yield f"it begins with {', '.join(begins) or 'nothing'}"
    orders: dict[int, str] = {}
    for one in by_name.values():
        if one.order in orders:
            yield f"{orders[one.order]} and {one.name} have one order"
        orders.setdefault(one.order, one.name)
        if not one.description:
            yield f"{one.name} doesn't say what it teaches"
        for name in one.requires:
            if name not in by_name:
                yield f"{one.name} requires {name}, which isn't there"
            elif by_name[name].order >= one.order:
                yield f"{one.name} comes before {name}, which it requires"
    for name in sorted(by_name.keys() - _reached(begins, by_name)):
        yield f"no way leads to {name}"


def _reached(begins: Iterable[str], by_name: dict[str, Topology]) -> set[str]:
    found = set(begins)
    while (
        new := {one.name for one in by_name.values() if one.requires and found.issuperset(one.requires)}
        - found
    ):
        found |= new
    return found


def lab(name: str, order: int, *requires: str, description: str = "x") -> Topology:
    nodes = {"a": {"role": "host"}}
    return Topology.model_validate(
        {"name": name, "order": order, "requires": requires, "description": description, "nodes": nodes}
    )


def test_the_labs_are_a_course() -> None:
    assert BROKEN == []
    assert list(wrong(COURSE)) == []


@pytest.mark.parametrize(
    ("course", "said"),
    [
        ([lab("one", 1), lab("two", 2)], "it begins with one, two"),
        ([lab("one", 1, "two"), lab("two", 2, "one")], "it begins with nothing"),
        ([lab("one", 1), lab("two", 1, "one")], "one and two have one order"),
        ([lab("one", 1), lab("two", 2, "one", description="")], "two doesn't say what it teaches"),
        ([lab("one", 1), lab("two", 2, "three")], "two requires three, which isn't there"),
        ([lab("one", 3), lab("two", 2, "one")], "two comes before one, which it requires"),
        ([lab("one", 1), lab("two", 2, "two")], "no way leads to two"),
    ],
)
def test_what_is_no_course_is_told(course: list[Topology], said: str) -> None:
    assert said in list(wrong(course))


def test_a_lab_is_named_as_its_folder_is() -> None:
    assert sorted(one.name for one in COURSE) == LABS


def test_labs_are_listed_in_their_order_with_what_they_require() -> None:
    lines = invoke("labs").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [one.name for one in COURSE]
    for line, one in zip(lines, COURSE, strict=True):
        assert one.description in line
        assert line.endswith(f"(after {', '.join(one.requires)})") or not one.requires


@pytest.mark.parametrize("name", LABS)
def test_a_walk_through_leads_to_what_it_requires(name: str) -> None:
    text = (REPOSITORY / "labs" / name / "README.md").read_text("utf-8")
    one = next(lab for lab in COURSE if lab.name == name)
    assert text.startswith(f"# {name}\n")
    assert set(one.requires) <= set(re.findall(r"\]\(\.\./([a-z0-9-]+)/README\.md\)", text))


@pytest.mark.parametrize("name", LABS)
def test_a_walk_through_shows_every_exercise(name: str) -> None:
    """By its name, or by checking all of them."""
    text = (REPOSITORY / "labs" / name / "README.md").read_text("utf-8")
    one = next(lab for lab in COURSE if lab.name == name)
    if f"$ invoke check lab={name}\n" not in text:
        assert [exercise.name for exercise in one.exercises if exercise.name not in text] == []


def test_the_readme_lists_the_labs_in_their_order() -> None:
    text = (REPOSITORY / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \[([a-z0-9-]+)\]\(labs/\1/README\.md\)", text, re.MULTILINE) == [
        one.name for one in COURSE
    ]
