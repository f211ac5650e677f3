"""`tresen new`: writes a channel and its tests from the files in scaffolds/."""

import keyword
import re
from pathlib import Path
from string import Template

from bot.yaml_source import Problem, SourceError

SCAFFOLDS = Path(__file__).resolve().parent / "scaffolds"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,30}")


def new_channel(root: Path, name: str) -> list[Path]:
    """Write `channels/NAME.py` and `tests/channels/test_NAME.py` and return where they are.

    Raises:
        SourceError: the name is no good one, or one of the files is there already.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        text = f"'{name}' is no name of a channel: lower case letters, digits and _"
        raise SourceError([Problem("channels", 1, text, "such as signal or line_messages")])
    words = {
        "name": name,
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "Title": name.replace("_", " ").capitalize(),
    }
    files = {
        root / "channels" / f"{name}.py": "channel.py.txt",
        root / "tests" / "channels" / f"test_{name}.py": "test_channel.py.txt",
    }
    for path in files:
        if path.exists():
            raise SourceError([Problem(str(path), 1, "is there already", "choose another name")])
    for path, scaffold in files.items():
        text = (SCAFFOLDS / scaffold).read_text(encoding="utf-8")
        path.write_text(Template(text).substitute(words), encoding="utf-8")
    return list(files)
