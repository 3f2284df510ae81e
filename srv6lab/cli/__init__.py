"""The composition of all rooms: each function does the work of one task and returns a value; progress goes to a callback."""
