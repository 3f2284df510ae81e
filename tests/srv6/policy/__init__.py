"""Hypothesis finds the same examples in every run, however slow the machine is, and writes nothing."""

from hypothesis import settings

settings.register_profile("steady", max_examples=50, deadline=None, derandomize=True, database=None)
settings.load_profile("steady")
