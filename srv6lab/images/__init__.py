"""What labs run on, made of Debian's packages once and kept: boxes, the root file system with FRR, kernels."""

# A kernel's version, as somebody asks for it, and Debian's suite that has it.
SUITES = {"5.10": "bullseye", "6.1": "bookworm", "6.12": "trixie", "newest": "sid"}

OUR_BOX = "srv6lab/debian13"
