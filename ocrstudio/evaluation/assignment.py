"""The cheapest one-to-one pairing of two sides: each row gets at most one column, the sum of costs is least.

Shortest augmenting paths with potentials: H. W. Kuhn, The Hungarian method for the assignment problem, Naval
Research Logistics Quarterly 2 (1955), in the form of R. Jonker, A. Volgenant, Computing 38 (1987). scipy has
it, too; 40 MB more in every installer for one function of a page are not worth it.
"""

import numpy as np
import numpy.typing as npt

Costs = npt.NDArray[np.float64]


def assign(costs: Costs) -> list[tuple[int, int]]:
    """Pairs of row and column, by rows; the smaller side is paired completely.

    Args:
        costs: Finite cost of each row with each column.
    """
    rows, columns = costs.shape
    if rows > columns:
        return sorted((row, column) for column, row in assign(costs.T))
    owner = np.full(columns + 1, -1, dtype=np.intp)  # row of each column; the last one is where a path begins
    row_price, column_price = np.zeros(rows), np.zeros(columns + 1)
    for row in range(rows):
        _augment(costs, row, owner, row_price, column_price)
    return sorted((int(owner[column]), column) for column in range(columns) if owner[column] >= 0)


def _augment(
    costs: Costs, row: int, owner: npt.NDArray[np.intp], row_price: Costs, column_price: Costs
) -> None:
    """Give a row its column; the ones before it may change theirs."""
    columns = len(owner) - 1
    least = np.full(columns, np.inf)
    came_from = np.full(columns, columns, dtype=np.intp)
    open_columns = np.ones(columns, dtype=bool)
    owner[columns] = row
    column = columns
    visited = [columns]
    while owner[column] >= 0:
        current = owner[column]
        reduced = costs[current] - row_price[current] - column_price[:columns]
        better = open_columns & (reduced < least)
        least[better], came_from[better] = reduced[better], column
        column = int(np.where(open_columns, least, np.inf).argmin())
        step = least[column]
        row_price[owner[visited]] += step
        column_price[visited] -= step
        least[open_columns] -= step
        open_columns[column] = False
        visited.append(column)
    while column != columns:
        previous = came_from[column]
        owner[column] = owner[previous]
        column = int(previous)
    owner[columns] = -1
