"""The rule that lists players for a day, the same live and in backfill: it reads what was known before the day's cut-offs."""

import ibis

from nba_pipeline import asof
from nba_pipeline.common import ibis_types as ir
from nba_pipeline.common.ibis_relations import equal, shared, union
from nba_pipeline.tables.shared.keys import GAME

TEAM_GAMES = 10
DAYS_BACK = 240
STATEMENT_DAYS = 180
APPEARANCE = (*GAME, "team", "player_id", "player_name", "player_lookup")
PLACE = ("game_date", "team", "player_id")


def listed_players(
    team_days: ir.Table,
    appearances: ir.Table,
    team_games: ir.Table,
    statements: ir.Table,
    rosters: ir.Table,
    quoted: ir.Table,
) -> ir.Table:
    """List the players of each team of a day.

    Listed are players who appeared in one of the team's last 10 finished games before the day, are placed in the team by
    a statement or by a roster, or are quoted in its game; and whose latest evidence, of whatever kind, is for the team. Players
    who are missing from a roster newer than that evidence, or are quoted in other games only, are not listed.

    Args:
        team_days: game_date and team, one row per team and day, with any other columns.
        appearances: Player facts: game_id, game_date, team, player_id, player_name, player_lookup; games may lie in earlier
            seasons, but count at most 240 days back.
        team_games: Team facts: game_id, game_date, team.
        statements: player_id, report_date, team, says_out and the names, as `_team_evidence.team_statements` selects them; they
            count at most 180 days back.
        rosters: Rosters of the days, as `_team_evidence.rosters_in_time` selects them.
        quoted: Quoted players of the days, as `_team_evidence.quoted_players` selects them.

    Returns:
        The rows of `team_days`, each once per listed player, with player_id, player_name and player_lookup as of the player's
        latest appearance, or else of the roster, the quote or the latest statement.
    """
    numbered = _numbered(team_games)
    windows = {
        "__latest": asof.latest("game_number"),
        "__since": asof.latest("tenth_latest"),
        "__latest_on": asof.latest("on"),
        "__recent": asof.count(days=DAYS_BACK),
    }
    days = asof.attach(team_days, numbered, windows, by=("team",), within=())
    played = appearances.select(*APPEARANCE)
    candidates = union(
        _of_last_games(days, played, numbered),
        _placed_by_statement(days, played, statements),
        days.inner_join(rosters, ["game_date", "team"]).select(days.game_date, days.team, rosters.player_id),
        days.inner_join(quoted, ["game_date", "team"]).select(days.game_date, days.team, quoted.player_id),
        distinct=True,
    )
    theirs = _of_their_team(shared(candidates), played, statements, rosters)
    named = _with_names(_not_quoted_elsewhere(theirs, quoted), played, rosters, quoted, statements)
    return shared(
        days.inner_join(named, ["game_date", "team"]).select(
            *[days[c] for c in team_days.columns], named.player_id, named.player_name, named.player_lookup
        )
    )


def teams_without_history(team_days: ir.Table, team_games: ir.Table) -> ir.Table:
    """`team_days` with `has_history`: true where the team has an earlier game within the listing window."""
    games = team_games.select("game_date", "team")
    counted = asof.attach(team_days, games, {"__recent": asof.count(days=DAYS_BACK)}, by=("team",), within=())
    return counted.mutate(has_history=counted["__recent"] > 0).drop("__recent")


def _numbered(team_games: ir.Table) -> ir.Table:
    """The team's games in order of time, numbered from 1, with the day of the tenth latest up to each."""
    games = team_games.select("game_id", "game_date", "team")
    in_order = ibis.window(group_by=games.team, order_by=games.game_date)
    return games.mutate(
        on=games.game_date,
        game_number=ibis.row_number().over(in_order) + 1,
        tenth_latest=games.game_date.lag(TEAM_GAMES - 1).over(in_order),
    )


def _of_last_games(days: ir.Table, played: ir.Table, numbered: ir.Table) -> ir.Table:
    """Players who appeared in one of the team's last 10 games."""
    seen = _visible_after(played, numbered)
    joined = days.inner_join(seen, [days.team == seen.team, days["__latest"] == seen.seen_games])
    return joined.filter(seen.games_ago < days["__recent"]).select(days.game_date, days.team, seen.player_id)


def _visible_after(played: ir.Table, numbered: ir.Table) -> ir.Table:
    """Each player under every number of games after which the player's latest appearance for the team is one of its last 10."""
    rows = played.inner_join(numbered, [*GAME, "team"]).select(played.player_id, numbered.team, numbered.game_number)
    in_order = ibis.window(group_by=[rows.player_id, rows.team], order_by=rows.game_number)
    rows = rows.mutate(next_number=rows.game_number.lead().over(in_order))
    spread = rows.mutate(games_ago=ibis.array(list(range(TEAM_GAMES))).unnest().cast("int64"))
    spread = spread.mutate(seen_games=spread.game_number + spread.games_ago)
    return spread.filter((spread.seen_games < spread.next_number).fill_null(True)).drop("next_number", "game_number")


def _placed_by_statement(days: ir.Table, played: ir.Table, statements: ir.Table) -> ir.Table:
    """Players placed in the team by a statement: after an appearance for another team by one since the team's tenth latest game,
    and without an appearance by one on or after the day of its latest game, unless it says that the player is out.

    What is out of reach of the day does not count, so that a range and each day alone list the same players.
    """
    latest = {"__before": asof.latest("team"), "__before_on": asof.latest("on")}
    appeared = played.mutate(on=played.game_date)
    stated = asof.attach(statements, appeared, latest, by=("player_id",), day="report_date", within=(), past=True)
    furthest = days.game_date - ibis.interval(days=DAYS_BACK)
    before_on = _within(stated["__before_on"], days.game_date, DAYS_BACK)
    moved = (stated["__before"] != stated.team) & (stated.report_date >= days["__since"].fill_null(furthest))
    new = ~stated.says_out & (stated.report_date >= days["__latest_on"].fill_null(furthest))
    joined = days.inner_join(
        stated,
        [
            days.team == stated.team,
            stated.report_date < days.game_date,
            stated.report_date >= days.game_date - ibis.interval(days=STATEMENT_DAYS),
            before_on.notnull().ifelse(moved, new),
        ],
    )
    return joined.select(days.game_date, days.team, stated.player_id)


def _of_their_team(candidates: ir.Table, played: ir.Table, statements: ir.Table, rosters: ir.Table) -> ir.Table:
    """The candidates of the team that the latest evidence names, less those missing from a newer roster of the team."""
    rows = _latest_evidence(candidates, played, statements)
    of_team = rosters.group_by("game_date", "team").aggregate(team_on=rosters.captured_on.max())
    joined = rows.left_join(
        rosters, [rows.game_date == rosters.game_date, rows.player_id == rosters.player_id]
    ).left_join(of_team, [rows.game_date == of_team.game_date, rows.team == of_team.team])
    by_roster = (rosters.captured_on >= rows["__evidence_on"]).fill_null(rosters.captured_on.notnull())
    team_now = by_roster.ifelse(rosters.team, rows["__evidence_team"])
    missing = (of_team.team_on > rows["__evidence_on"]) & (rosters.team != rows.team).fill_null(True)
    judged = joined.select(*[rows[c] for c in PLACE], __listed=(team_now == rows.team) & ~missing.fill_null(False))
    return shared(judged.filter(judged["__listed"]).drop("__listed"))


def _latest_evidence(candidates: ir.Table, played: ir.Table, statements: ir.Table) -> ir.Table:
    """Add the team and the day of each candidate's latest appearance or statement, the appearance first where both are of one
    day; what is out of reach of the day does not count."""
    appeared = played.select("player_id", "team", fact_day=played.game_date, on=played.game_date)
    found = shared(candidates)
    for name, facts in (("played", appeared), ("stated", _one_a_day(statements))):
        latest = {f"__{name}_for": asof.latest("team"), f"__{name}_on": asof.latest("on")}
        found = shared(asof.attach(found, facts, latest, by=("player_id",), fact_day="fact_day", within=()))
    played_on = _within(found["__played_on"], found.game_date, DAYS_BACK)
    stated_on = _within(found["__stated_on"], found.game_date, STATEMENT_DAYS)
    by_statement = stated_on.notnull() & (played_on.isnull() | (stated_on > played_on)).fill_null(False)
    by_appearance = played_on.notnull().ifelse(found["__played_for"], None)
    return shared(
        found.select(
            *PLACE,
            __evidence_team=by_statement.ifelse(found["__stated_for"], by_appearance),
            __evidence_on=by_statement.ifelse(stated_on, played_on),
        )
    )


def _one_a_day(statements: ir.Table) -> ir.Table:
    """One statement of each player and day, the first team in the alphabet where there are several."""
    first = ibis.window(
        group_by=[statements.player_id, statements.report_date],
        order_by=[statements.team, statements.player_name, statements.player_lookup],
    )
    ranked = statements.mutate(__place=ibis.row_number().over(first))
    names = ("player_id", "team", "player_name", "player_lookup")
    stated = ranked.filter(ranked["__place"] == 0)
    return shared(stated.select(*names, fact_day=stated.report_date, on=stated.report_date))


def _within(day: ir.DateValue, game_date: ir.DateValue, days: int) -> ir.DateValue:
    """The day if it lies at most this many days before the game; else NULL."""
    return (day >= game_date - ibis.interval(days=days)).ifelse(day, None)


def _not_quoted_elsewhere(rows: ir.Table, quoted: ir.Table) -> ir.Table:
    """The rows less those of players who are quoted that day, and in no game of the team."""
    at_all = quoted.select("game_date", "player_id").distinct()
    somewhere = rows.semi_join(at_all, ["game_date", "player_id"])
    here = somewhere.semi_join(quoted, list(PLACE))
    return shared(union(rows.anti_join(at_all, ["game_date", "player_id"]), here))


def _with_names(
    rows: ir.Table, played: ir.Table, rosters: ir.Table, quoted: ir.Table, statements: ir.Table
) -> ir.Table:
    """The rows with the player's name in the latest appearance, or else on the roster, in the quote or the latest statement."""
    latest = {c: asof.latest(c) for c in ("player_name", "player_lookup", "on")}
    appeared = played.mutate(fact_day=played.game_date, on=played.game_date)
    for name, facts, days in (
        ("played", appeared, DAYS_BACK),
        ("stated", _one_a_day(statements), STATEMENT_DAYS),
    ):
        found = {f"__{name}_{c}": a for c, a in latest.items()}
        rows = asof.attach(rows, facts, found, by=("player_id",), fact_day="fact_day", within=())
        near = _within(rows[f"__{name}_on"], rows.game_date, days).notnull()
        rows = shared(rows.mutate(**{c: near.ifelse(rows[c], None) for c in found if not c.endswith("_on")}))
    joined = rows.left_join(rosters, equal(rows, rosters, *PLACE)).left_join(quoted, equal(rows, quoted, *PLACE))
    names = {
        c: ibis.coalesce(rows[f"__played_{c}"], rosters[c], quoted[c], rows[f"__stated_{c}"])
        for c in ("player_name", "player_lookup")
    }
    return shared(joined.select(*[rows[c] for c in PLACE], **names))
