"""A class: a lab of its own for each learner, what they hand in, and its marks."""
