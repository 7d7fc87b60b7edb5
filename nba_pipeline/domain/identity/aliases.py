"""Known aliases: spellings that no rule resolves, kept as reviewed data (`aliases.csv`)."""

import csv
from pathlib import Path

from nba_pipeline.common.errors import ConfigurationError
from nba_pipeline.domain.player_names import player_lookup

SHIPPED = Path(__file__).with_name("aliases.csv")
OWN = "aliases.csv"
COLUMNS = ("alias", "player_name")


def read_aliases(home: Path | None = None) -> dict[str, str]:
    """Read aliases as {lookup of the alias: lookup of the player's name}.

    Args:
        home: Directory whose `aliases.csv`, if present, overrides the shipped aliases.

    Raises:
        ConfigurationError: a file lacks a column, has an empty cell, or gives an alias to two players.

    """
    return _read(SHIPPED) | read_own_aliases(home)


def read_own_aliases(home: Path | None) -> dict[str, str]:
    """Read the aliases of a home alone; none without a file. Raises ConfigurationError as `read_aliases`."""
    own = home / OWN if home else None
    return _read(own) if own is not None and own.is_file() else {}


def _read(path: Path) -> dict[str, str]:
    aliases: dict[str, str] = {}
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
            if aliases.setdefault(alias, player) != player:
                raise ConfigurationError(
                    f"{path}, line {number}: the alias {row['alias']!r} is given to two players", "keep one of them"
                )
    return aliases
