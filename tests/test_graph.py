"""`invoke graph` in its four formats: what others' tools make of them, and what hostile names do there (nothing)."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import xml.etree.ElementTree as xml
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from srv6lab.errors import UsageError
from srv6lab.evidence.packets import Point
from srv6lab.host import files
from srv6lab.plan.nodes import Nic, Plan, PlannedNode
from srv6lab.report import formats
from srv6lab.report.quoting import dot, mermaid_label, mermaid_message, plain
from tests.conftest import LABS, SITE, tool
from tests.in_process import Typed
from tests.small import SMALL, planned
from tests.test_picture import FABRIC, lab, routers

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = [
    "<script>alert(1)</script>",
    "]]><x/>&amp;&#x41;",
    '"]; click n1 callback "x',
    "%%{init: {'securityLevel': 'loose'}}%%",
    'x" ]; evil [label="y',
    "<<b>bold</b>>",
    "\\",
    "a\\nb\\",
    "#quot;#59;#35;",
    "`**markdown**`",
    "bell\x07 escape\x1b[31m null\x00 line\nend\r\u2028\u2029",
    "turned \u202e around \u200f\u200b",
    "end",
    "html=1;shape=image;image=data:x",
    "%name% &lt;b&gt;",
    "\ud800",
]


def shown(plan: Plan, form: str) -> str:
    return str(formats.chosen(formats.PICTURES, form)(plan))


def called(plan: Plan, text: str) -> Plan:
    """The plan with a text in all names of its nodes, links and NICs, and as what it is called and about."""

    def point(one: Point) -> Point:
        return Point(one.node + text, one.nic + text, one.netns)

    def nic(one: Nic) -> Nic:
        peers = tuple(point(peer) for peer in one.peers)
        return replace(one, point=point(one.point), peers=peers, link=one.link + text)

    def node(one: PlannedNode) -> PlannedNode:
        return replace(one, name=one.name + text, nics=tuple(nic(end) for end in one.nics))

    nodes = tuple(node(one) for one in plan.nodes)
    return replace(plan, name=text, description=text, nodes=nodes, exercises=())


# --- what is in it


def texts(svg: str) -> list[str]:
    return ["".join(one.itertext()).strip() for one in xml.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("form", formats.PICTURES)
def test_a_picture_names_everything(form: str) -> None:
    plan = planned(SMALL)
    drawn = shown(plan, form)
    for machine in plan.nodes:
        for word in (machine.name, *(str(one.sid) for one in machine.local_sids)):
            assert word in drawn
        for end in machine.nics:
            assert all(word in drawn for word in (end.name, str(end.address.ip), str(end.address.network)))
    assert all(word in drawn for word in ("End.DX4", "locator fc00:a::/64", "lo fc00:a::1"))


def test_a_picture_is_told_to_who_cannot_see_it() -> None:
    root = xml.fromstring(shown(replace(planned(SMALL), description="Two routers"), "svg"))
    assert root.get("role") == "img"
    title, desc = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert (root.get("aria-labelledby"), root.get("aria-describedby")) == (title.get("id"), desc.get("id"))
    assert title.text == "small"
    assert desc.text == (
        "Two routers. 4 nodes and 3 links: west:eth1, gate:eth1; gate:eth2, exit:eth2; exit:eth1, east:eth1."
    )


def test_a_picture_follows_light_and_dark_and_names_no_font_alone() -> None:
    drawn = shown(planned(SMALL), "svg")
    assert "prefers-color-scheme:dark" in drawn
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\((?!#)", drawn)
    assert re.findall(r"font:[^;}]*?(monospace|sans-serif)[;}]", drawn) == ["monospace", "sans-serif"]


def test_the_way_of_a_probe_is_on_it_in_order() -> None:
    from srv6lab.cli.graph import graph

    plan = planned(SMALL)
    drawn = graph(plan, "svg", "across", "")
    assert texts(drawn)[-4:] == ["1", "2", "3", "across, probe echo: the way there"]
    assert "across" not in "".join(texts(shown(plan, "svg")))
    assert graph(plan, "mermaid", "", "echo").count("-.-") == 3
    assert graph(plan, "dot", "across", "echo").count("style=dashed") == 3
    assert graph(plan, "drawio", "across", "echo").count("dashed=1") == 3


@pytest.mark.parametrize(
    ("exercise", "probe", "said"),
    [("acros", "", "no exercise 'acros'"), ("", "eco", "no probe 'eco'"), ("across", "x", "no probe 'x'")],
)
def test_a_way_that_is_not_there(exercise: str, probe: str, said: str) -> None:
    from srv6lab.cli.graph import graph

    with pytest.raises(UsageError, match=re.escape(said)):
        graph(planned(SMALL), "svg", exercise, probe)


def test_a_large_lab_has_names_alone() -> None:
    plan = lab(*FABRIC)
    assert len(texts(shown(plan, "svg"))) == len(plan.nodes)
    assert not re.search("eth1|fd00", shown(plan, "dot") + shown(plan, "mermaid"))
    assert len(shown(plan, "mermaid")) < 50_000, "Mermaid takes no more"
    assert "edgeLabel" not in shown(plan, "drawio")


def test_a_bridge_is_a_node_of_every_format() -> None:
    plan = routers(3, "{name: lan, endpoints: [n1, n2, n3]}")
    assert xml.fromstring(shown(plan, "svg")).findall(f".//{SVG}g[@class='link']/{SVG}circle")
    assert "b1((" in shown(plan, "mermaid")
    assert '"link lan" [shape=circle' in shown(plan, "dot")
    assert "ellipse" in shown(plan, "drawio")


# --- SVG and draw.io: XML


@pytest.mark.parametrize("form", ["svg", "drawio"])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_changes_the_tree(form: str, text: str) -> None:
    tame, hostile = (xml.fromstring(shown(called(planned(SMALL), one), form)) for one in ("x", text))
    assert [one.tag for one in hostile.iter()] == [one.tag for one in tame.iter()]
    for one, other in zip(hostile.iter(), tame.iter(), strict=True):
        assert one.attrib.keys() == other.attrib.keys()
        assert one.get("style", "").split(";")[0] == other.get("style", "").split(";")[0]
        assert all("=1;" not in key for key in one.attrib)
    said = "".join(hostile.itertext()) + "".join(one.get("value", "") for one in hostile.iter())
    assert plain(text) in said
    assert not re.search("[\x00-\x08\x0b-\x1f\u2028\u202e\u200f\ud800]", said)


def test_drawio_has_what_diagrams_net_asks_for() -> None:
    file = xml.fromstring(shown(planned(SMALL), "drawio"))
    assert (file.tag, file.find("diagram/mxGraphModel/root") is not None) == ("mxfile", True)
    cells = {cell.get("id"): cell for cell in file.iter("mxCell")}
    assert len(cells) == len(list(file.iter("mxCell"))), "each has an id of its own"
    assert cells["1"].get("parent") == "0"
    lines = [cell for cell in cells.values() if cell.get("edge")]
    assert len(lines) == 3
    for line in lines:
        assert {line.get("source"), line.get("target")} <= cells.keys()
    assert all(cell.get("parent") in cells for cell in cells.values() if cell.get("id") != "0")
    assert all(cell.find("mxGeometry") is not None for cell in cells.values() if cell.get("vertex"))
    assert "html=1" not in shown(planned(SMALL), "drawio")


# --- Graphviz


def graphviz(text: str) -> xml.Element:
    made = subprocess.run(
        [tool("dot"), "-Tsvg"], input=text, capture_output=True, encoding="utf-8", check=False
    )
    assert (made.returncode, made.stderr) == (0, "")
    return xml.fromstring(made.stdout)


def drawn_nodes(svg: xml.Element) -> list[list[str]]:
    """The lines of text of each node that Graphviz has drawn."""
    return [
        [one.text or "" for one in group.iter(f"{SVG}text")]
        for group in svg.iter(f"{SVG}g")
        if group.get("class") == "node"
    ]


@pytest.mark.parametrize("name", LABS[::4])
def test_graphviz_draws_every_node_and_link(name: str) -> None:
    plan = SITE.load(SITE.refer(name))[0]
    svg = graphviz(shown(plan, "dot"))
    assert {one.name for one in plan.nodes} <= {lines[0] for lines in drawn_nodes(svg)}
    edges = [group for group in svg.iter(f"{SVG}g") if group.get("class") == "edge"]
    services = sum(len(one.services) for one in plan.nodes)
    assert len(edges) == len({end.link for end in plan.nics()}) + services


def test_graphviz_shows_hostile_names_as_they_are() -> None:
    """All at once, since each start of Graphviz takes a while."""
    plan = routers(len(HOSTILE) + 1, *(f"n{n} - n{n + 1}" for n in range(1, len(HOSTILE) + 1)))
    names = {f"n{turn}": f"n{turn} {text}" for turn, text in enumerate(HOSTILE, 1)}

    def renamed(point: Point) -> Point:
        return Point(names.get(point.node, point.node), point.nic, point.netns)

    nodes = tuple(
        replace(
            one,
            name=names.get(one.name, one.name),
            nics=tuple(
                replace(end, point=renamed(end.point), peers=tuple(map(renamed, end.peers)))
                for end in one.nics
            ),
        )
        for one in plan.nodes
    )
    svg = graphviz(shown(replace(plan, name=HOSTILE[4], description=HOSTILE[1], nodes=nodes), "dot"))
    drawn = {lines[0] for lines in drawn_nodes(svg)}
    assert drawn == {plain(one) for one in names.values()} | {f"n{len(HOSTILE) + 1}"}
    assert not list(svg.iter(f"{SVG}script"))


def test_a_name_that_is_not_quoted_makes_a_node() -> None:
    text = f'graph {{ "it" [label="{HOSTILE[4]}"] }}'
    assert ["y"] in drawn_nodes(graphviz(text))


# --- Mermaid

LINE = re.compile(
    r"""flowchart\ LR
    | \ \ classDef\ [a-z-]+\ stroke:\#[0-9a-f]{6},stroke-width:2px
    | \ \ (\ \ )?n\d+(\(\[|\[\(|\{\{|\[)"(?P<node>[^"`<>&%]|<br/>)*"(\]\)|\)\]|\}\}|\]):::[a-z-]+
    | \ \ s\d+>"([^"`<>&%])*"\]
    | \ \ b\d+\(\("([^"`<>&%]|<br/>)*"\)\)
    | \ \ n\d+\ (---|-\.-)(\|"([^"`<>&%]|<br/>)*"\|)?\ [nbs]\d+
    | \ \ subgraph\ g\d+\["[^"`<>&%]*"\]
    | \ \ end""",
    re.VERBOSE,
)


@pytest.mark.parametrize("text", ["", *HOSTILE])
def test_mermaid_is_of_few_statements(text: str) -> None:
    """What Mermaid's own parser takes (`make prove` asks it): these statements, and no other."""
    lines = shown(called(planned(SMALL), text), "mermaid").splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    assert len(lines) == len(shown(planned(SMALL), "mermaid").splitlines())


TWO_AS = """\
name: two
nodes:
  a: {role: router, router_id: 1.1.1.1, isis: {instance: "1", net: 49.0000.0000.0001.00}, bgp: {as: 100, neighbors: [{node: b, families: [ipv6]}]}}
  b: {role: router, router_id: 2.2.2.2, isis: {instance: "1", net: 49.0000.0000.0002.00}, bgp: {as: 100, neighbors: [{node: a, families: [ipv6]}, {node: c, families: [ipv6]}]}}
  c: {role: router, router_id: 3.3.3.3, isis: {instance: "1", net: 49.0000.0000.0003.00}, bgp: {as: 200, neighbors: [{node: b, families: [ipv6]}, {node: d, families: [ipv6]}]}}
  d: {role: router, router_id: 4.4.4.4, isis: {instance: "1", net: 49.0000.0000.0004.00}, bgp: {as: 200, neighbors: [{node: c, families: [ipv6]}]}}
pools: {links: "fd00::/48", loopbacks: "fd01::/64", locators: "fd02::/48"}
links:
  - {endpoints: [a, b], isis: {}}
  - b - c
  - {endpoints: [c, d], isis: {}}
"""


def test_mermaid_has_a_frame_for_each_as() -> None:
    plan = planned(TWO_AS)
    drawn = shown(plan, "mermaid").splitlines()
    assert "cluster_2" in shown(plan, "dot")
    assert [line for line in drawn if not LINE.fullmatch(line)] == []
    assert len([line for line in drawn if line.startswith("  subgraph")]) == drawn.count("  end") == 2


# --- quoting


@pytest.mark.parametrize("quote", [plain, mermaid_label, mermaid_message, dot])
@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_quoted_is_one_line_that_steers_nothing(quote: Callable[[str], str], text: str) -> None:
    quoted = quote(text)
    assert quoted.isprintable()
    quoted.encode()
    assert quote("fc00:a::1/64 → x_y-z é").strip('"') == "fc00:a::1/64 → x_y-z é"


def test_a_label_comes_out_as_it_went_in() -> None:
    for text in HOSTILE:
        decoded = re.sub(r"#(\d+);", lambda found: chr(int(found[1])), mermaid_label(text))
        assert decoded == plain(text).replace("\\", "\u29f5")
        assert not re.search('["`<>&%\\\\]', mermaid_label(text))


# --- as it is typed


def test_it_is_printed_or_written(typed: Typed, tmp_path: Path) -> None:
    printed = typed("graph", f"lab={LABS[0]}")
    assert printed.returncode == 0
    xml.fromstring(printed.stdout)
    file = tmp_path / "more" / "it.svg"
    written = typed("graph", LABS[0], "-o", str(file))
    assert (written.returncode, written.stdout) == (0, f"{file}\n")
    assert file.read_text("utf-8") == printed.stdout


def test_a_format_that_is_not_there(typed: Typed) -> None:
    result = typed("graph", f"lab={LABS[0]}", "--format", "draw")
    assert result.returncode == 1
    assert "there is no format 'draw'" in result.stderr
    assert "drawio" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    with subprocess.Popen([tool("cat"), str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        files.write_to(pipe, "drawn")
        assert reader.communicate()[0] == "drawn"
    assert pipe.is_fifo()
    link.symlink_to("target")
    files.write_to(link, "drawn")
    assert link.is_symlink() and (tmp_path / "target").read_text() == "drawn"


def test_an_error_names_the_file_that_was_to_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError) as caught:
        files.write_whole(tmp_path / "a", "drawn")
    assert "/.a." not in str(caught.value.filename) and not list(tmp_path.glob(".a.*"))
    with pytest.raises(OSError) as caught, files.writing_whole(tmp_path / "b"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "b") and not list(tmp_path.glob(".b.*"))
