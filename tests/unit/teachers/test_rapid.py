import numpy as np
import pytest

from ocrstudio.domain.errors import TeacherError
from ocrstudio.pdf import open_document
from ocrstudio.teachers.offline.rapid import RapidEngine
from tests.fakes.pdfs import text_pdf


def test_upright_lines_stay_upright_and_a_page_upside_down_is_read_too(tmp_path) -> None:
    """RapidOCR's own classifier turned the last line of this page upside down and read ``har r r se``."""
    with open_document(text_pdf(tmp_path / "ledger.pdf")) as document:
        pixels = document.render(0, dpi=100).pixels[:400]
    engine = RapidEngine(threads=1)
    upright = engine.recognise(pixels, 100)
    turned = engine.recognise(np.ascontiguousarray(np.rot90(pixels, 2)), 100)
    assert [line.text.count("harbour office keeps a ledger") for line in upright.lines] == [0, *[1] * 6]
    assert [line.text for line in turned.lines[::-1]] == [line.text for line in upright.lines]
    assert (upright.turn.quarters, turned.turn.quarters) == (0, 2)


def test_a_strip_is_refused_in_a_sentence() -> None:
    with pytest.raises(TeacherError, match="of 20 x 20,000 pixels: it is a mere strip"):
        RapidEngine(threads=1).recognise(np.full((20_000, 20, 3), 255, np.uint8), 200)
