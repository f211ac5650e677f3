"""Reports as lines for the terminal."""

from collections.abc import Iterator, Sequence

from bot.terminal import printable
from bot.understanding.evaluation import Evaluation, IntentScore, Mistake
from bot.understanding.report import TrainingReport
from bot.understanding.report_html import percent, tiles

_WEAKEST = 10
_SHOWN = 8


def training_lines(report: TrainingReport) -> Iterator[str]:
    """Yield the report on the training examples, in short."""
    total = sum(report.examples.values())
    yield f"{total} examples, cross-validated in {report.folds} parts, {report.seconds:.0f} s"
    yield from figure_lines(report.evaluation)
    yield ""
    yield from score_lines(
        report.evaluation, report.evaluation.intents[:_WEAKEST], "weakest intents"
    )
    confused = [pair for pair in report.overlaps if pair.confused]
    if confused:
        yield ""
        yield f"overlapping examples ({len(confused)} misread, {len(report.overlaps)} alike)"
        for pair in confused[:_SHOWN]:
            for side in (pair.first, pair.second):
                yield f"  {side.where}: {side.intent}: {printable(side.text)}"
            yield ""
    if report.advice:
        yield "what to write next"
        for advice in report.advice[:_SHOWN]:
            yield f"  {advice.task} {advice.reason}"
            for text, where in advice.shown:
                yield f"    {where}: {printable(text)}"
        more = len(report.advice) - _SHOWN
        if more > 0:
            yield f"  … and {more} more in the report"
    if report.marked:
        yield ""
        yield "marked at the desk: write the wrong ones as examples of what they mean"
        for mark in report.marked[:_SHOWN]:
            read = f"{mark.verdict}, read as {mark.read or 'nothing'} ({mark.confidence:.2f})"
            yield f"  {printable(mark.text)}: {read}"


def file_lines(evaluation: Evaluation, most_mistakes: int) -> Iterator[str]:
    """Yield the report on a test file.

    Args:
        evaluation: its figures.
        most_mistakes: how many mistakes are listed.
    """
    yield f"{evaluation.whole.count} texts"
    yield from figure_lines(evaluation)
    yield ""
    yield from score_lines(evaluation, evaluation.intents, "intents")
    if evaluation.entities:
        yield ""
        yield "entities"
        yield from _table(
            ["kind", "F1", "precision", "recall", "marked"],
            [
                [
                    one.name,
                    percent(one.f1),
                    percent(one.precision),
                    percent(one.recall),
                    str(one.count),
                ]
                for one in evaluation.entities
            ],
        )
    if evaluation.confusions:
        yield ""
        yield "confusions (meant → found)"
        for confusion in evaluation.confusions[:most_mistakes]:
            yield f"  {len(confusion.mistakes):>4}  {confusion.meant} → {confusion.found}"
        yield ""
        yield "mistakes, the surest first"
        yield from _mistake_lines(evaluation.mistakes, most_mistakes)


def figure_lines(evaluation: Evaluation) -> Iterator[str]:
    """Yield the main figures."""
    for tile in tiles(evaluation):
        yield f"  {tile.label:<22}{tile.value:>8}   {tile.note}".rstrip()


def score_lines(
    evaluation: Evaluation, intents: Sequence[IntentScore], title: str
) -> Iterator[str]:
    """Yield one line per intent."""
    languages = [group.name for group in evaluation.languages]
    yield title
    head = ["intent", "F1", "precision", "recall", *(la or "?" for la in languages), "texts"]
    rows = []
    for one in intents:
        recalls = (one.recall_by_language.get(language) for language in languages)
        by_language = ("–" if recall is None else percent(recall) for recall in recalls)
        score = one.score
        figures = (score.f1, score.precision, score.recall)
        rows.append([score.name, *map(percent, figures), *by_language, str(score.count)])
    yield from _table(head, rows)


def _mistake_lines(mistakes: Sequence[Mistake], most: int) -> Iterator[str]:
    for mistake in mistakes[:most]:
        yield (
            f"  {mistake.where}: {mistake.meant} → {mistake.found} ({percent(mistake.sure)}): "
            f"{printable(mistake.text)}"
        )
    if len(mistakes) > most:
        yield f"  … and {len(mistakes) - most} more"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield aligned lines: the first column to the left, figures to the right."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [line[0].ljust(widths[0])]
        cells.extend(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True))
        yield f"  {'  '.join(cells)}"
