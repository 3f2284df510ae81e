"""Tasks for a class: its labs made, handed in, and graded."""

from __future__ import annotations

from invoke.collection import Collection

CLASS = Collection("class")
