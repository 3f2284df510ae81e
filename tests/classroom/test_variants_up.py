"""Variants on the real kernel: each learner's lab passes its own check, beside another learner's."""

from __future__ import annotations

from pathlib import Path

import pytest

from srv6lab.classroom.learners import Person
from srv6lab.classroom.new import make
from tests.conftest import LABS, SITE, invoke, need_root, silent

FIRST = SITE.course()[0][0].name


def check_class(folder: Path, lab: str, seed: str) -> None:
    """Two learners' variants of a lab, up at the same time under the names that they have by default."""
    need_root()
    people = [Person(f"{name} {folder.parent.name[-12:]}") for name in ("Anna", "Bo")]
    found = make(folder, people, {lab: SITE.labs / lab / "topology.yml"}, "c", seed, silent)
    named = [f"lab={folder}/labs-of/{learner}/{lab}" for learner in found.learners]
    try:
        for one in named:
            assert (done := invoke("up", one)).returncode == 0, done.stderr
        for one in named:
            assert (done := invoke("check", one)).returncode == 0, done.stdout + done.stderr
    finally:
        for one in named:
            invoke("destroy", one, "--purge")


def test_two_learners_have_one_lab_on_one_machine(tmp_path: Path) -> None:
    check_class(tmp_path / "class", FIRST, "a seed")


@pytest.mark.prove
@pytest.mark.parametrize("seed", ["one", "another"])
@pytest.mark.parametrize("lab", LABS)
def test_every_variant_passes_its_check(lab: str, seed: str, tmp_path: Path) -> None:
    check_class(tmp_path / "class", lab, seed)
