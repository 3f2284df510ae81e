"""YAML as an author writes it: what becomes of a scalar, and where each part stands."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import yaml

from srv6lab.errors import TopologyError
from srv6lab.topology.yaml import tree
from srv6lab.topology.yaml.source import examine, parse


def data(text: str) -> Any:
    return parse(text, "t.yml").data


def refused(text: str | bytes) -> str:
    with pytest.raises(TopologyError) as caught:
        parse(text, "t.yml")
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "10:20:30:40:50:59",
        "1e3",
        "0o17",
        "017",
        "0x1f",
        "1_000",
        "yes",
        "no",
        "on",
        "off",
        "2026-01-01",
        ".inf",
    ],
)
def test_yaml_1_1_mangles_nothing(text: str) -> None:
    assert data(f"a: {text}\nb: [{text}]") == {"a": text, "b": [text]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"12"', "12"),
        ("'true'", "true"),
        ('""', ""),
        ("fc00::1", "fc00::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_scalars(text: str, value: Any) -> None:
    assert data(f"a: {text}\n") == {"a": value}


TEXT = textwrap.dedent("""\
    name: first
    nodes:
      pa: {role: host}
    links:
      - name: one
        endpoints: ["pa:eth1", {at: "pb:eth1"}]
      -
        name: two
    """)


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("name",), (1, 7), (1, 1)),
        (("nodes", "pa"), (3, 7), (3, 3)),
        (("nodes", "pa", "role"), (3, 14), (3, 8)),
        (("links", 0, "endpoints", 0), (6, 17), (6, 17)),
        (("links", 0, "endpoints", 1, "at"), (6, 33), (6, 29)),
        (("links", 1), (8, 5), (8, 5)),
        # What isn't there has the place of what is around it.
        (("links", 0, "endpoints", 0, "at"), (6, 17), (6, 17)),
        (("links", 0, "mtu"), (5, 5), (5, 5)),
        (("nodes", "pb", "role"), (3, 3), (2, 1)),
        (("links", 7), (5, 3), (4, 1)),
        (("steering", 0), (1, 1), (1, 1)),
    ],
)
def test_locate(path: tuple[str | int, ...], value: tuple[int, int], key: tuple[int, int]) -> None:
    source = parse(TEXT, "t.yml")
    here, there = source.locate(path), source.locate(path, key=True)
    assert ((here.line, here.column), (there.line, there.column)) == (value, key)
    assert here.source == TEXT.splitlines()[here.line - 1]


def test_columns_count_characters() -> None:
    where = parse("a: {é: ü, b: c}\n".encode(), "t.yml").locate(("a", "b"))
    assert (where.line, where.column) == (1, 14)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark(end: str, mark: str) -> None:
    source = parse((mark + TEXT.replace("\n", end)).encode(), "t.yml")
    assert source.locate(("links", 0, "name")).source == "  - name: one"
    assert source.data == data(TEXT)


def test_a_long_line_is_cut() -> None:
    source = parse(f"a: [{','.join(['word'] * 10_000)}]\n", "t.yml")
    assert len(source.locate(("a", 1)).source) == tree.MAX_EXCERPT
    assert source.locate(("a", 9_999)).source == ""


def test_aliases_and_merge_keys() -> None:
    text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [*a, {z: 4}]}\n"
    expected = {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"y": 3, "x": 1},
        "d": {"x": 1, "y": 2, "z": 4},
    }
    source = parse(text, "t.yml")
    assert source.data == expected
    assert source.locate(("c", "x")).line == 1
    assert source.locate(("c", "y")).line == 3


TRAPS = [
    ("a: [fc00:1::, fc00:2::]\n", ["fc00:1::", "fc00:2::"]),
    ("a: fc00:0:1::\n", "fc00:0:1::"),
    ("a: {b: fc00:1::}\n", {"b": "fc00:1::"}),
    ("a: {b: fc00:1::, c: 1}\n", {"b": "fc00:1::", "c": 1}),
    ("a:\n  - fc00:1::\n", ["fc00:1::"]),
    ("a: ::\n", "::"),
    ("a: [::1, ::/0]\n", ["::1", "::/0"]),
    ("a: [1, fc00::, {c: ::}]  # and a comment with fc00::\n", [1, "fc00::", {"c": "::"}]),
]


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize(("text", "meant"), TRAPS)
def test_unquoted_addresses(text: str, meant: Any, loader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told at its place, and the address that was meant is read on; with libyaml or without."""
    monkeypatch.setattr(tree, "_LOADER", getattr(yaml, loader))
    source, problems = examine(text, "t.yml")
    assert source.data == {"a": meant}
    for problem in problems:
        address = problem.mend.partition('"')[2].rstrip('"')
        assert problem.location.source[problem.location.column - 1 :].startswith(address)


def test_the_pure_python_parser_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a: [1, 2\n", "a: 'x\n", "a:\n\tb: 1\n", "a: {b: 1\nc: 2\n", "a: @x\n", "a: - b\n", "a: 1\nb\n"]
    fast = [refused(text) for text in texts]
    monkeypatch.setattr(tree, "_LOADER", yaml.SafeLoader)
    assert [refused(text) for text in texts] == fast


def test_addresses_that_yaml_reads_well_need_no_quotes() -> None:
    assert data("a: [fc00::1, fc00:2::a]\nb: fc00::1/64\n") == {
        "a": ["fc00::1", "fc00:2::a"],
        "b": "fc00::1/64",
    }


def test_more_than_one_problem() -> None:
    said = refused("a: 1\na: 2\nb: !x 3\nc: [fc00::]\n1: 4\n")
    assert [line.split(" ")[0] for line in said.splitlines() if line.startswith("t.yml")] == [
        "t.yml:2:1:",
        "t.yml:3:4:",
        "t.yml:4:5:",
        "t.yml:5:1:",
    ]


def test_many_duplicates_are_quick() -> None:
    assert refused("a: 1\n" * 20_000).count("error:") == tree.MAX_PROBLEMS
