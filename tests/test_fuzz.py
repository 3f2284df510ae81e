"""Mutated labs: never a traceback, never over two seconds, always a place; what is accepted is planned,
rendered, and understood by bash and Ruby.

Mutations are drawn from a seed, so a number names one. 500 in every run; `make prove` tries 10,000.
"""

from __future__ import annotations

import copy
import json
import random
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from srv6lab.errors import TopologyError
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.render.apply import changes_of
from srv6lab.render.day0 import render
from srv6lab.render.files import write
from srv6lab.render.vagrant import vagrant
from srv6lab.topology.load import loads
from srv6lab.topology.yaml.source import parse
from tests.conftest import LABS, SITE, tool
from tests.small import SMALL
from tests.test_vagrantfile import validated

FILES = {name: SITE.refer(name).path for name in LABS}
SHORT = """\
name: short
vars: {count: 3, core_mtu: 2000}
x-core: &core {mtu: "{core_mtu}"}
pools: {links: "2001:db8::/32", loopbacks: "fd02::/64"}
groups:
  all: {members: ["k[1-{count}]"], role: router, locator: "fc00:{n}::/64", commands: ["echo {n}"]}
nodes:
  k[1-{count}]:
  Edge_1: {role: router, locator: "fc00:e::/64", routes: [{prefix: "fc00:[1-2]::/64", via: "2001:db8:0:3::1"}]}
links:
  - {<<: *core, endpoints: ["k[1-2]", "k[2-3]:ge-0-9"]}
  - k3 - Edge_1
  - {name: spare, prefix: "fd00::/64", endpoints: [{at: Edge_1}, k1]}
local_sids:
  - {node: "k[1-{count}]", sid: "fc00:{n}::e", behavior: End}
steering:
  - {headend: Edge_1, match: {prefix: "fd09::/64"}, to: {segments: ["fc00:2::e"]}}
"""
TEXTS = {name: path.read_text("utf-8") for name, path in FILES.items()} | {"small": SMALL, "short": SHORT}
SLOWEST = 2.0
BATCHES = 20

BITS: list[str] = [
    *"[]{}\"'|>?,%@\\",
    *("::", ":", "fc00:1::", "\t", "\n", "- ", "# ", "&a ", "*a", "<<: *a", "!x ", "---\n", "...\n", "[key]"),
    *("null", "true", "-1", "9" * 20, "1e3", "0x1f", "", " ", "   ", "\r", "\0", "\x07"),
    *("é", "\u2028", "\x85", "\ufeff", "$(id)", "`id`"),
    *("{n}", "{core_mtu}", "{x}", "[1-3]", "[1-9999]", "[3-1]", "k[1-2]", "x - y"),
    *("10.0.0.0/33", "10.0.0.1/24", "fe80::1%eth0", "::ffff:1.2.3.4"),
]

# What stands in a value's place when a structure is mutated: every shape that YAML has.
SHAPES: list[Any] = [
    None, True, False, 0, -1, 10**30, "", "x", "::", "10.0.0.0/8", "fc00::/16", "ff02::1", "eth1", "a:eth1",
    [], {}, [[]], [{}], [None], {"": None}, {"name": "x"}, ["x"] * 3, "\u2028", "x" * 5000, "\x1b[0m",
]  # fmt: skip

Dice = random.Random


def cut(text: str, dice: Dice) -> str:
    start = dice.randrange(len(text))
    return text[:start] + text[start + dice.randrange(1, 40) :]


def put(text: str, dice: Dice) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(BITS) + text[at:]


def words(text: str) -> list[re.Match[str]]:
    return list(re.finditer(r"[^\s,\[\]{}]+", text))


def swap_words(text: str, dice: Dice) -> str:
    """A word of the file in another word's place: keys as values, names as addresses."""
    found = words(text)
    one = dice.choice(found)
    return f"{text[: one.start()]}{dice.choice(found).group()}{text[one.end() :]}"


def put_word(text: str, dice: Dice) -> str:
    word = dice.choice(words(text))
    return text[: word.start()] + dice.choice(BITS) + text[word.end() :]


def change_digit(text: str, dice: Dice) -> str:
    """Still an address or a number, but another one: such files are often accepted."""
    at = dice.choice(list(re.finditer(r"[0-9]", text)))
    return text[: at.start()] + str(dice.randrange(10)) + text[at.end() :]


def drop_line(text: str, dice: Dice) -> str:
    lines = text.splitlines(True)
    del lines[dice.randrange(len(lines))]
    return "".join(lines)


def repeat_line(text: str, dice: Dice) -> str:
    lines = text.splitlines(True)
    lines.insert(dice.randrange(len(lines)), dice.choice(lines))
    return "".join(lines)


def indent_line(text: str, dice: Dice) -> str:
    lines = text.splitlines(True)
    at = dice.randrange(len(lines))
    lines[at] = dice.choice([" ", "  ", "    ", "\t"]) + lines[at]
    return "".join(lines)


def other_shape(text: str, dice: Dice) -> str:
    """A value becomes a list, a mapping, nothing."""
    value = dice.choice(list(re.finditer(r"(?<=: )[^\s,\[\]{}]+", text)))
    word = value.group()
    shape = dice.choice(["[]", "{}", "[{}]", f"[{word}]", f"{{a: {word}}}", "", "[[[1]]]", "[null]"])
    return text[: value.start()] + shape + text[value.end() :]


TEXT_MUTATIONS = (
    cut, put, swap_words, put_word, change_digit, drop_line, repeat_line, indent_line, other_shape,
)  # fmt: skip


def parts(data: Any) -> list[tuple[Any, Any]]:
    """Every place of a structure: what holds it, and its key or index there."""
    found: list[tuple[Any, Any]] = []
    waiting = [data]
    while waiting:
        one = waiting.pop()
        pairs = list(one.items() if isinstance(one, dict) else enumerate(one))
        found += [(one, key) for key, _ in pairs]
        waiting += [below for _, below in pairs if isinstance(below, (dict, list))]
    return found


def structure(data: Any, dice: Dice) -> None:
    """Change one place of a structure: drop it, double it, give it another shape or another place's value."""
    places = parts(data)
    if not places:
        return
    holder, key = dice.choice(places)
    what = dice.randrange(5)
    if what == 0:
        del holder[key]
    elif what == 1 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif what == 1:
        holder[dice.choice([f"{key}x", key[:-1], key.upper(), ""])] = copy.deepcopy(holder[key])
    elif what == 2:
        other, place = dice.choice(places)
        holder[key] = copy.deepcopy(other[place])
    else:
        holder[key] = copy.deepcopy(dice.choice(SHAPES))


def mutated(name: str, number: int) -> str:
    """Mutation `number` of a lab: every second one of its text, the others of its structure."""
    dice = Dice(f"{name} {number}")
    times = dice.choice([1, 1, 2, 5])
    if number % 2:
        data = copy.deepcopy(parse(TEXTS[name], name).data)
        for _ in range(times):
            structure(data, dice)
        return json.dumps(data, indent=1)
    text = TEXTS[name]
    for _ in range(times):
        text = dice.choice(TEXT_MUTATIONS)(text, dice)
    return text


def refused(error: TopologyError, lines: int) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.location.file == "fuzz.yml"
        assert 1 <= problem.location.line <= lines
        assert problem.location.column >= 1
        assert problem.what and problem.mend, problem
        assert "pydantic" not in str(problem)


def scripts(name: str, text: str) -> tuple[list[str], str]:
    """All shell scripts and the Vagrantfile that are rendered from a mutated lab; nothing if it is refused."""
    try:
        lab = loads(text.encode(), "fuzz.yml", FILES[name].parent if name in FILES else None)
        found = plan(lab.topology, lab.source.locate, lab.files)
        virtual = str(vagrant(found)["Vagrantfile"])
    except TopologyError as error:
        refused(error, len(re.split("\r\n|[\n\r\x85\u2028\u2029]", text)) + 1)
        return [], ""
    made = [
        each for one in found.exercises for action in one.every_action() for each in changes_of(found, action)
    ]
    shell = [text for path, text in render(found).items() if path.endswith(".sh")]
    return shell + [part for one in made for part in (one.do, one.undo, one.count)], virtual


def bash_understands(texts: list[str]) -> None:
    """All in one run: each is a function's body, so that one that ends early can't hide the next."""
    functions = "\n".join(f"f{number}() {{\n{text}\n:\n}}" for number, text in enumerate(texts))
    done = subprocess.run([tool("bash"), "-n"], input=functions.encode(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


def ruby_understands(text: str) -> None:
    done = subprocess.run([tool("ruby"), "-c"], input=text.encode(), capture_output=True)
    assert done.returncode == 0, done.stderr


def try_mutations(numbers: range, every: int) -> tuple[int, int]:
    """How many were accepted, and how many of those bash and Ruby have read."""
    accepted = read = 0
    for number in numbers:
        name = sorted(TEXTS)[number // 2 % len(TEXTS)]
        text = mutated(name, number)
        began = time.process_time()
        try:
            found, virtual = scripts(name, text)
        except Exception as error:
            raise AssertionError(f"mutation {number} of {name}: {type(error).__name__}: {error}") from error
        took = time.process_time() - began
        assert took < SLOWEST, f"mutation {number} of {name} took {took:.1f} s"
        accepted += bool(found)
        if found and accepted % every == 0:
            bash_understands(found)
            ruby_understands(virtual)
            read += 1
    return accepted, read


@pytest.mark.parametrize("batch", range(BATCHES))
def test_mutated_labs_are_refused_with_a_place_or_rendered(batch: int) -> None:
    size = 500 // BATCHES
    accepted, read = try_mutations(range(batch * size, (batch + 1) * size), 2)
    assert accepted <= size
    assert read <= accepted


def test_mutations_are_accepted_often_enough_to_prove_something() -> None:
    accepted, read = try_mutations(range(100), 1)
    assert 4 <= accepted == read < 100


def accepted_plans(numbers: Iterator[int]) -> Iterator[Plan]:
    for number in numbers:
        name = sorted(TEXTS)[number // 2 % len(TEXTS)]
        folder = FILES[name].parent if name in FILES else None
        with suppress(TopologyError):
            lab = loads(mutated(name, number).encode(), "fuzz.yml", folder)
            found = plan(lab.topology, lab.source.locate, lab.files)
            vagrant(found)
            yield found


def vagrant_validates(sample: Iterator[Plan], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for number, found in enumerate(sample):
        folder = tmp_path / str(number)
        write(vagrant(found), folder)
        done = validated(folder, home)
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"


def test_vagrant_validates_some(tmp_path: Path) -> None:
    vagrant_validates(islice(accepted_plans(count(1)), 3), tmp_path)


@pytest.mark.prove
def test_vagrant_validates_a_sample(tmp_path: Path) -> None:
    vagrant_validates(islice(accepted_plans(count(2000, 7)), 30), tmp_path)


@pytest.mark.prove
@pytest.mark.parametrize("batch", range(BATCHES))
def test_ten_thousand_mutated_labs(batch: int) -> None:
    size = 10_000 // BATCHES
    accepted, read = try_mutations(range(1000 + batch * size, 1000 + (batch + 1) * size), 10)
    assert read
    assert accepted < size


@pytest.mark.parametrize("seed", range(3))
def test_random_bytes_are_refused(seed: int) -> None:
    dice = Dice(seed)
    for size in (1, 10, 1000, 100_000):
        with pytest.raises(TopologyError):
            loads(dice.randbytes(size), "noise.yml")


@pytest.mark.parametrize("mutate", TEXT_MUTATIONS)
def test_a_mutation_is_the_same_every_time(mutate: Callable[[str, Dice], str]) -> None:
    assert mutate(SMALL, Dice(1)) == mutate(SMALL, Dice(1))


def test_bash_does_object(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        bash_understands(["true", "if true; then"])
