"""A Python prompt that supports `await`."""

import ast
import asyncio
import code
import inspect
import types
from contextlib import suppress


class AwaitingConsole(code.InteractiveConsole):
    """Runs each input on one event loop, which is paused while the prompt waits."""

    def __init__(self, names: dict[str, object], loop: asyncio.Runner) -> None:
        super().__init__(names)
        self.loop = loop
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT

    def runcode(self, code: types.CodeType) -> None:
        try:
            result = types.FunctionType(code, self.locals)()
            if inspect.iscoroutine(result):
                self.loop.run(result)
        except SystemExit:
            raise
        except BaseException:  # noqa: BLE001  # a prompt shows every error and continues
            self.showtraceback()


def enable_history() -> None:
    with suppress(ImportError):  # without readline, the prompt has no history
        import readline  # noqa: F401, PLC0415  # its import is what edits lines and recalls them
