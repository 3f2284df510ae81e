"""Invoke tasks by theme, which `tasks.py` gathers: options in, text and exit codes out."""
