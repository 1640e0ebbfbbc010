import os
import subprocess
import sys

import pymupdf
import pytest
from PIL import Image

from ocrstudio.domain.document import DocumentKind
from ocrstudio.domain.errors import DocumentError, EncryptedDocumentError, InputError
from ocrstudio.pdf import find_sources, open_document
from ocrstudio.pdf.sources import left_out_in_words, list_sources
from tests.fakes import pdfs


def test_a_pdf_states_its_pages_and_their_sizes(tmp_path):
    with open_document(pdfs.text_pdf(tmp_path / "a.pdf", pages=3)) as document:
        assert document.kind is DocumentKind.PDF
        assert document.page_count == 3
        assert document.page_size(2) == (595, 842)
        with pytest.raises(DocumentError, match="has no page 4: it has 3"):
            document.page_size(3)


def test_an_encrypted_pdf_asks_for_its_password(tmp_path):
    path = pdfs.encrypted_pdf(tmp_path / "secret.pdf", "sesame")
    with pytest.raises(EncryptedDocumentError, match=r"secret\.pdf is encrypted and needs a password"):
        open_document(path)
    with pytest.raises(EncryptedDocumentError, match=r"password given for .*secret\.pdf is wrong"):
        open_document(path, "open")
    with open_document(path, "sesame") as document:
        assert document.page_count == 1


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (pdfs.zero_page_pdf, "has no pages"),
        (pdfs.damaged_pdf, "is damaged or not a PDF file"),
        (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\)"),
        (lambda path: path.write_text("dear reader"), "is not a PDF"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: None, "does not exist"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence_that_names_the_file(tmp_path, make, sentence, capfd):
    path = tmp_path / "bad.pdf"
    make(path)
    with pytest.raises(DocumentError, match=sentence) as caught:
        open_document(path)
    assert str(path) in caught.value.message
    assert capfd.readouterr() == ("", "")  # MuPDF's own complaints are not printed


def test_other_formats_that_mupdf_could_open_are_refused(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p>hello</p>")
    with pytest.raises(DocumentError, match="neither a PDF nor an image"):
        open_document(page)


def test_a_repaired_pdf_opens_and_says_so(tmp_path):
    whole = pdfs.text_pdf(tmp_path / "whole.pdf").read_bytes()
    cut = tmp_path / "cut.pdf"
    cut.write_bytes(whole[: whole.rindex(b"xref")])
    with open_document(cut) as document:
        assert document.page_count == 1
        assert any("repair" in warning for warning in document.warnings)


def test_every_frame_of_a_tiff_is_a_page(tmp_path):
    frames = [Image.new("RGB", (300, 150), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / "fax.tif", save_all=True, append_images=frames[1:], dpi=(150, 150))
    with open_document(tmp_path / "fax.tif") as document:
        assert document.kind is DocumentKind.IMAGE
        assert document.page_count == 3
        assert document.page_size(1) == pytest.approx((144, 72), abs=0.1)
        assert tuple(document.render(2).pixels[50, 50]) == (0, 0, 255)


def test_files_of_a_folder_come_sorted_and_without_others(tmp_path):
    for name in ("b.pdf", "A.PNG", "c.tiff", "notes.txt", ".hidden.pdf"):
        (tmp_path / name).touch()
    (tmp_path / "sub.pdf").mkdir()
    assert [path.name for path in find_sources(tmp_path)] == ["A.PNG", "b.pdf", "c.tiff"]


def test_a_folder_is_read_with_its_sub_folders_in_the_order_of_their_numbers(tmp_path):
    for name in (
        "page_p10.png",
        "page_p2.png",
        "2/a.jpg",
        "10/a.jpg",
        "2/deep/a.jpg",
        "notes.txt",
        "2/data.json",
        "2/more.txt",
        ".git/x.png",
        "labels/workspace.db",
        "labels/documents/copy.pdf",
        "out/page_p2_p1.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    listing = list_sources(tmp_path, skip=[tmp_path / "out"])
    assert [path.relative_to(tmp_path).as_posix() for path in listing.files] == [
        "page_p2.png",
        "page_p10.png",
        "2/a.jpg",
        "2/deep/a.jpg",
        "10/a.jpg",
    ]
    assert left_out_in_words(listing.left_out) == (
        "Left out: 3 files that are neither PDF nor image (.txt, .json); 1 hidden one (.git); "
        "1 workspace (labels); 1 output folder (out); 1 link to a folder (again)."
    )


def test_a_folder_without_documents_says_what_it_holds(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "notes.txt").touch()
    with pytest.raises(InputError, match="holds no document") as caught:
        find_sources(tmp_path)
    assert "1 file that is neither PDF nor image (.txt)" in caught.value.hint


def test_a_folder_without_documents_and_a_missing_path_are_errors(tmp_path):
    with pytest.raises(InputError, match="holds no document"):
        find_sources(tmp_path)
    with pytest.raises(InputError, match="does not exist"):
        find_sources(tmp_path / "nowhere")


def test_a_closed_document_can_be_closed_again(tmp_path):
    document = open_document(pdfs.text_pdf(tmp_path / "a.pdf"))
    document.close()
    document.close()


def test_importing_the_package_loads_neither_mupdf_nor_numpy():
    code = "import sys, ocrstudio.pdf; print([m for m in ('pymupdf', 'numpy', 'PIL') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rendering_loads_mupdf_without_its_layout_models(tmp_path):
    path = pdfs.text_pdf(tmp_path / "a.pdf")
    code = (
        "import sys, pathlib\nfrom ocrstudio.pdf import open_document\n"
        f"open_document(pathlib.Path({str(path)!r})).render(0)\n"
        "print([m for m in ('pymupdf.layout', 'pymupdf4llm', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_source_is_not_changed(tmp_path):
    path = pdfs.text_pdf(tmp_path / "a.pdf")
    before = path.read_bytes()
    with open_document(path) as document:
        document.render(0)
    assert path.read_bytes() == before
    assert pymupdf.open(path).page_count == 1


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "gif", "webp"])
@pytest.mark.parametrize("kept", [24, 0.5])
def test_a_cut_picture_is_drawn_with_a_warning_or_refused_in_a_sentence(tmp_path, suffix, kept):
    path = tmp_path / f"cut.{suffix}"
    Image.effect_noise((90, 60), 90).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: kept if kept > 1 else int(len(whole) * kept)])
    try:
        with open_document(path) as document:
            said = document.render(0).warnings
    except DocumentError as error:
        said = (error.message,)
    assert said
    assert all("cut" in sentence and "code=" not in sentence for sentence in said)


def test_an_animation_is_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    with open_document(tmp_path / "a.gif") as document:
        assert document.page_count == 1
        assert tuple(document.render(0).pixels[5, 5]) == (255, 0, 0)


def test_a_path_that_may_not_be_looked_at_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: File name too long"):
        find_sources(tmp_path / ("x" * 300))
    os.mkfifo(tmp_path / "pipe.pdf")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        find_sources(tmp_path / "pipe.pdf")
