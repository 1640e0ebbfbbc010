"""How texts are compared when predictions are measured; defaults of a switch are those of the profile."""

from typing import Literal

from pydantic import Field

from ocrstudio.settings.base import Section


class ScoringConfig(Section):
    """The profile, and switches that differ from it; what they mean is in docs/metrics.md."""

    profile: Literal["source", "text", "omnidocbench", "olmocr"] = Field(
        description="What counts as equal: the Markdown as written, its text, or as a benchmark has it."
    )
    unicode_form: Literal["none", "NFC", "NFKC"] | None = Field(
        description="Unicode form of both texts; NFKC makes widths and ligatures equal. "
        "Empty: as the profile."
    )
    unify_tables: bool | None = Field(
        description="HTML tables equal pipe tables with the same cells. Empty: as the profile."
    )
    strip_markup: bool | None = Field(
        description="Markdown marks and HTML tags are left out. Empty: as the profile."
    )
    strip_emphasis: bool | None = Field(
        description="Only the marks of bold and italic text are left out. Empty: as the profile."
    )
    ascii_marks: bool | None = Field(
        description="Typographic quotes and dashes equal those of a keyboard. Empty: as the profile."
    )
    letters_only: bool | None = Field(
        description="Only letters, digits and white space count. Empty: as the profile."
    )
    fold_case: bool | None = Field(description="Capitals and small letters are equal. Empty: as the profile.")
    white_space: Literal["keep", "collapse", "flat", "remove"] | None = Field(
        description="White space: kept, runs as one blank or line end, line breaks as blanks, or left out. "
        "Empty: as the profile."
    )
