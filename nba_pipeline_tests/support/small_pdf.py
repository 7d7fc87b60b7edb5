"""Writes a small PDF: words at positions, as an official injury report sets them."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from nba_pipeline.sources.parsing.team_names import full_names

EASTERN = ZoneInfo("America/New_York")
COLUMNS = {
    "Game Date": 23,
    "Game Time": 119,
    "Matchup": 200,
    "Team": 264,
    "Player Name": 425,
    "Current Status": 585,
    "Reason": 666,
}
CLUBS = {t: n for n, t in full_names().items() if not n.startswith("LA ")}
WIDTH = 4.5
Word = tuple[float, float, str]


def injury_report_pdf(published: datetime, statements: Sequence[tuple[Mapping[str, Any], str, str, str, str]]) -> bytes:
    """A report with these statements: (game of the schedule, team, printed name, status, reason)."""
    local = published.astimezone(EASTERN)
    y = 560.0
    words: list[Word] = _cell(289, y, f"Injury Report: {local:%m/%d/%y %I:%M %p}") + _cell(400, 20, "Page 1 of 1")
    y -= 20
    for heading, x in COLUMNS.items():
        words += _cell(x, y, heading)
    before: list[str] = [""] * 4
    for game, team, player, status, reason in statements:
        y -= 14
        tip = game["game_datetime_utc"].astimezone(EASTERN)
        matchup = f"{game['away_team']}@{game['home_team']}"
        shared = [f"{game['game_date']:%m/%d/%Y}", f"{tip:%I:%M} (ET)", matchup, CLUBS[team]]
        new = [text if shared[: i + 1] != before[: i + 1] else "" for i, text in enumerate(shared)]
        for x, text in zip(COLUMNS.values(), [*new, player, status, reason], strict=True):
            words += _cell(x + 1, y, text)
        before = shared
    return pdf([words])


def _cell(x: float, y: float, text: str) -> list[Word]:
    found, at = [], float(x)
    for word in text.split():
        found.append((at, y, word))
        at += WIDTH * (len(word) + 1)
    return found


def pdf(pages: Sequence[Sequence[Word]], *, compressed: bool = False) -> bytes:
    """A document with these words on its pages."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    kids = []
    for words in pages:
        drawn = "\n".join(f"BT /F1 8 Tf {x:.1f} {y:.1f} Td ({_escaped(t)}) Tj ET" for x, y, t in words).encode(
            "latin-1"
        )
        stored, how = (zlib.compress(drawn, 9), b" /Filter /FlateDecode") if compressed else (drawn, b"")
        objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(stored), how, stored))
        box = b"/MediaBox [0 0 842 595] /Resources << /Font << /F1 3 0 R >> >>"
        objects.append(b"<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R >>" % (box, len(objects)))
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % o for o in offsets)
    head = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
    return out + head + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
