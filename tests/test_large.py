"""Short files of large labs: what becomes of includes, variables, ranges, groups, short links and pools.

What is said of wrong ones stands in tests/errors/.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srv6lab.errors import TopologyError
from srv6lab.plan.planner import plan
from srv6lab.predict import predict
from srv6lab.render.day0 import day0_scripts
from srv6lab.render.long_file import long_file
from srv6lab.topology.large import spread
from srv6lab.topology.large.pools import _Pool
from srv6lab.topology.load import load, loads, long_data
from srv6lab.topology.scalars import Network
from srv6lab.topology.yaml.source import parse
from tests.conftest import LABS, REPOSITORY, SITE
from tests.small import SMALL


def long(text: str, folder: Path | None = None) -> dict[str, Any]:
    """The data of the long file; nothing may be wrong with it."""
    source, problems = spread(parse(text, "short.yml"), folder, ())
    assert problems == []
    data: dict[str, Any] = source.data
    return data


@pytest.mark.parametrize("text", [SMALL, *(SITE.refer(name).path.read_text("utf-8") for name in LABS)])
def test_a_long_file_stays_as_it_is(text: str) -> None:
    assert long(text) == parse(text, "long.yml").data


# --- includes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "topology.yml").write_text(
        "include: [nodes.yml, more/links.yml]\nname: lab\nnodes: {k1: {memory: 512}}\n"
    )
    (tmp_path / "nodes.yml").write_text("nodes:\n  k1: {role: router, memory: 1024}\n  k2: {role: router}\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "links.yml").write_text(
        'include: nodes.yml\nlinks:\n  - {name: net, prefix: "2001:12::/64", endpoints: ["k1:eth1", "k2:eth1"]}\n'
    )
    return tmp_path


def test_included_files_are_one(folder: Path) -> None:
    topology = load(folder / "topology.yml").topology
    assert {name: node.memory for name, node in topology.nodes.items()} == {"k1": 512, "k2": None}
    assert [link.name for link in topology.links] == ["net"]


def test_a_place_in_an_included_file_is_that_files(folder: Path) -> None:
    lab = load(folder / "topology.yml", "labs/lab/topology.yml")
    places = [("nodes", "k1", "memory"), ("nodes", "k1", "role"), ("links", 0, "prefix")]
    assert [str(lab.source.locate(path)) for path in places] == [
        "labs/lab/topology.yml:3:22",
        "labs/lab/nodes.yml:2:14",
        "labs/lab/more/links.yml:3:25",
    ]
    assert lab.source.locate(places[2]).source.startswith("  - {name: net")


def test_a_link_out_of_the_folder_is_outside(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other") / "secret.yml"
    other.write_text("description: secret\n")
    (folder / "nodes.yml").unlink()
    (folder / "nodes.yml").symlink_to(other)
    with pytest.raises(TopologyError, match=r"`nodes\.yml` is no file below the lab's folder"):
        load(folder / "topology.yml")


@pytest.mark.parametrize("name", ["a\\0b.yml", "more", "..", "/etc/passwd", "more/../../x.yml", "x" * 300])
def test_only_a_file_is_included(name: str, folder: Path) -> None:
    (folder / "topology.yml").write_text(f'include: ["{name}"]\nname: lab\n')
    with pytest.raises(TopologyError, match="the lab's folder"):
        load(folder / "topology.yml")


def test_a_link_in_a_circle_is_no_file(folder: Path) -> None:
    (folder / "circle.yml").symlink_to("circle.yml")
    with pytest.raises(TopologyError, match=r"circle\.yml is a link that leads in a circle"):
        loads("include: circle.yml\n" + SMALL, "topology.yml", folder)


def test_fifty_files_are_the_most(folder: Path) -> None:
    for number in range(51):
        (folder / f"part{number}.yml").write_text(f"x-{number}: 1\n")
    names = ", ".join(f"part{number}.yml" for number in range(51))
    (folder / "topology.yml").write_text(f"include: [{names}]\nname: lab\n")
    with pytest.raises(TopologyError, match="more than 50 files"):
        load(folder / "topology.yml")


def test_a_command_that_is_only_a_name_is_a_text() -> None:
    said = """vars: {port: 5}
groups: {all: {members: ["k[1-2]"], commands: ["{n}", "{port}"]}}
nodes: {"k[1-2]": {role: router}}
"""
    nodes = long(said)["nodes"]
    assert [nodes[name]["commands"] for name in ("k1", "k2")] == [["1", "5"], ["2", "5"]]


def test_a_text_without_a_folder_includes_nothing() -> None:
    with pytest.raises(TopologyError, match="a text that stands in no file"):
        loads("include: nodes.yml\nname: lab\n", "topology.yml")


# --- variables


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{mtu}", 2000),
        ("{on}", True),
        ("x{mtu}y", "x2000y"),
        ("{on}{word}", "trueabc"),
        ("${mtu}", "${mtu}"),
        ("{ mtu }", "{ mtu }"),
        ("{}", "{}"),
    ],
)
def test_a_variable_keeps_its_kind_where_it_stands_alone(written: str, value: Any) -> None:
    found = long(f'vars: {{mtu: 2000, "on": true, word: abc}}\nx: ["{written}"]\n')
    assert found["x"] == [value] and type(found["x"][0]) is type(value)


def test_free_texts_keep_what_is_no_variable() -> None:
    found = long('vars: {mtu: 1}\ndescription: "{mtu} {other}"\ncommands: ["awk {print}", "[1-2] {n}"]\n')
    assert (found["description"], found["commands"]) == ("1 {other}", ["awk {print}", "[1-2] {n}"])


def test_own_keys_are_left_out() -> None:
    assert long("x-common: &c {mtu: 9000}\nlinks: [{<<: *c, name: a}]\n") == {
        "links": [{"mtu": 9000, "name": "a"}]
    }


# --- ranges


def test_ranges_of_an_item_go_side_by_side() -> None:
    (first, *_, last) = long('links: [{name: "l{n}", endpoints: ["k[1-19]:eth2", "k[2-20]:eth1"]}]\n')[
        "links"
    ]
    assert first == {"name": "l1", "endpoints": ["k1:eth2", "k2:eth1"]}
    assert last == {"name": "l19", "endpoints": ["k19:eth2", "k20:eth1"]}


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("k[8-10]", ["k8", "k9", "k10"]),
        ("k[08-10]", ["k08", "k09", "k10"]),
        ("[3-4]", [3, 4]),
        ("a[1-1]b", ["a1b"]),
    ],
)
def test_a_range_is_as_wide_as_it_says(text: str, items: list[Any]) -> None:
    assert long(f'groups: {{g: {{members: ["{text}"]}}}}\n')["groups"]["g"]["members"] == items


def test_nodes_of_a_range_have_its_number() -> None:
    nodes = long(
        'nodes: {"k[1-2]-a": {locator: "fc00:{n}::/64", routes: [{prefix: "10.[8-9].0.0/16", via: "::{n}"}]}}\n'
    )["nodes"]
    for number in (1, 2):
        routes = [{"prefix": f"10.{other}.0.0/16", "via": f"::{number}"} for other in (8, 9)]
        assert nodes[f"k{number}-a"] == {"locator": f"fc00:{number}::/64", "routes": routes}


@pytest.mark.parametrize("order", [("k[1-3]", "k2"), ("k2", "k[1-3]")])
def test_a_node_by_its_name_goes_before_its_range(order: tuple[str, str]) -> None:
    said = {"k[1-3]": "{role: router, memory: 512}", "k2": "{memory: 1024}"}
    nodes = long("nodes:\n" + "".join(f"  {key}: {said[key]}\n" for key in order))["nodes"]
    assert {name: node["memory"] for name, node in nodes.items()} == {"k1": 512, "k2": 1024, "k3": 512}
    assert all(node["role"] == "router" for node in nodes.values())


def test_what_a_problem_is_of_is_said() -> None:
    with pytest.raises(TopologyError) as caught:
        loads('name: x\nnodes:\n  k[1-20]: {role: router, loopback: "fc00::{n}/200"}\n', "t.yml")
    (problem,) = caught.value.problems
    assert str(problem.location) == "t.yml:3:37"
    assert problem.what.endswith("(in k1, from k[1-20]; 19 more have it)")


# --- groups


def test_a_node_goes_before_its_groups() -> None:
    groups = 'groups: {all: {members: ["k[1-2]"], role: router, memory: 512, isis: {instance: core, net: "49.{n}"}}}\n'
    found = long(groups + "nodes: {k1: {isis: {net: own}}, k2: , k3: {role: host}}\n")
    assert found["groups"] == {"all": {"members": ["k1", "k2"], "memory": 512}}
    assert found["nodes"] == {
        "k1": {"role": "router", "isis": {"instance": "core", "net": "own"}},
        "k2": {"role": "router", "isis": {"instance": "core", "net": "49.2"}},
        "k3": {"role": "host"},
    }


def test_two_groups_of_a_node_say_different_things() -> None:
    text = "groups: {one: {members: [k1], role: router}, two: {members: [k1], loopback: x}}\nnodes: {k1: }\n"
    assert long(text)["nodes"] == {"k1": {"role": "router", "loopback": "x"}}


# --- links


def test_short_links_number_their_nics() -> None:
    links = long(
        'links:\n  - k1 - k2\n  - {name: own, endpoints: ["k1:eth2", k3]}\n  - k1 - k2\n  - k2:eth9 - k1\n'
    )["links"]
    assert [(link["name"], link["endpoints"]) for link in links] == [
        ("k1-k2", ["k1:eth1", "k2:eth1"]),
        ("own", ["k1:eth2", "k3:eth1"]),
        ("k1-k2-2", ["k1:eth3", "k2:eth2"]),
        ("k2-k1", ["k2:eth9", "k1:eth4"]),
    ]


def test_names_of_links_are_names() -> None:
    one, other = "a" * 20, "b" * 20
    found = long(f"links:\n  - {one} - {other}\n  - {{name: link-3}}\n  - {one} - {other}\n")["links"]
    assert [link["name"] for link in found] == ["link-1", "link-3", "link-3-2"]


# --- pools

POOLED = """\
pools: {links: "2001:db8::/32", loopbacks: "fc00:ffff::/64", locators: "fc00::/32"}
nodes: {k1: {role: router}, h: {role: host}, k2: {role: router, locator: "fc00:0:0:1::/64"}}
links: [k1 - h, {prefix: "2001:db8:0:2::/63", endpoints: [k1, k2]}, h - k2]
"""


def test_pools_give_the_next_that_nobody_has() -> None:
    found = long(POOLED)
    assert [link["prefix"] for link in found["links"]] == [
        "2001:db8:0:1::/64",
        "2001:db8:0:2::/63",
        "2001:db8:0:4::/64",
    ]
    assert found["nodes"] == {
        "k1": {"role": "router", "locator": "fc00:0:0:2::/64", "loopback": "fc00:ffff::1/128"},
        "h": {"role": "host"},
        "k2": {"role": "router", "locator": "fc00:0:0:1::/64", "loopback": "fc00:ffff::2/128"},
    }
    assert long(POOLED) == found


def test_ipv4_links_have_room_for_their_ends() -> None:
    text = "pools: {links: 10.0.0.0/16}\nlinks: [a - b, {endpoints: [a, b, c]}, a - b]\n"
    assert [link["prefix"] for link in long(text)["links"]] == ["10.0.0.4/30", "10.0.0.8/29", "10.0.0.16/30"]


@st.composite
def subnets(draw: st.DrawFn, pool: Network) -> Network:
    length = draw(st.integers(pool.prefixlen, pool.max_prefixlen))
    start = int(pool.network_address) + draw(st.integers(0, pool.num_addresses - 1))
    return ip_network((str(type(pool.network_address)(start)), length), strict=False)


@settings(max_examples=200, deadline=None, database=None)
@given(
    st.data(), st.sampled_from([IPv4Network("10.1.0.0/20"), IPv6Network("fd00::/116"), IPv6Network("::/116")])
)
def test_a_pool_gives_nothing_twice_and_nothing_that_is_taken(data: st.DataObject, pool: Network) -> None:
    taken = data.draw(st.lists(subnets(pool), max_size=8))
    lengths = data.draw(st.lists(st.integers(pool.max_prefixlen - 4, pool.max_prefixlen), max_size=20))
    found, source = [], _Pool(pool, taken)
    for length in lengths:
        if (given_ := source.next(length)) is not None:
            assert given_.prefixlen == length and pool.supernet_of(given_)  # type: ignore[arg-type]
            assert not any(given_.overlaps(other) for other in taken)  # type: ignore[arg-type]
            found.append(given_)
    assert all(one.broadcast_address < other.network_address for one, other in pairwise(found))  # type: ignore[operator]


def test_a_pool_gives_all_that_it_has() -> None:
    pool = _Pool(IPv4Network("10.0.0.0/28"), [IPv4Network("10.0.0.8/32")])
    assert [str(one) for one in iter(lambda: pool.next(32), None)] == [
        f"10.0.0.{number}/32" for number in range(1, 16) if number != 8
    ]


# --- the example of the document

EXAMPLE = (
    (REPOSITORY / "docs" / "large-labs.md").read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
)


def test_the_example_has_200_nodes_in_40_lines() -> None:
    lines = EXAMPLE.partition("exercises:")[0].strip().splitlines()
    lab = loads(EXAMPLE, "fabric.yml")
    assert (len(lab.topology.nodes), len(lab.topology.links)) == (200, 490)
    assert len(lines) <= 40


def test_the_example_is_rendered_and_the_model_agrees_with_its_walk() -> None:
    lab = loads(EXAMPLE, "fabric.yml")
    found = plan(lab.topology, lab.source.locate)
    scripts = day0_scripts(found)
    assert len(scripts) == 200
    assert "route replace fc00:98::/64 via fd00:4:98::2 dev $eth98" in scripts["day0/spine4.sh"]
    (prediction,) = predict(found, "across")
    crossed = [(str(hop.point), hop.direction.value) for trace in prediction.rfc for hop in trace.hops]
    said = [(one.at, one.direction) for one in lab.topology.exercises[0].expect.packets]
    assert sorted(crossed) == sorted(said) and len(said) == 16


def test_the_long_file_loads_as_the_same_lab(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    path.write_text(EXAMPLE.replace("98", "9"), encoding="utf-8")
    written = long_file(long_data(path))
    assert loads(written, "long.yml").topology == load(path).topology.model_copy(
        update={"vars": {}, "groups": {}}
    )
    assert (
        "- {prefix: 'fd00:1:9::/64', mtu: 2000, endpoints: ['spine1:eth9', 'leaf9:eth1'], name: spine1-leaf9}"
        in written
    )


@pytest.mark.parametrize("name", LABS)
def test_the_long_file_of_a_lab_is_the_lab(name: str) -> None:
    path = SITE.refer(name).path
    lab = load(path)
    assert loads(long_file(long_data(path)), "long.yml", path.parent).topology == lab.topology


def test_commands_have_the_number_of_their_node() -> None:
    found = long(
        'nodes: {"k[7-8]": {commands: ["ip addr add 10.0.{n}.1 dev eth1; awk {print}; ls [1-2]"]}}\n'
    )
    assert found["nodes"]["k8"]["commands"] == ["ip addr add 10.0.8.1 dev eth1; awk {print}; ls [1-2]"]
