"""Programs that run in nodes, each by itself: the standard library only, and nothing of ours."""
