"""What all tasks share: where labs lie, words of their help, and progress."""

from __future__ import annotations

import sys

from srv6lab.cli.labs import site
from srv6lab.report.progress import Progress

SITE = site()

LAB = "the lab: lab=NAME, NAME, or a path to its topology.yml"
INSTANCE = "the name it runs under, to run one lab several times (default: the lab's name); without a lab, what was begun under it"
TRUST = "run the commands of a lab that isn't of this folder, now and until they change"


def progress(what: str) -> Progress:
    """On stderr."""
    return Progress(what, sys.stderr)
