"""The frame of the harnesses: records are kept whole, a promise that was not tried does not hold, and the page shows figures."""

import subprocess
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.reliability import HARNESSES, __main__
from tools.reliability.page import reliability_page
from tools.reliability.proof import NotAvailableError, Proof, Record, Tally, commit_of, following, load, save

KEPT = Proof(
    "nothing is lost", "kill it", "invented league", 1200, 0, {"kills": 1200, "days": "2024-01-01..2024-01-31"}
)
BROKEN = Proof("nothing leaks", "plant a leak", "real data", 3, 1, examples=("the third | leaked",))
RECORD = Record("kills", "Writers that die", "full", date(2026, 1, 2), "0a1b2c3", (KEPT, BROKEN))


def test_a_record_is_kept_and_read_as_it_was(tmp_path: Path) -> None:
    save(RECORD, tmp_path)
    assert load(tmp_path) == {"kills": RECORD}


def test_a_promise_that_was_never_tried_does_not_hold() -> None:
    assert not Tally().proof("p", "m", "d").holds
    assert not Record("x", "y", "full", date(2026, 1, 2), "0a1b2c3", ()).holds


def test_a_tally_counts_cases_and_keeps_the_first_failures() -> None:
    tally = Tally()
    for i in range(30):
        tally.case(f"case {i}" if i % 2 else None)
    proof = tally.proof("p", "m", "d")
    assert (proof.cases, proof.failures, len(proof.examples), proof.holds) == (30, 15, 10, False)


def test_the_page_shows_every_promise_with_cases_and_failures_and_names_what_was_not_measured() -> None:
    page = reliability_page({"kills": RECORD}, ("storage", "kills"))
    assert (
        "| nothing is lost | kill it | invented league | 1,200 | holds; kills 1,200; days 2024-01-01..2024-01-31 |"
        in page
    )
    assert "| nothing leaks | plant a leak | real data | 3 | 1 failures |" in page
    assert "- nothing leaks: the third | leaked" in page
    assert "Not measured: storage." in page
    assert "Measured 2026-01-02 on commit 0a1b2c3, scale full." in page


@pytest.mark.integration
def test_a_record_names_the_commit_of_the_code_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    with pytest.raises(NotAvailableError, match="names the commit"):
        commit_of(tmp_path)
    for arguments in (["init", "-q"], ["add", "a.py"], ["commit", "-q", "-m", "Add a file"]):
        (tmp_path / "a.py").write_text("1\n")
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True)
    clean = commit_of(tmp_path)
    assert len(clean) == 7
    (tmp_path / "a.py").write_text("2\n")
    (tmp_path / "docs").mkdir()
    assert commit_of(tmp_path) == commit_of(tmp_path / "docs") == f"{clean} with changes"


def test_the_command_says_by_its_verdict_whether_a_promise_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_: str) -> list[Proof]:
        raise NotAvailableError("no real data")

    found = {"fine": lambda _: [KEPT], "bad": lambda _: [BROKEN], "absent": absent}
    monkeypatch.setattr(__main__, "commit_of", lambda _: "0a1b2c3")
    monkeypatch.setattr(
        __main__, "import_module", lambda name: SimpleNamespace(TITLE="t", prove=found[name.split(".")[-1]])
    )
    assert [__main__.run(name, "quick", tmp_path) for name in ("fine", "bad", "absent")] == [True, False, None]
    assert set(load(tmp_path)) == {"fine", "bad"}, "what was skipped leaves no record"


def test_every_harness_is_a_module_with_a_title() -> None:
    for name in HARNESSES:
        module = __main__.import_module(f"tools.reliability.{name}")
        assert module.TITLE and callable(module.prove)


def test_progress_loses_no_item() -> None:
    assert list(following(range(5), 5, "x")) == list(range(5))
