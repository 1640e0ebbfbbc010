"""Pair the blocks of two texts by likeness; one side may have split or merged what the other keeps whole.

The rules and thresholds are those of the *quick match* of OmniDocBench (L. Ouyang et al., OmniDocBench:
Benchmarking diverse PDF document parsing with comprehensive annotations, CVPR 2025, section 4; its published
scorer of 2025). In short:

1. neighbouring blocks of the prediction are joined where the whole is nearer to a block of the truth;
2. the cheapest pairing by normalised edit distance is kept up to a distance of 0.7;
3. a block of the truth that found no partner may lie within a block of the prediction (distance of the best
   window below 0.4): several blocks of the truth were merged.

The scorer then pairs everything that is left over, however unlike it is, and forgets invented blocks. That is
what published figures hold (`lenient`). Without it, what is farther than 0.6 stays without a partner,
and a block of the truth counts as found within another one only where that lowers the number of edits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from ocrstudio.evaluation.assignment import Costs, assign

_SURE = 0.25
"""Blocks at this distance or nearer are taken as they are; nothing is joined to them."""
_PUBLISHED_UNLIKE = 0.7
UNLIKE = 0.6
"""Two English sentences of one length that have nothing in common are about 0.7 from each other."""
_PART_OF_RUN = 0.6
_WITHIN = 0.4
_MOST_STEPS = 500_000_000
"""Work for the search of a block within another one; beyond it, only every so-manieth place is looked at."""
_MOST_JOINS = 10_000
"""Pairs of free blocks for which joining is tried; a runaway of thousands of lines is matched without it."""


@dataclass(frozen=True)
class Match:
    """Blocks that belong together; one side is empty for what was missed or invented.

    Attributes:
        expected: Numbers of the blocks of the truth.
        found: Numbers of the blocks of the prediction.
    """

    expected: tuple[int, ...]
    found: tuple[int, ...]

    @property
    def is_pair(self) -> bool:
        """Whether both sides have a block."""
        return bool(self.expected and self.found)


@dataclass(frozen=True)
class _Run:
    """Neighbouring blocks of the prediction, and how far their text is from a block of the truth."""

    columns: tuple[int, ...]
    cost: float


def quick_match(expected: Sequence[str], found: Sequence[str], *, lenient: bool = False) -> list[Match]:
    """Pair blocks; every block of the truth is in exactly one match.

    Args:
        expected: Blocks of the truth, none of them empty.
        found: Blocks of the prediction, none of them empty.
        lenient: As the published scorer: leftovers are paired, however unlike; see the module.
    """
    if not expected or not found:
        return [Match((row,), ()) for row in range(len(expected))] + [
            Match((), (column,)) for column in range(len(found))
        ]
    if lenient and len(expected) == len(found) == 1:
        return [Match((0,), (0,))]
    groups = _pairs(expected, found, _PUBLISHED_UNLIKE if lenient else UNLIKE)
    if not lenient:
        _pair_the_rest(groups, expected, found)
        _grow(groups, expected, found)
    _add_merged(groups, expected, found, lenient=lenient)
    if not lenient:
        groups = {
            columns: rows
            for columns, rows in groups.items()
            if _distance(rows, columns, expected, found) <= UNLIKE
        }
    rest = [row for row in range(len(expected)) if not any(row in rows for rows in groups.values())]
    if lenient:
        return _lenient_matches(groups, rest, expected, found)
    used = {column for columns in groups for column in columns}
    return [
        *(Match(tuple(sorted(rows)), columns) for columns, rows in groups.items()),
        *(Match((row,), ()) for row in rest),
        *(Match((), (column,)) for column in range(len(found)) if column not in used),
    ]


def pair_by_likeness(costs: Costs, most: float = 1.0) -> list[tuple[int, int]]:
    """The cheapest pairing of rows and columns, without the pairs that cost more than `most`."""
    if not costs.size:
        return []
    return [(row, column) for row, column in assign(costs) if costs[row, column] <= most]


def distances(expected: Sequence[str], found: Sequence[str]) -> Costs:
    """Normalised edit distance of each text with each other one."""
    return process.cdist(expected, found, scorer=Levenshtein.normalized_distance, dtype=np.float64)


def _pairs(expected: Sequence[str], found: Sequence[str], most: float) -> dict[tuple[int, ...], list[int]]:
    """Steps 1 and 2: the blocks of the truth by the (joined) blocks of the prediction."""
    runs = _runs(distances(expected, found), expected, found)
    costs = distances(expected, [" ".join(found[column] for column in run) for run in runs])
    return {runs[number]: [row] for row, number in pair_by_likeness(costs, most)}


def _pair_the_rest(
    groups: dict[tuple[int, ...], list[int]], expected: Sequence[str], found: Sequence[str]
) -> None:
    """Where two blocks of the truth wanted the same neighbours, one of them got none: it tries again."""
    while True:
        rows = [row for row in range(len(expected)) if not any(row in taken for taken in groups.values())]
        used = {column for columns in groups for column in columns}
        columns = [column for column in range(len(found)) if column not in used]
        if not rows or not columns:
            return
        more = _pairs([expected[row] for row in rows], [found[column] for column in columns], UNLIKE)
        if not more:
            return
        for run, numbers in more.items():
            groups[tuple(columns[place] for place in run)] = [rows[number] for number in numbers]


def _grow(groups: dict[tuple[int, ...], list[int]], expected: Sequence[str], found: Sequence[str]) -> None:
    """Neighbours that belong to nothing join a pair where that lowers the number of edits."""
    free = set(range(len(found))) - {column for columns in groups for column in columns}
    for start in list(groups):
        rows = groups.pop(start)
        truth = " ".join(expected[row] for row in sorted(rows))
        columns = start
        while near := [column for column in (columns[0] - 1, columns[-1] + 1) if column in free]:
            edits = Levenshtein.distance(truth, " ".join(found[column] for column in columns))
            wider = [tuple(sorted((*columns, column))) for column in near]
            costs = [Levenshtein.distance(truth, " ".join(found[each] for each in run)) for run in wider]
            if min(costs) >= edits:
                break
            columns = wider[costs.index(min(costs))]
            free -= set(columns)
        groups[columns] = rows


def _runs(costs: Costs, expected: Sequence[str], found: Sequence[str]) -> list[tuple[int, ...]]:
    """The blocks of the prediction in their order, neighbours joined where a block of the truth wants it."""
    sure = costs < _SURE
    free_rows = np.flatnonzero(~sure.any(axis=1)).tolist()
    free = set(np.flatnonzero(~sure.any(axis=0)).tolist())
    alone: list[tuple[int, ...]] = [(column,) for column in range(len(found))]
    if not free_rows or not free or len(free_rows) * len(free) > _MOST_JOINS:
        return alone
    wanted = []
    for row in free_rows:
        grown = [_grown(expected[row], found, column, free) for column in sorted(free)]
        wanted.append(min(grown, key=lambda run: run.cost))
    chosen = {run.columns[0]: run.columns for run in _without_overlap(wanted)}
    joined = {column for columns in chosen.values() for column in columns}
    return [
        chosen.get(column, (column,))
        for column in range(len(found))
        if column in chosen or column not in joined
    ]


def _grown(truth: str, found: Sequence[str], first: int, free: set[int]) -> _Run:
    """The run from a block on, as long as each further neighbour brings it nearer to the truth."""
    end = first + 1
    text, cost = found[first], Levenshtein.normalized_distance(truth, found[first])
    while end in free and len(text) <= len(truth):
        longer = f"{text} {found[end]}"
        nearer = Levenshtein.normalized_distance(truth, longer)
        if nearer > cost or any(_within(part, truth) >= _PART_OF_RUN for part in found[first : end + 1]):
            break
        text, cost = longer, nearer
        end += 1
    return _Run(tuple(range(first, end)), cost)


def _without_overlap(wanted: list[_Run]) -> list[_Run]:
    """Of runs that want the same blocks, the selection with the lowest mean cost."""
    kept: list[_Run] = []
    groups: list[list[_Run]] = []
    for run in sorted(wanted, key=lambda run: run.columns[0]):
        if groups and any(_overlap(run, other) for other in groups[-1]):
            groups[-1].append(run)
        else:
            groups.append([run])
    for first, *others in groups:
        selections = [[first]]
        for run in others:
            taken = [_take(selection, run) for selection in selections]
            if not any(taken):
                selections.append([run])
        kept += sorted(selections, key=_mean_cost)[0]
    return kept


def _mean_cost(selection: Sequence[_Run]) -> float:
    return sum(run.cost for run in selection) / len(selection)


def _take(selection: list[_Run], run: _Run) -> bool:
    """Put a run into a selection if it fits there; the same blocks at a lower cost replace the others."""
    for number, other in enumerate(selection):
        if other.columns == run.columns:
            if run.cost < other.cost:
                selection[number] = run
            return True
    if any(_overlap(run, other) for other in selection):
        return False
    selection.append(run)
    return True


def _overlap(one: _Run, other: _Run) -> bool:
    return not set(one.columns).isdisjoint(other.columns)


def _add_merged(
    groups: dict[tuple[int, ...], list[int]], expected: Sequence[str], found: Sequence[str], *, lenient: bool
) -> None:
    """Step 3: blocks of the truth without a partner join the block of the prediction that holds them."""
    waiting = [row for row in range(len(expected)) if not any(row in rows for rows in groups.values())]
    alone: list[tuple[int, ...]] = [(column,) for column in range(len(found))]
    used = {column for columns in groups for column in columns}
    taken: set[int] = set()
    for columns in alone if lenient else sorted([*groups, *(one for one in alone if one[0] not in used)]):
        text = " ".join(found[column] for column in columns)
        inside = [row for row in waiting if _within(expected[row], text) < _WITHIN]
        if lenient and inside:  # an entry without rows makes the block count as used
            groups.setdefault(columns, []).extend(row for row in inside if row not in taken)
            taken.update(inside)
            continue
        for row in inside:
            if row not in taken and _lowers_edits(groups.get(columns, []), row, expected, text):
                groups.setdefault(columns, []).append(row)
                taken.add(row)


def _lowers_edits(rows: list[int], row: int, expected: Sequence[str], text: str) -> bool:
    before, after = (
        " ".join(expected[number] for number in sorted(numbers)) for numbers in (rows, [*rows, row])
    )
    return bool(Levenshtein.distance(after, text) < Levenshtein.distance(before, text))


def _distance(
    rows: Sequence[int], columns: Sequence[int], expected: Sequence[str], found: Sequence[str]
) -> float:
    left, right = (
        " ".join(expected[row] for row in sorted(rows)),
        " ".join(found[column] for column in columns),
    )
    return float(Levenshtein.normalized_distance(left, right))


def _within(part: str, whole: str) -> float:
    """Distance of a text from the most similar stretch of its own length, by that; 1 if none is near."""
    size = len(part)
    if size > len(whole):
        return 1.0
    if part in whole:
        return 0.0
    last = len(whole) - size + 1
    step = max(1, last * size * size // _MOST_STEPS)
    windows = [whole[start : start + size] for start in range(0, last, step)]
    most = int(size * _PART_OF_RUN)
    nearest = process.cdist([part], windows, scorer=Levenshtein.distance, score_cutoff=most, dtype=np.int32)
    return min(1.0, float(nearest.min()) / size)


def _lenient_matches(
    groups: dict[tuple[int, ...], list[int]], rest: list[int], expected: Sequence[str], found: Sequence[str]
) -> list[Match]:
    """What is left over is paired, however unlike; invented blocks count only where nothing is missing."""
    matches = [Match(tuple(sorted(rows)), columns) for columns, rows in groups.items() if rows]
    used = {column for columns in groups for column in columns}
    unused = [column for column in range(len(found)) if column not in used]
    if unused and not rest:
        return [*matches, Match((), tuple(unused))]
    if unused:
        costs = distances([expected[row] for row in rest], [found[column] for column in unused])
        for row, column in assign(costs):
            matches.append(Match((rest[row],), (unused[column],)))
    paired = {row for match in matches for row in match.expected}
    return [*matches, *(Match((row,), ()) for row in rest if row not in paired)]
