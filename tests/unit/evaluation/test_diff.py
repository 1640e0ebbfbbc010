from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.evaluation.diff import ChangeKind, diff_lines, diff_words

texts = st.text(alphabet="ab \n.é", max_size=40)


@pytest.mark.parametrize("diff", [diff_lines, diff_words])
@given(left=texts, right=texts)
def test_the_changes_cover_both_texts_and_rebuild_the_right_one(diff, left, right):
    changes = diff(left, right)
    assert "".join(left[slice(*change.left)] for change in changes) == left
    assert "".join(right[slice(*change.right)] for change in changes) == right
    for change in changes:
        equal = left[slice(*change.left)] == right[slice(*change.right)]
        assert equal == (change.kind is ChangeKind.EQUAL)
    kinds = [change.kind is ChangeKind.EQUAL for change in changes]
    assert all(a != b for a, b in pairwise(kinds))


def test_a_changed_word_is_a_replacement_with_its_place():
    changes = diff_words("the old ship", "the new ship")
    assert [(change.kind, change.left, change.right) for change in changes] == [
        (ChangeKind.EQUAL, (0, 4), (0, 4)),
        (ChangeKind.REPLACE, (4, 7), (4, 7)),
        (ChangeKind.EQUAL, (7, 12), (7, 12)),
    ]


def test_an_inserted_line_leaves_the_others_equal():
    kinds = [change.kind for change in diff_lines("a\nc\n", "a\nb\nc\n")]
    assert kinds == [ChangeKind.EQUAL, ChangeKind.INSERT, ChangeKind.EQUAL]
