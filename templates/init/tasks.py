"""All commands of srv6lab, for `invoke up lab=first-lab` in this folder. `srv6lab up first-lab` does without this file.

Tasks of your own may stand beside them: namespace.add_task(...).
"""

from srv6lab.cli import program

namespace = program.namespace()
