import json
import os
from pathlib import Path

import pytest

from ocrstudio.domain.errors import ModelError
from ocrstudio.imaging.presets import PRESETS
from ocrstudio.student.micro import micro_folder
from ocrstudio.student.micro_tokenizer import train_micro_tokenizer
from ocrstudio.student.processor import OcrProcessor
from ocrstudio.student.tokenizer import BOS, EOS, IMAGE, OcrTokenizer
from ocrstudio.student.tokenizer_training import SPECIAL_TOKENS

PUBLIC_FOLDER = os.environ.get("OCRSTUDIO_TOKENIZER_DIR")
REFERENCE = json.loads((Path(__file__).parents[1] / "data" / "parity" / "preprocess.json").read_text())


@pytest.fixture(scope="module")
def tokenizer():
    return OcrTokenizer(micro_folder())


@pytest.mark.parametrize(
    "text",
    [
        "\nConvert this document to markdown.",
        "# Title\n\n<table><tr><td>12345</td><td>a  b</td></tr></table>",
        "<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/det|>\nHello  world",
        "한국어 문서 OCR,日本語, naïve café €",
        r"\[ E = mc^2 \]",
        "tabs\tand trailing blanks  \n",
    ],
)
def test_text_comes_back_as_it_went_in(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@pytest.mark.parametrize("text", [f"see {IMAGE} here", f"{EOS}{BOS}", f"a{IMAGE}{IMAGE}b{EOS}"])
def test_control_tokens_in_a_text_are_characters(tokenizer, text):
    ids = tokenizer.encode(text)
    assert not {tokenizer.image_id, tokenizer.bos_id, tokenizer.eos_id} & set(ids)
    assert tokenizer.backend.decode(ids) == text


def test_tags_are_single_ids(tokenizer):
    for tag in ("<|ref|>", "<|det|>", "<|grounding|>", "<td>", "</tr>"):
        assert len(tokenizer.encode(tag)) == 1
    assert tokenizer.ids_of(("<td>", "</td>", "<nothing>")) == (
        *tokenizer.encode("<td>"),
        *tokenizer.encode("</td>"),
    )


def test_an_answer_ends_at_the_end_token(tokenizer):
    ids = [tokenizer.bos_id, *tokenizer.encode("one"), tokenizer.eos_id, *tokenizer.encode("two")]
    assert tokenizer.decode([*ids, tokenizer.pad_id]) == "one"
    assert tokenizer.decode([]) == ""


def test_the_shipped_micro_tokenizer_is_what_its_module_makes(tokenizer):
    made = json.loads(train_micro_tokenizer().to_str())
    shipped = json.loads((micro_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    assert made == shipped
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id, tokenizer.image_id) == (0, 1, 2, 3)
    assert tokenizer.vocabulary_size == 1280
    assert tokenizer.ids_of(SPECIAL_TOKENS) == tuple(range(len(SPECIAL_TOKENS)))


def test_a_missing_damaged_or_foreign_tokenizer_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"no tokenizer\.json"):
        OcrTokenizer(tmp_path)
    file = tmp_path / "tokenizer.json"
    file.write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read"):
        OcrTokenizer(tmp_path)
    data = json.loads((micro_folder() / "tokenizer.json").read_text(encoding="utf-8"))
    data["added_tokens"] = [token for token in data["added_tokens"] if token["content"] != IMAGE]
    del data["model"]["vocab"][IMAGE]
    file.write_text(json.dumps(data))
    with pytest.raises(ModelError, match="no token '<image>'"):
        OcrTokenizer(tmp_path)


@pytest.mark.skipif(
    PUBLIC_FOLDER is None, reason="OCRSTUDIO_TOKENIZER_DIR names no folder with the public tokenizer"
)
@pytest.mark.parametrize("text", REFERENCE["prompts"])
def test_the_public_tokenizer_gives_the_ids_of_the_reference(text):
    tokenizer = OcrTokenizer(Path(PUBLIC_FOLDER))
    expected = REFERENCE["prompts"][text]
    if text.startswith(IMAGE):
        processor = OcrProcessor(tokenizer, PRESETS["tiny"])
        assert processor.measure([(100, 100)], text) == 1 + 73 + len(expected) - 1
        assert tokenizer.encode(text.removeprefix(IMAGE)) == expected[1:]
        assert expected[0] == tokenizer.image_id
    else:
        assert tokenizer.encode(text) == expected
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id) == (0, 1, 2)
