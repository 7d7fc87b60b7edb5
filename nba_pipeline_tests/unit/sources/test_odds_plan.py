"""Which quotes are bought: game lines by the slate, players by the game, only what is wanted, existed and is not stored."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from nba_pipeline.domain.teams import TRICODES
from nba_pipeline.sources import odds_plan, plan
from nba_pipeline.sources.live_settings import LiveSettings
from nba_pipeline.sources.odds_api import OddsApi, stated_usage
from nba_pipeline.sources.odds_plan import Wanted, credits_of, shared_snapshots
from nba_pipeline.sources.parsing.odds import GAME_MARKETS, Event
from nba_pipeline.sources.parsing.schedule import Game
from nba_pipeline.sources.plan import Call
from nba_pipeline_tests.support.known_calls import KnownCalls

OPENING = date(2024, 10, 22)
LONG_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = Wanted((600, 10), ("points",))
NOTHING = KnownCalls()


def game(n: int, tip: datetime, *, over: bool = True) -> Game:
    points = (100, 90) if over else (None, None)
    day = (tip - timedelta(hours=5)).date()
    return Game(f"00224{n:05d}", day, tip, TRICODES[2 * n % 30], TRICODES[(2 * n + 1) % 30], *points, None, None)


def events(*games: Game) -> dict[str, Event]:
    return {g.game_id: Event(f"e{g.game_id}", g.tip_off or LONG_AFTER, g.home, g.away) for g in games}


def kinds(calls: list[Call]) -> dict[str, int]:
    return dict(Counter(c.kind for c in calls))


SLATE = [game(n, datetime(2024, 10, 22, 23, 0, tzinfo=UTC) + timedelta(minutes=30 * (n // 2))) for n in range(8)]
TO_COME = [game(n, datetime(2024, 10, 23, 0, 0, tzinfo=UTC), over=False) for n in range(8)]
BEFORE = datetime(2024, 10, 22, 20, 0, tzinfo=UTC)


def bought(games: list[Game], wanted: Wanted, now: datetime, known: KnownCalls) -> list[Call]:
    of = events(*games)
    return odds_plan.slate_calls(games, of, wanted, now, known) + odds_plan.prop_calls(games, of, wanted, now, known)


def test_a_slate_of_game_lines_costs_three_credits_and_a_player_market_one_a_game() -> None:
    calls = bought(TO_COME, WANTED, BEFORE, NOTHING)
    assert kinds(calls) == {"slate_odds": 1, "event_odds": 8}
    assert [credits_of(c, 1) for c in calls] == [3] + [1] * 8
    assert sum(credits_of(c, 2) for c in calls) == 2 * (3 + 8)


def test_a_slate_of_the_past_costs_thirty_credits_a_snapshot() -> None:
    calls = odds_plan.slate_calls(SLATE, events(*SLATE), WANTED, LONG_AFTER, NOTHING)
    assert [c["date"] for c in calls] == [
        "2024-10-22T13:00:00Z",
        *(f"2024-10-2{d}:00Z" for d in ("2T22:50", "2T23:20", "2T23:50", "3T00:20")),
    ]
    assert {credits_of(c, 1) for c in calls} == {30}
    assert {credits_of(c, 1) for c in odds_plan.prop_calls(SLATE, events(*SLATE), WANTED, LONG_AFTER, NOTHING)} == {10}


def test_snapshots_serve_all_tip_offs_that_are_near_enough() -> None:
    tips = [datetime(2024, 10, 22, 23, 0, tzinfo=UTC) + timedelta(minutes=m) for m in (0, 30, 150, 151, 210)]
    assert [f"{at:%H:%M}" for at in shared_snapshots(tips, 600)] == ["13:00", "16:30"]
    assert len(shared_snapshots(tips, 10)) == 4  # 23:00, 23:30, 01:30 with 01:31, 02:30


def test_what_is_stored_is_not_bought_again() -> None:
    calls = bought(SLATE, WANTED, LONG_AFTER, NOTHING)
    assert bought(SLATE, WANTED, LONG_AFTER, NOTHING.with_answers(calls, LONG_AFTER)) == []


def test_a_market_that_is_configured_later_is_bought_alone() -> None:
    known = NOTHING.with_answers(bought(SLATE[:1], WANTED, LONG_AFTER, NOTHING), LONG_AFTER)
    more = bought(SLATE[:1], Wanted((600, 10), ("points", "rebounds")), LONG_AFTER, known)
    assert [(c.kind, c["markets"]) for c in more] == [("event_odds_at", "rebounds")] * 2


def test_answers_of_earlier_releases_had_all_markets_in_one_call() -> None:
    g = SLATE[0]
    old = [Call(plan.ODDS_API, "event_odds_at", f"{g.day}_e{g.game_id}_2024102{d}Z") for d in ("2T1300", "2T2250")]
    assert bought([g], Wanted((600, 10), ("points", "pra")), LONG_AFTER, NOTHING.with_answers(old, LONG_AFTER)) == []


def test_history_is_not_bought_where_lines_were_captured_live() -> None:
    live = bought(TO_COME, WANTED, BEFORE, NOTHING)
    over = [game(n, datetime(2024, 10, 23, 0, 0, tzinfo=UTC)) for n in range(8)]
    assert bought(over, WANTED, LONG_AFTER, NOTHING.with_answers(live, BEFORE)) == []


def test_a_slate_captured_after_a_tip_off_is_no_capture_of_that_game_and_one_before_it_is() -> None:
    first, second = (game(n, datetime(2024, 10, 22, hour, tzinfo=UTC)) for n, hour in ((0, 20), (1, 23)))
    slate = Call(plan.ODDS_API, odds_plan.SLATE, f"{OPENING}_now")
    wanted = Wanted((10,), ())
    between = datetime(2024, 10, 22, 21, 0, tzinfo=UTC)
    captured = NOTHING.with_answers([slate], between)
    assert [c["date"] for c in bought([first, second], wanted, LONG_AFTER, captured)] == ["2024-10-22T19:50:00Z"]
    before = NOTHING.with_answers([slate], BEFORE - timedelta(hours=1)).with_answers([slate], between)
    assert bought([first, second], wanted, LONG_AFTER, before) == []


def test_a_closing_line_can_be_bought_although_a_live_capture_exists_unless_that_is_as_late() -> None:
    live = bought(TO_COME, WANTED, BEFORE, NOTHING)
    over = [game(n, datetime(2024, 10, 23, 0, 0, tzinfo=UTC)) for n in range(8)]
    closing = Wanted((600, 10), ("points",), closing=True)
    early = bought(over, closing, LONG_AFTER, NOTHING.with_answers(live, BEFORE))
    assert {c["date"] for c in early} == {"2024-10-22T23:50:00Z"}
    assert kinds(early) == {"slate_odds_at": 1, "event_odds_at": 8}
    late = NOTHING.with_answers(live, datetime(2024, 10, 22, 23, 49, tzinfo=UTC))
    assert bought(over, closing, LONG_AFTER, late) == []


@pytest.mark.parametrize(("day", "asked"), [(date(2023, 5, 1), {"slate_odds_at"}), (date(2020, 3, 1), set())])
def test_markets_that_did_not_exist_at_a_moment_are_not_asked_for(day: date, asked: set[str]) -> None:
    g = game(1, datetime(day.year, day.month, day.day, 23, tzinfo=UTC))
    assert set(kinds(bought([g], WANTED, LONG_AFTER, NOTHING))) == asked
    assert (odds_plan.with_quotes([g], LONG_AFTER) == [g]) == bool(asked)
    assert bool(odds_plan.event_calls([g], (10,), LONG_AFTER, NOTHING.fetched)) == bool(asked)


def test_started_games_and_games_without_an_event_or_a_tip_off_have_no_lines_to_ask_for() -> None:
    now = datetime(2024, 10, 23, 1, tzinfo=UTC)
    assert bought(TO_COME, WANTED, now, NOTHING) == []
    assert odds_plan.event_calls(TO_COME, (10,), now, NOTHING.fetched) == []
    assert kinds(odds_plan.event_calls(TO_COME, (10,), BEFORE, NOTHING.fetched)) == {"events": 1}
    assert odds_plan.prop_calls(SLATE, {}, WANTED, LONG_AFTER, NOTHING) == []
    g = SLATE[0]
    unsettled = Game(g.game_id, g.day, None, g.home, g.away, 100, 90, None, None)
    assert bought([unsettled], WANTED, LONG_AFTER, NOTHING) == []


def test_without_markets_of_players_only_slates_are_bought() -> None:
    assert set(kinds(bought(SLATE, Wanted((10,), ()), LONG_AFTER, NOTHING))) == {"slate_odds_at"}


def test_a_second_list_of_events_is_asked_once_for_games_that_the_first_did_not_have() -> None:
    g = game(1, datetime(2023, 11, 2, 23, tzinfo=UTC))
    first = odds_plan.event_calls([g], (600, 10), LONG_AFTER, NOTHING.fetched)
    have = NOTHING.with_answers(first, LONG_AFTER)
    (second,) = odds_plan.later_event_calls([g], {}, (600, 10), LONG_AFTER, have.fetched)
    assert (second.key, second["date"]) == ("2023-11-02_20231102T2250Z", "2023-11-02T22:50:00Z")
    assert credits_of(second, 3) == 1
    assert odds_plan.later_event_calls([g], events(g), (600, 10), LONG_AFTER, have.fetched) == []
    both = have.with_answers([second], LONG_AFTER)
    assert odds_plan.later_event_calls([g], {}, (600, 10), LONG_AFTER, both.fetched) == []
    assert odds_plan.later_event_calls([g], {}, (600, 10), LONG_AFTER, NOTHING.fetched) == []


def test_only_configured_markets_are_in_the_requests() -> None:
    service = OddsApi(LiveSettings(odds_api_key="key"))
    slate, props, *_ = bought(TO_COME, Wanted((10,), ("points", "pra")), BEFORE, NOTHING)
    assert service.request(slate)["path"] == "v4/sports/basketball_nba/odds"
    assert service.request(slate)["parameters"]["markets"].split(",") == list(GAME_MARKETS)
    assert service.request(props)["parameters"]["markets"] == "player_points,player_points_rebounds_assists"


def test_other_services_of_the_same_form_have_another_path_and_other_ids() -> None:
    service = OddsApi(LiveSettings(odds_api_key="key", odds_version="v1"))
    g = SLATE[0]
    of = {g.game_id: Event("nba:2024/10/22#bos-nyk", g.tip_off or LONG_AFTER, g.home, g.away)}
    (call, *_) = odds_plan.prop_calls([g], of, WANTED, LONG_AFTER, NOTHING)
    assert call.key == f"{g.day}_nba-2024-10-22-bos-nyk_20241022T1300Z_points"
    assert service.request(call)["path"] == (
        "v1/historical/sports/basketball_nba/events/nba%3A2024%2F10%2F22%23bos-nyk/odds"
    )


def test_credits_are_read_from_the_answer_and_taken_as_published_where_it_is_silent() -> None:
    headers = {"x-requests-last": "3", "x-requests-remaining": "19997", "x-requests-used": "3"}
    assert stated_usage(headers, 30) == odds_plan_usage(3, 19997, 3)
    assert stated_usage({"x-ratelimit-remaining": "4595"}, 30) == odds_plan_usage(30, 4595, None)
    assert stated_usage({"x-requests-last": "much"}, 30) == odds_plan_usage(30, None, None)


def odds_plan_usage(credits: int, left: int | None, used: int | None):
    from nba_pipeline.sources.call_log import Usage

    return Usage(credits, left, used)
