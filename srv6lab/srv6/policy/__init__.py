"""SR Policy (RFC 9256): values, and the rules that choose among them.

Functions from value to value, with the standard library alone: nothing here knows a lab, a kernel or a clock.
Whatever is decided says which rule decided it (section 7 wants the reason of everything that isn't used).
"""
