import multiprocessing
import os
import threading

import psutil
import pytest
from PIL import Image

from ocrstudio.domain.errors import InputError
from ocrstudio.services.conversion import ConversionRequest, convert
from ocrstudio.services.document_names import document_names
from tests.fakes import pdfs


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_pages_are_numbered_as_in_the_document(tmp_path):
    source = pdfs.text_pdf(tmp_path / "report.pdf", pages=5)
    seen = []
    result = convert(
        ConversionRequest((source,), tmp_path / "out", dpi=40, start_page=2, end_page=4, jobs=2),
        on_progress=seen.append,
    )
    assert [path.name for path in result.written] == ["report_p2.png", "report_p3.png", "report_p4.png"]
    assert names(tmp_path / "out") == ["report_p2.png", "report_p3.png", "report_p4.png"]
    assert result.problems == ()
    assert (seen[-1].done, seen[-1].total) == (3, 3)
    assert [step.done for step in seen] == sorted(step.done for step in seen)


def test_a_bad_document_does_not_stop_the_others(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    pdfs.text_pdf(folder / "good.pdf", pages=2)
    pdfs.damaged_pdf(folder / "damaged.pdf")
    pdfs.encrypted_pdf(folder / "locked.pdf")
    pdfs.zero_page_pdf(folder / "none.pdf")
    (folder / "empty.pdf").touch()
    pdfs.huge_pdf(folder / "poster.pdf")
    Image.effect_noise((90, 60), 90).save(folder / "cut.png")
    (folder / "cut.png").write_bytes((folder / "cut.png").read_bytes()[:1000])
    result = convert(
        ConversionRequest((folder, tmp_path / "gone"), tmp_path / "out", dpi=200, format="jpg", jobs=2)
    )
    assert names(tmp_path / "out") == ["good_p1.jpg", "good_p2.jpg", "poster_p1.jpg"]
    problems = {problem.source.name: problem.message for problem in result.problems}
    assert set(problems) == {"damaged.pdf", "locked.pdf", "none.pdf", "empty.pdf", "cut.png", "gone"}
    assert "needs a password" in problems["locked.pdf"]
    assert all(message.count("\n") == 0 for message in problems.values())
    assert [warning for warning in result.warnings if "poster.pdf" in warning]


def test_a_password_is_asked_for_until_it_is_right(tmp_path):
    source = pdfs.encrypted_pdf(tmp_path / "locked.pdf", "sesame")
    answers = iter(["wrong", "sesame"])
    reasons = []

    def ask(path, reason):
        reasons.append((path, reason))
        return next(answers)

    result = convert(ConversionRequest((source,), tmp_path / "out", dpi=40, jobs=1), ask_password=ask)
    assert len(result.written) == 1
    assert "needs a password" in reasons[0][1]
    assert "is wrong" in reasons[1][1]


def test_the_password_is_not_shown_by_the_request(tmp_path):
    assert "sesame" not in repr(ConversionRequest((tmp_path,), tmp_path, password="sesame"))


def test_documents_of_the_same_name_do_not_overwrite_each_other(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        pdfs.text_pdf(tmp_path / folder / "same.pdf", heading=folder)
    Image.new("RGB", (9, 9)).save(tmp_path / "a" / "Same.png")
    sources = (tmp_path / "a", tmp_path / "b", tmp_path / "a" / "same.pdf")
    result = convert(ConversionRequest(sources, tmp_path / "out", dpi=30, jobs=1))
    assert len(result.written) == len(set(result.written)) == 3
    assert names(tmp_path / "out") == ["Same_png_p1.png", "b_same_p1.png", "same_p1.png"]
    assert [warning.partition(": ")[2] for warning in result.warnings] == [
        "the name Same is taken; its pages are Same_png_p….",
        "the name same is taken; its pages are b_same_p….",
    ]


def test_a_page_never_takes_the_place_of_a_source(tmp_path):
    sources = [tmp_path / "scan.pdf", tmp_path / "scan_p1.png"]
    assert document_names(sources, tmp_path) == ["scan_pdf", "scan_p1"]
    assert document_names(sources, tmp_path / "out") == ["scan", "scan_p1"]


def test_replaced_files_are_counted(tmp_path):
    request = ConversionRequest(
        (pdfs.text_pdf(tmp_path / "a.pdf", pages=2),), tmp_path / "out", dpi=30, jobs=1
    )
    assert convert(request).replaced == 0
    assert convert(request).replaced == 2


def test_pages_beyond_the_end_are_a_problem_of_that_document(tmp_path):
    short, long = pdfs.text_pdf(tmp_path / "short.pdf"), pdfs.text_pdf(tmp_path / "long.pdf", pages=3)
    result = convert(ConversionRequest((short, long), tmp_path / "out", dpi=30, start_page=2, jobs=1))
    assert names(tmp_path / "out") == ["long_p2.png", "long_p3.png"]
    assert result.problems[0].message.endswith("short.pdf has 1 page: there is no page 2.")


def test_an_output_that_cannot_be_made_is_one_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"output folder .* cannot be made"):
        convert(ConversionRequest((pdfs.text_pdf(tmp_path / "a.pdf"),), tmp_path / "file", jobs=1))


def test_a_full_or_protected_place_is_one_error_and_not_one_for_each_page(tmp_path):
    out = tmp_path / "out"
    (out / "a_p1.png").mkdir(parents=True)  # nothing can be written there, whoever runs the test
    with pytest.raises(InputError, match=r"a_p1\.png cannot be written"):
        convert(ConversionRequest((pdfs.text_pdf(tmp_path / "a.pdf", pages=40),), out, dpi=30, jobs=1))


def test_a_cancelled_conversion_leaves_whole_files_and_no_processes(tmp_path):
    source = pdfs.text_pdf(tmp_path / "long.pdf", pages=300)
    cancel = threading.Event()
    result = convert(
        ConversionRequest((source,), tmp_path / "out", dpi=72, jobs=2),
        on_progress=lambda progress: cancel.set() if progress.done else None,
        cancel=cancel,
    )
    assert result.cancelled
    files = list((tmp_path / "out").iterdir())
    assert 0 < len(files) < 300
    for path in files:
        with Image.open(path) as image:
            image.load()
    assert multiprocessing.active_children() == []


def test_pages_are_converted_even_if_a_process_dies(tmp_path):
    source = pdfs.text_pdf(tmp_path / "long.pdf", pages=24)
    killed = []

    def kill_renderers(progress):
        if not killed:
            family = psutil.Process().children(recursive=True)
            killed.extend(child for child in family if child.ppid() != os.getpid())
            for child in killed:
                child.kill()

    result = convert(
        ConversionRequest((source,), tmp_path / "out", dpi=40, jobs=2), on_progress=kill_renderers
    )
    assert killed
    assert len(result.written) == 24
    assert result.problems == ()


@pytest.mark.parametrize(
    "wrong", [{"format": "gif"}, {"start_page": 0}, {"start_page": 3, "end_page": 2}, {"dpi": 0}, {"jobs": 0}]
)
def test_requests_that_cannot_be_meant_are_refused(tmp_path, wrong):
    with pytest.raises(InputError):
        ConversionRequest((tmp_path,), tmp_path / "out", **wrong)


def test_a_page_that_never_finishes_is_named_and_the_others_are_drawn(tmp_path):
    source = pdfs.endless_pdf(tmp_path / "map.pdf", pages=6, endless=[2, 3])
    request = ConversionRequest((source,), tmp_path / "out", dpi=40, jobs=1, page_seconds=1)
    result = convert(request)
    assert names(tmp_path / "out") == ["map_p1.png", "map_p4.png", "map_p5.png", "map_p6.png"]
    (problem,) = result.problems
    assert problem.message.startswith("2 pages failed (2, 3). The first: Page 2 of ")
    assert problem.message.endswith("map.pdf was not drawn within 1 s (max_page_seconds in the settings).")
    assert multiprocessing.active_children() == []
