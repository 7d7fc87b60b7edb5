"""Form of a statistic before a day: means, spread, recency-weighted mean, and rates balanced with the year."""

import pandas as pd

from tools.recompute.history import before, in_last_days, last_games

PLAYER = ["player_id", "season"]
HALF_LIFE, YEAR = 8, 365


class Form:
    """The history of all players, looked up for listed rows; `facts` have a column per statistic and `minutes_played`."""

    def __init__(self, rows: pd.DataFrame, facts: pd.DataFrame, statistics: list[str]) -> None:
        squares = {f"{s}_squared": facts[s].astype(float) ** 2 for s in statistics}
        self.facts = facts.assign(**squares, league=0)
        self.rows = rows.assign(league=0)
        columns = [*statistics, *squares]
        self.of = {
            n: before(rows, "game_date", last_games(self.facts, PLAYER, columns, n or 10_000), PLAYER)
            for n in (3, 5, 10, 0)
        }
        own, everybody = ["player_id"], ["league"]
        self.year = in_last_days(self.rows, "game_date", self.facts, own, statistics, YEAR)
        days = self.facts.groupby(["league", "game_date"], as_index=False)[statistics].sum()
        self.league = in_last_days(self.rows, "game_date", days, everybody, statistics, YEAR)

    def mean(self, statistic: str, last: int, at_least: int) -> pd.Series:
        """Return the mean of the last games, all of the season with 0."""
        found = self.of[last]
        return (found[statistic] / found.games).where(found.games >= at_least)

    def spread(self, statistic: str) -> pd.Series:
        """Return the sample standard deviation of the last ten games, from five on."""
        found = self.of[10]
        variance = (found[f"{statistic}_squared"] - found[statistic] ** 2 / found.games) / (found.games - 1)
        return variance.clip(lower=0).pow(0.5).where(found.games >= 5)

    def ewma(self, statistic: str) -> pd.Series:
        """Return the mean of the season in which the weight of a game is halved every eight games."""
        games = self.facts.sort_values("game_date")
        decay = 0.5 ** (1 / HALF_LIFE)
        weighted = games.groupby(PLAYER)[statistic].apply(lambda s: s.astype(float).ewm(alpha=1 - decay).mean())
        running = games[[*PLAYER, "game_date"]].assign(value=weighted.droplevel(list(range(len(PLAYER)))))
        return before(self.rows, "game_date", running, PLAYER).value

    def form(self, statistic: str) -> pd.Series:
        """Return the recency-weighted mean, balanced with two games at the mean of the year."""
        games = self.of[0].games.fillna(0)
        decay = 0.5 ** (1 / HALF_LIFE)
        weight = (1 - decay**games) / (1 - decay)
        mean = self.year[statistic] / self.year.games.where(self.year.games > 0)
        return (weight * self.ewma(statistic).fillna(0) + 2 * mean) / (weight + 2)

    def per_minute_year(self, statistic: str) -> pd.Series:
        """Return the rate of the year, balanced with 75 minutes at the rate of all players."""
        everybody = self.league[statistic] / self.league.minutes_played
        rate = (self.year[statistic] + 75 * everybody) / (self.year.minutes_played + 75)
        return rate.where(self.year.games > 0)

    def per_minute(self, statistic: str) -> pd.Series:
        """Return the rate of the season, balanced with 250 minutes at the rate of the year."""
        season = self.of[0][[statistic, "minutes_played"]].fillna(0)
        return (season[statistic] + 250 * self.per_minute_year(statistic)) / (season.minutes_played + 250)
