"""Which tests can run beside the others: `make test` has two workers, and one of them has the labs for itself.

A test that shares a lab, needs a node to keep time, or looks at the machine before and after, is the machine's. Those
here work on values and on files of their own, or bring the first lab up under a name that nobody else has.
"""

from __future__ import annotations

from typing import Any

import pytest

ASIDE = (
    "tests/browser/",
    "tests/classroom/test_grading.py",
    "tests/classroom/test_new.py",
    "tests/classroom/test_variant.py",
    "tests/guests/test_damaged.py",
    "tests/guests/test_kills.py",
    "tests/host/",
    "tests/live/",
    "tests/providers/test_traces.py",
    "tests/providers/test_vagrant_parts.py",
    "tests/providers/vm/test_wire.py",
    "tests/srv6/policy/",
    "tests/srv6/test_behaviors.py",
    "tests/srv6/test_code_points.py",
    "tests/srv6/test_mutants.py",
    "tests/srv6/test_packet.py",
    "tests/teach/test_answers.py",
    "tests/teach/test_faults.py",
    "tests/test_behaviors.py",
    "tests/test_bgp_rules.py",
    "tests/test_box.py",
    "tests/test_capture.py",
    "tests/test_capture_ahead.py",
    "tests/test_changed_labs.py",
    "tests/test_chain.py",
    "tests/test_compare.py",
    "tests/test_course.py",
    "tests/test_dissect.py",
    "tests/test_docs.py",
    "tests/test_duplicates.py",
    "tests/test_errors_corpus.py",
    "tests/test_expect.py",
    "tests/test_first_run.py",
    "tests/test_fuzz.py",
    "tests/test_golden.py",
    "tests/test_graph.py",
    "tests/test_injection.py",
    "tests/test_isis.py",
    "tests/test_kept_plans.py",
    "tests/test_lab_pictures.py",
    "tests/test_large.py",
    "tests/test_loader.py",
    "tests/test_matched.py",
    "tests/test_notation.py",
    "tests/test_one_place.py",
    "tests/test_own.py",
    "tests/test_of_rules.py",
    "tests/test_page_html.py",
    "tests/test_page_document.py",
    "tests/test_parting.py",
    "tests/test_pcapfile.py",
    "tests/test_pcapng.py",
    "tests/test_picture.py",
    "tests/test_plan.py",
    "tests/test_policies.py",
    "tests/test_portable.py",
    "tests/test_public.py",
    "tests/test_predict.py",
    "tests/test_predict_segments.py",
    "tests/test_predict_services.py",
    "tests/test_records.py",
    "tests/test_registry.py",
    "tests/test_routes.py",
    "tests/test_probes.py",
    "tests/test_render.py",
    "tests/test_render_cases.py",
    "tests/test_rendered.py",
    "tests/test_report.py",
    "tests/test_rooms.py",
    "tests/test_rootfs.py",
    "tests/test_rules.py",
    "tests/test_schema.py",
    "tests/test_schema_and_loader.py",
    "tests/test_setup.py",
    "tests/test_skips.py",
    "tests/test_source.py",
    "tests/test_srext.py",
    "tests/test_start.py",
    "tests/test_status.py",
    "tests/test_tables.py",
    "tests/test_tasks.py",
    "tests/test_transfers.py",
    "tests/test_vagrantfile.py",
    "tests/test_validate.py",
    "tests/test_walk_report.py",
    "tests/test_walks.py",
    "tests/test_watch.py",
    "tests/test_wheel.py",
    "tests/test_wireshark.py",
    "tests/test_witnesses.py",
    "tests/vagrant/test_qemu.py",
)
MACHINE = "machine"
TOGETHER = ("tests/browser/",)  # files that share a browser and what is shown in it


def group(test: str) -> str:
    """What one worker runs in its order: all that isn't aside, or one file that is, whose tests share what they make; or
    a folder of such files."""
    for folder in TOGETHER:
        if test.startswith(folder):
            return folder
    return test.partition("::")[0] if test.startswith(ASIDE) else MACHINE


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A scheduler of our groups, by the tests' ids: under pytest 9.2 pytest-xdist 3.8 overlooks its own marks."""
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    return Groups(config, log)
