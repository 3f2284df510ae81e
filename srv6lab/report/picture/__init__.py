"""A lab as a picture: where everything of it stands, and the picture as SVG, Mermaid, Graphviz and draw.io.

Made of the plan alone: no lab is asked, nothing is written.
"""
