"""The engines of services: one file each, with what is known of it in `ENGINE`. A file here is an engine everywhere."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from srv6lab.engines.engine import Engine

AUTO = "auto"
_FILES = sorted(one.name for one in iter_modules(__path__) if one.name != "engine")

# By name, which is also the order in which `auto` looks for one.
ENGINES: Mapping[str, Engine] = {name: import_module(f"{__name__}.{name}").ENGINE for name in _FILES}
INSTALLED = tuple(one for one in ENGINES.values() if one.in_debian)


def named(choice: str) -> tuple[Engine, ...]:
    """The engines that a service may run: one by its name, or all for `auto`."""
    return tuple(ENGINES.values()) if choice == AUTO else (ENGINES[choice],)
