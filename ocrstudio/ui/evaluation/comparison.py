"""Two reports beside each other: on the pages that both have, with one truth, under one profile. No Qt."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ocrstudio.domain.names import nfc
from ocrstudio.domain.wording import count_of
from ocrstudio.evaluation.profiles import Profile, profile_named
from ocrstudio.evaluation.report import EvaluationReport, PageResult, rescored

_Identity = tuple[str, int, str]


@dataclass(frozen=True)
class Compared:
    """What is shown.

    Attributes:
        whole: All pages of the chosen report.
        this: The chosen report on the pages in common; all of it where nothing is compared.
        other: The other report on them; None where nothing is compared or no page is in common.
        before: Character error rates of the other report by the keys of the chosen one's pages.
        words: How texts were compared and on how many pages.
    """

    whole: EvaluationReport
    this: EvaluationReport
    other: EvaluationReport | None = None
    before: Mapping[str, float] = field(default_factory=dict)
    words: str = ""


def compare(report: EvaluationReport, other: EvaluationReport | None, profile: str | None) -> Compared:
    """Lay a report beside another one (slow where a profile changes: every page is measured again).

    Args:
        report: The chosen report.
        other: What it is compared with, if anything.
        profile: Name of the profile of both; None for the one that the chosen report was measured with.
    """
    rules: Profile = report.profile if profile is None else profile_named(profile)
    whole = rescored(report, rules)
    stated = f"Profile {rules.describe()}."
    if other is None:
        return Compared(whole, whole, words=stated)
    mine, theirs = _by_identity(report), _by_identity(other)
    common = mine.keys() & theirs.keys()
    if not common:
        return Compared(whole, whole, words=f"No page with the same label in both evaluations. {stated}")
    kept = {mine[identity].key for identity in common}
    others = {theirs[identity].key for identity in common}
    this = rescored(whole, rules, lambda page: page.key in kept)
    that = rescored(other, rules, lambda page: page.key in others)
    rates = {page.key: page.cer for page in that.pages}
    before = {mine[identity].key: rates[theirs[identity].key] for identity in common}
    return Compared(whole, this, that, before, f"{_extent(len(common), report, other)} {stated}")


def _by_identity(report: EvaluationReport) -> dict[_Identity, PageResult]:
    return {_identity(page): page for page in report.pages}


def _identity(page: PageResult) -> _Identity:
    """What makes two pages of two reports the same one: document, page and label."""
    name = (page.document, page.page) if page.document and page.page else (page.key, 0)
    return nfc(name[0]), name[1], nfc(page.reference).strip()


def _extent(common: int, report: EvaluationReport, other: EvaluationReport) -> str:
    if common == len(report.pages) == len(other.pages):
        return f"Compared on all {count_of(common, 'page')}."
    return (
        f"Compared on the {count_of(common, 'page')} that both have "
        f"(this one {len(report.pages)}, the other {len(other.pages)})."
    )
