"""Which calls a set of days needs: as few as possible, none that is answered for good, all that may still change."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources import plan
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.odds_api import OddsApi
from nba_pipeline.sources.parsing.odds import PROP_MARKETS, Event
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
    calls = plan.schedule_calls(days, nothing)
    assert [c.key for c in calls] == ["2023-24", "2024-25", "2025-26"]
    assert [c.key for c in plan.schedule_calls(days, answered(calls, datetime(2025, 8, 1, tzinfo=UTC)))] == ["2025-26"]
    assert kinds(plan.roster_calls(days, nothing)) == {"player_index": 3, "player_bio": 3}


def test_reports_are_asked_once_they_are_out_and_never_twice() -> None:
    games = [game(1, date(2024, 11, 5))]
    now = datetime(2024, 11, 5, 19, tzinfo=UTC)
    calls = plan.report_calls(games, (11, 13, 17), now, nothing)
    assert [(c.key, c["file"]) for c in calls] == [
        ("2024-11-05_1130", "Injury-Report_2024-11-05_11AM.pdf"),
        ("2024-11-05_1330", "Injury-Report_2024-11-05_01PM.pdf"),
    ]
    assert plan.report_calls(games, (11, 13), now, answered(calls, now)) == []


def test_since_december_2025_reports_are_named_by_the_quarter_of_an_hour() -> None:
    assert plan.report_file(datetime(2025, 12, 22, 17, 30, tzinfo=UTC)) == "Injury-Report_2025-12-22_05_30PM.pdf"
    assert plan.report_file(datetime(2025, 12, 21, 17, 30, tzinfo=UTC)) == "Injury-Report_2025-12-21_05PM.pdf"


def events(*games: Game) -> dict[str, Event]:
    return {g.game_id: Event(f"e{g.game_id}", g.tip_off or LONG_AFTER, g.home, g.away) for g in games}


def test_lines_of_the_past_are_bought_at_the_wanted_minutes_before_each_tip_off() -> None:
    g = game(1, tip=datetime(2024, 10, 22, 23, 42, tzinfo=UTC))
    calls = plan.line_calls([g], events(g), (10, 600), LONG_AFTER, nothing)
    assert [c["date"] for c in calls] == ["2024-10-22T13:40:00Z", "2024-10-22T23:30:00Z"]
    assert plan.line_calls([g], events(g), (10, 600), LONG_AFTER, answered(calls, LONG_AFTER)) == []
    (listed,) = plan.event_calls([g], (10, 600), LONG_AFTER, nothing)
    assert (listed.kind, listed["date"]) == ("events_at", "2024-10-22T13:40:00Z")


def test_lines_of_games_to_come_are_asked_at_every_call_and_of_started_ones_not_at_all() -> None:
    started, to_come = game(1, over=False), game(2, over=False, tip=datetime(2024, 10, 23, 2, tzinfo=UTC))
    now = datetime(2024, 10, 23, 0, tzinfo=UTC)
    both = [started, to_come]
    calls = plan.line_calls(both, events(*both), (10,), now, nothing)
    assert [c["event"] for c in calls] == [f"e{to_come.game_id}"]
    assert plan.line_calls(both, events(*both), (10,), now, answered(calls, now)) == calls
    assert kinds(plan.event_calls(both, (10,), now, nothing)) == {"events": 1}
    assert plan.event_calls(both, (10,), now + timedelta(hours=3), nothing) == []


def test_games_without_an_event_or_a_tip_off_have_no_lines_to_ask_for() -> None:
    g = game(1)
    assert plan.line_calls([g], {}, (10,), LONG_AFTER, nothing) == []
    unsettled = Game(g.game_id, g.day, None, g.home, g.away, 100, 90, neutral=False, arena=None)
    assert plan.line_calls([unsettled], events(g), (10,), LONG_AFTER, nothing) == []
    assert plan.event_calls([unsettled], (10,), LONG_AFTER, nothing) == []


def old(day: date, hour: int = 23) -> Game:
    return Game(
        "0022200001", day, datetime(day.year, day.month, day.day, hour, tzinfo=UTC), "BOS", "NYK", 1, 0, None, None
    )


def markets(call: plan.Call) -> set[str]:
    settings = LiveSettings(odds_api_key="key")
    return set(OddsApi(settings).request(call)["parameters"]["markets"].split(","))


def test_markets_that_did_not_exist_at_a_moment_are_not_asked_for() -> None:
    """Status 422 for one market would refuse the featured lines with it."""
    (before,) = plan.line_calls([old(date(2023, 5, 2))], events(old(date(2023, 5, 2))), (10,), LONG_AFTER, nothing)
    (after,) = plan.line_calls([old(date(2023, 5, 3))], events(old(date(2023, 5, 3))), (10,), LONG_AFTER, nothing)
    featured = {"spreads", "totals", "h2h"}
    assert markets(before) == featured
    assert markets(after) == featured | set(PROP_MARKETS)
    now = plan.Call(plan.ODDS_API, "event_odds", "k", (("event", "e"),))
    assert markets(now) == featured | set(PROP_MARKETS)


def test_what_is_older_than_the_odds_services_history_is_not_asked_for_at_all() -> None:
    g = old(date(2020, 3, 1))
    assert plan.event_calls([g], (10,), LONG_AFTER, nothing) == []
    assert plan.line_calls([g], events(g), (10,), LONG_AFTER, nothing) == []
    assert plan.with_quotes([g, old(date(2023, 5, 2))], LONG_AFTER) == [old(date(2023, 5, 2))]


def test_a_second_list_of_events_is_asked_once_for_games_that_the_first_did_not_have() -> None:
    g, other = old(date(2023, 11, 2)), Game("0022200002", date(2023, 11, 2), None, "LAL", "DEN", 1, 0, None, None)
    first = plan.event_calls([g], (600, 10), LONG_AFTER, nothing)
    have = answered(first, LONG_AFTER)
    (second,) = plan.later_event_calls([g, other], {}, (600, 10), LONG_AFTER, have)
    assert (second.key, second["date"]) == ("2023-11-02_20231102T2250Z", "2023-11-02T22:50:00Z")
    assert plan.later_event_calls([g], events(g), (600, 10), LONG_AFTER, have) == []
    assert plan.later_event_calls([g], {}, (600, 10), LONG_AFTER, answered([*first, second], LONG_AFTER)) == []
    assert plan.later_event_calls([g], {}, (600, 10), LONG_AFTER, nothing) == []
