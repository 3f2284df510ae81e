"""A variant is the lab under a change of names: the same file, the same packets, and nothing of another learner's."""

from __future__ import annotations

import random
import re
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import combinations
from pathlib import Path

import pytest

from srv6lab.classroom.addresses import Network, Renumbering, Shape, common
from srv6lab.classroom.dice import Dice
from srv6lab.classroom.digits import Digits, told_apart
from srv6lab.classroom.new import pattern_of
from srv6lab.classroom.rewriting import Rewriting, addresses_in
from srv6lab.classroom.variant import TOPOLOGY, Pattern, same_lab, variant
from srv6lab.cli import tasks as labs_
from srv6lab.plan.nodes import Plan
from srv6lab.plan.planner import plan
from srv6lab.topology.load import loads
from tests.conftest import LABS, SITE, sampled
from tests.small import SMALL

KEYS = ("0" * 32, "5eed" * 8, "c0ffee" * 5 + "00")


def pattern(name: str) -> Pattern:
    return pattern_of(SITE.labs / name / TOPOLOGY)


def of_text(text: str, **beside: str) -> Pattern:
    return Pattern(loads(text, TOPOLOGY), {TOPOLOGY: text, **beside})


def planned(one: Pattern, texts: dict[str, str]) -> Plan:
    lab = loads(texts[TOPOLOGY], TOPOLOGY)
    return plan(lab.topology, lab.source.locate, {path: texts[path] for path in one.lab.files})


@pytest.mark.parametrize("name", LABS)
def test_each_lab_has_variants_that_have_nothing_in_common(name: str) -> None:
    one = pattern(name)
    found = [variant(one, key) for key in KEYS]
    for mine in found:
        other = loads(mine.texts[TOPOLOGY], TOPOLOGY)
        assert same_lab(one.lab, other, mine.rewriting.text)
        assert mine.marks and not mine.marks & one.marks
        assert len(mine.texts[TOPOLOGY].splitlines()) == len(one.texts[TOPOLOGY].splitlines())
    for mine, others in combinations(found, 2):
        assert not mine.marks & others.marks, name


@pytest.mark.parametrize("name", LABS)
def test_no_page_tells_what_is_another_ones(name: str) -> None:
    """Whatever of the lab stands in its pages stands there as the learner has it."""
    one = pattern(name)
    mine = variant(one, KEYS[1])
    of = mine.rewriting.renumbering.of_network
    for path, text in one.texts.items():
        before, after = addresses_in(text), addresses_in(mine.texts[path])
        assert len(before) == len(after), path
        for old, new in zip(before, after, strict=True):
            assert new == of(old) or (old == new and old not in one.said), f"{path}: {old}"


@pytest.mark.parametrize("name", sampled(LABS, 6))
def test_a_variant_predicts_the_same_packets(name: str) -> None:
    assert_same_packets(name, KEYS[0])


@pytest.mark.prove
@pytest.mark.parametrize("key", KEYS[1:])
@pytest.mark.parametrize("name", LABS)
def test_every_variant_predicts_the_same_packets(name: str, key: str) -> None:
    assert_same_packets(name, key)


def assert_same_packets(name: str, key: str) -> None:
    one = pattern(name)
    mine = variant(one, key)
    before, after = SITE.load(SITE.refer(name))[0], planned(one, dict(mine.texts))
    assert mine.rewriting.text(predicted(before)) == predicted(after)


def predicted(lab: Plan) -> str:
    """With the NICs in the place of their MACs, and no digests: those depend on addresses as they should."""
    text = labs_.predict(lab, [one.name for one in lab.exercises], [], "json")
    nics = [nic for node in lab.nodes for nic in node.nics]
    nics += [
        nic
        for node in lab.nodes
        for one in node.services
        for port in one.ports
        for nic in (port.outside, port.inside)
    ]
    macs = {nic.mac: str(nic.point) for nic in nics}
    text = re.sub("(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", lambda found: macs.get(found[0], found[0]), text)
    return re.sub(r'("srh.tlvs": "\w{16})\w+', r"\1", text)


def test_a_wrong_variant_is_no_longer_the_lab() -> None:
    one = of_text(SMALL)
    mine = variant(one, KEYS[0])
    text = mine.texts[TOPOLOGY].replace("icmp: 3", "icmp: 4")
    assert not same_lab(one.lab, loads(text, TOPOLOGY), mine.rewriting.text)


def test_the_same_key_makes_the_same_and_another_lab_something_else() -> None:
    one, other = of_text(SMALL), of_text(SMALL.replace("name: small", "name: other"))
    assert variant(one, KEYS[0]).texts == variant(of_text(SMALL), KEYS[0]).texts
    assert not variant(one, KEYS[0]).marks & variant(other, KEYS[0]).marks


def test_nothing_is_varied_of_a_lab_whose_names_mean_something_else() -> None:
    """A node that an exercise is called after keeps its name, and so does what looks like a node and isn't."""
    text = SMALL.replace("gate", "q1").replace("exit", "q2").replace("name: across", "name: across-q2")
    mine = variant(
        of_text(text, **{"README.md": "`across-q2` leads to q2; Q1 is q1, xq1 and q1x are not."}), KEYS[0]
    )
    assert mine.rewriting.names["q2"] == "q2"
    assert "name: across-q2" in mine.texts[TOPOLOGY]
    new = mine.rewriting.names["q1"]
    assert mine.texts["README.md"] == f"`across-q2` leads to q2; {new.upper()} is {new}, xq1 and q1x are not."


def test_services_vrfs_and_probes_keep_their_names() -> None:
    text = (
        SMALL.replace("gate", "q1")
        .replace("exit", "q2")
        .replace("id: echo", "id: q3")
        .replace("probe: echo", "probe: q3")
    )
    mine = variant(of_text(text), KEYS[0])
    assert "id: q3" in mine.texts[TOPOLOGY] and "q3" not in mine.rewriting.names.values()


# --- addresses


def shape_of(*networks: str, kept: tuple[str, ...] = ()) -> Shape:
    return Shape(frozenset(map(ip_network, networks)), frozenset(map(ip_network, kept)))


def renumbering(shape: Shape, key: str = KEYS[0], digits: Digits | None = None) -> Renumbering:
    return Renumbering(key, shape, digits or told_apart(Dice(key), "127ab"), Digits())


@pytest.mark.parametrize("seed", range(10))
def test_what_was_in_a_prefix_is_in_it(seed: int) -> None:
    """Of networks of all lengths, each pair overlaps afterwards if and only if it did, and neighbors keep their order."""
    chance = random.Random(seed)
    every: set[Network] = set()
    for _ in range(20):
        length = chance.choice((8, 16, 17, 20, 24, 30, 32))
        every.add(
            IPv4Network(
                (
                    chance.choice((10 << 24, 172 << 24 | 16 << 16, 192 << 24 | 168 << 16))
                    | chance.getrandbits(16),
                    length,
                ),
                strict=False,
            )
        )
        length = chance.choice((16, 32, 40, 48, 56, 64, 127, 128))
        head = chance.choice((0xFC00, 0xFD00, 0x2001, 0x20010DB8))
        number = (head << 96 if head > 0xFFFF else head << 112) | chance.choice((0, 1, 0x12, 0xAB)) << 64
        every.add(
            IPv6Network(
                (number | chance.choice((0, 0x1F)) << 80 | chance.getrandbits(4), length), strict=False
            )
        )
    of = renumbering(Shape(frozenset(every)), f"{seed:032x}").of_network
    for one, other in combinations(sorted(every, key=str), 2):
        if one.version == other.version:
            assert of(one).overlaps(of(other)) == one.overlaps(other), f"{one} {other}"
            assert of(one).prefixlen == one.prefixlen
    private = sorted(one for one in every if isinstance(one, IPv4Network))
    assert private == sorted(private, key=of)


@pytest.mark.parametrize(
    "address",
    ["::", "::1", "fe80::1", "ff02::1", "64:ff9b::1", "0.0.0.0", "127.0.0.1", "169.254.0.1", "224.0.0.5"],
)
def test_what_means_the_same_everywhere_stays(address: str) -> None:
    one = ip_address(address)
    assert common(one)
    assert renumbering(shape_of(f"{one}/{one.max_prefixlen}")).of(one) == one


@pytest.mark.parametrize(("old", "inside"), [("10.0.0.0/24", "10.0.0.0/8"), ("192.168.7.0/24", "192.168.0.0/16"), ("192.0.2.7/32", "192.0.2.0/24"), ("2001:db8:a::/64", "2001:db8::/32"), ("fc00:1::/64", "fc00::/8"), ("fd00:1::/64", "fd00::/8"), ("2001:12::/64", "2000::/4")])  # fmt: skip
def test_an_address_stays_among_its_like(old: str, inside: str) -> None:
    of = renumbering(shape_of(old)).of_network
    new = of(ip_network(old))
    assert str(new) != old
    assert new.subnet_of(ip_network(inside))  # type: ignore[arg-type]


def test_no_address_outside_of_documentation_becomes_one_of_it() -> None:
    heads = {
        str(renumbering(shape_of("2001:12::/64"), f"{seed}").of(ip_address("2001:12::1")))[:5]
        for seed in range(400)
    }
    assert not heads & {"2001:", "2002:", "3fff:"}
    assert len(heads) > 300


# --- texts


def rewriting(text: str) -> Rewriting:
    one = of_text(text)
    return variant(one, KEYS[0]).rewriting


def test_an_address_is_replaced_as_it_is_written() -> None:
    mine = rewriting(SMALL)
    of = mine.renumbering.of
    sid, first = of(ip_address("fc00:b::e")), of(ip_address("10.0.1.1"))
    head = str(sid).split(":", 1)[0]
    assert mine.text("segs fc00:b::e,fc00:b::e dev") == f"segs {sid},{sid} dev"
    assert mine.text("[*fc00:b::e]: (fc00:b::e).") == f"[*{sid}]: ({sid})."
    assert mine.text("fc00:**b**::e") == re.sub(r":(\w+):", r":**\1**:", str(sid))
    assert mine.text("| grep fc00") == f"| grep {head}"
    assert mine.text("fc00:…") == f"{head}:…"
    assert mine.text("10.0.1.1:80, 10.0.1.1.") == f"{first}:80, {first}."
    assert mine.text("10.0.0.0/8") == "10.0.0.0/8"
    assert mine.text("0x0a0001") == f"0x{int(first) >> 8:06x}"
    for same in ("2.9.11.1", "1.10.0.1.1", "::/0", "02:aa:bb:cc:dd:ee", "std::vector", "0x0a0003", "10:20:30", "49.0001.0000.0000.0001.00"):  # fmt: skip
        assert mine.text(same) == same


def test_a_drawing_keeps_its_columns() -> None:
    mine = rewriting(SMALL)
    drawing = "```\n 10.0.1.1      │ 10.0.2.1 ────── │\n fc00:b::/64   │                 │\n```\n"
    first, second = mine.page(drawing).splitlines()[1:3]
    assert first.index("│") == second.index("│")
    assert first.rindex("│") == second.rindex("│")
    assert len(mine.page("```console\n" + drawing[4:])) > len(drawing)  # a command is no drawing


def test_the_digits_of_a_table_rise() -> None:
    for seed in range(200):
        found = told_apart(Dice(str(seed)), "12359ad", fixed="5")
        assert found.of("5") == "5"
        assert [*found.of("12359")] == sorted(found.of("12359"))
        assert found.of("1239").isdecimal() and found.of("ad").isalpha()


def test_a_pattern_is_read_with_all_that_its_file_names(tmp_path: Path) -> None:
    (tmp_path / TOPOLOGY).write_text("\ufeff" + SMALL)
    (tmp_path / "README.md").write_text("fc00:a::d4")
    (tmp_path / "solution.txt").write_text("not handed out")
    assert set(pattern_of(tmp_path / TOPOLOGY).texts) == {TOPOLOGY, "README.md"}
