"""Reports as one HTML file that needs nothing beside it: no script, no network."""

from collections import Counter
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, select_autoescape

from bot.understanding.evaluation import Evaluation
from bot.understanding.report import Marked, TrainingReport
from bot.understanding.report_advice import Advice
from bot.understanding.report_overlaps import Overlap
from bot.yaml_source import Problem

_MOST_COLUMNS = 20
_MOST_PROBLEMS = 100
_MOST_MARKED = 200


class Tile(msgspec.Struct, frozen=True):
    """A figure that is seen first; `level` is pass, fail or nothing."""

    label: str
    value: str
    note: str = ""
    level: str = ""


class Cell(msgspec.Struct, frozen=True):
    """How often one intent was read as another; `share` of the greatest such count, in percent."""

    name: str
    count: int
    share: int
    right: bool


class Row(msgspec.Struct, frozen=True):
    """What the texts of one intent were read as."""

    name: str
    cells: tuple[Cell, ...]


class Matrix(msgspec.Struct, frozen=True):
    """The intents that are confused most; `left_out` counts the mistakes of the others."""

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    left_out: int


class Page(msgspec.Struct, frozen=True):
    """What the template shows."""

    title: str
    subtitle: str
    foot: str
    evaluation: Evaluation
    matrix: Matrix
    tiles: tuple[Tile, ...]
    advice: tuple[Advice, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    problems: tuple[Problem, ...] = ()
    marked: tuple[Marked, ...] = ()


def training_page(report: TrainingReport) -> str:
    """Return the report on the training examples."""
    counts = ", ".join(f"{count} {language}" for language, count in report.examples.items())
    subtitle = f"{sum(report.examples.values())} examples ({counts})"
    subtitle += (
        f" of {len(report.evaluation.intents)} intents, {report.made_at:%d %B %Y, %H:%M} UTC"
    )
    return _page(
        Page(
            title="How well the examples teach",
            subtitle=subtitle,
            foot=f"Cross-validation in {report.folds} parts with {report.encoder}, "
            f"{report.seconds:.0f} s: every example was read by a model trained on the other "
            "parts. Made by tresen train --report.",
            evaluation=report.evaluation,
            matrix=confusion_matrix(report.evaluation),
            tiles=tuple(tiles(report.evaluation)),
            advice=report.advice,
            overlaps=report.overlaps,
            problems=report.problems[:_MOST_PROBLEMS],
            marked=report.marked[:_MOST_MARKED],
        )
    )


def file_page(evaluation: Evaluation, path: str, at_least: float | None) -> str:
    """Return the report on a test file.

    Args:
        evaluation: its figures.
        path: the file.
        at_least: the accuracy that was asked for, if any.
    """
    foot = "Made by tresen nlu test."
    shown = tuple(tiles(evaluation, at_least))
    matrix = confusion_matrix(evaluation)
    subtitle = f"{evaluation.whole.count} texts of {len(evaluation.intents)} intents"
    return _page(Page(f"Test of {Path(path).name}", subtitle, foot, evaluation, matrix, shown))


def tiles(evaluation: Evaluation, at_least: float | None = None) -> list[Tile]:
    """Return the figures that are seen first."""
    whole = evaluation.whole
    level = "" if at_least is None else "pass" if whole.accuracy >= at_least else "fail"
    asked = "" if at_least is None else f"at least {percent(at_least)} asked"
    wrong = whole.count - round(whole.accuracy * whole.count)
    found = [
        Tile("accuracy", percent(whole.accuracy), asked or f"{wrong} misread", level),
        Tile("macro-F1", percent(whole.macro_f1), "every intent counts the same"),
    ]
    if len(evaluation.languages) > 1:
        found.extend(
            Tile(f"accuracy {group.name or '?'}", percent(group.accuracy), f"{group.count} texts")
            for group in evaluation.languages
        )
    if evaluation.out_of_scope_recall is not None:
        recall = percent(evaluation.out_of_scope_recall)
        found.append(Tile("out of scope found", recall, "recall"))
    if evaluation.entities:
        f1 = sum(one.f1 for one in evaluation.entities) / len(evaluation.entities)
        found.append(Tile("entities, macro-F1", percent(f1), "strict spans"))
    error = percent(evaluation.calibration_error)
    found.append(Tile("calibration error", error, "how far confidence is off"))
    return found


def confusion_matrix(evaluation: Evaluation) -> Matrix:
    """Return the counts among the intents with the most mistakes."""
    involved: Counter[str] = Counter()
    for confusion in evaluation.confusions:
        for name in (confusion.meant, confusion.found):
            involved[name] += len(confusion.mistakes)
    names = tuple(sorted(name for name, _ in involved.most_common(_MOST_COLUMNS)))
    counts = {(one.meant, one.found): len(one.mistakes) for one in evaluation.confusions}
    shown = {pair: count for pair, count in counts.items() if set(pair) <= set(names)}
    most = max(shown.values(), default=1)
    right = {
        one.score.name: round(one.score.recall * one.score.count) for one in evaluation.intents
    }
    rows = tuple(
        Row(
            meant,
            tuple(
                Cell(found, right.get(found, 0), 0, right=True)
                if meant == found
                else Cell(
                    found, n := shown.get((meant, found), 0), 15 + 75 * n // most, right=False
                )
                for found in names
            ),
        )
        for meant in names
    )
    return Matrix(names, rows, sum(counts.values()) - sum(shown.values()))


def percent(share: float) -> str:
    """Return a share in [0, 1] as people write it; only all is 100 %, and only none is 0 %."""
    value = round(share * 100, 1)
    if value >= 100 and share < 1:
        value = 99.9
    if value <= 0 < share:
        value = 0.1
    return f"{value:.1f} %"


def _page(page: Page) -> str:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["percent"] = percent
    return templates.get_template("report.html").render(page=page)
