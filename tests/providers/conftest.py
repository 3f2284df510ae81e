"""Fixtures of more than one provider's tests."""

from tests.vagrant.told import told as told
