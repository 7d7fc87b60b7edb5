"""What else knows which games there are: box scores, what was published before, and the feed's own other rows."""

from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal
from nba_pipeline.domain.calendar import GAME_ID
from nba_pipeline.domain.game_states import FINAL, UNKNOWN, is_called_off
from nba_pipeline.domain.season_expressions import is_countable
from nba_pipeline.engine.witnesses import REPEATED
from nba_pipeline.tables.raw._schedule_states import decided_series
from nba_pipeline.tables.shared.keys import GAME

TEAMS_OPEN = "its teams are not settled yet"
# Rows of a game's box score from which on it was played, whatever else a status says: five of each team.
PLAYERS_OF_A_GAME = 10
# More games than a day can have.
LARGEST_SLATE = 15


def may_count(game_id: ir.StringValue) -> ir.BooleanValue:
    """True for the id of a game that counts, and for one that cannot be read, since it may be one."""
    return game_id.isnull() | ~game_id.re_search(GAME_ID) | is_countable(game_id)


def unusable_rows(rejects: ir.Table) -> ir.Table:
    """Rows of the schedule that were set aside although their game may count. Teams that are still open are no fault."""
    game_id = rejects.row["game_id"].str
    faulty = rejects.day.notnull() & ~rejects.reason.isin([REPEATED, TEAMS_OPEN]) & may_count(game_id)
    text = game_id.fill_null("no id") + ": " + rejects.reason
    return rejects.filter(faulty).select("day", entity=text)


def unscheduled_box_scores(boxes: ir.Table, result: ir.Table) -> ir.Table:
    """Whole box scores of games that the schedule does not have on their day, or that it does not call played.

    Copies that a feed keeps under the old day of a moved game are set aside by the box-score tables.
    """
    games = boxes.filter(may_count(boxes.game_id) & boxes.game_date.notnull())
    whole = games.group_by(*GAME).aggregate(players=games.player_id.nunique())
    whole = whole.filter(whole.players >= PLAYERS_OF_A_GAME)
    joined = whole.left_join(result, equal(whole, result, *GAME))
    off = (is_called_off(result.status) | (result.status == UNKNOWN)) & result.postponed_to.isnull()
    text = whole.game_id.fill_null("no id") + ", " + whole.players.cast("string") + " players"
    state = result.status.notnull().ifelse(", called " + result.status, "")
    lost = joined.filter((result.game_id.isnull() | off).fill_null(True))
    return lost.select(day=whole.game_date, entity=text + state)


def vanished_finals(earlier: ir.Table, result: ir.Table) -> ir.Table:
    """Games that were published with a result, and have none on that day any more."""
    finals = earlier.filter(earlier.countable & (earlier.status == FINAL))
    lost = finals.anti_join(result.filter(result.status == FINAL), GAME)
    return lost.select(day=lost.game_date, entity=_teams(lost))


def lost_games(earlier: ir.Table, result: ir.Table, season_feed: ir.Table) -> ir.Table:
    """Published games to come that the day has no more, and that the feed lists on no other day.

    A play-off game is not lost where its series is decided: it was not needed.
    """
    to_come = earlier.filter(earlier.countable & (earlier.status != FINAL) & ~is_called_off(earlier.status))
    gone = to_come.anti_join(result, GAME)
    listed = season_feed.filter(season_feed.game_date.notnull()).select(*GAME).distinct()
    elsewhere = gone.anti_join(listed, [gone.game_id == listed.game_id, gone.game_date != listed.game_date])
    decided = decided_series(season_feed)
    lost = elsewhere.anti_join(decided, [elsewhere.game_id.substr(0, 9) == decided.series])
    return lost.select(day=lost.game_date, entity=_teams(lost))


def undated_games(days: ir.Table, landing: ir.Table, result: ir.Table) -> ir.Table:
    """Days without games beside a feed with more countable games without a readable date than a day can have."""
    undated = landing.filter(landing.game_date.isnull() & is_countable(landing.game_id).fill_null(False))
    counted = undated.aggregate(games=undated.game_id.nunique())
    empty = days.anti_join(result, [days.day == result.game_date])
    many = empty.cross_join(counted).filter(counted.games > LARGEST_SLATE)
    return many.select("day", entity=many.games.cast("string") + " games")


def _teams(games: ir.Table) -> ir.StringValue:
    return games.game_id + " " + games.away_team + " at " + games.home_team


WITNESS_CHECKS = {
    "rows of games that may count cannot be used": unusable_rows,
    "box scores of games that the schedule does not have as played on their day": unscheduled_box_scores,
    "games that were published with a result are gone": vanished_finals,
    "games are gone that are on no other day and not marked as postponed, cancelled or not needed": lost_games,
    "no game, while games of the feed have no readable date": undated_games,
}
