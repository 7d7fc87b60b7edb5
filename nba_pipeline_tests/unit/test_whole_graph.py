"""The measures of the whole graph stand beside those of another checkout."""

from benchmarks.whole_graph import lines


def test_every_row_has_the_median_of_its_rounds_and_the_share_of_the_baseline() -> None:
    before = [{"seasons, s": s, "days an hour": 100_000.0} for s in (200.0, 240.0, 1000.0)]
    now = [{"seasons, s": s, "days an hour": 250_000.0} for s in (60.0, 50.0, 70.0)]
    head, seasons, features = lines([before, now])
    assert head.split() == ["before", "now", "now/before"]
    assert seasons.split() == ["seasons,", "s", "240.0", "60.0", "0.25"]
    assert features.split() == ["days", "an", "hour", "100,000", "250,000", "2.50"]


def test_a_checkout_alone_has_no_share() -> None:
    head, row = lines([[{"seasons, s": 5.0}]])
    assert (head.split(), row.split()) == (["now"], ["seasons,", "s", "5.00"])
