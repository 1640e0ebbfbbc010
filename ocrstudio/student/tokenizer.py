"""The student's tokenizer, the full-size model's and the micro one alike.

It is built from ``tokenizer.json`` alone. The class that the public ``tokenizer_config.json`` names loses
spaces and line breaks in current transformers, and nothing adds the first token for us: begin, end and
padding are set here.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from ocrstudio.domain.errors import ModelError

TOKENIZER_FILE = "tokenizer.json"
# With the full-width bars and low blocks of the DeepSeek vocabulary.
BOS = "<\uff5cbegin\u2581of\u2581sentence\uff5c>"
EOS = "<\uff5cend\u2581of\u2581sentence\uff5c>"
PAD = "<\uff5c\u2581pad\u2581\uff5c>"
IMAGE = "<image>"
# Elements that a long table repeats on every row.
TABLE_CELLS = ("<td>", "</td>")
# Files of a model folder that describe the tokenizer or the preparation of pictures to other programs.
_COMPANIONS = (TOKENIZER_FILE, "tokenizer_config.json", "special_tokens_map.json", "processor_config.json")
# In a text they would end a sequence, or stand for a picture that is not there.
_CONTROL = re.compile("|".join(re.escape(token) for token in (BOS, EOS, PAD, IMAGE)))


class OcrTokenizer:
    """Text to ids and back.

    Attributes:
        backend: The library's tokenizer, where one is asked for (padding on the left).
        bos_id: First id of every sequence.
        eos_id: Id that ends an answer.
        pad_id: Id that fills batches.
        image_id: Placeholder of image features.
    """

    def __init__(self, folder: Path) -> None:
        """Read the tokenizer of a model folder.

        Raises:
            ModelError: The file is missing or damaged, or lacks one of the model's tokens.
        """
        file = folder / TOKENIZER_FILE
        if not file.is_file():
            raise ModelError(
                f"The model folder {folder} holds no {TOKENIZER_FILE}.",
                "Copy or download the model folder again.",
            )
        try:
            self.backend = PreTrainedTokenizerFast(
                tokenizer_file=str(file),
                bos_token=BOS,
                eos_token=EOS,
                pad_token=PAD,
                padding_side="left",
                clean_up_tokenization_spaces=False,
            )
        except Exception as error:  # the library raises nothing narrower for a damaged file
            raise ModelError(
                f"The tokenizer {file} cannot be read: {error}.", "Copy or download the model folder again."
            ) from error
        self._folder = folder
        vocabulary = self.backend.get_vocab()
        self.vocabulary_size = max(vocabulary.values()) + 1
        try:
            self.bos_id, self.eos_id, self.pad_id, self.image_id = (
                vocabulary[token] for token in (BOS, EOS, PAD, IMAGE)
            )
        except KeyError as error:
            raise ModelError(
                f"The tokenizer {file} has no token {error.args[0]!r}.",
                "Only DeepSeek-OCR tokenizers can be used.",
            ) from error

    def encode(self, text: str) -> list[int]:
        """Ids of a text, nothing added.

        Tags of the model's grammar (``<|ref|>``, ``<td>`` and others) become their single ids. Control tokens
        that happen to stand in the text are written as ordinary characters.
        """
        ids: list[int] = []
        start = 0
        for match in _CONTROL.finditer(text):
            # Cut behind the opening bracket, neither half is a control token.
            ids += self._plain(text[start : match.start() + 1])
            start = match.start() + 1
        return ids + self._plain(text[start:])

    def _plain(self, text: str) -> list[int]:
        return list(self.backend.encode(text, add_special_tokens=False)) if text else []

    def decode(self, ids: Sequence[int]) -> str:
        """Text of an answer: up to the first end token, tags kept, padding and begin token left out."""
        kept = []
        for token in ids:
            if token == self.eos_id:
                break
            if token not in (self.bos_id, self.pad_id):
                kept.append(token)
        return str(self.backend.decode(kept, skip_special_tokens=False))

    def ids_of(self, tokens: Sequence[str]) -> tuple[int, ...]:
        """Ids of single tokens; those that the vocabulary lacks are left out."""
        vocabulary = self.backend.get_vocab()
        return tuple(vocabulary[token] for token in tokens if token in vocabulary)

    def copy_files(self, target: Path) -> None:
        """Copy the tokenizer's files to another model folder."""
        for name in _COMPANIONS:
            source = self._folder / name
            if source.is_file():
                shutil.copyfile(source, target / name)
