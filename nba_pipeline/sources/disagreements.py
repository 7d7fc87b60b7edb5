"""Compare what two sources say of the same game: box scores of the statistics service and of the live data, and schedules."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.answers import parsed
from nba_pipeline.sources.parsing.box_score import V3, BoxScore
from nba_pipeline.sources.parsing.schedule import Game, by_id
from nba_pipeline.sources.parsing.values import Row
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import CDN_BOX_SCORE, CDN_SCHEDULE, NBA_CDN, NBA_STATS

COUNTS = tuple(V3)
OF_GAMES = ("day", "home", "away", "home_points", "away_points")


def disagreements(store: PayloadStore, seasons: Mapping[str, Sequence[Game]], days: Sequence[date]) -> tuple[str, ...]:
    """List the values of these days that the newest answers of two sources give differently.

    Args:
        store: the stored answers.
        seasons: schedules by season.
        days: days of games.
    """
    found: list[str] = []
    for season, games in seasons.items():
        of_days = [g for g in games if g.day in set(days)]
        found += _compared(f"schedules of {season}", _of_schedules(store, season, {g.game_id for g in of_days}))
        for g in (g for g in of_days if g.over and g.countable):
            found += _compared(f"game {g.game_id}", _of_box_scores(store, g))
    return tuple(found)


def _compared(what: str, differences: Iterator[str]) -> list[str]:
    """List differences; where an answer cannot be read, that is the difference."""
    try:
        return list(differences)
    except SourceError as e:
        return [f"{what}: the two sources cannot be compared: {e.what}"]


def _of_schedules(store: PayloadStore, season: str, game_ids: set[str]) -> Iterator[str]:
    answers = store.latest(NBA_STATS, "schedule", season), store.latest(NBA_CDN, CDN_SCHEDULE, season)
    if answers[0] is None or answers[1] is None:
        return
    first, second = (
        by_id(parsed(kind, season, answer.read(), answer.fetched_at, {}))
        for kind, answer in zip(("schedule", CDN_SCHEDULE), answers, strict=True)
        if answer is not None
    )
    for game_id in sorted(game_ids & first.keys() & second.keys()):
        one, other = first[game_id], second[game_id]
        for name in OF_GAMES:
            mine, its = getattr(one, name), getattr(other, name)
            if mine is not None and its is not None and mine != its:
                yield f"game {game_id}: {name} is {mine} at {NBA_STATS} and {its} at {NBA_CDN}"


def _of_box_scores(store: PayloadStore, game: Game) -> Iterator[str]:
    answers = store.latest(NBA_STATS, "box_score", game.game_id), store.latest(NBA_CDN, CDN_BOX_SCORE, game.game_id)
    if answers[0] is None or answers[1] is None:
        return
    games = {game.game_id: game}
    first, second = (
        _lines(parsed(kind, game.game_id, answer.read(), answer.fetched_at, games))
        for kind, answer in zip(("box_score", CDN_BOX_SCORE), answers, strict=True)
        if answer is not None
    )
    for who in sorted(first.keys() | second.keys(), key=str):
        one, other = first.get(who), second.get(who)
        name = f"game {game.game_id}, {who[0]} {'player ' + str(who[1]) if who[1] else 'team'}"
        if one is None or other is None:
            yield f"{name}: only {NBA_STATS if other is None else NBA_CDN} has this line"
            continue
        for column in (c for c in COUNTS if one[c] != other[c]):
            yield f"{name}: {column} is {one[column]} at {NBA_STATS} and {other[column]} at {NBA_CDN}"


def _lines(box: BoxScore) -> dict[tuple[str | None, int | None], Row]:
    return {(r["team"], r.get("player_id")): r for r in (*box.players, *box.teams)}
