"""The page in a real browser: what people see, press and hear is there, and nothing of it leaves the machine."""
