"""Goes on with the review, and says so where it ends: never round the end without a word."""

from functools import partial
from pathlib import Path

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.wording import count_of
from ocrstudio.services import labelling
from ocrstudio.services.labelling import Decision
from ocrstudio.services.page_status import ReviewStep
from ocrstudio.ui.messages import Level, Message, Messages, Offer
from ocrstudio.ui.session import Session


def go_on(
    session: Session,
    messages: Messages,
    step: ReviewStep,
    *,
    what: str = "pages to review",
    done: str = "",
    backwards: bool = False,
) -> None:
    """Shows the next page, or says that there is none in this direction and where the others are.

    Args:
        session: What is open.
        messages: Where the end is said.
        step: What comes next.
        what: What is looked for, in the plural.
        done: A sentence on what was done just now, or empty.
        backwards: Whether the user goes backwards.
    """
    if step.page is not None:
        session.choose_page(step.page)
        return
    one_way, other_way = ("before", "after") if backwards else ("after", "before")
    text = f"No other {what}."
    if step.behind:
        text = f"No more {what} {one_way} this one: {len(step.behind):,} {other_way} it."
    offer = None
    if step.behind:
        words, target = (
            ("Go to the last", step.behind[-1]) if backwards else ("Go to the first", step.behind[0])
        )
        offer = Offer(words, partial(_go_to, session, session.root, target))
    hint = f"The filter of the list hides {step.hidden:,} more." if step.hidden else ""
    messages.post(Message(Level.INFO, f"{done} {text}".strip(), hint, offer))


def take_back(session: Session, messages: Messages, decision: Decision) -> None:
    """Undoes a decision about pages of the open workspace, and says what could not be undone."""
    try:
        undone = labelling.take_back(session.require(), decision)
    except OcrStudioError as problem:
        messages.failure(problem)
        return
    session.tell_pages_changed(undone)
    left = len(decision.before) - len(undone)
    hint = f"{count_of(left, 'page')} had been changed since and stayed so." if left else ""
    messages.info(f"{count_of(len(undone), 'page')} {'is' if len(undone) == 1 else 'are'} as before.", hint)


def _go_to(session: Session, root: Path, page_id: int) -> None:
    if session.is_at(root):
        session.choose_page(page_id)
