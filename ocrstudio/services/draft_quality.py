"""How good is a teacher? Its drafts are measured against the labels that were accepted in the end.

No run is needed for this: the workspace keeps every draft beside what a person made of it. A label that began
as a draft leans towards that draft, so the figures favour the teacher whose drafts were corrected.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from ocrstudio.evaluation.metrics import EditCount, count_character_edits, count_word_edits, pooled
from ocrstudio.evaluation.normalise import Normalisation
from ocrstudio.store import Workspace


@dataclass(frozen=True)
class DraftQuality:
    """The drafts of one source for one task.

    Attributes:
        source: ``teacher:<id>`` or ``student:<run>``.
        task: Task id.
        pages: Accepted pages that it has drafted; of several drafts of a page the newest counts.
        unchanged: How many of them were accepted without a change.
        cer: Character error rate over all these pages, the accepted labels being the reference.
        wer: Word error rate.
    """

    source: str
    task: str
    pages: int
    unchanged: int
    cer: float
    wer: float


def measure_drafts(
    ws: Workspace, latest: int | None = None, should_stop: Callable[[], bool] = lambda: False
) -> tuple[DraftQuality, ...]:
    """Measure every source that has drafted an accepted page; the one with the most pages comes first.

    Args:
        ws: The workspace.
        latest: Only so many pages, those whose labels are the newest; None for all.
        should_stop: Asked before each page; what was measured until then is returned.
    """
    rules = Normalisation()
    characters: dict[tuple[str, str], list[EditCount]] = defaultdict(list)
    words: dict[tuple[str, str], list[EditCount]] = defaultdict(list)
    for draft in ws.labels.drafts_of_accepted(latest):
        if should_stop():
            break
        reference, text = rules.apply(draft.label), rules.apply(draft.text)
        key = (draft.source, draft.task)
        characters[key].append(count_character_edits(reference, text))
        words[key].append(count_word_edits(reference, text))
    found = [
        DraftQuality(
            source=source,
            task=task,
            pages=len(counts),
            unchanged=sum(count.distance == 0 for count in counts),
            cer=pooled(counts).error_rate,
            wer=pooled(words[source, task]).error_rate,
        )
        for (source, task), counts in characters.items()
    ]
    return tuple(sorted(found, key=lambda each: (-each.pages, each.source, each.task)))
