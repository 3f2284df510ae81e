"""From what the author wrote to what every node is told, and which routes must have come of it."""
