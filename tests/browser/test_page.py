"""What the page shows is what `check --format json` says, hop by hop and row by row; it is used by keyboard, by address and
on paper; axe-core has nothing against it in any of its states."""

from __future__ import annotations

import io
import json
import subprocess
import unicodedata
import xml.etree.ElementTree as xml
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pypdf
import pytest

from srv6lab.report.page import html
from tests.browser.chromium import Browser
from tests.browser.conftest import Checked
from tests.browser.walk import Stack, Walk, rows_of

NONE = ("none", None)


@pytest.fixture
def walk(browser: Browser) -> Walk:
    return Walk(browser)


@pytest.mark.parametrize("kind", ["passed", "failed"])
def test_verdict_is_that_of_check(walk: Walk, checked: Checked, kind: str) -> None:
    verdict = checked.verdicts[kind]
    walk.open(checked.page, verdict["exercise"])
    assert [row[:9] for row in walk.table("Verdict")] == rows_of(verdict)
    said = walk.browser.text("main")
    for suspect in verdict["suspects"]:
        for key in ("cause", "what", "command", "mend"):
            assert suspect[key] in said
    for item in verdict["items"]:
        assert (item["note"] or "") in said
    assert walk.browser.complaints() == []


@pytest.mark.parametrize("kind", ["passed", "failed"])
def test_every_header_of_every_hop_is_the_documents(walk: Walk, checked: Checked, kind: str) -> None:
    exercise = checked.exercise(kind)
    walk.open(checked.page, exercise["name"])
    walks = [one["hops"] for probe in exercise["probes"] for one in probe["walks"]]
    stacks = walk.every()
    assert list(map(len, stacks)) == list(map(len, walks))
    for hop, stack in zip(chain(*walks), chain(*stacks), strict=True):
        assert columns(stack) == witnesses(hop), hop["id"]


def columns(stack: Stack) -> dict[str, Counter[str]]:
    """The values that stand in the column of each witness."""
    found: dict[str, Counter[str]] = {"expected": Counter(), "predicted": Counter(), "captured": Counter()}
    for _, rows in stack:
        for _, cells in rows:
            for witness, value in cells.items():
                found[witness] += Counter([value] if value not in ("", "–", "none") else [])
    return found


def witnesses(hop: dict[str, Any]) -> dict[str, Counter[str]]:
    """The values that should."""
    captured = hop["captured"][0]["fields"] if hop["captured"] else {}
    said = {"expected": hop["expected"], "predicted": hop["predicted"], "captured": captured}
    return {name: Counter(chain(*_values(fields or {}))) for name, fields in said.items()}


def _values(fields: dict[str, Any]) -> Iterator[list[str]]:
    for name, value in fields.items():
        if value not in NONE and value != "":
            yield str(value).split(", ") if name.endswith("segment_list") else [str(value)]


PARTS = {
    "alerts": ("service", "signature", "source", "destination", "count"),
    "counters": ("what", "expected", "seen", "status"),
    "messages": ("protocol", "words", "status"),
}


def test_other_tables_are_the_documents(walk: Walk, checked: Checked) -> None:
    """Alerts, counters, messages and proxies: row by row, value by value."""
    exercise = checked.exercise("passed")
    walk.open(checked.page, exercise["name"])
    rows = 0
    for part, keys in PARTS.items():
        shown = walk.part(part)
        assert len(shown) == len(exercise[part])
        for row, one in zip(shown, exercise[part], strict=True):
            rows += 1
            assert all(str(one[key]) in row for key in keys if one[key] is not None), (part, row, one)
    proxied = [row for one in exercise["proxies"] for row in one["rows"]]
    for row, one in zip(walk.part("proxies"), proxied, strict=True):
        rows += 1
        assert all(cell in row for cell in one["cells"])
    assert rows, "an exercise with nothing in these tables shows nothing of them"


def test_each_line_of_the_walk_says_its_place_and_status(walk: Walk, checked: Checked) -> None:
    exercise = checked.exercise("failed")
    walk.open(checked.page, exercise["name"])
    said = walk.lines("textContent")
    for line, hop in zip(said, exercise["probes"][0]["walks"][0]["hops"], strict=True):
        for word in (hop["point"], hop["direction"], hop["behavior"], hop["status"]):
            assert (word or "") in line


def test_another_value_would_be_seen(walk: Walk, checked: Checked, tmp_path: Path) -> None:
    """What the two tests above compare does differ where the page says something else."""
    document = json.loads(json.dumps(checked.alone("passed")))
    exercise = document["exercises"][0]
    hop = exercise["probes"][0]["walks"][0]["hops"][0]
    hop["captured"][0]["fields"]["hop_limit"] = "1"
    exercise["items"][0]["captured"] = "something else"
    path = tmp_path / "walk.html"
    path.write_text(html.page(document), encoding="utf-8")
    walk.open(path, exercise["name"])
    right = checked.exercise("passed")["probes"][0]["walks"][0]["hops"][0]
    seen = columns(walk.stack())
    assert seen == witnesses(hop) != witnesses(right)
    assert [row[:9] for row in walk.table("Verdict")] != rows_of(checked.verdicts["passed"])


def test_each_segment_that_differs_is_marked(walk: Walk, checked: Checked, tmp_path: Path) -> None:
    """Those of the captured list that stand elsewhere than the others have them, and no other."""
    document = json.loads(json.dumps(checked.alone("passed")))
    exercise = document["exercises"][0]
    hops = [hop for probe in exercise["probes"] for one in probe["walks"] for hop in one["hops"]]
    hop = max(
        hops, key=lambda one: len((one["captured"] or [{"fields": {}}])[0]["fields"].get("segment_list", ""))
    )
    fields = hop["captured"][0]["fields"]
    right = fields["segment_list"]
    segments = right.split(", ")
    assert len(set(segments)) == len(segments) >= 2
    segments[:2] = segments[1::-1]
    fields["segment_list"] = ", ".join(segments)
    differs = {"expected": right, "predicted": right, "captured": fields["segment_list"], "note": None}
    hop["differs"] = [{"field": "segment_list", "alone": "captured", **differs}]
    path = tmp_path / "walk.html"
    path.write_text(html.page(document), encoding="utf-8")
    walk.open(path, f"{exercise['name']}/{hop['id']}")
    marked = walk.browser.js(
        "return [...document.querySelectorAll('tr[data-segment] td:has(.alone)')]"
        ".map(cell => [cell.parentNode.dataset.segment, cell.dataset.witness])"
    )
    assert marked == [["0", "captured"], ["1", "captured"]]


def test_a_field_and_its_bytes_light_up_together(walk: Walk, checked: Checked) -> None:
    """Each value of each header that can be clicked, at the hop with most of them: its bytes are where tshark has them."""
    exercise = checked.exercise("passed")
    hops = [
        hop
        for probe in exercise["probes"]
        for one in probe["walks"]
        for hop in one["hops"]
        if hop["captured"]
    ]
    hop = max(hops, key=lambda one: len(one["captured"][0]["fields"]))
    packet = hop["captured"][0]
    walk.open(checked.page, f"{exercise['name']}/{hop['id']}")
    known = tshark(checked.runs / exercise["name"] / "captures" / packet["file"], packet["number"])
    assert walk.bytes() == packet["bytes"]
    clicked = 0
    for number in range(walk.browser.js("return document.querySelectorAll('#hop button.value').length")):
        name, value = walk.choose_value(number)
        if name not in TSHARK:
            continue
        clicked += 1
        lit = walk.lit()
        assert (lit[0], len(lit), value) in known[TSHARK[name]], name
        assert walk.browser.js("return document.querySelector('#part-said').textContent")
    assert clicked >= len(TSHARK)
    walk.browser.js("document.querySelectorAll('#hop .byte')[arguments[0]].click()", 21)
    assert 21 in walk.lit()
    walk.browser.js("document.querySelector('#hop .bytes').focus()")
    walk.browser.press("ESCAPE")
    assert walk.lit() == []


# What the page calls a field, and what tshark does.
TSHARK = {
    ("IPv6", "Source Address"): "ipv6.src",
    ("IPv6", "Destination Address"): "ipv6.dst",
    ("IPv6", "Hop Limit"): "ipv6.hlim",
    ("SRH", "Segments Left"): "ipv6.routing.segleft",
    ("SRH", "Segment List[0]"): "ipv6.routing.srh.addr",
    ("SRH", "Segment List[1]"): "ipv6.routing.srh.addr",
    ("Inner IPv4", "Source Address"): "ip.src",
    ("Inner IPv4", "Time to Live"): "ip.ttl",
}


def tshark(pcap: Path, number: int) -> dict[str, set[tuple[int, int, str]]]:
    """Where each field of a frame stands, how long it is, and what tshark shows of it."""
    command = ["tshark", "-n", "-r", str(pcap), "-Y", f"frame.number == {number}", "-T", "pdml"]
    done = subprocess.run(command, capture_output=True, check=True)
    found: dict[str, set[tuple[int, int, str]]] = {}
    for field in xml.fromstring(done.stdout).iter("field"):
        place = (int(field.get("pos", 0)), int(field.get("size", 0)), field.get("show", ""))
        found.setdefault(field.get("name", ""), set()).add(place)
    return found


def test_steps_by_keyboard_and_back_by_the_browser(walk: Walk, checked: Checked) -> None:
    exercise = checked.exercise("passed")
    walk.open(checked.page, exercise["name"])
    lines = walk.lines()
    assert walk.here() == lines[0]
    walk.browser.press("ARROW_RIGHT", "ARROW_RIGHT", "ARROW_LEFT", "ARROW_RIGHT")
    assert walk.here() == lines[2] == walk.address()
    assert walk.said() == f"3 of {len(lines)}: {place(exercise, 2)}"
    assert place(exercise, 2) in walk.browser.js("return document.querySelector('[role=status]').textContent")
    walk.browser.press("END")
    assert walk.here() == lines[-1]
    walk.browser.press("ARROW_RIGHT")
    assert walk.here() == lines[-1]
    walk.browser.driver.back()
    walk.browser.wait("location.hash.slice(1) === arguments[0]", lines[2])
    assert walk.here() == lines[2]
    walk.browser.driver.forward()
    walk.browser.wait("location.hash.slice(1) === arguments[0]", lines[-1])
    assert walk.here() == lines[-1]
    walk.browser.press("HOME")
    assert walk.here() == lines[0]


def place(exercise: dict[str, Any], number: int) -> str:
    hop = exercise["probes"][0]["walks"][0]["hops"][number]
    return f"{hop['point']} {hop['direction']}"


def test_everything_is_reached_by_the_tab_key(walk: Walk, checked: Checked) -> None:
    """Each thing that can be pressed has its turn, has a name, and can be seen when it has the focus."""
    walk.open(checked.page, checked.exercise("failed")["name"])
    seen: list[str] = []
    for _ in range(400):
        walk.browser.press("TAB")
        name, outlined = walk.browser.js(FOCUSED)
        if name is None or name in seen:
            break
        assert outlined, f"{name}: nobody sees that it has the focus"
        seen.append(name)
    wanted = walk.browser.js(
        "return [...document.querySelectorAll('a[href], button, select, input, [tabindex=\"0\"], summary')]"
        ".filter(one => one.checkVisibility() && !(one.type === 'radio' && !one.checked)).length"
    )
    assert len(seen) == wanted


FOCUSED = """
const one = document.activeElement, all = [...document.querySelectorAll('*')];
if (one === document.body) return [null, true];
const style = getComputedStyle(one), outside = getComputedStyle(one.closest('label') ?? one);
const seen = [style, outside].some(one => one.outlineStyle !== 'none' && parseFloat(one.outlineWidth) >= 1);
return [`${one.localName} ${all.indexOf(one)}`, seen];
"""


def test_address_of_a_hop_leads_there(walk: Walk, checked: Checked) -> None:
    exercise = checked.exercise("passed")
    probe = exercise["probes"][0]
    hop = probe["walks"][0]["hops"][3]
    walk.open(checked.page, f"{exercise['name']}/{probe['id']}/{hop['point']}")
    assert walk.said().endswith(f": {hop['point']} {hop['direction']}")
    current, box = walk.browser.js(IN_VIEW)
    assert box[0] <= current[0] and current[1] <= box[1], "the walk's line of it can be seen"
    walk.open(checked.page, "no/such/hop")
    assert walk.lines()
    assert walk.browser.complaints() == []


IN_VIEW = """
const line = document.querySelector('#strip [aria-current=step]'), [a, b] = [line, line.closest('ol')]
  .map(one => one.getBoundingClientRect());
return [[a.top, a.bottom], [b.top - 1, b.bottom + 1]];
"""


def test_play_goes_on_by_itself_until_it_is_paused(walk: Walk, checked: Checked) -> None:
    walk.open(checked.page, checked.exercise("passed")["name"])
    lines = walk.lines()
    walk.browser.js("document.querySelector('#play').click()")
    assert "Pause" in walk.browser.text("#play")
    walk.browser.wait("location.hash.slice(1) === arguments[0]", lines[1])
    walk.play()
    assert "Play" in walk.browser.text("#play")
    here = walk.here()
    walk.browser.press("END")
    walk.play()
    assert walk.browser.wait("location.hash.slice(1) === arguments[0]", lines[0]) and here in lines


@pytest.mark.parametrize("still", [True, False], ids=["still", "moving"])
def test_packet_moves_only_where_motion_is_welcome(walk: Walk, checked: Checked, still: bool) -> None:
    walk.open(checked.page, checked.exercise("passed")["name"], still=still)
    moved = walk.browser.driver.execute_async_script(MOVED)
    assert (moved > 2) is not still


# How many places the packet is drawn at until it stands at the next hop for ten frames.
MOVED = """
const done = [...arguments].at(-1), places = new Set();
document.querySelector('#next').click();
let same = 0;
const look = () => {
  const before = places.size;
  places.add([...document.querySelectorAll('.packet')].map(one => one.getAttribute('transform')).join());
  same = places.size === before ? same + 1 : 0;
  same < 10 ? requestAnimationFrame(look) : done(places.size);
};
look();
"""


def test_on_paper_are_all_hops_of_the_exercise(walk: Walk, checked: Checked) -> None:
    exercise = checked.exercise("failed")
    walk.open(checked.page, exercise["name"])
    said = text_of(walk.browser.pdf())
    for probe in exercise["probes"]:
        for one in probe["walks"]:
            for hop in one["hops"]:
                assert f"{hop['point']} {hop['direction']}" in said
    for suspect in exercise["suspects"]:
        assert suspect["what"].split()[-1] in said
    assert "Copy link" not in said
    assert "Copy link" in walk.browser.text("#hop"), "it is as before"


def text_of(pdf: bytes) -> str:
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    text = "".join(page.extract_text() + "\n" for page in pages)
    return " ".join(unicodedata.normalize("NFKC", text).split())  # fonts have fi and ff as one sign


STATES = {
    "at a hop": "",
    "all fields": "document.querySelector('#all-fields').click()",
    "a field chosen": "document.querySelector('#hop button.value').click()",
    "a byte chosen": "document.querySelectorAll('#hop .byte')[40].click()",
    "playing": "document.querySelector('#play').click()",
    "large text": "document.querySelector('.tools button').click()",
    "failures alone": "[...document.querySelectorAll('input[name=verdict]')].at(1).click()",
    "topology in words": "document.querySelector('details').open = true",
}
LOOKS: dict[str, dict[str, Any]] = {
    "laptop": {},
    "dark": {"dark": True},
    "phone": {"size": "phone"},
    "phone, dark": {"size": "phone", "dark": True},
    "projector": {"size": "projector"},
}
# Those of `make test`: the others are like them.
AT_ONCE = (("passed", "phone, dark"), ("failed", "laptop"))


@pytest.mark.parametrize(
    ("kind", "look"),
    [
        pytest.param(kind, look, marks=[] if (kind, look) in AT_ONCE else [pytest.mark.prove])
        for kind in ("passed", "failed")
        for look in LOOKS
    ],
)
def test_axe_finds_nothing_and_the_page_never_scrolls_sideways(
    walk: Walk, checked: Checked, kind: str, look: str
) -> None:
    """In each state after the other, as a reader gets to them; axe-core is asked at the last, and in
    one look at the first too."""
    walk.open(checked.page, checked.exercise(kind)["name"], **LOOKS[look])
    walk.browser.press("ARROW_RIGHT", "ARROW_RIGHT")
    assert look != "projector" or walk.browser.axe() == []
    for state, script in STATES.items():
        walk.browser.js(script)
        assert (state, walk.browser.js("return document.documentElement.scrollWidth - innerWidth")) == (
            state,
            0,
        )
    assert walk.browser.axe() == []
    assert walk.browser.complaints() == []
