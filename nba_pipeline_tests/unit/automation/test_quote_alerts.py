"""Players whom books quote and whom no team lists are reported by day and name."""

from datetime import date

from nba_pipeline.automation.quote_alerts import QuotedPlayer, quote_alerts, quote_notes

DAY, NEXT = date(2024, 10, 22), date(2024, 10, 23)


def test_a_day_with_players_who_are_quoted_without_a_forecast_is_one_alert_that_names_them() -> None:
    players = [QuotedPlayer(DAY, 7, "A One"), QuotedPlayer(DAY, 8, "B Two"), QuotedPlayer(NEXT, 7, "A One")]
    first, second = quote_alerts(players)
    assert (first.key, second.key) == ("quoted 2024-10-22", "quoted 2024-10-23")
    assert "2 players" in first.text
    assert "A One, B Two" in first.text
    assert "Fix:" in first.text


def test_the_note_counts_player_days_and_names_the_first() -> None:
    (note,) = quote_notes([QuotedPlayer(DAY, n, f"P {n}") for n in range(7)])
    assert "7 player-days" in note
    assert "P 4 (2024-10-22) and 2 more" in note
    assert quote_notes([]) == []
