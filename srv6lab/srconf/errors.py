"""The exceptions of this room.

SrconfError
├── UsageError     the command line can't be understood
├── Refused        it can, but what it asks for would do harm or has no sense now
└── ToolError      the kernel or a tool said no
"""

from __future__ import annotations


class SrconfError(Exception):
    """One line that names what is wrong and, where we know it, how to mend it."""


class UsageError(SrconfError):
    """The command line can't be understood."""


class Refused(SrconfError):
    """The request is clear and is not carried out."""


class ToolError(SrconfError):
    """The kernel, `ip` or `tc` refused a step."""
