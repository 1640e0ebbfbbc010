"""The plain text of a tree: what is printed, without markup."""

from ocrstudio.synthesis.blocks import Block, Blocks, Heading, Listing, Paragraph, Text


def to_text(blocks: Blocks) -> str:
    """Blocks apart by an empty line; items and rows a line each, cells apart by a blank."""
    return "\n\n".join(map(_block, blocks)) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Heading | Paragraph):
        return _line(block.text)
    if isinstance(block, Listing):
        marks = (
            [f"{n}." for n in range(1, len(block.items) + 1)] if block.ordered else ["•"] * len(block.items)
        )
        return "\n".join(f"{mark} {_line(item)}" for mark, item in zip(marks, block.items, strict=True))
    return "\n".join(" ".join(map(_line, row)) for row in block.rows)


def _line(text: Text) -> str:
    return "".join(run.text for run in text)
