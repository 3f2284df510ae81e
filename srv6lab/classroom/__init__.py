"""A class: a lab of his own for each learner, what is handed in, and its marks."""
