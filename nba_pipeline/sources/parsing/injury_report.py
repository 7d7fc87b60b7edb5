"""Parse the league's official injury report (PDF) from words with positions.

The report is a table whose cells may wrap: a word belongs to the column whose heading begins at or left of it. Date, time,
matchup and team are printed once and apply to the lines below, across page breaks.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from itertools import count, groupby

from pypdf import PageObject, PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

from nba_pipeline.domain.report_types import OFFICIAL
from nba_pipeline.sources.parsing.acceptance import SetAside, accepted
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.parsing.team_names import full_names
from nba_pipeline.sources.parsing.values import EASTERN, PayloadError, Row

HEADINGS = ("Game Date", "Game Time", "Matchup", "Team", "Player Name", "Current Status", "Reason")
DATE, TIME, MATCHUP, TEAM, PLAYER, STATUS, REASON = HEADINGS
STATUSES = ("Out", "Doubtful", "Questionable", "Probable", "Available")
NOT_SUBMITTED = "NOT YET SUBMITTED"
TITLE = re.compile(r"Injury Report:\s*(\d\d)/(\d\d)/(\d\d)\s+(\d\d?):(\d\d)\s*([AP]M)")
PAGES = re.compile(r"Page \d+ of (\d+)")
SLACK = 4.0
FLOOR = 0.9
# A report of 3 pages has 67 KB, 34 KB of decoded content and 3,400 operations; a file of that size can decode to megabytes.
MOST_BYTES, MOST_PAGES, MOST_DECODED_BYTES, MOST_OPERATIONS = 4_000_000, 50, 2_000_000, 100_000
SOURCE = "NBA official injury report"


@dataclass(frozen=True)
class Word:
    """A word of a page, in reading order. `x`: points from the left edge."""

    page: int
    x: float
    text: str


@dataclass
class _Line:
    day: date
    teams: str
    team: str
    player: str
    status: str = ""
    reason: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Report:
    """A report: time of publication (UTC) and statements in order.

    A statement is (day of the game, matchup, team, player, status, reason), with names as printed, `Last, First`; `missing` are
    the teams that had not submitted.
    """

    published: datetime
    statements: tuple[tuple[date, str, str, str, str, str], ...]
    missing: tuple[str, ...]


def words(content: bytes) -> list[Word]:
    """Extract the words of a PDF in reading order.

    Raises:
        PayloadError: it is not a PDF, is truncated, lacks pages that it announces, or is far larger than any report.
    """
    if not content.lstrip().startswith(b"%PDF"):
        raise PayloadError(f"the document is not a PDF: {content[:40]!r}")
    _require_at_most(len(content), MOST_BYTES, "bytes")
    extracted: list[Word] = []
    number, operations, decoded = -1, count(1), 0

    def counted(*_: object) -> None:
        _require_at_most(next(operations), MOST_OPERATIONS, "operations")

    try:
        for number, page in enumerate(PdfReader(io.BytesIO(content)).pages):
            _require_at_most(number + 1, MOST_PAGES, "pages")
            decoded += _decoded_bytes(page)
            _require_at_most(decoded, MOST_DECODED_BYTES, "bytes of content")

            def collect(text: str, cm: Sequence[float], tm: Sequence[float], *_: object, page: int = number) -> None:
                if text.strip():
                    extracted.append(Word(page, cm[4] + tm[4], text.strip()))

            page.extract_text(visitor_text=collect, visitor_operand_before=counted)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as e:
        raise PayloadError(f"the PDF cannot be read ({type(e).__name__})") from None
    announced = PAGES.search(" ".join(w.text for w in extracted))
    if announced and int(announced[1]) != number + 1:
        raise PayloadError(f"{announced[1]} pages are announced, the document has {number + 1}")
    return extracted


def _require_at_most(found: int, most: int, what: str) -> None:
    """Refuse a document before it costs minutes. Raises PayloadError."""
    if found > most:
        raise PayloadError(f"the PDF has more than {most:,} {what}: it is no injury report")


def _decoded_bytes(page: PageObject) -> int:
    """Return the size of what is parsed of a page: its content, its forms and the tables of its fonts."""
    contents = page.get("/Contents", ArrayObject()).get_object()
    parts = list(contents) if isinstance(contents, ArrayObject) else [contents]
    resources = page.get("/Resources", DictionaryObject()).get_object()
    for kind in ("/Font", "/XObject"):
        for item in resources.get(kind, DictionaryObject()).get_object().values():
            held = item.get_object()
            parts.append(held if held.get("/Subtype") == "/Form" else held.get("/ToUnicode", DictionaryObject()))
    streams = [part.get_object() for part in parts]
    return sum(len(stream.get_data()) for stream in streams if isinstance(stream, StreamObject))


def report(document: Sequence[Word], set_aside: list[SetAside] | None = None) -> Report:
    """Parse a report.

    Args:
        document: the words of the document, in reading order.
        set_aside: receives the statements with an unknown status or team.

    Raises:
        PayloadError: it is another document or table, or has too many statements that cannot be read.
    """
    published = _published(document)
    columns = _columns(document)
    lines: list[_Line] = []
    missing: list[str] = []
    day: date | None = None
    teams = team = ""
    for heading, text in _cells(document, columns):
        if heading == DATE:
            day = _date(text)
        elif heading == MATCHUP:
            teams = text
        elif heading == TEAM:
            team = text
        elif heading == PLAYER:
            if day is None or not team:
                raise PayloadError(f"the player {text!r} stands before the first date or team")
            lines.append(_Line(day, teams, team, text))
        elif heading == STATUS:
            _open(lines, text).status = text
        elif heading == REASON and text == NOT_SUBMITTED:
            missing.append(_tricode(team))
        elif heading == REASON:
            _open(lines, text).reason.append(text)
    without = [x.player for x in lines if not x.status]
    if without:
        raise PayloadError(f"players without a status: {', '.join(without)}")
    if not lines and not missing:
        raise PayloadError("the report has no statements")
    elements = [(f"statement {i} ({x.player})", partial(_statement, x)) for i, x in enumerate(lines, 1)]
    return Report(published, tuple(accepted(elements, FLOOR, "statements", set_aside)), tuple(missing))


def _statement(line: _Line) -> tuple[date, str, str, str, str, str]:
    return line.day, line.teams, _tricode(line.team), line.player, _status(line.status), _reason(line.reason)


def rows(published: Report, games: Iterable[Game]) -> list[Row]:
    """Convert a report to rows of the feed `injuries`.

    Args:
        published: the report.
        games: the season's schedule, which gives the game of a statement.
    """
    ids = {(g.day, t): g.game_id for g in games for t in (g.home, g.away)}
    return [
        {
            "report_date": published.published.astimezone(EASTERN).date(),
            "record_type": OFFICIAL,
            "report_utc": published.published,
            "game_id": ids.get((day, team)),
            "team": team,
            "player_id": None,
            "player_name": None,
            "player_name_source": natural_name(player),
            "status": status.lower(),
            "reason": reason or None,
            "source": SOURCE,
        }
        for day, _, team, player, status, reason in published.statements
    ]


def natural_name(printed: str) -> str:
    """Reorder a printed name, `Payton II, Gary` -> `Gary Payton II`."""
    last, _, first = printed.partition(",")
    family, *suffix = last.strip().rsplit(" ", 1) if re.search(r" (Jr\.?|Sr\.?|I{2,3}|IV|V)$", last.strip()) else [last]
    return " ".join(p.strip() for p in (first, family, *suffix) if p.strip())


def _published(document: Sequence[Word]) -> datetime:
    title = TITLE.search(" ".join(w.text for w in document[:12]))
    if not title:
        raise PayloadError("the document is not headed 'Injury Report: MM/DD/YY HH:MM AM or PM'")
    month, day, year, hour, minute = map(int, title.groups()[:5])
    try:
        local = datetime(2000 + year, month, day, hour % 12 + 12 * (title[6] == "PM"), minute, tzinfo=EASTERN)
    except ValueError:
        raise PayloadError(f"the report is headed {title[0]!r}, which is not a time") from None
    return local.astimezone(UTC)


def _columns(document: Sequence[Word]) -> list[tuple[float, str]]:
    """Locate (left edge, heading) of every column by the first headings of the document."""
    texts = [w.text for w in document]
    heading_words = " ".join(HEADINGS).split()
    start = next((i for i in range(len(texts)) if texts[i : i + len(heading_words)] == heading_words), None)
    if start is None:
        raise PayloadError(f"the table is not headed {', '.join(HEADINGS)}")
    edges, at = [], start
    for heading in HEADINGS:
        edges.append((document[at].x, heading))
        at += len(heading.split())
    return edges


def _cells(document: Sequence[Word], columns: Sequence[tuple[float, str]]) -> Iterable[tuple[str, str]]:
    """Yield (heading, text) of every cell in reading order, without titles, headings and page numbers."""
    for _, page in groupby(document, key=lambda w: w.page):
        body = _without_furniture(list(page))
        for heading, cell in groupby(body, key=lambda w: _column(w, columns)):
            yield heading, " ".join(w.text for w in cell)


def _without_furniture(page: list[Word]) -> list[Word]:
    """Remove title, page number and headings from the words of a page."""
    for pattern in (r"Injury Report: \S+ \S+ [AP]M", r"Page \d+ of \d+", re.escape(" ".join(HEADINGS))):
        texts, starts = "", []
        for w in page:
            starts.append(len(texts))
            texts += w.text + " "
        hit = re.search(pattern, texts)
        if hit:
            page = [w for w, at in zip(page, starts, strict=True) if not hit.start() <= at < hit.end()]
    return page


def _column(word: Word, columns: Sequence[tuple[float, str]]) -> str:
    left = [heading for x, heading in columns if x - SLACK <= word.x]
    if not left:
        raise PayloadError(f"{word.text!r} stands left of the table")
    return left[-1]


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=EASTERN).date()
    except ValueError:
        raise PayloadError(f"{text!r} stands where the date of a game is expected") from None


def _tricode(text: str) -> str:
    """Look up a club by its full name without blanks, since the document omits some."""
    tricode = {n.replace(" ", ""): t for n, t in full_names().items()}.get(text.replace(" ", ""))
    if tricode is None:
        raise PayloadError(f"{text!r} is not a club of the league")
    return tricode


def _status(text: str) -> str:
    if text not in STATUSES:
        raise PayloadError(f"the status {text!r} is not one of {', '.join(STATUSES)}")
    return text


def _open(lines: list[_Line], text: str) -> _Line:
    if not lines:
        raise PayloadError(f"{text!r} stands before the first player")
    return lines[-1]


def _reason(parts: Sequence[str]) -> str:
    """Join the parts of a reason; a part that wrapped at a hyphen is joined without a blank."""
    return re.sub(r"(\w)- (?=\w)", r"\1-", " ".join(parts))
