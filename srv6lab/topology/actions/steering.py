"""`steering`: another way for a prefix."""

from __future__ import annotations

from srv6lab.topology.actions.action import Action
from srv6lab.topology.steering import Steering


class SteeringAction(Action):
    """Replace the headend's policy for a prefix; taken back, the lab's own policy stands again."""

    steering: Steering
