"""Look up clubs by the full names that odds services and injury reports use."""

from functools import cache

ALSO = {"LA Clippers": "LAC", "LA Lakers": "LAL"}


@cache
def _tricodes() -> dict[str, str]:
    from nba_api.stats.static import teams  # optional: the extra `live`; plans of calls are read without it

    return {t["full_name"]: t["abbreviation"] for t in teams.get_teams()} | ALSO


def tricode_of(full_name: str | None) -> str | None:
    """Look up a tricode by full name; None for other teams (all-star teams, guests)."""
    return _tricodes().get((full_name or "").strip())


def full_names() -> dict[str, str]:
    """Return tricodes by full name."""
    return dict(_tricodes())
