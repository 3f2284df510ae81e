"""YAML text → a tree that knows file:line:col."""
