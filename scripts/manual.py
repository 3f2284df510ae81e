"""Prints the man page of the command srv6lab, as roff: what each task takes, by the tasks themselves.

python scripts/manual.py >srv6lab.1
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ["SRV6LAB_CALLED"] = "srv6lab"  # what tasks call themselves in their own words
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from srv6lab import __version__
from srv6lab.cli.program import all_forms, summaries

HEAD = r"""
.TH SRV6LAB 1 "" "srv6lab {version}" "User Commands"
.SH NAME
srv6lab \- learn, teach and prove SRv6 on real packets
.SH SYNOPSIS
.B srv6lab
.I TASK
[\fIKEY\fR=\fIVALUE\fR | \fB\-\-\fIKEY VALUE\fR | \fIVALUE\fR]...
.SH DESCRIPTION
A lab is one YAML file. srv6lab builds its machines of network namespaces, sends its probes, traces every NIC, and judges
every hop by what the author expected, by a model of RFC 8986, and by what the kernel put on the wire.
.PP
.B srv6lab labs
lists the labs of the course,
.B srv6lab doctor
says what this machine can run.
.B srv6lab
.I TASK
.B \-\-help
explains the options of a task.
.SH TASKS
"""
TAIL = r"""
.SH EXIT STATUS
0: pass; 1: usage, or interrupted (143 or 129 by a signal); 2: the file is wrong; 3: this machine can't, or the captures prove
nothing; 4: the lab failed its check.
.SH FILES
.TP
.I .srv6lab/
What is up from a folder of labs, its captures and the results of its checks; of all other folders they are in
.IR ~/.local/state/srv6lab/ .
.SH SEE ALSO
.BR ip\-route (8),
.BR tcpdump (8),
.BR tshark (1)
"""


def escaped(text: str) -> str:
    """ASCII that roff shows as it stands, a line that begins with a dot or an apostrophe too."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("…", "...")
    return f"\\&{plain}" if plain[:1] in (".", "'") else plain


def manual() -> str:
    said = summaries()
    tasks = [
        f".TP\n.B {escaped(form.usage())}\n{escaped(said[name])}"
        for name, form in sorted(all_forms().items())
    ]
    return f"{HEAD.strip().replace('{version}', __version__)}\n{chr(10).join(tasks)}\n{TAIL.strip()}\n"


if __name__ == "__main__":
    sys.stdout.write(manual())
