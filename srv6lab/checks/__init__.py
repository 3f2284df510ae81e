"""What the parts of a topology mean together: one function a check, one pair in `tests/errors/` each.

A check takes a View (what of the file is sound) and a `locate`, and yields Problems. It looks only at
sound parts, so one cause makes one problem. The modules are imported here to register their checks.
"""

from srv6lab.checks import (
    actions,
    exercises,
    flavors,
    machines,
    names,
    network,
    policies,
    routing,
    segments,
    services,
    shares,
)
from srv6lab.checks.register import CHECKS, run
from srv6lab.checks.sound import view_of
from srv6lab.checks.view import View

__all__ = [
    "CHECKS",
    "View",
    "actions",
    "exercises",
    "flavors",
    "machines",
    "names",
    "network",
    "policies",
    "routing",
    "run",
    "segments",
    "services",
    "shares",
    "view_of",
]
