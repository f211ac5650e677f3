"""`tresen train`, `parse` and `nlu test`: teaching understanding, and seeing how it does."""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from bot.yaml_source import Problem, SourceError

if TYPE_CHECKING:
    from bot.conversation import Conversation
    from bot.settings import Settings
    from bot.turn import Brain
    from bot.understanding.encoder import Encoder
    from bot.understanding.evaluation import Case, Judged
    from bot.understanding.examples import Example
    from bot.understanding.report import Marked

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
Run: TypeAlias = Callable[[argparse.Namespace], int | None]
Add: TypeAlias = Callable[[Commands, str, Run, str], argparse.ArgumentParser]
Reader: TypeAlias = "Callable[[argparse.Namespace], Settings]"

_SHOWN_PROBLEMS = 10
_PROGRESS_TEXTS = 200
_TRAINED = "linear"


def add_nlu_commands(commands: Commands, add: Add, settings: Reader) -> None:
    """Add the commands.

    Args:
        commands: those of `tresen`.
        add: adds one with the options that all share.
        settings: reads both YAML files as the options say.
    """
    train = add(commands, "train", _quietly(settings, _train), "train understanding from data/")
    train.add_argument("--force", action="store_true", help="train even if nothing changed")
    train.add_argument(
        "--report", nargs="?", type=Path, const=Path(), metavar="FILE",
        help="cross-validate the examples and say what to write next; HTML, and JSON beside it "
        "(default: training-report.html in the data directory)",
    )  # fmt: skip
    train.add_argument("--folds", type=_folds, default=5, metavar="N", help="default: 5")
    parse = add(commands, "parse", _quietly(settings, _parse), "show how a text is understood")
    parse.add_argument("text", nargs="?", metavar="TEXT", help="default: every line typed")
    parse.add_argument("--json", action="store_true", help="everything, as one JSON object")
    parse.add_argument("--language", default="", metavar="CODE", help="of the conversation so far")
    nlu = commands.add_parser("nlu", help="measure understanding")
    parts = nlu.add_subparsers(required=True, metavar="COMMAND")
    text = "print the examples of Rasa's NLU data as those of skills, without those there are"
    taken = add(parts, "import", _quietly(settings, _import), text)
    taken.add_argument("file", type=Path, metavar="FILE", help="Rasa's nlu.yml")
    text = "read the texts of a file and compare with what they mean"
    test = add(parts, "test", _quietly(settings, _test), text)
    test.add_argument("file", type=Path, metavar="FILE", help="CSV, JSON lines, YAML or Rasa NLU")
    test.add_argument(
        "--at-least", type=_share, metavar="SHARE",
        help="exit status 1 if the accuracy is below, such as 0.9",
    )  # fmt: skip
    test.add_argument("--html", type=Path, metavar="FILE", help="write a report with plots")
    test.add_argument("--json", action="store_true", help="all figures, as one JSON object")
    test.add_argument(
        "--mistakes", type=int, default=20, metavar="N", help="how many are listed (default: 20)"
    )


def _quietly(settings: Reader, run: "Callable[[Settings, argparse.Namespace], int]") -> Run:
    """Return a command that gets the settings and logs nothing but problems."""

    def command(options: argparse.Namespace) -> int:
        from bot.logs import configure_logs

        configure_logs(quiet=True)
        return run(settings(options), options)

    return command


def _folds(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= 50:
        raise argparse.ArgumentTypeError(f"must be a number from 2 to 50, is {text}")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"must be between 0 and 1, such as 0.9, is {text}")
    return share


def _train(settings: "Settings", options: argparse.Namespace) -> int:
    """Train, tell what is wrong with the examples, and report if that was asked for."""
    from bot.understanding.examples import load_examples
    from bot.understanding.parser_setup import ParserSettings, example_mask, open_encoder
    from bot.understanding.training import is_kept, load_or_train

    started_s = time.perf_counter()
    data = settings.root / "data"
    examples = load_examples([data])
    problems = training_problems(settings)
    for problem in problems[:_SHOWN_PROBLEMS]:
        sys.stderr.write(f"{problem}\n")
    if len(problems) > _SHOWN_PROBLEMS:
        sys.stderr.write(f"{len(problems) - _SHOWN_PROBLEMS} more: tresen check\n")
    if options.force:
        (settings.models_dir / "intents.npz").unlink(missing_ok=True)
    encoder = open_encoder(ParserSettings(settings.models_dir, (data,), pipeline=settings.pipeline))
    load_or_train(settings.models_dir, [data], encoder, example_mask(settings.models_dir))
    if not is_kept(settings.models_dir, examples, encoder):
        sys.stderr.write(f"{settings.models_dir}: error: the trained model cannot be kept here\n")
        return 1
    intents = len({example.intent for example in examples})
    seconds = time.perf_counter() - started_s
    sys.stdout.write(
        f"{len(examples)} examples of {intents} intents, {seconds:.1f} s → {settings.models_dir}\n"
    )
    sys.stdout.write(_of_which_classifier(settings))
    if options.report is not None:
        _report(settings, options, examples, problems, encoder)
    return 0


def _of_which_classifier(settings: "Settings") -> str:
    """Return a remark where customers are answered by another classifier than the trained one."""
    chosen = settings.pipeline.intent_classifier
    if chosen.name == _TRAINED:
        return ""
    return (
        f"{chosen.path}:{chosen.line}: the pipeline reads intents with '{chosen.name}', which this "
        f"does not train: all of this is about '{_TRAINED}'\n"
    )


def training_problems(settings: "Settings") -> list[Problem]:
    """Return what is wrong with training examples that can be read, the errors first."""
    from bot.understanding.example_checks import check_examples, read_detector, written_examples
    from bot.understanding.example_files import file_problems

    data = settings.root / "data"
    detector = read_detector(data, settings.config.languages)
    found = [
        *file_problems(data, settings.root),
        *check_examples(written_examples(data, settings.root), detector),
    ]
    return sorted(found, key=lambda problem: (problem.warning, problem.path, problem.line))


def _report(
    settings: "Settings",
    options: argparse.Namespace,
    examples: "Sequence[Example]",
    problems: Sequence[Problem],
    encoder: "Encoder",
) -> None:
    from bot.understanding.model_store import EmbeddingCache
    from bot.understanding.parser_setup import example_mask
    from bot.understanding.report import Basis, as_json, make_report
    from bot.understanding.report_html import training_page
    from bot.understanding.report_text import training_lines

    sys.stderr.write(f"cross-validation: training {options.folds} models\n")
    basis = Basis(examples, settings.root, problems, settings.config.languages)
    cache = EmbeddingCache(settings.models_dir / "embeddings.npz")
    mask = example_mask(settings.models_dir)
    report = make_report(basis, encoder, mask, cache, options.folds)
    report = msgspec.structs.replace(report, marked=_marked(settings))
    path: Path = options.report
    if path == Path():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        path = settings.data_dir / "training-report.html"
    path.write_text(training_page(report), encoding="utf-8")
    beside = path.with_suffix(".json")
    beside.write_bytes(as_json(report))
    sys.stdout.write("".join(f"{line}\n" for line in training_lines(report)))
    sys.stdout.write(f"\n→ {path}\n→ {beside}\n")


def _marked(settings: "Settings") -> "tuple[Marked, ...]":
    """Return what operators marked, where there is a store that can be read."""
    from bot.marks import marks_at_hand
    from bot.storage.errors import StorageError
    from bot.understanding.report import Marked

    try:
        found = asyncio.run(marks_at_hand(settings))
    except StorageError as error:
        sys.stderr.write(f"without what operators marked: {error}\n")
        return ()
    return tuple(msgspec.convert(mark, Marked, from_attributes=True) for mark in found)


def _brain(settings: "Settings") -> "Brain":
    from bot.brain_setup import build_brain_only

    return asyncio.run(build_brain_only(settings))


def _parse(settings: "Settings", options: argparse.Namespace) -> int:
    from bot.messages import utc_now
    from bot.parse_view import parse_json, parse_lines
    from bot.understanding.stopwatch import Stopwatch

    conversation = _conversation(settings, options.language)
    brain = _brain(settings)
    watch = Stopwatch(brain.router)
    one = options.text is not None
    for text in [options.text] if one else _typed():
        watch.look()
        started_s = time.perf_counter()
        understood = brain.router.understand(text, conversation, utc_now())
        total_ms = 1000 * (time.perf_counter() - started_s)
        if options.json:
            shown = parse_json(understood, watch.look(), total_ms)
            sys.stdout.buffer.write(msgspec.json.format(shown, indent=2 if one else 0) + b"\n")
        else:
            lines = parse_lines(text, understood, watch.look(), total_ms)
            sys.stdout.write("".join(f"{line}\n" for line in lines))
        sys.stdout.flush()
    return 0


def _typed() -> Iterator[str]:
    """Yield the lines of standard input that are not empty, as they come."""
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text.strip():
            yield text


def _conversation(settings: "Settings", language: str = "") -> "Conversation":
    """Return a conversation in which nothing was said, perhaps in a language.

    Raises:
        SourceError: The bot does not speak the language.
    """
    from bot.conversation import Conversation

    known = settings.config.languages
    if language and language not in known:
        message = f"the bot does not speak '{language}'"
        cure = f"its languages: {', '.join(known)}"
        raise SourceError([Problem("config.yml", 1, message, cure)])
    return Conversation("nlu", slots={"language": language} if language else {})


def _test(settings: "Settings", options: argparse.Namespace) -> int:
    from bot.understanding.evaluation import evaluate
    from bot.understanding.evaluation_files import read_cases
    from bot.understanding.examples import load_examples
    from bot.understanding.report_html import file_page, percent
    from bot.understanding.report_text import file_lines
    from bot.understanding.result import OUT_OF_SCOPE

    known = {example.intent for example in load_examples([settings.root / "data"])}
    cases = read_cases(options.file, known | {OUT_OF_SCOPE}, settings.config.languages)
    found = evaluate(list(_judged(settings, cases)))
    if options.json:
        shown = msgspec.json.format(msgspec.json.encode(found), indent=2)
        sys.stdout.buffer.write(shown + b"\n")
        sys.stdout.flush()
    else:
        lines = file_lines(found, max(0, options.mistakes))
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    if options.html is not None:
        page = file_page(found, str(options.file), options.at_least)
        options.html.write_text(page, encoding="utf-8")
        sys.stderr.write(f"→ {options.html}\n")
    accuracy = found.whole.accuracy
    if options.at_least is not None and accuracy < options.at_least:
        asked = percent(options.at_least)
        sys.stderr.write(f"the accuracy is {percent(accuracy)}, and {asked} is the least\n")
        return 1
    return 0


def _judged(settings: "Settings", cases: "Sequence[Case]") -> "Iterator[Judged]":
    """Yield the reading of each text as the first message of a conversation."""
    from bot.messages import utc_now
    from bot.understanding.evaluation import Judged

    brain = _brain(settings)
    tells = sys.stderr.isatty()
    for number, case in enumerate(cases, 1):
        conversation = _conversation(settings)
        parse = brain.router.understand(case.text, conversation, utc_now()).parse
        ranking = parse.ranking or (parse.intent,)
        yield Judged(case, ranking, case.language or parse.language, parse.entities)
        if tells and number % _PROGRESS_TEXTS == 0:
            sys.stderr.write(f"\r{number} of {len(cases)} texts ")
            sys.stderr.flush()
    if tells and len(cases) >= _PROGRESS_TEXTS:
        sys.stderr.write("\r\x1b[K")


def _import(settings: "Settings", options: argparse.Namespace) -> int:
    from bot.understanding.example_checks import read_detector, written_examples
    from bot.understanding.rasa_import import imported, read_rasa

    data = settings.root / "data"
    known = {example.words for example in written_examples(data)}
    languages = settings.config.languages
    detector = read_detector(data, languages)
    sys.stdout.write(imported(read_rasa(options.file), known, languages[0], detector))
    return 0
