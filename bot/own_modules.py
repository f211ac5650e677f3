"""Modules of a shop's own beside its `config.yml`, and what to say where one does not work."""

import importlib
import re
import sys
import traceback
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


class OwnModuleError(ValueError):
    """A module named in a settings file cannot be used; the message says why."""


class _Beside:
    """Finds modules in a folder, after everything that is installed was asked."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a top-level module lies; what is below one is found through it."""
        return PathFinder.find_spec(name, [self.folder], target) if path is None else None


def look_in(root: Path) -> None:
    """Let modules be imported from a folder; what the program brings itself comes first."""
    folder = str(root.resolve())
    if all(not isinstance(one, _Beside) or one.folder != folder for one in sys.meta_path):
        sys.meta_path.append(_Beside(folder))


def own_module(name: str) -> ModuleType:
    """Return a module.

    Args:
        name: its dotted path.

    Raises:
        OwnModuleError: there is none of that name, or it breaks when it is imported.
    """
    if not _DOTTED.fullmatch(name):
        message = f"'{name}' is no path to a module; write package.module or package.module:name"
        raise OwnModuleError(message)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        parts = name.split(".")
        wanted = {".".join(parts[:count]) for count in range(1, len(parts) + 1)}
        needs = "" if error.name in wanted else f", which {name} imports"
        message = f"there is no module '{error.name}'{needs}"
        raise OwnModuleError(message) from error
    except (Exception, SystemExit) as error:
        message = f"{name} breaks when it is imported: {told(error)}"
        raise OwnModuleError(message) from error


def told(error: BaseException) -> str:
    """Return what kind of error came with which text, and the file and line it came from."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError) and error.filename:
        return f"SyntaxError: {error.msg} ({error.filename}:{error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "importlib" not in f.filename]
    return f"{text} ({frames[-1].filename}:{frames[-1].lineno})" if frames else text
