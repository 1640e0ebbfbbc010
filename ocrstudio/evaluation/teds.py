"""TEDS, the tree-edit-distance-based similarity of tables.

X. Zhong, E. ShafieiBavani, A. Jimeno Yepes: Image-based table recognition: data, model, and evaluation. ECCV
2020, section 4: TEDS(A, B) = 1 - EditDistance(A, B) / max(|A|, |B|). Inserting or deleting a node costs 1; so
does turning a cell into one with other spans; two cells with equal spans cost the normalised edit distance of
their texts. Pipe tables cannot say where a head ends, so trees here are table, rows, cells, with no head.

Tree distance: K. Zhang, D. Shasha: Simple fast algorithms for the editing distance between trees and related
problems. SIAM Journal on Computing 18 (1989), section 3.2.
"""

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from ocrstudio.evaluation.tables import Cell, Table, find_tables

_MAX_STEPS = 4_000_000
_ROW = "row"
_TABLE = "table"


@dataclass(frozen=True)
class _Tree:
    """A tree in postorder: labels, the leftmost leaf below each node, and the key roots."""

    labels: tuple[Cell | str, ...]
    leftmost: tuple[int, ...]
    key_roots: tuple[int, ...]


def teds(reference: Table, prediction: Table) -> float:
    """Similarity of two tables, from 0 (nothing in common) to 1 (equal).

    The time grows with the product of the sizes. Where that would be many seconds (a runaway table against a
    long one), the nodes are compared as two sequences in postorder, and two cells are equal or not.
    """
    expected, found = _tree(reference), _tree(prediction)
    sizes = len(expected.labels), len(found.labels)
    if sizes[0] * sizes[1] > _MAX_STEPS:
        distance = float(Levenshtein.distance(expected.labels, found.labels))
    else:
        distance = _tree_distance(expected, found)
    return max(0.0, 1.0 - distance / max(sizes))


def page_teds(reference: str, prediction: str) -> float | None:
    """Mean similarity over the tables of a page, matched in order; None when neither text has one.

    A table that only one side has counts 0, so missing and invented tables both lower the figure.
    """
    expected, found = find_tables(reference), find_tables(prediction)
    count = max(len(expected), len(found))
    if count == 0:
        return None
    return sum(teds(left, right) for left, right in zip(expected, found, strict=False)) / count


def _tree(table: Table) -> _Tree:
    labels: list[Cell | str] = []
    leftmost: list[int] = []
    for row in table:
        first = len(labels)
        for cell in row:
            leftmost.append(len(labels))
            labels.append(cell)
        leftmost.append(first)
        labels.append(_ROW)
    leftmost.append(0)
    labels.append(_TABLE)
    last_with_leaf = {leaf: node for node, leaf in enumerate(leftmost)}
    return _Tree(tuple(labels), tuple(leftmost), tuple(sorted(last_with_leaf.values())))


def _tree_distance(left: _Tree, right: _Tree) -> float:
    """Zhang and Shasha's distance between two whole trees."""
    distances = [[0.0] * len(right.labels) for _ in left.labels]
    for left_root in left.key_roots:
        for right_root in right.key_roots:
            _fill(left, right, left_root, right_root, distances)
    return distances[-1][-1]


def _fill(left: _Tree, right: _Tree, i: int, j: int, distances: list[list[float]]) -> None:
    """Distances of all prefixes of the forests under `i` and `j`; tree distances are written on the way."""
    left_first, right_first = left.leftmost[i], right.leftmost[j]
    above = [float(column) for column in range(j - right_first + 2)]
    forest = [above]
    for row, x in enumerate(range(left_first, i + 1), start=1):
        current = [float(row)]
        whole_left = left.leftmost[x] == left_first
        for column, y in enumerate(range(right_first, j + 1), start=1):
            cheapest = min(above[column], current[column - 1]) + 1.0
            if whole_left and right.leftmost[y] == right_first:
                cost = min(cheapest, above[column - 1] + _rename_cost(left.labels[x], right.labels[y]))
                distances[x][y] = cost
            else:
                before = forest[left.leftmost[x] - left_first][right.leftmost[y] - right_first]
                cost = min(cheapest, before + distances[x][y])
            current.append(cost)
        forest.append(current)
        above = current


def _rename_cost(left: Cell | str, right: Cell | str) -> float:
    if isinstance(left, Cell) and isinstance(right, Cell):
        if (left.columns, left.rows) != (right.columns, right.rows):
            return 1.0
        return float(Levenshtein.normalized_distance(left.text, right.text))
    return 0.0 if left == right else 1.0
