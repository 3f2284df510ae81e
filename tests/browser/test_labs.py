"""The page of each lab: its prediction opens, everywhere, with no error; and a lab whose file is hostile."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from srv6lab.cli.tasks import predict
from srv6lab.plan.nodes import Plan
from tests.browser.chromium import Browser
from tests.browser.hostile import PAYLOADS, smuggled
from tests.browser.walk import Walk, in_page
from tests.conftest import LABS, REPOSITORY, SITE, invoke, some_labs

MOST = 1_000_000  # bytes of a page


def page_of(plan: Plan, folder: Path) -> Path:
    """The page of what the model says of all of a lab's exercises."""
    text = predict(plan, [one.name for one in plan.exercises], [], "html")
    path = folder / "walk.html"
    path.write_text(text, encoding="utf-8")
    assert path.stat().st_size <= MOST
    return path


@pytest.mark.parametrize("name", some_labs())
def test_page_of_a_lab_opens_and_shows_every_hop(browser: Browser, tmp_path: Path, name: str) -> None:
    plan, _warnings = SITE.load(SITE.refer(name))
    path = page_of(plan, tmp_path)
    walk = Walk(browser)
    for exercise in in_page(path.read_text("utf-8"))["exercises"]:
        walks = [one["hops"] for probe in exercise["probes"] for one in probe["walks"] if one["hops"]]
        if not walks:
            continue  # it has routing protocols alone
        walk.open(path, exercise["name"])
        shown = walk.every("document.querySelector('#where').textContent")
        assert shown == [
            [f"{turn} of {len(hops)}: {hop['point']} {hop['direction']}" for turn, hop in enumerate(hops, 1)]
            for hops in walks
        ]
        assert "no packet was sent" in browser.text("header")
        assert browser.complaints() == []
    assert {node.name for node in plan.nodes} <= set(browser.text("#page").split()), "each node is drawn"
    for size in ("phone", "projector"):
        browser.resize(size)
        assert browser.js("return document.documentElement.scrollWidth - innerWidth") == 0
    assert browser.complaints() == []


LONGEST = 200  # characters of a description


def descriptions() -> list[str]:
    """All payloads that an author may write, as many in a description as fit."""
    found = [""]
    for payload in (one.strip() for one in PAYLOADS):
        if payload.isprintable() and len(payload) <= LONGEST:
            found += [""] if len(found[-1] + payload) > LONGEST else []
            found[-1] += payload
    return found


def test_hostile_descriptions_come_through_the_task_as_texts(lawless: Walk, tmp_path: Path) -> None:
    """All free texts that the loader lets an author write, as somebody would make a page of them."""
    course, _ = SITE.course()
    data = yaml.safe_load((REPOSITORY / "labs" / course[0].name / "topology.yml").read_text("utf-8"))
    exercise = {**data["exercises"][0], "questions": []}  # whose ids are a lab's own
    data["description"] = descriptions()[0]
    data["exercises"] = [
        {**exercise, "name": f"x{turn}", "description": text} for turn, text in enumerate(descriptions())
    ]
    file = tmp_path / "topology.yml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    done = invoke("predict", str(file), "--format", "html")
    assert done.returncode == 0, done.stderr
    path = tmp_path / "walk.html"
    path.write_text(done.stdout, encoding="utf-8")
    lawless.open(path)
    for turn, text in enumerate(descriptions()):
        lawless.browser.js("location.hash = arguments[0]", f"x{turn}")
        lawless.browser.wait("document.querySelector('#about').textContent.includes(arguments[0])", text)
    assert data["description"] in lawless.browser.js("return document.querySelector('header').textContent")
    assert smuggled(lawless.browser) == []
    assert lawless.browser.complaints() == []


@pytest.mark.prove
@pytest.mark.parametrize("name", LABS)
def test_axe_finds_nothing_in_the_page_of_a_lab(browser: Browser, tmp_path: Path, name: str) -> None:
    plan, _warnings = SITE.load(SITE.refer(name))
    path = page_of(plan, tmp_path)
    for exercise in plan.exercises:
        browser.open(path, exercise.name)
        assert (exercise.name, browser.axe()) == (exercise.name, [])
