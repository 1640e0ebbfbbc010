"""TEDS, the tree-edit-distance-based similarity of tables.

X. Zhong, E. ShafieiBavani, A. Jimeno Yepes: Image-based table recognition: data, model, and evaluation. ECCV
2020, section 4: TEDS(A, B) = 1 - EditDistance(A, B) / max(|A|, |B|). Inserting or deleting a node costs 1; so
does turning a cell into one with other spans; two cells with equal spans cost the normalised edit distance of
their texts. Pipe tables cannot say where a head ends, so trees here are table, rows, cells, with no head.

Tree distance: K. Zhang, D. Shasha: Simple fast algorithms for the editing distance between trees and related
problems. SIAM Journal on Computing 18 (1989), section 3.2.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ocrstudio.evaluation.tables import Cell, Table

_MAX_STEPS = 4_000_000
_ROW = "row"
_TABLE = "table"

Costs = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Tree:
    """A table as a tree in postorder.

    Attributes:
        labels: A cell, or the word for a row or the table.
        leftmost: The leftmost leaf below each node; an empty row is a leaf itself.
        rows: The nodes that are rows; the last node is the table.
    """

    labels: tuple[Cell | str, ...]
    leftmost: npt.NDArray[np.intp]
    rows: tuple[int, ...]

    @property
    def cells(self) -> npt.NDArray[np.intp]:
        """The nodes that are cells."""
        return np.flatnonzero([isinstance(label, Cell) for label in self.labels])


def teds(reference: Table, prediction: Table, *, count_root: bool = True) -> float:
    """Similarity of two tables, from 0 (nothing in common) to 1 (equal).

    The time grows with the product of the sizes. Where that would be many seconds (a runaway table against a
    long one), the nodes are compared as two sequences in postorder, and two cells are equal or not.

    Args:
        reference: The true table.
        prediction: The predicted one.
        count_root: Whether the table itself is a node, as in the paper; OmniDocBench's scorer leaves it out.
    """
    expected, found = _tree(reference), _tree(prediction)
    sizes = len(expected.labels), len(found.labels)
    if sizes[0] * sizes[1] > _MAX_STEPS:
        distance = float(Levenshtein.distance(expected.labels, found.labels))
    else:
        distance = _tree_distance(expected, found)
    nodes = max(sizes) if count_root else max(sizes) - 1
    return max(0.0, 1.0 - distance / nodes) if nodes else 1.0


def structure_of(table: Table) -> Table:
    """A table without its texts; the similarity of two of them is known as TEDS-S."""
    return tuple(tuple(replace(cell, text="") for cell in row) for row in table)


def _tree(table: Table) -> _Tree:
    labels: list[Cell | str] = []
    leftmost: list[int] = []
    rows: list[int] = []
    for row in table:
        first = len(labels)
        leftmost += range(first, first + len(row))
        labels += row
        rows.append(len(labels))
        leftmost.append(first)
        labels.append(_ROW)
    leftmost.append(0)
    labels.append(_TABLE)
    return _Tree(tuple(labels), np.array(leftmost, dtype=np.intp), tuple(rows))


def _tree_distance(left: _Tree, right: _Tree) -> float:
    """Zhang and Shasha's distance between two whole trees.

    Their recursion over all pairs of subtrees, with what is known beforehand of the smallest ones filled in:
    two cells cost their renaming, and a cell against a larger subtree costs the renaming of its most similar
    node and the insertion of all others.
    """
    costs = _rename_costs(left, right)
    distances = costs.copy()
    larger = (*left.rows, len(left.labels) - 1), (*right.rows, len(right.labels) - 1)
    for root in larger[0]:
        nodes = slice(int(left.leftmost[root]), root + 1)
        distances[root, right.cells] = root - nodes.start + costs[nodes, right.cells].min(axis=0)
    for root in larger[1]:
        nodes = slice(int(right.leftmost[root]), root + 1)
        distances[left.cells, root] = root - nodes.start + costs[left.cells, nodes].min(axis=1)
    for left_root in larger[0]:
        for right_root in larger[1]:
            _fill(left, right, left_root, right_root, costs, distances)
    return float(distances[-1, -1])


def _fill(left: _Tree, right: _Tree, i: int, j: int, costs: Costs, distances: Costs) -> None:
    """Distances of all prefixes of the forests under `i` and `j`; tree distances are written on the way."""
    first, start = int(left.leftmost[i]), int(right.leftmost[j])
    columns = np.arange(j - start + 2, dtype=np.float64)
    before = right.leftmost[start : j + 1] - start
    whole = before == 0  # these nodes and all before them are one tree
    forest = np.empty((i - first + 2, len(columns)))
    forest[0] = columns
    for row, x in enumerate(range(first, i + 1), start=1):
        kept = forest[left.leftmost[x] - first][before] + distances[x, start : j + 1]
        if left.leftmost[x] == first:
            kept = np.where(whole, forest[row - 1, :-1] + costs[x, start : j + 1], kept)
        forest[row, 0] = row
        np.minimum(kept, forest[row - 1, 1:] + 1.0, out=forest[row, 1:])
        # An insertion costs 1 more than the column before: a running minimum along the row.
        forest[row] = np.minimum.accumulate(forest[row] - columns) + columns
        if left.leftmost[x] == first:
            distances[x, start : j + 1][whole] = forest[row, 1:][whole]


def _rename_costs(left: _Tree, right: _Tree) -> Costs:
    """The cost of turning each node of one tree into each of the other."""
    texts = [
        [label.text if isinstance(label, Cell) else "" for label in tree.labels] for tree in (left, right)
    ]
    costs = process.cdist(*texts, scorer=Levenshtein.normalized_distance, dtype=np.float64)
    kinds = [[_kind(label) for label in tree.labels] for tree in (left, right)]
    numbers = {kind: number for number, kind in enumerate(dict.fromkeys(kinds[0] + kinds[1]))}
    rows, columns = (np.array([numbers[kind] for kind in side]) for side in kinds)
    costs[rows[:, None] != columns[None, :]] = 1.0
    return costs


def _kind(label: Cell | str) -> str | tuple[int, int]:
    """What two nodes must have in common to be compared by their texts."""
    return (label.columns, label.rows) if isinstance(label, Cell) else label
