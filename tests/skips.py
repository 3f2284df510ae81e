"""Which tests may be skipped, by environment: where CI runs, any other skip is a failure.

A test that nothing runs proves nothing, so an environment that can't run one says so here, with the reason.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from typing import TypeVar

import pytest

# environment → the beginning of a test's id → why it can't run there
ALLOWED: Mapping[str, Mapping[str, str]] = {
    "ci": {
        "tests/test_containerlab.py::test_what_is_rendered_is_valid": "the schema is another project's file",
    },
    "first run": {
        "tests/test_containerlab.py::test_what_is_rendered_is_valid": "the schema is another project's file",
        "tests/test_first_run.py::": "a chroot makes no further chroots",
    },
}


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def environment(environ: Mapping[str, str] = os.environ) -> str:
    """Where the tests run; "" is somebody's own machine, which may skip what it can't do."""
    if "SRV6LAB_FIRST_RUN" in environ:
        return "first run"
    return "ci" if environ.get("CI") else ""


def refused(test: str, where: str) -> bool:
    return bool(where) and not any(test.startswith(one) for one in ALLOWED.get(where, {}))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _judged(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _judged(report)


def _judged(report: Report) -> Report:
    where = environment()
    if report.skipped and not hasattr(report, "wasxfail") and refused(report.nodeid, where):
        report.outcome = "failed"
        report.longrepr = f"skipped, which tests/skips.py doesn't allow in {where}: {report.longrepr}"
    return report
