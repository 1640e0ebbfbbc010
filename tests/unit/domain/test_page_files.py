import unicodedata

import pytest

from ocrstudio.domain.page_files import document_of_file, page_file_name, page_of_file


@pytest.mark.parametrize(
    ("name", "document", "page"),
    [
        ("images/report_p12.png", "report", ("report", 12)),
        ("a_p1_p2.jpg", "a", ("a_p1", 2)),  # the picture of page 1, imported as a document of its own
        ("x\\report_p1.png", "report", ("report", 1)),
        ("v1.2 of it_p3.png", "v1.2 of it", ("v1.2 of it", 3)),
        ("page1.png", None, None),
        ("_p1.png", None, None),
    ],
)
def test_what_a_file_name_says(name: str, document: str | None, page: tuple[str, int] | None) -> None:
    assert document_of_file(name) == document
    assert page_of_file(name) == page


@pytest.mark.parametrize("document", ["report", "v1.2", "a_p1", "Übersicht 3"])
def test_a_name_that_was_written_is_read_back(document: str) -> None:
    assert page_of_file(page_file_name(document, 7)) == (document, 7)
    assert page_file_name(document, 7, "jpg").endswith("_p7.jpg")


def test_a_name_is_the_same_in_every_unicode_form() -> None:
    apart = unicodedata.normalize("NFD", "Übersicht_p2.png")
    assert page_of_file(apart) == page_of_file("Übersicht_p2.png") == ("Übersicht", 2)
    assert document_of_file(apart) == "Übersicht"
