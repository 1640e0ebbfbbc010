"""A draft together with what its check says of it, or the sentence that takes its place."""

from dataclasses import replace

from ocrstudio.teachers.base import Draft, PageSource
from ocrstudio.teachers.draft_check import CHECK, FLAGS, DraftCheck, Verdict, check_draft
from ocrstudio.teachers.errors import EmptyAnswerError
from ocrstudio.teachers.page_ink import PageInk

_HINT = "If there is nothing to read on it, exclude it; else use another teacher or task."


def checked(
    page: PageSource, answer: Draft | EmptyAnswerError, measured: PageInk | str, *, whole_page: bool = True
) -> Draft | EmptyAnswerError:
    """Hold an answer against its page.

    Args:
        page: The page.
        answer: The draft, or the teacher's word that there is no text.
        measured: What the page shows, or why that is not known.
        whole_page: Whether the task asks for all text of the page.

    Returns:
        The draft with the check in its parameters and its flag; an error for one without text, unless the
        page is blank.
    """
    draft = answer if isinstance(answer, Draft) else answer.draft or Draft("")
    check = check_draft(draft, measured, whole_page=whole_page)
    marked = _marked(draft, check)
    if check.verdict is Verdict.BLANK:
        return replace(marked, text="", remarks=(*draft.remarks, f"{page.key} is blank."))
    if check.verdict is not Verdict.EMPTY:
        return marked
    if isinstance(answer, EmptyAnswerError) and isinstance(measured, str):
        return answer  # nothing more is known than what the teacher said
    return EmptyAnswerError(f"{page.key}: {check.sentence}", _HINT, marked)


def _marked(draft: Draft, check: DraftCheck) -> Draft:
    flag = FLAGS.get(check.verdict)
    flags = draft.flags if flag is None or flag in draft.flags else (*draft.flags, flag)
    return replace(draft, flags=flags, parameters={**draft.parameters, CHECK: check.record()})
