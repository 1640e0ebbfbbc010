"""The tree as the HTML that MuPDF's Story sets."""

from html import escape

from ocrstudio.synthesis.blocks import Block, Blocks, Heading, Listing, Paragraph, Run, Text


def to_html(blocks: Blocks) -> str:
    """The body of a page."""
    return "".join(map(_block, blocks))


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_inline(block.text)}</h{block.level}>"
    if isinstance(block, Paragraph):
        return f"<p>{_inline(block.text)}</p>"
    if isinstance(block, Listing):
        tag = "ol" if block.ordered else "ul"
        return f"<{tag}>{''.join(f'<li>{_inline(item)}</li>' for item in block.items)}</{tag}>"
    head, *body = block.rows
    return f"<table>{_row(head, 'th')}{''.join(_row(row, 'td') for row in body)}</table>"


def _row(cells: tuple[Text, ...], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{_inline(cell)}</{tag}>' for cell in cells)}</tr>"


def _inline(text: Text) -> str:
    return "".join(map(_run, text))


def _run(run: Run) -> str:
    content = escape(run.text, quote=False)
    if run.raised:
        return f"<sup>{content}</sup>"
    if run.formula:
        return f"<i>{content}</i>"
    return f"<b>{content}</b>" if run.bold else content
