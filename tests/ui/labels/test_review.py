"""The review in the composed window: what is accepted, where it goes on, and what can be taken back."""

from dataclasses import replace

import pytest

from ocrstudio.domain.document import PageStatus
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
from ocrstudio.ui.labels import controller
from tests.fakes.window import button, draft


def pages_of(studio):
    return [row.page.id for row in studio.session.workspace.pages.list()]


def status_of(studio, page_id):
    return studio.session.workspace.pages.get(page_id).status


def accept(studio):
    studio.window.book["review.accept"].trigger()


def show_only(studio, status):
    studio.window.pages._chips[status].setChecked(True)


def test_a_draft_that_came_unseen_is_shown_and_not_accepted(opened, qtbot, workspace_root, monkeypatch):
    page = opened.session.page_id
    with Workspace.open(workspace_root) as batch:
        labelling.add_draft(batch, page, draft(8))
    accept(opened)
    assert opened.session.page_id == page
    assert status_of(opened, page) is PageStatus.DRAFT
    assert opened.window.labels.editor.text == draft(8).text
    assert "Nothing was accepted" in opened.window.message_stack.text
    monkeypatch.setattr(controller, "_LOOK_SECONDS", 0.0)
    accept(opened)
    assert status_of(opened, page) is PageStatus.ACCEPTED


def test_a_key_pressed_as_a_draft_comes_was_not_meant_for_it(opened):
    page = opened.session.page_id
    labelling.add_draft(opened.session.workspace, page, draft(8))
    opened.session.tell_pages_changed((page,))
    assert opened.window.labels.editor.text == draft(8).text
    accept(opened)
    assert status_of(opened, page) is PageStatus.DRAFT
    assert "has just come" in opened.window.message_stack.text


def test_who_has_written_into_a_draft_has_seen_it(opened):
    page = opened.session.page_id
    labelling.add_draft(opened.session.workspace, page, draft(8))
    opened.session.tell_pages_changed((page,))
    opened.window.labels.editor.insertPlainText("Corrected. ")
    accept(opened)
    assert status_of(opened, page) is PageStatus.ACCEPTED


def test_a_draft_for_an_empty_page_is_not_accepted_unseen(opened, workspace_root):
    page = opened.session.page_id
    opened.session.choose_page(None)
    workspace = opened.session.workspace
    workspace._database.write(
        "UPDATE pages SET revision_id = NULL, status = 'unlabelled' WHERE id = ?", (page,)
    )
    opened.session.choose_page(page)
    labelling.add_draft(workspace, page, draft(8))
    accept(opened)
    assert status_of(opened, page) is PageStatus.DRAFT


def test_after_a_correction_the_review_goes_on_forwards(opened, qtbot):
    first, second, third, _ = pages_of(opened)
    labelling.flag(opened.session.workspace, first, "a doubt")
    opened.session.choose_page(second)
    opened.window.labels.show_tab(0)
    qtbot.keyClicks(opened.window.labels.editor, "Corrected. ")
    accept(opened)
    assert opened.session.page_id == third


def test_the_end_of_the_review_is_said_and_offers_the_pages_before(opened, qtbot):
    pages = pages_of(opened)
    opened.session.choose_page(pages[-1])
    accept(opened)
    assert opened.session.page_id == pages[-1]
    assert (
        "Accepted. No more pages to review after this one: 3 before it." in opened.window.message_stack.text
    )
    button(opened.window.message_stack, "Go to the first").click()
    assert opened.session.page_id == pages[0]


def test_the_review_stays_among_the_pages_that_the_list_shows(opened):
    _, second, _, fourth = pages_of(opened)
    for page in (second, fourth):
        labelling.flag(opened.session.workspace, page, "a doubt")
    opened.session.tell_pages_changed((second, fourth))
    show_only(opened, PageStatus.FLAGGED)
    opened.session.choose_page(second)
    accept(opened)
    assert opened.session.page_id == fourth, "and not the draft between them"
    accept(opened)
    assert "The filter of the list hides 2 more." in opened.window.message_stack.text


def test_flagged_pages_come_when_they_are_asked_for(opened):
    first, second, _, fourth = pages_of(opened)
    for page in (first, fourth):
        labelling.flag(opened.session.workspace, page, "a doubt")
    opened.session.choose_page(second)
    opened.window.book["review.next_flagged"].trigger()
    assert opened.session.page_id == fourth
    opened.window.book["review.next_flagged"].trigger()
    assert "No more flagged pages after this one: 1 before it." in opened.window.message_stack.text


def test_an_accepted_page_edited_and_undone_is_accepted_again(opened, qtbot):
    page = opened.session.page_id
    accept(opened)
    opened.session.choose_page(page)
    opened.window.labels.show_tab(0)
    qtbot.keyClicks(opened.window.labels.editor, "x")
    opened.labels.save_now()
    assert status_of(opened, page) is PageStatus.IN_REVIEW
    opened.window.book["edit.undo"].trigger()
    opened.labels.save_now()
    assert status_of(opened, page) is PageStatus.ACCEPTED
    assert "Accepted" in opened.window.labels.source_line.words


@pytest.mark.parametrize("action", ["review.reopen", "review.exclude"])
def test_a_decision_can_be_taken_back(opened, action):
    page = opened.session.page_id
    labelling.accept(opened.session.workspace, page)
    opened.window.book[action].trigger()
    assert status_of(opened, page) is not PageStatus.ACCEPTED
    button(opened.window.message_stack, "Undo").click()
    assert status_of(opened, page) is PageStatus.ACCEPTED
    assert opened.window.pages.model.row_of(page).page.status is PageStatus.ACCEPTED


def boxes(studio):
    return len(studio.window.viewer.view._regions)


def test_boxes_of_a_draft_kept_beside_are_not_drawn_over_a_label(opened, qtbot):
    page, workspace = opened.session.page_id, opened.session.workspace
    assert boxes(opened) == 2
    labelling.add_draft(workspace, page, replace(draft(0), regions=(), text="without boxes"))
    opened.session.tell_pages_changed((page,))
    assert boxes(opened) == 0
    opened.window.labels.show_tab(0)
    qtbot.keyClicks(opened.window.labels.editor, "typed ")
    opened.labels.save_now()
    labelling.add_draft(workspace, page, draft(0))  # kept beside what was typed
    opened.session.tell_pages_changed((page,))
    assert boxes(opened) == 0


def test_boxes_stay_while_their_text_is_corrected(opened, qtbot):
    opened.window.labels.show_tab(0)
    qtbot.keyClicks(opened.window.labels.editor, "x")
    opened.labels.save_now()
    assert boxes(opened) == 2
