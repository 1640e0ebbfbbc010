"""The records of an evaluation: a page to score, a page's scores, and the figures of the whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ocrstudio.domain.page_files import document_of_file, page_of_file
from ocrstudio.evaluation.block_scores import BlockScores
from ocrstudio.evaluation.bootstrap import Interval
from ocrstudio.evaluation.profiles import Profile

Flag = Literal["missing", "empty_prediction", "empty_reference", "runaway", "truncated"]


@dataclass(frozen=True)
class Pair:
    """A page to score.

    Attributes:
        key: Identifies the page within the report.
        document: Its document, or empty.
        page: Its page counted from one, or 0 when unknown.
        reference: The true text.
        prediction: The predicted text, or None when there is none.
        truncated: Whether the generation ended at its token limit.
        error: Why there is no prediction, or empty.
    """

    key: str
    reference: str
    prediction: str | None
    document: str = ""
    page: int = 0
    truncated: bool = False
    error: str = ""

    @classmethod
    def of_picture(
        cls,
        image_name: str,
        reference: str,
        prediction: str | None,
        *,
        key: str,
        truncated: bool = False,
        error: str = "",
    ) -> "Pair":
        """A page of a dataset; document and page are what the name of its picture says."""
        page = page_of_file(image_name)
        return cls(
            key=key,
            reference=reference,
            prediction=prediction,
            document=document_of_file(image_name) or "",
            page=page[1] if page else 0,
            truncated=truncated,
            error=error,
        )


@dataclass(frozen=True, kw_only=True)
class PageResult(BlockScores):
    """The scores of a page; the texts are as they came, the scores are of the normalised ones.

    Attributes:
        cer: Character error rate; above 1 when the prediction is much too long.
        wer: Word error rate.
        ned: Normalised edit distance of the whole page, between 0 and 1.
        flags: What was noticed.
    """

    key: str
    document: str
    page: int
    reference: str
    prediction: str | None
    cer: float
    wer: float
    ned: float
    flags: tuple[Flag, ...]
    error: str = ""


@dataclass(frozen=True)
class ErrorRate:
    """An error rate over all pages.

    Attributes:
        corpus: All edits by all of the reference's characters (or words): long pages weigh more.
        median: Of the pages' rates.
        capped_mean: Mean of the pages' rates, none above 1.
        interval: 95 % interval of `corpus`, or None for a single page.
    """

    corpus: float
    median: float
    capped_mean: float
    interval: Interval | None


@dataclass(frozen=True, kw_only=True)
class Overall(BlockScores):
    """The figures of a report; rates of pages are shares of all pages.

    The figures of blocks are means over the pages that have something of the kind, pages without a prediction
    included; None when there is no such page. The numbers of blocks are sums.

    Attributes:
        pages: Number of pages, missing ones included.
        missing: Pages without a prediction.
        runaway_rate: Share of pages whose prediction repeats itself without end.
        truncated_rate: Share of pages whose generation ended at its token limit.
        exact_rate: Share of pages without any error.
        characters: Characters of all references, normalised.
        cer: Character error rate.
        wer: Word error rate.
        ned: Mean normalised edit distance of whole pages.
    """

    pages: int
    missing: int
    runaway_rate: float
    truncated_rate: float
    exact_rate: float
    characters: int
    cer: ErrorRate
    wer: ErrorRate
    ned: float


@dataclass(frozen=True)
class EvaluationReport:
    """What was measured, and how.

    Attributes:
        overall: The figures.
        profile: What was made equal first, and how blocks were measured.
        seed: Seed of the resampling behind the intervals.
        pages: One record for each page, in the order given.
        title: What was evaluated, in words.
        system: What made the predictions: model, adapter, and every setting that changes an answer.
    """

    overall: Overall
    profile: Profile
    seed: int
    pages: tuple[PageResult, ...]
    title: str = ""
    system: Mapping[str, Any] = field(default_factory=dict)
