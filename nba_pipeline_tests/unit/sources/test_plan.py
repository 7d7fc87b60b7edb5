"""Which calls a set of days needs: as few as possible, none that is answered for good, all that may still change."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources import plan
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.plan import Call

OPENING = date(2024, 10, 22)
LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)


def game(n: int, day: date = OPENING, prefix: str = "002", *, over: bool = True, tip: datetime | None = None) -> Game:
    home, away = TRICODES[2 * n % 30], TRICODES[(2 * n + 1) % 30]
    tip = tip or datetime(day.year, day.month, day.day, 23, 30, tzinfo=UTC)
    points = (100, 90) if over else (None, None)
    return Game(f"{prefix}24{n:05d}", day, tip, home, away, *points, neutral=False, arena=None)


def season(days: int, games: int = 5) -> list[Game]:
    return [game(d * games + n, OPENING + timedelta(days=d)) for d in range(days) for n in range(games)]


def nothing(*_: str) -> None:
    return None


def kinds(calls: list[Call]) -> dict[str, int]:
    return dict(Counter(c.kind for c in calls))


def answered(calls: list[Call], at: datetime) -> plan.Have:
    known = {(c.source, c.kind, c.key) for c in calls}
    return lambda *question: at if question in known else None


def test_a_whole_season_of_logs_is_two_calls_and_a_box_score_per_game() -> None:
    assert kinds(plan.result_calls(season(160), nothing)) == {"player_log": 1, "team_log": 1, "box_score": 800}


def test_a_few_days_of_logs_are_asked_by_day() -> None:
    calls = [c for c in plan.result_calls(season(2), nothing) if c.kind == "player_log"]
    assert [dict(c.arguments) for c in calls] == [
        {"season": "2024-25", "season_type": "Regular Season", "day": "2024-10-22"},
        {"season": "2024-25", "season_type": "Regular Season", "day": "2024-10-23"},
    ]


def test_shots_of_a_season_are_asked_by_team_and_of_a_few_days_by_day() -> None:
    assert len(plan.shot_calls(season(160), nothing)) == 30
    assert [c["day"] for c in plan.shot_calls(season(3), nothing)] == ["2024-10-22", "2024-10-23", "2024-10-24"]


def test_kinds_of_games_are_asked_apart_and_what_does_not_count_is_not_asked() -> None:
    games = [
        game(1),
        game(2, prefix="004"),
        game(3, prefix="005"),
        game(4, prefix="006"),
        game(5, prefix="001"),
        game(6, prefix="003"),
    ]
    logs = {c["season_type"] for c in plan.result_calls(games, nothing) if c.kind == "team_log"}
    assert logs == {"Regular Season", "Playoffs", "PlayIn"}
    assert kinds(plan.result_calls(games, nothing))["box_score"] == 4


def test_games_that_are_not_over_have_no_results_to_ask_for() -> None:
    games = [game(1, over=False)]
    assert plan.result_calls(games, nothing) == [] and plan.shot_calls(games, nothing) == []


def test_results_are_final_72_hours_after_the_morning_that_follows_them() -> None:
    final = plan.final_from(OPENING)
    assert final == datetime(2024, 10, 26, 12, tzinfo=UTC)
    games = [game(1)]
    for calls in (plan.result_calls(games, nothing), plan.shot_calls(games, nothing)):
        again = plan.result_calls if calls[0].kind != "shots" else plan.shot_calls
        assert again(games, answered(calls, final - timedelta(seconds=1))) == calls
        assert again(games, answered(calls, final)) == []


@given(st.sets(st.integers(0, 40), min_size=1, max_size=30), st.sets(st.integers(0, 40), max_size=30))
def test_what_was_answered_for_good_is_never_asked_again_in_whatever_pieces_it_came(
    first: set[int], second: set[int]
) -> None:
    games = season(41)
    one = [g for g in games if (g.day - OPENING).days in first]
    both = [g for g in games if (g.day - OPENING).days in first | second]
    for ask in (plan.result_calls, plan.shot_calls):
        asked = ask(one, nothing)
        more = ask(both, answered(asked, LONG_AFTER))
        assert ask(both, answered([*asked, *more], LONG_AFTER)) == []
        assert {c["game_id"] for c in more if c.kind == "box_score"}.isdisjoint(
            c["game_id"] for c in asked if c.kind == "box_score"
        )


def test_a_season_call_made_while_the_season_runs_serves_only_the_days_that_were_final_then() -> None:
    games = season(10)
    calls = [c for c in plan.result_calls(games, nothing) if c.kind != "box_score"]
    at = plan.final_from(OPENING + timedelta(days=7))
    again = [c for c in plan.result_calls(games, answered(calls, at)) if c.kind == "player_log"]
    assert [c["day"] for c in again] == ["2024-10-30", "2024-10-31"]


def test_the_schedule_is_asked_once_per_season_and_until_the_season_is_over() -> None:
    days = [date(2024, 6, 1), date(2024, 10, 22), date(2025, 7, 31), date(2025, 8, 1)]
    calls = plan.schedule_calls(days, nothing, LONG_AFTER)
    assert [c.key for c in calls] == ["2023-24", "2024-25", "2025-26"]
    have = answered(calls, datetime(2025, 8, 1, tzinfo=UTC))
    assert [c.key for c in plan.schedule_calls(days, have, LONG_AFTER)] == ["2025-26"]
    assert kinds(plan.roster_calls(days, nothing)) == {"player_index": 3, "player_bio": 3}


def test_the_schedule_is_asked_at_most_every_so_many_minutes() -> None:
    calls = plan.schedule_calls([OPENING], nothing, LONG_AFTER, 15)
    now = datetime(2024, 10, 22, 12, tzinfo=UTC)
    for minutes, due in ((14, []), (15, calls)):
        have = answered(calls, now - timedelta(minutes=minutes))
        assert plan.schedule_calls([OPENING], have, now, 15) == due


def test_box_scores_that_the_second_source_gave_after_corrections_are_final() -> None:
    (call,) = [c for c in plan.result_calls([game(1)], nothing) if c.kind == "box_score"]
    second = plan.second_source(call, LONG_AFTER)
    assert second is not None and (second.source, second.key) == (plan.NBA_CDN, call.key)
    late = plan.result_calls([game(1)], answered([second], plan.final_from(OPENING)))
    early = plan.result_calls([game(1)], answered([second], plan.final_from(OPENING) - timedelta(seconds=1)))
    assert (kinds(late).get("box_score", 0), kinds(early)["box_score"]) == (0, 1)


def test_the_second_source_has_the_schedule_of_the_current_season_only() -> None:
    (old,), (new,) = (plan.schedule_calls([d], nothing, LONG_AFTER) for d in (OPENING, date(2025, 10, 22)))
    assert plan.second_source(old, LONG_AFTER) is None
    assert plan.second_source(new, LONG_AFTER) == Call(plan.NBA_CDN, plan.CDN_SCHEDULE, new.key, new.arguments)
