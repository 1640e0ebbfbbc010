"""RapidOCR's recogniser, two lines at a time on every core: the same text and scores in less time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# Six lines at once are some hundred megabytes of activations, which the allocator takes from the system and
# gives back each time: a quarter of the time of a page. Two stay in its free lists.
_TOGETHER = 2

Pixels: TypeAlias = npt.NDArray[np.uint8]
Text: TypeAlias = tuple[str, float]
"""What was read and its score."""


class LineRecogniser:
    """Reads lines that were cut out of a page.

    Args:
        engine: A RapidOCR whose sessions have one thread: lines are read beside each other instead.
        threads: How many at once.
    """

    def __init__(self, engine: Any, threads: int) -> None:  # noqa: ANN401 - RapidOCR has no types
        self._engine = engine
        self._pool = ThreadPoolExecutor(threads)
        self._loading = self._pool.submit(self._load)  # while the lines of the first page are looked for

    def read(self, crops: Sequence[Pixels]) -> list[Text]:
        """Text and score of each line.

        RapidOCR sorts the lines by width and pads each six to the widest of them; the width of the padding
        is part of what the model sees, so that it is kept here.

        Args:
            crops: BGR, shape [height, width, 3] each.
        """
        if not crops:
            return []
        model = self._loading.result()
        _, height, narrowest = model.rec_image_shape
        ratios = [crop.shape[1] / crop.shape[0] for crop in crops]
        order = [int(number) for number in np.argsort(np.array(ratios))]
        jobs: list[tuple[list[int], float]] = []
        for start in range(0, len(order), model.rec_batch_num):
            padded_alike = order[start : start + model.rec_batch_num]
            ratio = max(narrowest / height, *(ratios[number] for number in padded_alike))
            jobs += [
                (padded_alike[first : first + _TOGETHER], ratio)
                for first in range(0, len(padded_alike), _TOGETHER)
            ]

        def read(job: tuple[list[int], float]) -> list[Text]:
            numbers, ratio = job
            pieces = np.stack([model.resize_norm_img(crops[number], ratio) for number in numbers])
            found, _ = model.postprocess_op(model.session(pieces))
            return [(str(text), float(score)) for text, score in found]

        jobs.reverse()  # the widest first, so that no core waits for one long line at the end
        texts = dict(
            zip(
                chain.from_iterable(numbers for numbers, _ in jobs),
                chain.from_iterable(self._pool.map(read, jobs)),
                strict=True,
            )
        )
        return [texts[number] for number in range(len(crops))]

    def _load(self) -> Any:  # noqa: ANN401
        self._engine.recognize_txt([np.zeros((48, 48, 3), np.uint8)])  # what it loads the model for
        return self._engine.text_rec
