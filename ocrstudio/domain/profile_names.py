"""The profiles that predictions are measured under, in words; `evaluation.profiles` has their rules."""

from collections.abc import Mapping

PROFILE_HELP: Mapping[str, str] = {
    "source": "The Markdown as it is written",
    "text": "Markup, the form of tables and line breaks within a paragraph make no difference",
    "omnidocbench": "Blocks, text and formulas as OmniDocBench's published scorer compares them",
    "olmocr": "Quotes, dashes, bold and italics are equal as for olmOCR-bench",
}
