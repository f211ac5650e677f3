"""Write the tables in the docs that come from files: `make docs`; the tests check they are fresh.

A table stands between `<!-- generated: NAME -->` and `<!-- end -->` in README.md or any page below
docs/; the names are the keys of `TABLES`.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
MARKED = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


class UnknownTable(KeyError):
    """A page asks for a table that docs/generate.py does not make."""


def skills(root: Path) -> Iterator[str]:
    """Yield one row per skill: id, titles, what it is for."""
    yield "| skill | English | Deutsch | for |"
    yield "|---|---|---|---|"
    for path in sorted((root / "data" / "skills").glob("*.yml")):
        skill = yaml.safe_load(path.read_text(encoding="utf-8"))
        purpose = " ".join(skill["description"].split())
        cells = [f"`{skill['skill']}`", skill["title"]["en"], skill["title"]["de"], purpose]
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def decisions(root: Path) -> Iterator[str]:
    """Yield one line per decision record, with its link from docs/adr."""
    for path in sorted((root / "docs" / "adr").glob("[0-9]*.md")):
        if not path.name.startswith("0000"):
            title = path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
            yield f"- [{title}]({path.name})"


TABLES: dict[str, Callable[[Path], Iterator[str]]] = {"skills": skills, "decisions": decisions}


def pages(root: Path = ROOT) -> list[Path]:
    """Return the pages that may hold generated tables."""
    return [
        path
        for path in (root / "README.md", *sorted((root / "docs").rglob("*.md")))
        if path.is_file()
    ]


def refreshed(text: str, root: Path = ROOT) -> str:
    """Return a page's text with every table as it should be now.

    Raises:
        UnknownTable: The page names a table that nobody makes.
    """

    def table(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        if name not in TABLES:
            raise UnknownTable(name)
        return start + "".join(f"{line}\n" for line in TABLES[name](root)) + end

    return MARKED.sub(table, text)


def main() -> None:
    """Rewrite the pages whose tables are out of date."""
    for page in pages():
        old = page.read_text(encoding="utf-8")
        new = refreshed(old)
        if new != old:
            page.write_text(new, encoding="utf-8")
            sys.stdout.write(f"wrote {page.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
