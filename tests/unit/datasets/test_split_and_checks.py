from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.datasets import Sample
from ocrstudio.datasets.checks import (
    LONG_ANSWER,
    FindingKind,
    check_leakage,
    check_samples,
    dataset_sha256,
)
from ocrstudio.datasets.split import _below, split_by_document
from ocrstudio.domain.errors import DatasetError


def pages_of(documents: Sequence[str]) -> list[str]:
    """A page of its own for each item."""
    return [f"page {number}" for number, _ in enumerate(documents)]


@given(
    documents=st.lists(st.sampled_from("abcdefgh"), max_size=60),
    fraction=st.floats(0.0, 0.9),
    seed=st.integers(),
)
def test_a_split_keeps_documents_together_and_loses_nothing(
    documents: list[str], fraction: float, seed: int
) -> None:
    split = split_by_document(documents, pages_of(documents), fraction, seed)
    assert sorted(split.train + split.evaluation) == list(range(len(documents)))
    if split.by == "document":
        assert {documents[i] for i in split.train} & {documents[i] for i in split.evaluation} == set()
    if documents:
        assert split.train
    if fraction > 0 and len(documents) > 1:
        assert split.evaluation


def test_the_seed_decides_and_the_order_does_not() -> None:
    documents = [f"d{number}" for number in range(40)]
    chosen = {documents[i] for i in split_by_document(documents, pages_of(documents), 0.25, 1).evaluation}
    backwards = documents[::-1]
    assert chosen == {
        backwards[i] for i in split_by_document(backwards, pages_of(backwards), 0.25, 1).evaluation
    }
    assert len(chosen) == 10
    assert chosen != {
        documents[i] for i in split_by_document(documents, pages_of(documents), 0.25, 2).evaluation
    }


def test_a_large_document_does_not_swallow_the_training_set() -> None:
    documents = ["large"] * 90 + ["small"] * 10
    for seed in range(10):
        assert {
            documents[i] for i in split_by_document(documents, pages_of(documents), 0.1, seed).evaluation
        } == {"small"}


def test_a_single_page_stays_in_training() -> None:
    split = split_by_document(["a"], ["1"], 0.5, 0)
    assert (split.train, split.evaluation) == ((0,), ())
    assert "One page" in split.remark


@given(
    pages=st.sets(st.integers(), min_size=4, max_size=40),
    gone=st.data(),
    fraction=st.floats(0.2, 0.8),
    seed=st.integers(),
)
def test_a_page_that_is_added_or_removed_moves_no_other_page_of_the_document(
    pages: set[int], gone: st.DataObject, fraction: float, seed: int
) -> None:
    everything = [f"page {page}" for page in sorted(pages)]
    some = gone.draw(st.lists(st.sampled_from(everything), unique=True, min_size=2))
    sides = []
    for names in (everything, some):
        split = split_by_document(["one"] * len(names), names, fraction, seed)
        assert split.train
        assert split.evaluation
        sides.append({names[index] for index in split.evaluation})
    by_hash = _below(set(everything), fraction, seed)
    if 0 < len(by_hash & set(some)) < len(some):  # otherwise one side would be empty
        assert sides[1] == sides[0] & set(some)


def test_the_same_page_twice_is_on_one_side() -> None:
    pages = [f"page {number}" for number in range(20)] * 2
    split = split_by_document(["one"] * 40, pages, 0.3, 1)
    assert not {pages[index] for index in split.train} & {pages[index] for index in split.evaluation}


@pytest.fixture
def sample(tmp_path: Path) -> Callable[..., Sample]:
    def make(picture: str, answer: str = "text", line: int = 1, name: str = "a_p1.png") -> Sample:
        path = tmp_path / f"{picture}.png"
        path.write_text(picture)
        return Sample(path, "<image>\nFree OCR.", answer, line, f"images/{name}")

    return make


def test_duplicates_contradictions_and_long_answers(sample: Callable[..., Sample]) -> None:
    findings = check_samples(
        [
            sample("x", line=1),
            sample("x", line=2),
            sample("y", "one", line=3),
            sample("y", "two", line=4),
            sample("z", "a" * (LONG_ANSWER + 1), line=5),
            sample("w", line=6),
        ]
    )
    assert [(finding.kind, finding.lines) for finding in findings] == [
        (FindingKind.DUPLICATE, (1, 2)),
        (FindingKind.CONFLICT, (3, 4)),
        (FindingKind.LONG_ANSWER, (5,)),
    ]


def test_leakage_by_picture_and_by_document(sample: Callable[..., Sample]) -> None:
    train = [sample("x", line=1, name="a_p1.png"), sample("y", line=2, name="b_p1.png")]
    evaluation = [sample("x", line=1, name="c_p9.png"), sample("z", line=2, name="b_p2.png")]
    findings = check_leakage(train, evaluation)
    assert [(finding.kind, finding.subject) for finding in findings] == [
        (FindingKind.SHARED_PICTURE, "images/a_p1.png"),
        (FindingKind.SHARED_DOCUMENT, "b"),
    ]


def test_the_hash_follows_content_and_not_names(sample: Callable[..., Sample], tmp_path: Path) -> None:
    one = dataset_sha256([sample("x", name="a_p1.png"), sample("y")])
    assert one == dataset_sha256([sample("x", name="other.png", line=7), sample("y")])
    assert one != dataset_sha256([sample("x", "text."), sample("y")])
    assert one != dataset_sha256([sample("y"), sample("x")])
    gone = sample("z")
    gone.image.unlink()
    with pytest.raises(DatasetError, match=r"z\.png cannot be read"):
        dataset_sha256([gone])
