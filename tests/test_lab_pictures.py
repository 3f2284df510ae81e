"""`labs/<lab>/topology.svg` is what `invoke graph` draws of the lab today, and its README shows it.

    UPDATE=1 pytest tests/test_lab_pictures.py

draws them anew; then look at them, since that is what people see first.
"""

from __future__ import annotations

import os

import pytest

from srv6lab.report.picture.svg import picture_svg
from tests.conftest import LABS, SITE

NAME = "topology.svg"
MOST = 40_000  # bytes


@pytest.mark.parametrize("name", LABS)
def test_the_picture_of_a_lab_is_current(name: str) -> None:
    path = SITE.labs / name / NAME
    drawn = picture_svg(SITE.load(SITE.refer(name))[0])
    if "UPDATE" in os.environ:
        path.write_bytes(drawn.encode())
    hint = f"invoke graph lab={name} -o labs/{name}/{NAME}, or UPDATE=1 pytest tests/test_lab_pictures.py"
    assert path.is_file(), hint
    assert path.read_bytes().decode() == drawn, hint
    assert len(drawn.encode()) <= MOST


@pytest.mark.parametrize("name", LABS)
def test_the_readme_of_a_lab_shows_its_picture(name: str) -> None:
    text = (SITE.labs / name / "README.md").read_text("utf-8")
    assert f"![The topology of {name}]({NAME})" in text
