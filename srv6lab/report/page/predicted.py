"""The page of what is predicted, without a run."""

from __future__ import annotations

from collections.abc import Sequence

from srv6lab.host.version import version
from srv6lab.report.page.document import document
from srv6lab.report.page.html import page
from srv6lab.report.page.shown import Shown
from srv6lab.report.walk import Walked


def walks_html(walked: Sequence[Walked]) -> str:
    """Of one lab's exercises."""
    plans = [one.plan for one in walked if one.plan]
    made = {"version": version(), "provider": None, "when": None}
    return page(document(plans[0], [Shown(one.exercise, one.predictions) for one in walked], made))
