"""The flowcharts of `invoke graph` in Mermaid itself, which `make prove` fetches from npm."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from srv6lab.host.files import cache
from srv6lab.report.picture.mermaid import picture_mermaid
from srv6lab.report.quoting import plain
from tests.browser.chromium import Browser
from tests.conftest import LABS, SITE
from tests.small import SMALL, planned
from tests.test_graph import HOSTILE, TWO_AS, called
from tests.test_picture import FABRIC, lab

pytestmark = pytest.mark.prove
PACKAGE = "mermaid@11"
SCRIPT = "package/dist/mermaid.min.js"
# What comes of a flowchart: the texts of its nodes, or why it isn't one.
DRAW = """
const [text, done] = arguments;
mermaid.initialize({startOnLoad: false, securityLevel: 'strict'});
mermaid.render('it', text).then(({svg}) => {
  document.body.innerHTML = svg;
  done([...document.querySelectorAll('.node')].map(one => one.textContent));
}, error => done(String(error)));
"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A page with Mermaid's script beside it."""
    folder = tmp_path_factory.mktemp("mermaid")
    (folder / "mermaid.js").write_bytes(fetched().read_bytes())
    file = folder / "it.html"
    file.write_text('<!doctype html><meta charset="utf-8"><script src="mermaid.js"></script><body>', "utf-8")
    browser.open(file)
    browser.wait("'mermaid' in window")
    return browser


def fetched() -> Path:
    kept = cache("mermaid") / Path(SCRIPT).name
    if not kept.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm isn't there, which fetches Mermaid")
        kept.parent.mkdir(parents=True, exist_ok=True)
        packed = subprocess.run(
            [npm, "pack", PACKAGE, "--silent"], cwd=kept.parent, capture_output=True, text=True, check=True
        )
        archive = kept.parent / packed.stdout.split()[-1]
        with tarfile.open(archive) as found:
            kept.write_bytes(found.extractfile(SCRIPT).read())  # type: ignore[union-attr]
        archive.unlink()
    return kept


def drawn(page: Browser, text: str) -> list[str]:
    made = page.driver.execute_async_script(DRAW, text)
    assert isinstance(made, list), made
    return made


@pytest.mark.parametrize("name", LABS)
def test_mermaid_draws_every_lab(name: str, page: Browser) -> None:
    plan = SITE.load(SITE.refer(name))[0]
    found = drawn(page, picture_mermaid(plan))
    assert all(any(text.startswith(one.name) for text in found) for one in plan.nodes)


def test_mermaid_draws_frames_and_a_fabric(page: Browser) -> None:
    assert len(drawn(page, picture_mermaid(planned(TWO_AS)))) == 4
    assert len(drawn(page, picture_mermaid(lab(*FABRIC)))) == 64


@pytest.mark.parametrize("text", HOSTILE)
def test_mermaid_shows_hostile_names_as_they_are(text: str, page: Browser) -> None:
    found = drawn(page, picture_mermaid(called(planned(SMALL), text)))
    assert sorted(one.name for one in planned(SMALL).nodes) == sorted(
        next(one for one in ("west", "gate", "exit", "east") if shown.startswith(one)) for shown in found
    )
    name = plain(text).strip().replace("\\", "\u29f5")
    assert all(name in shown for shown in found), json.dumps(found)
    assert page.js("return document.querySelectorAll('script:not([src]), img, [onerror]').length") == 0


def test_what_is_not_quoted_is_refused_or_another_chart(page: Browser) -> None:
    wrong = f'flowchart LR\n  n1["{HOSTILE[2]}"]\n'
    made = page.driver.execute_async_script(DRAW, wrong)
    assert made != [HOSTILE[2]]
