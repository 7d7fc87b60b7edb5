"""Known aliases: spellings that no rule finds, kept as data that people review (`aliases.csv`)."""

import csv
from pathlib import Path

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.player_names import player_lookup

SHIPPED = Path(__file__).with_name("aliases.csv")
OWN = "aliases.csv"
COLUMNS = ("alias", "player_name")


def read_aliases(home: Path | None = None) -> dict[str, str]:
    """Lookup of the alias -> lookup of the player's name: those shipped, and those of `<home>/aliases.csv` over them.

    Raises ConfigurationError for a file without the two columns, an empty cell, or an alias given to two players.
    """
    found = _read(SHIPPED)
    own = home / OWN if home else None
    return found | _read(own) if own is not None and own.is_file() else found


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            raise ConfigurationError(
                f"{path} has no columns {' and '.join(COLUMNS)}", "give it the header line alias,player_name,note"
            )
        for number, row in enumerate(rows, start=2):
            alias, player = (player_lookup(row[c] or "") for c in COLUMNS)
            if not alias or not player:
                raise ConfigurationError(f"{path}, line {number}: a name is empty", "fill in both names")
            if found.setdefault(alias, player) != player:
                raise ConfigurationError(
                    f"{path}, line {number}: the alias {row['alias']!r} is given to two players", "keep one of them"
                )
    return found
