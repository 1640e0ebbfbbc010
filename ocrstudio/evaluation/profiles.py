"""Profiles: what counts as equal, and how blocks are measured, under a name that every report states.

A figure means nothing without them: one and the same table as HTML and as pipes is 94 % wrong as written, and
right as text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from ocrstudio.domain.errors import InputError
from ocrstudio.evaluation.block_scores import BlockScores, score_blocks
from ocrstudio.evaluation.normalise import Normalisation
from ocrstudio.evaluation.omnidocbench import score_published
from ocrstudio.settings.scoring import ScoringConfig

DEFAULT_PROFILE = "source"


@dataclass(frozen=True)
class Profile:
    """How pages are compared.

    Attributes:
        name: Its name; the switches below may differ from those that the name stands for.
        rules: What is made equal before two texts are compared.
        published: Whether blocks are measured as OmniDocBench's scorer does.
    """

    name: str
    rules: Normalisation
    published: bool = False

    def score(self, reference: str, prediction: str) -> BlockScores:
        """The figures of a page that are measured block by block."""
        if self.published:
            return score_published(reference, prediction)
        return score_blocks(reference, prediction, self.rules)

    @property
    def title(self) -> str:
        """Its name, and whether switches were changed."""
        known = PROFILES.get(self.name)
        return self.name if known is not None and known.rules == self.rules else f"{self.name}, changed"

    def describe(self) -> str:
        """One line for people, such as ``source (NFC, markup kept, white space collapsed)``."""
        blocks = ", blocks as OmniDocBench measures them" if self.published else ""
        return f"{self.title} ({self.rules.describe()}{blocks})"

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "name": self.name,
            "published": self.published,
            "rules": self.rules.to_dict(),
            "in_words": self.describe(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(data["name"], Normalisation.from_dict(data["rules"]), bool(data["published"]))


_TEXT = Normalisation(unify_tables=True, strip_markup=True, white_space="flat")
PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("source", Normalisation()),
        Profile("text", _TEXT),
        Profile("omnidocbench", replace(_TEXT, letters_only=True), published=True),
        Profile("olmocr", Normalisation(strip_emphasis=True, ascii_marks=True, white_space="flat")),
    )
}
"""All profiles by name; the first one is the default."""


def profile_named(name: str, switches: Mapping[str, Any] | None = None) -> Profile:
    """A profile, with some of its switches changed.

    Args:
        name: One of `PROFILES`.
        switches: Fields of `Normalisation` that win over those of the profile; None as a value leaves one.

    Raises:
        InputError: There is no such profile or switch.
    """
    profile = PROFILES.get(name)
    if profile is None:
        raise InputError(f"There is no profile {name!r}.", f"Choose one of {', '.join(PROFILES)}.")
    changes = {key: value for key, value in (switches or {}).items() if value is not None}
    unknown = changes.keys() - {field.name for field in fields(Normalisation)}
    if unknown:
        raise InputError(f"There is no switch {min(unknown)!r} of a profile.", "See docs/metrics.md.")
    return replace(profile, rules=replace(profile.rules, **changes))


def profile_of(scoring: ScoringConfig) -> Profile:
    """The profile that a configuration describes."""
    switches = scoring.model_dump()
    return profile_named(switches.pop("profile"), switches)
