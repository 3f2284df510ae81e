"""The three witnesses → a verdict and its likely causes."""
