"""The author's file: its model, its text, what is wrong with it, and the loader."""
