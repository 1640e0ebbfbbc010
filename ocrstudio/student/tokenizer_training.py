"""Learn a tokenizer for a small student: a byte-level BPE with the full-size model's special tokens."""

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from ocrstudio.student.tokenizer import BOS, EOS, IMAGE, PAD, TABLE_CELLS

# The order fixes the ids: begin 0, end 1, padding 2, image 3, as the small students' configurations say.
SPECIAL_TOKENS = (
    BOS,
    EOS,
    PAD,
    IMAGE,
    "<|ref|>",
    "<|/ref|>",
    "<|det|>",
    "<|/det|>",
    "<|grounding|>",
    *TABLE_CELLS,
    "<tr>",
    "</tr>",
    "<|User|>",
    "<|Assistant|>",
)


def train_tokenizer(texts: Iterable[str], size: int) -> Tokenizer:
    """Learn a vocabulary.

    Args:
        texts: What is tokenised later looks like them.
        size: Tokens, special ones and the 256 bytes included; fewer where the texts are short.

    Returns:
        A tokenizer that splits digits into groups of at most three, like the full-size model's.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\p{N}{1,3}"), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
