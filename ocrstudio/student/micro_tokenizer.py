"""Make the micro student's tokenizer: ``python -m ocrstudio.student.micro_tokenizer FOLDER``.

A byte-level BPE like the full-size one (digits in groups of at most three, the same special tokens), learnt
from pages that this module writes itself: letters, lists, tables and formulas of everyday words. The result
is in ``resources/micro_student``; it is made again only when the pages or the size change.
"""

import random
import sys
from pathlib import Path

from tokenizers import Tokenizer

from ocrstudio.student.tokenizer import TOKENIZER_FILE
from ocrstudio.student.tokenizer_training import train_tokenizer

SIZE = 1280
_PAGES = 400
_WORDS = (
    "the of and to in a is that for it as was with be by on not his but at are this have from or had an "
    "they which one you were all her she there would their we him been has when who will no more if out "
    "so up said what its about than into them can only other new some could time these two may then do "
    "first any my now such like our over man me even most made after also did many before must through "
    "years where much your way well down should because each just those people how too little state good "
    "very make world still see own work men day get here between both life being under three never page "
    "table figure number report result method value data model line text image title section chapter "
    "document label price total amount date name address city country invoice order item quantity unit "
    "tax sum account bank payment due customer service company office school university city street north "
    "south east west water house garden river mountain morning evening winter summer spring autumn "
    "January February March April May June July August September October November December Monday Tuesday "
    "Wednesday Thursday Friday Saturday Sunday energy mass force light sound heat metal paper book letter "
    "word sentence language history science music picture colour red green blue black white yellow small "
    "large high low long short old young early late open close begin end left right near far fast slow "
    "hard soft clean dry convert markdown free grounding describe locate detail parse "
)
_LABELS = (
    "title",
    "sub_title",
    "text",
    "table",
    "image",
    "image_caption",
    "table_caption",
    "header",
    "footer",
)
_FORMULAS = (
    r"\[ E = mc^2 \]",
    r"\( x + y = z \)",
    r"\[ \frac{a}{b} \]",
    r"\( \alpha \le \beta \)",
    r"\( \sum_{i=1}^{n} x_i \)",
)


def write_pages(count: int, seed: int = 1) -> list[str]:
    """Pages in the model's answer language; the same for the same seed."""
    source = random.Random(seed)  # noqa: S311 (text, not cryptography)
    return [_page(source) for _ in range(count)]


def _page(source: random.Random) -> str:
    makers = (_paragraph, _paragraph, _list, _table, _markdown_table, _region, _formula)
    blocks = [f"# {_sentence(source, 3).title()}"]
    blocks += [source.choice(makers)(source) for _ in range(source.randint(3, 6))]
    return "\n\n".join(blocks)


def _sentence(source: random.Random, words: int | None = None) -> str:
    chosen = source.choices(_WORDS.split(), k=words or source.randint(5, 14))
    return " ".join(chosen)


def _number(source: random.Random) -> str:
    return source.choice(
        (
            str(source.randint(0, 2030)),
            f"{source.uniform(0, 999):.2f}",
            f"{source.randint(1, 28)}.{source.randint(1, 12)}.",
        )
    )


def _paragraph(source: random.Random) -> str:
    sentences = (
        f"{_sentence(source).capitalize()}{source.choice(('.', '.', ',', '?', '!', ':'))}" for _ in range(4)
    )
    return " ".join(sentences) + f" **{_sentence(source, 2)}** {_number(source)}"


def _list(source: random.Random) -> str:
    return "\n".join(
        f"{source.choice(('- ', '* ', '1. '))}{_sentence(source, 3)} ({_number(source)})" for _ in range(4)
    )


def _table(source: random.Random) -> str:
    rows = ("".join(f"<td>{_sentence(source, 1)} {_number(source)}</td>" for _ in range(3)) for _ in range(3))
    return "<table>" + "".join(f"<tr>{row}</tr>" for row in rows) + "</table>"


def _markdown_table(source: random.Random) -> str:
    rows = [[_sentence(source, 1), _number(source), f"{_number(source)} %"] for _ in range(3)]
    rows.insert(1, ["---"] * 3)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _region(source: random.Random) -> str:
    box = ", ".join(str(source.randint(0, 999)) for _ in range(4))
    return f"<|ref|>{source.choice(_LABELS)}<|/ref|><|det|>[[{box}]]<|/det|>\n{_sentence(source)}."


def _formula(source: random.Random) -> str:
    return f"{_sentence(source, 4)} {source.choice(_FORMULAS)} ![](images/{source.randint(0, 9)}.jpg)"


def train_micro_tokenizer() -> Tokenizer:
    """Learn the vocabulary from `write_pages`."""
    return train_tokenizer(write_pages(_PAGES), SIZE)


if __name__ == "__main__":
    train_micro_tokenizer().save(str(Path(sys.argv[1]) / TOKENIZER_FILE))
