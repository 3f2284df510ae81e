"""What labs run on, made of Debian's packages once and kept: boxes, the root file system with FRR, kernels."""
