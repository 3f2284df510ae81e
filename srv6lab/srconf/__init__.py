"""The SR proxy for kernels without the SREXT module: SREXT's `srconf` command on tc-eBPF.

Stands alone: nothing but the standard library and iproute2, so that the folder can be copied into a node.
"""
