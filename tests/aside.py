"""Which tests can run beside the others: `make test` has two workers, and one of them has the machine for itself.

A test that makes namespaces, labs or files outside its own folder, or looks at the machine before and after, is the
machine's. Those here work on values, and on files of their own.
"""

from __future__ import annotations

import pytest

ASIDE = (
    "tests/host/",
    "tests/live/",
    "tests/providers/test_vagrant_parts.py",
    "tests/srv6/policy/",
    "tests/srv6/test_behaviors.py",
    "tests/srv6/test_code_points.py",
    "tests/srv6/test_mutants.py",
    "tests/srv6/test_packet.py",
    "tests/test_behaviors.py",
    "tests/test_compare.py",
    "tests/test_course.py",
    "tests/test_errors_corpus.py",
    "tests/test_expect.py",
    "tests/test_fuzz.py",
    "tests/test_golden.py",
    "tests/test_injection.py",
    "tests/test_loader.py",
    "tests/test_pcapfile.py",
    "tests/test_plan.py",
    "tests/test_policies.py",
    "tests/test_predict.py",
    "tests/test_predict_segments.py",
    "tests/test_probes.py",
    "tests/test_registry.py",
    "tests/test_report.py",
    "tests/test_routes.py",
    "tests/test_schema.py",
    "tests/test_source.py",
    "tests/test_witnesses.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that isn't aside is one group, which pytest-xdist gives to one worker, in its order."""
    for item in items:
        if not item.nodeid.startswith(ASIDE):
            item.add_marker(pytest.mark.xdist_group("machine"))
