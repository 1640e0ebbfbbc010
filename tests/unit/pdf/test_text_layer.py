import pytest

from ocrstudio.pdf.layer_trust import LayerFacts, reason_for_distrust
from ocrstudio.pdf.text_layer import read_text_layer
from tests.fakes import pdfs


def test_a_born_digital_page_becomes_markdown(tmp_path):
    layer = read_text_layer(pdfs.text_pdf(tmp_path / "a.pdf"), 0)
    assert layer.usable
    assert layer.characters > 300
    assert "# Chapter 1" in layer.markdown
    assert "**" not in layer.markdown
    assert "the cargo that it declared" in " ".join(layer.markdown.split())


def test_the_page_asked_for_is_the_page_given(tmp_path):
    layer = read_text_layer(pdfs.text_pdf(tmp_path / "a.pdf", pages=3), 2)
    assert "Chapter 3" in layer.markdown
    assert "Chapter 1" not in layer.markdown


def test_columns_are_read_one_after_the_other(tmp_path):
    markdown = read_text_layer(pdfs.column_pdf(tmp_path / "c.pdf"), 0).markdown
    assert markdown.rindex("Leftish") < markdown.index("Rightish")


def test_a_ruled_table_becomes_a_pipe_table(tmp_path):
    markdown = read_text_layer(pdfs.table_pdf(tmp_path / "t.pdf"), 0).markdown
    assert "|Ship|Tons|Port|" in markdown
    assert "|Ship4|Tons4|Port4|" in markdown


def test_a_short_title_page_is_not_taken_for_a_running_head(tmp_path):
    layer = read_text_layer(pdfs.text_pdf(tmp_path / "t.pdf", text="", heading="Ledger of vessels"), 0)
    assert "Ledger of vessels 1" in layer.markdown


def test_a_scan_has_no_usable_text_layer(tmp_path):
    layer = read_text_layer(pdfs.scanned_pdf(tmp_path / "s.pdf"), 0)
    assert (layer.usable, layer.markdown, layer.characters) == (False, "", 0)
    assert layer.reason == "The page has no text layer."


def test_hidden_text_over_a_scan_is_not_trusted(tmp_path):
    layer = read_text_layer(pdfs.scanned_pdf(tmp_path / "s.pdf", hidden_text="Prnited w0rds " * 20), 0)
    assert not layer.usable
    assert "another OCR program" in layer.reason


def test_a_poster_is_not_analysed(tmp_path):
    layer = read_text_layer(pdfs.huge_pdf(tmp_path / "p.pdf"), 0)
    assert not layer.usable
    assert "too large" in layer.reason


def test_a_password_is_passed_on(tmp_path):
    path = pdfs.encrypted_pdf(tmp_path / "secret.pdf", "sesame")
    assert "Secret ledger" in read_text_layer(path, 0, "sesame").markdown


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (LayerFacts("plain words " * 20, 220), None),
        (LayerFacts("words over a background picture " * 9, 250, picture_coverage=1.0), None),
        (LayerFacts("seen", 4), None),
        (LayerFacts("stamp 7", 6, picture_coverage=1.0), "only 6 letters"),
        (
            LayerFacts("a stamp in words " * 9, 126, picture_coverage=1.0, printed_picture=True),
            "print of its own",
        ),
        (LayerFacts("words " * 20, 100, unreadable=2), "2 unreadable"),
        (LayerFacts("words " * 2000, 10_000, unreadable=31), "31 unreadable"),
        (LayerFacts("words " * 200, 1000, unreadable=2), None),
        (LayerFacts("seen", 4, hidden=300), "300 of 304 letters"),
        (LayerFacts("seen", 4, hidden=300, picture_coverage=1.0), "another OCR program"),
        (LayerFacts('the di!culties of e#ort, o#ering and classi"cation ' * 20, 800), "encoded wrongly"),
        (LayerFacts("the e↵orts of di✓erent o↵ers and e→ects " * 20, 600), "encoded wrongly"),
        (LayerFacts('he said "so" and x = a[i] # note, C#, 100% AT&T! ' * 20, 600), None),
        (LayerFacts('의장은 "봄계획안"이라고 "문서"를 읽었다. ' * 20, 400), None),
    ],
)
def test_what_speaks_against_a_text_layer(facts, reason):
    found = reason_for_distrust(facts)
    assert found is None if reason is None else reason in found
