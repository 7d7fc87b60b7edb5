"""Names, keys, columns, checks and crons that homes and dashboards depend on change only on purpose."""

import difflib

from nba_pipeline_tests.support import definitions_snapshot as snapshot


def test_the_definitions_are_those_of_the_committed_snapshot() -> None:
    expected, actual = snapshot.FILE.read_text(), snapshot.text()
    difference = "\n".join(
        difflib.unified_diff(expected.splitlines(), actual.splitlines(), "committed", "now", lineterm="", n=1)
    )
    assert not difference, f"the definitions changed:\n{difference}\nFix: if this is intended, run `{snapshot.RENEW}`"
