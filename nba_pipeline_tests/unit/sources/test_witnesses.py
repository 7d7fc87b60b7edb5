"""Every service has a document that exists, and only a document shows that the service answers."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from nba_pipeline.sources.calls import SERVICES
from nba_pipeline.sources.parsing.values import PayloadError
from nba_pipeline.sources.payloads import PayloadStore
from nba_pipeline.sources.plan import CDN_BOX_SCORE, INJURY_REPORTS, NBA_CDN, Call
from nba_pipeline.sources.witnesses import KNOWN, require_document, witnesses

AT = datetime(2024, 11, 6, 12, tzinfo=UTC)
NEWEST = {
    (INJURY_REPORTS, "report"): ("2024-11-05_1730", ("file", "Injury-Report_2024-11-05_05PM.pdf")),
    (NBA_CDN, CDN_BOX_SCORE): ("0022400101", ("game_id", "0022400101")),
}


@pytest.mark.parametrize("source", SERVICES)
def test_without_a_stored_document_one_of_the_past_is_asked_for(tmp_path: Path, source: str) -> None:
    assert witnesses(source, PayloadStore(tmp_path)) == [KNOWN[source]] and KNOWN[source].source == source


@pytest.mark.parametrize("source", SERVICES)
def test_stored_answers_of_any_service_and_kind_are_no_fault(tmp_path: Path, source: str) -> None:
    store = PayloadStore(tmp_path)
    store.keep(source, KNOWN[source].kind, KNOWN[source].key, b"{}", AT, {})
    assert witnesses(source, store)[-1] == KNOWN[source]


@pytest.mark.parametrize(("source", "kind"), NEWEST)
def test_the_newest_stored_document_is_asked_for_first(tmp_path: Path, source: str, kind: str) -> None:
    store, (key, argument) = PayloadStore(tmp_path), NEWEST[source, kind]
    for stored in (KNOWN[source].key, key):
        store.keep(source, kind, stored, b"{}", AT, {})
    assert witnesses(source, store) == [Call(source, kind, key, (argument,)), KNOWN[source]]


@pytest.mark.parametrize("page", [b"<html>Access Denied</html>", b"", b"blocked"])
@pytest.mark.parametrize("source", SERVICES)
def test_a_page_with_status_200_is_no_document(source: str, page: bytes) -> None:
    with pytest.raises(PayloadError):
        require_document(KNOWN[source], page)
    require_document(KNOWN[source], b"%PDF-1.4" if source == INJURY_REPORTS else b"{}")
