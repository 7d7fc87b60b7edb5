"""Lines that a user has from elsewhere: files in the directory `lines` of the home, read beside those of the source."""

from pathlib import Path

from nba_pipeline.common.errors import SourceError
from nba_pipeline.sources.landing import GAME_LINES, PROP_LINES, SUFFIXES, Feed

DIRECTORY = "lines"
FEEDS = (PROP_LINES, GAME_LINES)


def feed_of(path: Path) -> Feed | None:
    """Return the feed whose name begins that of the file, such as `prop_lines_2024.csv`; None for another name."""
    return next((f for f in FEEDS if path.name.startswith(f.name) and path.name.endswith(SUFFIXES)), None)


def dropped_files(directory: Path | None, feed: Feed) -> list[Path]:
    """List the files of a feed in the directory.

    Raises:
        SourceError: The directory has a file whose name tells no feed.
    """
    if directory is None or not directory.is_dir():
        return []
    files = sorted(p for p in directory.iterdir() if p.is_file() and not p.name.startswith("."))
    strange = [p.name for p in files if feed_of(p) is None]
    if strange:
        raise SourceError(
            f"{directory}: {', '.join(strange)} is neither prop_lines*.csv nor game_lines*.csv (or .parquet, .csv.gz)",
            "rename or move it; nba-pipeline validate FILE checks a file",
        )
    return [p for p in files if feed_of(p) is feed]
