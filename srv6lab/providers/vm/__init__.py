"""Another kernel on this machine: fetched, booted under qemu with this machine's files, run commands in."""

# A kernel's version, as somebody asks for it, and Debian's suite that has it.
SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "newest": "sid"}
