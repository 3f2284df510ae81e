"""The values that the witnesses of a packet hand to each other.

Nothing here runs a program or knows a lab: only what a packet looked like at a point, what somebody said it
should look like, and what follows from the two.
"""
