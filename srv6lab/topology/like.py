"""`like`: an exercise whose probes, changes and expectations are those of another one.

It becomes those before anything else looks at the file, each at the place where it stands there.
"""

from __future__ import annotations

from dataclasses import replace

from srv6lab.suggest import or_all
from srv6lab.topology.yaml.edit import Problems, child, children
from srv6lab.topology.yaml.source import Source
from srv6lab.topology.yaml.tree import Node

FILLED = ("since", "apply", "probes", "steps", "expect")


def filled(source: Source) -> tuple[Source, Problems]:
    """The file with what exercises take from those that they are like, and what is wrong with that."""
    problems = Problems(source)
    every = [one for _, one in children(child(source.root, "exercises")) if isinstance(one.data, dict)]
    named = {one.data["name"]: one for one in every if isinstance(one.data.get("name"), str)}
    for exercise in every:
        like = child(exercise, "like")
        if like is not None and isinstance(like.data, str):
            _fill(exercise, like, named, problems)
    return replace(source, data=source.root.data), problems


def _fill(exercise: Node, like: Node, named: dict[str, Node], problems: Problems) -> None:
    other = named.get(like.data)
    others = {name: one for name, one in named.items() if "like" not in one.data}
    if other is None or other is exercise or "like" in other.data:
        what = f"there is no other exercise {like.data}"
        if other is not None and other is not exercise:
            what = f"{like.data} is itself like another exercise"
        problems.say(like.mark, what, or_all(like.data, others))
        other = next(iter(others.values()), exercise)  # so that nothing is said of what it doesn't have
    for key in FILLED:
        if key in exercise.data:
            what = f"`{key}` is said beside `like: {like.data}`, which has its own"
            problems.say(exercise.keys[key], what, "take one of the two away")
        elif (part := child(other, key)) is not None:
            exercise.data[key], exercise.children[key] = part.data, part
            exercise.keys[key] = other.keys[key]
