"""The label of a page: the Markdown of its tree."""

import re

from ocrstudio.synthesis.blocks import Block, Blocks, Heading, Listing, Paragraph, Run, Text

# What Markdown would read as markup inside a line.
_MARKUP = re.compile(r"([\\`*_\[\]<>|])")
# What it would read as markup at the beginning of a paragraph.
_OPENING = re.compile(r"^(#{1,6}(?= )|[-+=](?= )|=+$|-+$|~{3})|^(\d{1,9})([.)])(?= )")


def to_markdown(blocks: Blocks) -> str:
    """The label, blocks apart by an empty line, with one line break at the end."""
    return "\n\n".join(map(_block, blocks)) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_line(block.text)}"
    if isinstance(block, Paragraph):
        return _OPENING.sub(_escape_opening, _line(block.text))
    if isinstance(block, Listing):
        marks = (
            (f"{n}." for n in range(1, len(block.items) + 1)) if block.ordered else ("-",) * len(block.items)
        )
        return "\n".join(f"{mark} {_line(item)}" for mark, item in zip(marks, block.items, strict=True))
    rows = [f"| {' | '.join(map(_line, row))} |" for row in block.rows]
    rows.insert(1, f"|{'---|' * len(block.rows[0])}")
    return "\n".join(rows)


def _escape_opening(found: re.Match[str]) -> str:
    return f"{found[2]}\\{found[3]}" if found[2] else f"\\{found[1]}"


def _line(text: Text) -> str:
    return "".join(
        _formula(text[start:stop]) if text[start].formula else _styled(text[start])
        for start, stop in _parts(text)
    )


def _parts(text: Text) -> list[tuple[int, int]]:
    """Runs one by one, those of a formula together."""
    parts: list[tuple[int, int]] = []
    for index, run in enumerate(text):
        if run.formula and index and text[index - 1].formula:
            parts[-1] = (parts[-1][0], index + 1)
        else:
            parts.append((index, index + 1))
    return parts


def _styled(run: Run) -> str:
    escaped = _MARKUP.sub(r"\\\1", run.text)
    return f"**{escaped}**" if run.bold else escaped


def _formula(runs: Text) -> str:
    return rf"\({''.join(f'^{{{run.text}}}' if run.raised else run.text for run in runs)}\)"
