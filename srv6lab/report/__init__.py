"""Values → text, JSON, JUnit, Mermaid, annotations. Values in, text out."""
