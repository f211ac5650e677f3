"""A transcript as PDF, by fpdf2: the extra `transcripts`, imported here and nowhere else."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib.util import find_spec
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import msgspec

from desk.errors import DeskError
from desk.transcript_export import Sealed
from desk.transcript_fonts import Drawable, Fonts, find_fonts, is_right_to_left
from desk.transcript_records import Acted, Handed, Message, Moved, Ran, Redaction, Turn
from desk.transcript_words import WORDS

if TYPE_CHECKING:
    from fpdf import FPDF
    from fpdf.fonts import TTFFont

_LONGEST_CHARS = 400
_MARGIN_MM, _BAR_MM, _PADDING_MM, _LEADING_MM = 18.0, 0.9, 2, 0.48
_SIZE_PT, _SMALL_PT, _TITLE_PT = 10, 8, 18
_INK, _GREY, _RED = (30, 30, 30), (105, 105, 105), (160, 25, 25)
_BARS = {"customer": (38, 98, 168), "bot": (90, 90, 90), "operator": (28, 122, 78)}


class _Look(msgspec.Struct, frozen=True):
    """How lines look; `bar` is the colour of the line beside them, lengths are millimetres."""

    size_pt: int = _SIZE_PT
    style: str = ""
    color: tuple[int, int, int] = _INK
    bar: tuple[int, int, int] | None = None
    align: str = ""
    indent: float = 0.0


_TEXT = _Look()
_TITLE = _Look(_TITLE_PT, "B")
_SMALL = _Look(_SMALL_PT, color=_GREY)
_BETWEEN = _Look(_SMALL_PT, color=_GREY, align="C")
_THOUGHT = _Look(_SMALL_PT, color=_GREY, indent=8.0)


class MissingPdf(DeskError):
    """PDF transcripts need the extra `transcripts`: pip install 'tresen[transcripts]'."""


def as_pdf(
    sealed: Sealed, language: str = "en", *, with_notes: bool = False, fonts: Fonts | None = None
) -> bytes:
    """Return a transcript as PDF.

    Args:
        sealed: the transcript.
        language: of the labels, de or en.
        with_notes: also the operators' internal notes, on pages of their own.
        fonts: None for those of this machine.

    Raises:
        MissingPdf: fpdf2 is not installed.
        MissingFonts: there are no fonts.
    """
    if find_spec("fpdf") is None or find_spec("uharfbuzz") is None:
        raise MissingPdf
    words = WORDS.get(language, WORDS["en"])
    pdf = _sheet(sealed, words, fonts or find_fonts())
    try:
        pages = _Pages(pdf, words)
        pages.front(sealed)
        for item in _in_order(sealed):
            pages.item(item)
        if with_notes and sealed.transcript.notes:
            pages.notes(sealed.transcript.notes)
        pages.end()
        return bytes(pdf.output())
    finally:
        for font in _faces(pdf):
            font.close()


def _sheet(sealed: Sealed, words: dict[str, str], fonts: Fonts) -> "FPDF":
    from fpdf import FPDF

    name = sealed.transcript.conversation_id

    class Sheet(FPDF):
        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("text", "", 7)
            self.set_text_color(*_GREY)
            head = sealed.chain.head.hex()[:16]
            text = f"{_plain(name)} · {head} · {words['page']} {self.page_no()}/{{nb}}"
            self.cell(0, 4, text, align="C")

    pdf = Sheet()
    pdf.set_title(f"{words['title']} {name}")
    pdf.set_creator("Tresen")
    pdf.set_creation_date(sealed.exported_at)
    pdf.set_margins(_MARGIN_MM, _MARGIN_MM)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN_MM)
    for family, style, path in (
        ("text", "", fonts.plain),
        ("text", "B", fonts.bold),
        ("mono", "", fonts.mono),
        *((f"further{number}", "", path) for number, path in enumerate(fonts.further)),
    ):
        pdf.add_font(family, style, path)
    further = [f"further{number}" for number in range(len(fonts.further))]
    pdf.set_fallback_fonts(further, exact_match=False)
    pdf.set_text_shaping(use_shaping_engine=True)
    return pdf


def _plain(name: str) -> str:
    """Return an id of which only the signs are left that every font has."""
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in name)


def _faces(pdf: "FPDF") -> "list[TTFFont]":
    from fpdf.fonts import TTFFont

    return [font for font in pdf.fonts.values() if isinstance(font, TTFFont)]


_Item = Message | Turn | Handed | Acted


def _in_order(sealed: Sealed) -> Iterator[_Item]:
    """Yield what is printed; what the bot thought comes after the message it thought about."""
    told = sealed.transcript
    placed: list[tuple[int, int, _Item]] = []
    placed += [(item.seq, 0, item) for item in told.messages]
    placed += [(item.seq, 0, item) for item in told.handoffs]
    placed += [(item.seq, 0, item) for item in told.acts if item.act != "said" or item.refusal]
    placed += [(item.seq, 1, item) for item in told.turns]
    yield from (item for _, _, item in sorted(placed, key=itemgetter(0, 1)))


class _Pages:
    def __init__(self, pdf: "FPDF", words: dict[str, str]) -> None:
        self._pdf = pdf
        self._words = words
        signs = [frozenset(font.cmap) for font in _faces(pdf)]
        self._drawable = Drawable(frozenset().union(*signs))

    def front(self, sealed: Sealed) -> None:
        told, words, verdict = sealed.transcript, self._words, sealed.verdict
        self._pdf.add_page()
        self._line(words["title"], _TITLE)
        channels = dict.fromkeys(m.channel for m in told.messages if m.channel)
        moments = [_moment(m.at) for m in told.messages]
        state = words[verdict.state].format(seq=verdict.seq)
        rows = {
            "conversation": told.conversation_id,
            "channels": ", ".join(channels),
            "period": f"{moments[0]} – {moments[-1]}" if moments else "",
            "exported": _moment(sealed.exported_at),
            "events": str(told.version),
            "verification": f"{state}. {verdict.problem}".strip(". "),
            "redactions": str(len(verdict.redacted)) if verdict.redacted else words["none"],
            "seal": sealed.seal or words["no_seal"],
        }
        for name, value in rows.items():
            self._pair(words[name], value)
        self._pair(words["head"], sealed.chain.head.hex())
        for seq, redaction in sorted(told.redactions.items()):
            self._redacted(redaction, f"#{seq} ")
        self._pdf.ln(4)

    def item(self, item: _Item) -> None:
        if isinstance(item, Message):
            self._message(item)
        elif isinstance(item, Turn):
            self._turn(item)
        elif isinstance(item, Handed):
            self._handed(item)
        else:
            self._act(item)

    def notes(self, notes: tuple[Acted, ...]) -> None:
        self._pdf.add_page()
        self._line(self._words["notes"], _TITLE)
        for note in notes:
            self._pdf.ln(2)
            self._line(f"{note.operator} · {_moment(note.at)} · #{note.seq}", _SMALL, style="B")
            self._line(str(note.data.get("text") or ""))
            self._redacted(note.redaction)

    def end(self) -> None:
        if self._drawable.undrawn:
            self._pdf.ln(4)
            text = self._words["undrawn"].format(count=self._drawable.undrawn)
            self._line(text, _SMALL)

    def _message(self, message: Message) -> None:
        words, bar = self._words, _BARS[message.speaker]
        who = [words[message.speaker], message.name, message.channel, _moment(message.at)]
        self._pdf.ln(3)
        self._keep_together()
        head = " · ".join([part for part in who if part] + [f"#{message.seq}"])
        self._line(head, _SMALL, style="B", color=bar, bar=bar)
        self._line(message.text, bar=bar)
        for line in self._beside(message):
            self._line(line, _SMALL, bar=bar)
        self._redacted(message.redaction, bar=bar)

    def _beside(self, message: Message) -> Iterator[str]:
        words, data = self._words, message.data
        if message.original:
            yield f"{words['original']} ({message.original_language}): {message.original}"
        cards = [_card(card) for card in data.get("cards") or ()]
        yield from (f"▪ {card}" for card in cards)
        if buttons := [str(b.get("title") or "") for b in data.get("buttons") or ()]:
            yield f"{words['choices']}: {' | '.join(buttons)}"
        if files := [str(f.get("name") or f.get("url") or "") for f in message.attachments]:
            yield f"{words['files']}: {', '.join(files)}"
        sent = message.delivery
        if sent is not None and sent.state:
            parts = [words[sent.state]]
            parts += [_moment(sent.at)] if sent.at else []
            parts += [words["attempts"].format(count=sent.attempts)] if sent.attempts > 1 else []
            parts += [sent.error] if sent.error else []
            yield f"{words['delivery']}: {', '.join(parts)}"

    def _turn(self, turn: Turn) -> None:
        lines = [(self._words[name], text) for name, text in self._thoughts(turn) if text]
        if not lines:
            return
        self._pdf.ln(1)
        self._keep_together()
        self._line(self._words["why"], _THOUGHT, style="B")
        for name, text in lines:
            self._line(f"{name}: {text}", _THOUGHT)

    def _thoughts(self, turn: Turn) -> Iterator[tuple[str, str]]:
        words, read = self._words, turn.reading
        if not turn.understood:
            yield "reading", words["not_understood"]
        if read is not None:
            yield "reading", f"{read.intent} ({read.confidence:.2f})" if read.intent else ""
            others = [i for i in read.ranking if i.get("name") != read.intent]
            yield "also", ", ".join(_ranked(i) for i in others)
            yield (
                "entities",
                ", ".join(
                    f"{e.get('entity')}={self._value(e.get('value'))}" for e in read.entities
                ),
            )
            yield "language", read.language
            yield "mood", ", ".join(f"{name} {value}" for name, value in read.mood.items())
            yield "commands", "; ".join(_command(command) for command in read.commands)
        yield "flow", turn.flow
        yield "moves", "; ".join(_ways(turn.moves))
        yield "slots", "; ".join(f"{one.name} = {self._value(one.value)}" for one in turn.slots)
        yield "actions", ", ".join(_ran(action) for action in turn.actions)
        plans = (f"{plan.plan_hash[:16]} {words[plan.consent]}" for plan in turn.plans)
        yield "plans", ", ".join(plans)
        yield "rules", ", ".join(turn.rules)
        passages = (_passage(p) for rested in turn.grounding for p in rested.passages)
        yield "grounding", ", ".join(dict.fromkeys(passages))
        yield "withheld", "; ".join(text for rested in turn.grounding for text in rested.withheld)

    def _handed(self, handed: Handed) -> None:
        parts = [self._words[f"state_{handed.state}"], handed.name or handed.operator, handed.team]
        parts += [handed.reason, _moment(handed.at), f"#{handed.seq}"]
        self._pdf.ln(3)
        text = " · ".join(part for part in parts if part)
        self._line(text, _BETWEEN, style="B")

    def _act(self, act: Acted) -> None:
        parts = [self._words["act"], act.act, act.operator, _moment(act.at), f"#{act.seq}"]
        parts += [f"{self._words['refusal']}: {act.refusal}"] if act.refusal else []
        self._pdf.ln(2)
        text = " · ".join(part for part in parts if part)
        self._line(text, _BETWEEN)

    def _redacted(
        self,
        redaction: Redaction | None,
        which: str = "",
        bar: tuple[int, int, int] | None = None,
    ) -> None:
        if redaction is not None:
            told = {"by": redaction.by, "at": _moment(redaction.at), "reason": redaction.reason}
            text = self._words["redacted"].format(**told)
            self._line(f"■ {which}{text}", _SMALL, style="B", color=_RED, bar=bar)

    def _value(self, value: Any) -> str:  # noqa: ANN401 - any JSON value
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if len(text) <= _LONGEST_CHARS:
            return text
        return text[:_LONGEST_CHARS] + self._words["shortened"]

    def _keep_together(self) -> None:
        """Begin no block on the last lines of a page."""
        if self._pdf.will_page_break(16):
            self._pdf.add_page()

    def _pair(self, name: str, value: str) -> None:
        pdf = self._pdf
        is_hash = len(value) == 64 and " " not in value
        pdf.set_text_color(*_GREY)
        pdf.set_font("text", "", _SMALL_PT)
        pdf.cell(42, 5, self._drawable(name))
        pdf.set_text_color(*_INK)
        pdf.set_font("mono" if is_hash else "text", "", 7 if is_hash else _SMALL_PT)
        pdf.multi_cell(0, 5, self._drawable(value), align="L", new_x="LMARGIN", new_y="NEXT")

    def _line(self, text: str, look: _Look = _TEXT, **more: Any) -> None:  # noqa: ANN401 - a look's
        look = msgspec.structs.replace(look, **more) if more else look
        pdf = self._pdf
        pdf.set_font("text", look.style, look.size_pt)
        pdf.set_text_color(*look.color)
        if look.bar is not None:
            pdf.set_draw_color(*look.bar)
            pdf.set_line_width(_BAR_MM)
        for line in self._drawable(text).split("\n"):
            pdf.set_x(pdf.l_margin + look.indent)
            pdf.multi_cell(
                0,
                look.size_pt * _LEADING_MM,
                line or " ",
                border="L" if look.bar is not None else 0,
                padding=(0, 0, 0, _PADDING_MM if look.bar is not None else 0),
                align=look.align or ("R" if is_right_to_left(line) else "L"),
                new_x="LMARGIN",
                new_y="NEXT",
            )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _card(card: dict[str, Any]) -> str:
    return " · ".join(str(card[n]) for n in ("title", "subtitle", "price") if card.get(n))


def _ranked(intent: dict[str, Any]) -> str:
    return f"{intent.get('name')} ({float(intent.get('confidence') or 0):.2f})"


def _ways(moves: Sequence[Moved]) -> Iterator[str]:
    """Yield each skill with the steps it took in a row."""
    for flow, taken in groupby(moves, key=attrgetter("flow")):
        yield f"{flow}: {' → '.join(_moved(move) for move in taken)}"


def _moved(move: Moved) -> str:
    place = move.step.rpartition("steps.")[2] if move.step else move.change
    return f"{place} ({move.reason})" if move.reason else place


def _command(command: dict[str, Any]) -> str:
    told = [command.get(name) for name in ("command", "flow", "name", "value", "reason")]
    return " ".join(str(one) for one in told if one not in {None, ""})


def _ran(action: Ran) -> str:
    return f"{action.action} ✗ {action.error}" if action.error else action.action


def _passage(passage: dict[str, Any]) -> str:
    name = str(passage.get("passage_id") or "")
    score = passage.get("score")
    return f"{name} ({score:.2f})" if isinstance(score, float) else name
