"""`withdraw`: a locator that is no longer announced."""

from __future__ import annotations

from collections.abc import Iterator

from srv6lab.topology.actions.action import Action, Mention
from srv6lab.topology.scalars import Model, Name


class Withdrawal(Model):
    """A node whose locator FRR no longer has."""

    node: Name


class WithdrawAction(Action):
    """Take a node's locator away from its routing protocols; taken back, it is announced again. What follows
    is waited for both times."""

    withdraw: Withdrawal

    def mentions(self) -> Iterator[Mention]:
        yield Mention("node", self.withdraw.node, ("withdraw", "node"))
