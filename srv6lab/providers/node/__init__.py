"""What a node in namespaces is made of, and how one gets into it.

The keeper imports this before there is a package round it, and time counts there: the standard library only.
"""
