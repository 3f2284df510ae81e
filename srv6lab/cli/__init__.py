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
from srv6lab.live.instance import Instance, Reference
from srv6lab.live.lifecycle import destroy, fingerprint, halt, up, with_box
from srv6lab.providers.registry import (
    DEFAULT_PROVIDER,
    KERNELS,
    PROVIDERS,
    choose_provider,
    provider_line,
    provider_named,
    rendering,
)
from srv6lab.render.targets import DEFAULT_TARGET, TARGETS, target

__all__ = [
    "DEFAULT_PROVIDER",
    "DEFAULT_TARGET",
    "KERNELS",
    "PROVIDERS",
    "TARGETS",
    "Instance",
    "LabsFolder",
    "Reference",
    "build_box",
    "check",
    "check_rendered",
    "choose_provider",
    "collect",
    "destroy",
    "exercise_names",
    "exit_code",
    "fingerprint",
    "frr_root",
    "grade",
    "halt",
    "ping",
    "policies",
    "predict",
    "provider_line",
    "provider_named",
    "rendering",
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
