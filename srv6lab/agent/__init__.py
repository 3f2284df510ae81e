"""The agent of a headend: keeps the routes of its SR policies as RFC 9256 wants them while links and paths come
and go.

One process inside its node, with Python's standard library and `ip`. What to do is decided in
`srv6lab.srv6.policy`; here are the probes, the links, the routes and the loop. Killed, it leaves its last
routes; started again, it elects again.
"""

# What the agent is made of, below the package: all that a node needs of it.
FILES = ("__init__.py", "agent/*.py", "srv6/__init__.py", "srv6/behaviors.py", "srv6/policy/*.py")
FOLDER = "/var/lib/srv6lab/policies"  # of a node: what its agent was told, and what it says
