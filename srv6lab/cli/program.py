"""`invoke` with our words, errors, help and list: what people type is read in one place, for all tasks.

`invoke` has begun to run when it reads `tasks.py`; from there on it is this program.
"""

from __future__ import annotations

import errno
import inspect
import io
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from importlib.util import module_from_spec, spec_from_file_location

from invoke import main
from invoke.collection import Collection
from invoke.exceptions import Exit
from invoke.parser import ParseResult
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext
from invoke.program import Program

from srv6lab.called import CALLED, WITH_SUDO
from srv6lab.cli import complete
from srv6lab.cli.words import Form, Option, Said, read
from srv6lab.errors import LabError, UsageError, code_of, printable
from srv6lab.host import bytecode, interrupts
from srv6lab.host.files import SHARE
from srv6lab.host.version import version
from srv6lab.suggest import or_all

Samples = Callable[[], Mapping[str, str]]

_TASKS = "srv6lab_tasks"  # what `tasks.py` is called as a module, where `invoke` may have read another one

COMMAND = "command"  # the place that takes all words which follow, as they are

_OF_A_LIST = {"color", "format", "kernel", "provider", "target"}  # options whose help lists their values
_COMMAND = re.compile(r"(?:cd srv6lab && \.venv/bin/)?\binvoke(?= [a-z])")  # as docstrings of tasks have it

_COURSE = ("labs", "up", "check", "connect", "status", "destroy")

_MENDS = {  # by what the system says of a file
    errno.ENOSPC: "make room there, or name a file elsewhere",
    errno.EROFS: "work in a folder that can be written to, or name a file there",
    errno.ENOTDIR: "name a file in a folder",
    errno.EISDIR: "name a file in it",
}


class Lab(Program):
    """`invoke`, as it goes on when it has read the tasks."""

    samples: Samples

    @cached_property
    def _known_forms(self) -> dict[str, Form]:
        """What each task takes."""
        return forms(self.parser.contexts.values(), self.collection)

    @cached_property
    def _known_samples(self) -> Mapping[str, str]:
        return self.samples()

    def parse_core(self, argv: list[str] | None) -> None:
        super().parse_core(argv)
        bytecode.keep()

    def parse_tasks(self) -> None:
        if self.args.complete.value:  # of a line that isn't finished
            complete.main(self.argv[self.argv.index("--") + 1 :] if "--" in self.argv else [])
            raise Exit
        _open_streams()
        with self._told():
            self.parser = self._make_parser()
            self.tasks = ParseResult()
            forms = self._known_forms
            words = [*self.core.unparsed]
            if words and "--" in self.argv:
                words += self.argv[self.argv.index("--") :]
            if words[:1] == ["help"]:
                words = [*words[1:2], "--help"] if words[1:] else []
            for one in read(words, forms, form_of(self.core[0])):
                self.tasks.append(self._filled(one))
            asked = self.args.help.value
            if isinstance(asked, str) and asked not in forms:
                raise UsageError(f"there is no task {asked}", or_all(asked, forms))

    def parse_cleanup(self) -> None:
        with self._told():
            super().parse_cleanup()

    def execute(self) -> None:
        interrupts.listen()
        try:
            with self._told():
                super().execute()
        finally:
            interrupts.over()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn errors into one clear message and an exit code; a traceback only with `invoke --debug`."""
        try:
            yield
            _flush()
        except LabError as error:
            self._fail(f"error: {error}", error.exit_code)
        except KeyboardInterrupt as interrupt:
            self._fail("interrupted", code_of(interrupt))
        except BrokenPipeError:
            _flush()
            raise Exit(code=0) from None
        except (Exit, SystemExit):
            _flush()
            raise
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            denied = error.errno in (errno.EPERM, errno.EACCES)
            mend = WITH_SUDO if denied else _MENDS.get(error.errno or 0, f"{CALLED} --debug shows where")
            self._fail(f"error: {error.strerror or error}{where}\n  mend: {mend}", 3)
        except Exception as error:
            if wrapped := _interrupt_in(error):
                self._fail("interrupted", code_of(wrapped))
            what = f"internal error: {type(error).__name__}: {error}"
            self._fail(f"{what}\n  mend: {CALLED} --debug shows where", 3)

    def _fail(self, message: str, code: int) -> None:
        if self.args.debug.value or os.environ.get("INVOKE_DEBUG"):
            raise
        raise Exit(printable(message), code)

    def _filled(self, said: Said) -> ParserContext:
        """The task with what is said to it; what is said to all of them goes to the core."""
        context: ParserContext = deepcopy(self.parser.contexts[said.form.name])
        for name, values in said.values.items():
            for value in values:
                context.args[name].set_value(value)
        for name, values in said.core.items():
            for value in values:
                self.args[name].set_value(said.form.name if name == "help" else value, cast=False)
        return context

    def print_help(self) -> None:
        """Where it is installed, what there is to do; what `invoke` itself takes is for who writes tasks."""
        if self.namespace is None:
            super().print_help()
        else:
            self.list_tasks()

    def no_tasks_given(self) -> None:
        self.list_tasks()
        raise Exit

    def list_flat(self) -> None:
        if not self.list_root:
            print("A lab, from its beginning to its end:\n")
            self.print_columns(
                [(self._example(name), _first_line(self.collection[name])) for name in _COURSE]
            )
            print(
                f"{CALLED} TASK --help explains a task. key=value, --key value and words in their order are the same.\n"
            )
        super().list_flat()

    def print_task_help(self, name: str) -> None:
        context = self.parser.contexts[name]
        form = self._known_forms[name]
        print(f"Usage: {form.usage()}\n")
        print(_COMMAND.sub(CALLED, inspect.getdoc(self.collection[name]) or ""))
        if form.places:
            print(f"\nExamples:\n  {self._example(name)}\n  {self._example(name, named=True)}")
        print("\nOptions, each as --key value or key=value:")
        if options := context.help_tuples():
            self.print_columns(options)
        else:
            print("  none\n")

    def _example(self, name: str, named: bool = False) -> str:
        """A line to type, with a lab that is there; `named` says each value by its name."""
        values = self._known_samples
        words = [CALLED, name]
        for place in self._known_forms[name].places:
            value = values.get(f"{name} {place}") or values.get(place, place.upper())
            if place == COMMAND:
                words += ["--", value] if named else [value]
            else:
                words.append(f"{place}={value}" if named else value)
        return " ".join(words)


def forms(contexts: Iterable[ParserContext], collection: Collection) -> dict[str, Form]:
    """What each task takes, by its name."""
    return {one.name: form_of(one, collection[one.name].body) for one in contexts if one.name}


def all_forms() -> dict[str, Form]:
    """The same of all tasks that there are."""
    known = deepcopy(namespace())  # invoke takes the words of help away from the tasks that it reads
    return forms(known.to_contexts(), known)


def summaries() -> dict[str, str]:
    """What each task does, in a line."""
    known = namespace()
    return {name: _first_line(known[name]) for name in all_forms()}


def form_of(context: ParserContext, function: Callable[..., object] | None = None) -> Form:
    """What a task takes, as its function says; what has no default is required, unless it may be none of a list."""
    parameters = inspect.signature(function).parameters if function else {}
    required = {name for name, one in parameters.items() if one.default is one.empty}
    places = tuple(one.names[0] for one in context.positional_args)
    options = [_option(name, one, one.name in required) for name, one in context.args.items()]
    return Form(context.name or "", tuple(options), places, whole=COMMAND in places)


def _option(name: str, argument: Argument, required: bool) -> Option:
    flags = tuple(f"--{one}" if len(one) > 1 else f"-{one}" for one in argument.names)
    kind = argument.kind if argument.takes_value and not argument.optional else bool
    values = _listed(argument.help or "") if name in _OF_A_LIST else ()
    return Option(name, flags, kind, required and kind is not list, values)


def _listed(words: str) -> tuple[str, ...]:
    """The values that help names: where all between two of `:;()` is a list, as in `how it is printed: text, json`."""
    parts = (one.strip().replace(" or ", ", ").split(", ") for one in re.split(r"[:;()]", words))
    return tuple(
        one for part in parts if len(part) > 1 and not any(" " in one for one in part) for one in part
    )


def _interrupt_in(error: BaseException | None) -> KeyboardInterrupt | None:
    """What led to an error: a class that is made meanwhile, in an import say, wraps it (Python 3.11)."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error


def _first_line(task: object) -> str:
    return (inspect.getdoc(task) or "").partition("\n")[0]


def _flush() -> None:
    """A reader that has gone is noticed here, not when Python ends: it has seen enough."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_streams() -> None:
    """Without one of its three streams a program would take the next file for it; without the letters
    of a packet's arrow a terminal still gets the packet."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def take_over(samples: Samples) -> None:
    """From here on `invoke` reads words as we do; `samples` gives values for examples, by the name of an option or of a
    task and an option."""
    main.program.__class__ = Lab
    assert isinstance(main.program, Lab)
    main.program.samples = samples


def namespace() -> Collection:
    """All tasks: for a `tasks.py` in a folder of one's own, too. Reading them makes `invoke` ours."""
    found = spec_from_file_location(_TASKS, SHARE / "tasks.py")
    assert found and found.loader
    sys.modules[_TASKS] = tasks = module_from_spec(found)
    found.loader.exec_module(tasks)
    known: Collection = tasks.namespace
    return known


def run() -> None:
    """What `invoke` does with `tasks.py`, under a name of our own and wherever one is."""
    ours = Lab(version(), namespace(), CALLED, CALLED, binary_names=[CALLED])
    assert isinstance(main.program, Lab)
    ours.samples = main.program.samples
    ours.run()
