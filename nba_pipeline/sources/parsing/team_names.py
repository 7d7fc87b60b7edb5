"""Full names of the thirty clubs, as odds services and injury reports write them."""

from functools import cache

ALSO = {"LA Clippers": "LAC", "LA Lakers": "LAL"}


@cache
def _tricodes() -> dict[str, str]:
    from nba_api.stats.static import teams  # optional: the extra `live`; plans of calls are read without it

    return {t["full_name"]: t["abbreviation"] for t in teams.get_teams()} | ALSO


def tricode_of(full_name: str | None) -> str | None:
    """`Golden State Warriors` -> GSW; None for what is no club of the league (all-star teams, guests)."""
    return _tricodes().get((full_name or "").strip())


def full_names() -> dict[str, str]:
    """Full name -> tricode."""
    return dict(_tricodes())
