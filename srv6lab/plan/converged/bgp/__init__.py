"""BGP between the routers of a lab, simulated: who tells whom which route, and which one each selects.

`tables.py` has the rounds in which all of it happens until nothing changes, `sessions.py` who is connected, `originate.py`
what a speaker announces by itself, `tell.py` what it passes on and what it believes, `best.py` which route it selects, and
`vrfs.py` what VRFs and the tables of VPNs take over from each other. Timers, withdrawals on the way and what labs don't have
(communities, filters) are no part of it.
"""
