"""`invoke behaviors`: the registry as people, programs and the documents read it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from srv6lab.errors import UsageError
from srv6lab.report.behaviors import (
    behaviors_json,
    behaviors_text,
    document,
    in_full,
    listing,
    named,
    table,
    taught,
)
from srv6lab.report.formats import BEHAVIORS, chosen
from srv6lab.srv6.behaviors import NEEDS, REGISTRY, Behavior
from srv6lab.srv6.flavors import flavored
from tests.conftest import REPOSITORY, SITE, tool

DOCUMENT = REPOSITORY / "docs" / "behaviors.md"
ALL = REGISTRY.values()


@pytest.fixture(scope="module")
def wireshark() -> dict[int, str]:
    """IANA's table as Wireshark has it: number → name."""
    done = subprocess.run([tool("tshark"), "-G", "values"], capture_output=True, text=True, check=True)
    rows = (line.split("\t") for line in done.stdout.splitlines())
    field = "bgp.prefix_sid.srv6_l3vpn.srv6_endpoint_behavior"
    return {int(row[2], 16): row[3] for row in rows if row[0] == "V" and row[1] == field}


def iana_name(behavior: str, flavors: tuple[str, ...]) -> str:
    """A name of that table, such as `End with NEXT-CSID, PSP & USD`."""
    if not flavors:
        return behavior
    *first, last = flavors
    return f"{behavior} with {', '.join(first)} & {last}" if first else f"{behavior} with {last}"


def test_code_points_are_those_that_wireshark_has(wireshark: dict[int, str]) -> None:
    """Of those up to the newest that it knows; End.T with NEXT-CSID came later."""
    ours = {one.code_point: one.name for one in ALL if one.code_point}
    ours |= {f.code_point: iana_name(one.name, f.flavors) for one in ALL for f in flavored(one.name)}
    known = {number: name for number, name in wireshark.items() if number in ours}
    assert len(known) > 40
    assert {number: ours[number] for number in known} == known
    assert not {name for number, name in ours.items() if number not in known} & set(wireshark.values())


def test_no_number_stands_twice() -> None:
    numbers = [one.code_point for one in ALL if one.code_point]
    numbers += [f.code_point for one in ALL for f in flavored(one.name)]
    assert len(set(numbers)) == len(numbers)


def test_no_flavor_is_older_than_its_behavior() -> None:
    for one in ALL:
        for f in flavored(one.name):
            assert f.kernel_since is None or (one.kernel_since and f.kernel_since >= one.kernel_since)


def test_the_listing_has_a_line_a_behavior() -> None:
    head, *lines = behaviors_text("").splitlines()
    assert head.split()[:3] == ["behavior", "IANA", "section"]
    assert [line.split()[0] for line in lines] == list(REGISTRY)
    assert all(one.summary in line for one, line in zip(ALL, lines, strict=True))


@pytest.mark.parametrize("name", REGISTRY)
def test_a_record_is_shown_in_full(name: str) -> None:
    one, text = REGISTRY[name], behaviors_text(name)
    assert text.startswith(f"{name}\n")
    needs = [NEEDS[need] for need in one.needs]
    for word in (*needs, one.section, one.summary, *one.parameters, str(one.code_point or "none")):
        assert word in text
    assert text.count("code point ") == len(flavored(name))


def test_a_flavor_says_what_linux_does_otherwise_with_it() -> None:
    lines = behaviors_text("End").splitlines()
    told = [at for at, line in enumerate(lines) if "never removes the SRH (next-csid-without-psp)" in line]
    assert [lines[at - 1].split("  ")[2] for at in told] == ["NEXT-CSID + PSP"]
    assert "next-csid-without-psp" not in behaviors_text("End.X")


def test_a_known_record_word_by_word() -> None:
    one = Behavior(
        "End.DX4",
        17,
        "RFC 8986 4.5",
        "hands IPv4 on",
        ("nh4",),
        takes=("IPv4",),
        looks_up="adjacency",
        goes_on=False,
    )
    assert in_full(one) == (
        "End.DX4\n"
        "  IANA code point:  17\n"
        "  section:          RFC 8986 4.5\n"
        "  does:             hands IPv4 on\n"
        "  parameters:       nh4\n"
        "  Linux since:      4.14\n"
        "  needs:            SRv6 tunnels (CONFIG_IPV6_SEG6_LWTUNNEL)\n"
        "  in labs:          yes\n"
        "  in the model:     no\n"
        "  served by:        kernel\n"
        "  takes:            IPv4\n"
        "  looks up:         adjacency\n"
        "  ends policy:      yes\n"
        "  flavors:\n"
        "    NEXT-CSID  code point 61, not in Linux\n"
    )


@dataclass(frozen=True, slots=True)
class Longer(Behavior):
    """A record with fields that are not of today."""

    best_before: tuple[str, ...] = ()


def test_fields_that_are_added_are_shown() -> None:
    one = Longer("End.New", None, "RFC 1", "something", best_before=("May", "June"))
    assert "  best before:      May, June\n" in in_full(one)
    assert document(one)["best_before"] == ("May", "June")
    assert "best before" not in in_full(Longer("End.New", None, "RFC 1", "something"))


def test_json_has_every_record() -> None:
    found = json.loads(behaviors_json(""))
    assert found["schema"] == 1
    assert [one["name"] for one in found["behaviors"]] == list(REGISTRY)
    (one,) = json.loads(behaviors_json("End.T"))["behaviors"]
    assert (one["name"], one["code_point"], one["kernel_since"], one["modeled"]) == ("End.T", 9, "4.14", True)
    assert {"flavors": ["PSP", "USD"], "code_point": 37, "kernel_since": None} in one["flavors"]
    assert "model" not in one


def test_case_does_not_matter() -> None:
    assert named("end.b6.encaps").name == "End.B6.Encaps"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("End.B6.Encap", "did you mean `End.B6.Encaps`"),
        ("End.DX5", "`End.DX4`"),
        ("zebra", "there are: End, End.X"),
    ],
)
def test_a_name_that_is_not_there_is_met_with_the_nearest(typed: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        behaviors_text(typed)
    assert typed in told.value.what
    assert said in told.value.mend


def test_a_format_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no format 'yaml'"):
        chosen(BEHAVIORS, "yaml")


def flavor_table(behaviors: Iterable[Behavior]) -> str:
    """Every behavior with every flavor, as Markdown."""
    lines = ["| behavior | flavors | IANA | Linux since |\n", "| --- | --- | --- | --- |\n"]
    for behavior in behaviors:
        for one in document(behavior)["flavors"]:
            flavors = " + ".join(one["flavors"])
            since = one["kernel_since"] or "-"
            lines.append(f"| {behavior.name} | {flavors} | {one['code_point']} | {since} |\n")
    return "".join(lines)


@pytest.mark.parametrize(("mark", "made"), [("behaviors", table), ("flavors", flavor_table)])
def test_the_document_has_the_registrys_tables(mark: str, made: object) -> None:
    assert callable(made)
    text = DOCUMENT.read_text("utf-8")
    block = re.compile(rf"(<!-- {mark} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
    if os.environ.get("UPDATE"):
        text = block.sub(lambda found: f"{found[1]}\n{made(ALL)}\n{found[3]}", text)
        DOCUMENT.write_text(text, "utf-8")
    found = block.search(text)
    assert found
    assert found[2] == f"\n{made(ALL)}\n", "UPDATE=1 writes it anew"


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    one = Behavior("A", 1, "s", "does", ("nh4",))
    assert listing([one]).splitlines() == [
        "behavior  IANA  section  does  parameters  Linux since  labs",
        "A         1     s        does  nh4         4.14         yes",
    ]


def test_a_lab_or_a_reason_stands_behind_each() -> None:
    labs = taught(SITE.course()[0])
    lines = behaviors_text("", labs).splitlines()
    assert lines[0].endswith("taught by")
    for one, line in zip(ALL, lines[1:], strict=True):
        first = labs.get(one.name, ("no lab: ",))[0]
        assert first in line, line
        assert one.in_labs == (not one.why_not)
        assert one.why_not in line or one.in_labs


def test_which_labs_have_it_follows_from_their_files() -> None:
    assert taught([]) == {}
    (first, *_), _ = SITE.course()
    assert taught([first]) == {one.behavior: [first.name] for one in first.local_sids}
    assert "taught by:        no lab: none of them needs it\n" in behaviors_text("End.T", {})
    assert "taught by:        a, b, c and 1 more\n" in behaviors_text(
        "End.T", {"End.T": ["a", "b", "c", "d"]}
    )
    (told,) = json.loads(behaviors_json("End.T", {"End.T": ["a"]}))["behaviors"]
    assert told["taught_by"] == ["a"]
