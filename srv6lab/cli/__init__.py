"""The composition of all rooms: each function does the work of one task and returns a value; progress goes to a callback."""

from srv6lab.host import bytecode

bytecode.keep()  # before all else is imported
