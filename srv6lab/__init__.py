"""Build, run and prove SRv6 labs from a YAML topology."""

__version__ = "0.1.0"
