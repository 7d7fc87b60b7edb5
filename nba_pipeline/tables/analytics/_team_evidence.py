"""What says for which team a player plays, apart from the box scores of games in which the player appeared.

Statements of teams: the box score of a game that a player sat out, a transaction and an official report name the team. Status
boards are left out: where one names another team than the player's latest game, the next game is for that team in a third of
cases only, against 97 % for box scores and 84 % for transactions (2021-25). Rosters say it for every player. A quote names
the two teams of its game: if the player's team is neither, the player has left it.
"""

import ibis

from nba_pipeline.asof.cutoffs import captured_in_time
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import shared
from nba_pipeline.domain.books import QUOTING
from nba_pipeline.domain.eastern_time import eastern_date
from nba_pipeline.domain.report_types import AFTER_GAME, OFFICIAL, TRANSACTION
from nba_pipeline.tables.analytics._availability import OUT, status_of
from nba_pipeline.tables.shared.keys import GAME

NAMES = ("player_name", "player_lookup")
NAMING_TYPES = (AFTER_GAME, TRANSACTION, OFFICIAL)


def team_statements(earlier_reports: ir.Table) -> ir.Table:
    """Select the statements that name the team of an identified player.

    Args:
        earlier_reports: Injury reports of days before; a statement tells the team from the next day on.

    Returns:
        player_id, report_date, team, player_name, player_lookup and says_out: whether it says that the player is out.
    """
    named = earlier_reports.filter(
        earlier_reports.record_type.isin(list(NAMING_TYPES))
        & earlier_reports.player_id.notnull()
        & earlier_reports.team.notnull()
    )
    says_out = (status_of(named.status) == OUT).fill_null(False)
    return named.select("player_id", "report_date", "team", *NAMES, says_out=says_out).distinct()


def rosters_in_time(rosters: ir.Table, teams: ir.Table) -> ir.Table:
    """Select the rosters that were captured before the first cut-off of each day.

    Args:
        rosters: `nba_raw.rosters` of the days.
        teams: The slate's teams with game_date and cutoff_at.

    Returns:
        game_date, team, player_id, player_name, player_lookup and captured_on (US-Eastern date), one row per day and player: the
        latest capture of each team, and of a player in several the latest.
    """
    first = teams.group_by("game_date").aggregate(first_cutoff=teams.cutoff_at.min())
    joined = rosters.inner_join(first, rosters.roster_date == first.game_date)
    known = joined.filter(captured_in_time(rosters.captured_at, first.first_cutoff)).select(rosters)
    of_team = ibis.window(group_by=[known.roster_date, known.team])
    newest = known.mutate(__newest=known.captured_at.max().over(of_team))
    current = newest.filter(newest.captured_at == newest["__newest"])
    latest = ibis.window(
        group_by=[current.roster_date, current.player_id], order_by=[current.captured_at.desc(), current.team]
    )
    ranked = current.mutate(__place=ibis.row_number().over(latest))
    single = ranked.filter(ranked["__place"] == 0)
    return shared(
        single.select(
            *("team", "player_id", *NAMES),
            game_date=single.roster_date,
            captured_on=eastern_date(single.captured_at),
        )
    )


def quoted_players(quotes: ir.Table, teams: ir.Table) -> ir.Table:
    """Select the players who were quoted in a game of the slate by its cut-off.

    Args:
        quotes: `nba_raw.player_prop_lines` of the days; quotes without a game say nothing about a team.
        teams: The slate's teams with game_date, game_id and cutoff_at, two rows per game with the same cut-off.

    Returns:
        game_date, team, player_id, player_name and player_lookup: one row per quoted player and team of the game.
    """
    games = teams.select(*GAME, "cutoff_at").distinct()
    quotes = quotes.select(*GAME, "player_id", *NAMES, "captured_at", "documented_pre_game", "book_kind")
    joined = quotes.inner_join(games, GAME)
    known = joined.filter(
        captured_in_time(quotes.captured_at, games.cutoff_at).fill_null(quotes.documented_pre_game)
        & quotes.book_kind.isin(QUOTING)
        & quotes.player_id.notnull()
    ).select(*[quotes[c] for c in (*GAME, "player_id", *NAMES)])
    of_game = _first_names(known, *GAME, "player_id")
    of_teams = of_game.inner_join(teams, GAME).select(of_game, teams.team)
    return shared(_first_names(of_teams, "game_date", "team", "player_id"))


def _first_names(quoted: ir.Table, *by: str) -> ir.Table:
    """The first of the names in the alphabet, as the books spell them."""
    return quoted.group_by(*by).aggregate(**{c: quoted[c].min() for c in NAMES})
