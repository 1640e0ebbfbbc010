"""LaTeX formulas in one form, so that what prints alike compares alike.

What is left out follows the formula normalisation of OmniDocBench's published scorer: delimiters,
environments and their spacing, tags, fonts, the sizes of brackets, and blanks. Two ways to write
one fraction stay different; what is compared is how a formula is written, not how it looks.
"""

import re
import unicodedata

_DELIMITED = re.compile(
    r"\A\s*(?:\$\$(.*?)\$\$|\\\[(.*?)\\\]|\$([^$]*)\$|\\\((.*?)\\\))[\s.,]*\Z",
    re.DOTALL,
)
_WITH_ARGUMENT = re.compile(r"\\(?:tag|label|hspace|begin|end)\*?\{[^{}]*\}")
_LAYOUT = re.compile(
    r"\\(?:math(?:bf|rm|normal|it|bb|cal|scr|frak|sf|tt|bfcal)|text(?:bf|rm|it)?|bold(?:math|symbol)|bm"
    r"|operatorname|symb(?:fit|f)|(?:script)?scriptstyle|displaystyle|notag|nonumber|left|right"
    r"|(?:thick|thin|med|nobreak|negmed|en)space|space|q?quad)(?![A-Za-z])"
    r"|\\[,;:! ]|\s+|&"
)

_ONE_IN_BRACES = re.compile(r"([\^_])\{(\w)\}")

_PUBLISHED_DELIMITERS = re.compile(r"\\\[(.+?)(?<!\\)\\\]")
_PUBLISHED_ARGUMENTS = re.compile(r"\\(?:tag|hspace|begin|end)\{.*?\}|\\arraycolsep.*?\}")
_PUBLISHED_COMMANDS = re.compile(
    r"\\(?:math(?:bf|rm|normal|it|bb|cal|scr|frak|sf|tt)|textbf|text|bold(?:math|symbol)|operatorname|bm"
    r"|symbfit|symbf|scriptscriptstyle|notag|setlength|coloneqq|(?:thick|thin|med|nobreak|negmed|en)?space"
    r"|q?quad|substackw|left|right|displaystyle)| |\$\$"
)


def normalise_latex(formula: str) -> str:
    """A formula without its delimiters, layout, fonts and blanks; NFC."""
    found = _DELIMITED.match(formula)
    if found is not None:
        formula = next(text for text in found.groups() if text is not None)
    formula = _WITH_ARGUMENT.sub("", unicodedata.normalize("NFC", formula))
    return _ONE_IN_BRACES.sub(r"\1\2", _LAYOUT.sub("", formula)).strip(".,")


def publish_latex(formula: str) -> str:
    r"""A formula as the published scorer compares it.

    There, commands are cut out of longer ones, too (``\rightarrow`` becomes ``arrow``), and capitals equal
    small letters.
    """
    formula = formula.strip().strip("$").strip("\n")
    found = _PUBLISHED_DELIMITERS.search(formula)
    if found is not None:
        formula = found[1].strip()
    formula = _PUBLISHED_ARGUMENTS.sub("", formula).strip(".")
    return _PUBLISHED_COMMANDS.sub("", formula).lower()
