"""A lab while it runs: brought up, waited for, exercised, looked at, taken away."""
