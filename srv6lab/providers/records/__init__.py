"""What is known of providers without importing them: RECORDS of each file here. A file here is a provider everywhere:
it holds the provider itself, or imports it when it is made."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from srv6lab.providers.base import Record

DEFAULT_PROVIDER = "netns"
_FILES = sorted(one.name for one in iter_modules(__path__))
_ALL = [record for name in _FILES for record in import_module(f"{__name__}.{name}").RECORDS]

# By name, the default first.
RECORDS: Mapping[str, Record] = {
    record.name: record for record in sorted(_ALL, key=lambda record: record.name != DEFAULT_PROVIDER)
}
