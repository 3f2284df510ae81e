"""The composition: find, load, plan, render, up, check, down.

Each function does the work of one task and returns a value; progress goes to a callback.
"""

from srv6lab.cli.labs import LabsFolder
from srv6lab.cli.tasks import (
    build_box,
    check,
    check_rendered,
    collect,
    exercise_names,
    exit_code,
    frr_root,
    grade,
    ping,
    policies,
    predict,
    run_here,
    shell,
    sids,
    status,
    status_report,
    write_rendered,
)
from srv6lab.host.files import shown
from srv6lab.live.instance import Instance, Reference, Request
from srv6lab.live.lifecycle import destroy, halt, up, with_box
from srv6lab.providers.records import DEFAULT_PROVIDER
from srv6lab.providers.registry import (
    KERNELS,
    PROVIDERS,
    WITH_MACHINES,
    choose_provider,
    provider_line,
    provider_named,
)
from srv6lab.render.targets import DEFAULT_TARGET, TARGETS, target

__all__ = [
    "DEFAULT_PROVIDER",
    "DEFAULT_TARGET",
    "KERNELS",
    "PROVIDERS",
    "TARGETS",
    "WITH_MACHINES",
    "Instance",
    "LabsFolder",
    "Reference",
    "Request",
    "build_box",
    "check",
    "check_rendered",
    "choose_provider",
    "collect",
    "destroy",
    "exercise_names",
    "exit_code",
    "frr_root",
    "grade",
    "halt",
    "ping",
    "policies",
    "predict",
    "provider_line",
    "provider_named",
    "run_here",
    "shell",
    "shown",
    "sids",
    "status",
    "status_report",
    "target",
    "up",
    "with_box",
    "write_rendered",
]
