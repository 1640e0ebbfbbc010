"""Drafts measured against the labels that were accepted, in a real workspace."""

import pytest

from ocrstudio.domain.label import NewRevision, teacher_source
from ocrstudio.services import labelling
from ocrstudio.services.draft_quality import measure_drafts
from ocrstudio.store import Workspace
from tests.fakes.workspaces import add_document


@pytest.fixture
def ws(tmp_path):
    with Workspace.create(tmp_path / "ws") as workspace:
        yield workspace


def draft(ws, page_id, text, teacher="offline", task="markdown"):
    labelling.add_draft(ws, page_id, NewRevision(text, teacher_source(teacher), task))


def test_drafts_are_measured_against_accepted_labels_only(ws):
    first, second, third = add_document(ws)
    draft(ws, first, "one too three")  # corrected: one edit of 13 characters, one word of three
    labelling.save_edit(ws, first, "one two three")
    labelling.accept(ws, first)
    draft(ws, second, "as it should be")
    labelling.accept(ws, second)
    draft(ws, third, "never looked at")
    (found,) = measure_drafts(ws)
    assert (found.source, found.task) == ("teacher:offline", "markdown")
    assert (found.pages, found.unchanged) == (2, 1)
    assert found.cer == pytest.approx(1 / 28)
    assert found.wer == pytest.approx(1 / 7)


def test_of_several_drafts_the_newest_counts_and_sources_stand_apart(ws):
    page, other, _ = add_document(ws)
    draft(ws, page, "bad")
    draft(ws, page, "good")
    labelling.accept(ws, page)
    draft(ws, page, "goad", teacher="api:model")  # kept beside the accepted label
    draft(ws, other, "fine")
    labelling.accept(ws, other)
    offline, api = measure_drafts(ws)
    assert (offline.source, offline.pages, offline.unchanged, offline.cer) == ("teacher:offline", 2, 2, 0)
    assert (api.source, api.pages, api.unchanged, api.cer) == ("teacher:api:model", 1, 0, 0.25)


def test_the_latest_pages_can_be_asked_for_and_removed_documents_do_not_count(ws):
    pages = add_document(ws)
    for page in pages:
        draft(ws, page, "text")
        labelling.accept(ws, page)
    assert measure_drafts(ws, latest=2)[0].pages == 2
    ws.documents.remove(ws.documents.list()[0].id)
    assert measure_drafts(ws) == ()
