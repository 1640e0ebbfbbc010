"""Training samples exactly as the model sees them: views of the picture, what is masked, what is learnt."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import (
    QHBoxLayout,
    QStackedWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from ocrstudio.jobs.wording import sample_facts
from ocrstudio.ui.background import Background
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.empty_state import EmptyState
from ocrstudio.ui.widgets.fields import Choice
from ocrstudio.ui.widgets.notes import note
from ocrstudio.ui.widgets.scaled_picture import ScaledPicture

if TYPE_CHECKING:
    from ocrstudio.ui.training.sample_views import SampleViews


class SamplesView(QWidget):
    """Shows the samples that the worker sent."""

    def __init__(self, background: Background) -> None:
        super().__init__()
        self._background = background
        self._samples: Sequence[Mapping[str, Any]] = ()
        self._image_config: Mapping[str, Any] = {}
        self._shown = 0
        self._choice = Choice("Sample")
        self._choice.currentIndexChanged.connect(self._show)
        self._facts = note()
        self._text = QTextBrowser()
        self._text.setAccessibleName("Text of the sample")
        self._text.document().setDocumentMargin(10)
        self._overview = ScaledPicture("The whole page as the model sees it")
        self._tiles = ScaledPicture("The tiles of the page as the model sees them")
        empty = EmptyState(
            "preview", "No samples yet", "The worker shows three of them as soon as it has read the dataset."
        )
        self._empty = empty
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self._page())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def _page(self) -> QWidget:
        page = QWidget()
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addWidget(self._choice)
        left.addWidget(self._facts)
        left.addWidget(self._text, 1)
        row = QHBoxLayout(page)
        row.setContentsMargins(10, 8, 10, 8)
        row.setSpacing(12)
        row.addLayout(left, 3)
        row.addWidget(self._overview, 2)
        row.addWidget(self._tiles, 2)
        return page

    def show_samples(self, samples: Sequence[Mapping[str, Any]], image: Mapping[str, Any]) -> None:
        """Shows samples of a run.

        Args:
            samples: Data of the run's ``sample`` events.
            image: The ``image`` section of its configuration.
        """
        if samples is self._samples and len(samples) == self._shown:
            return
        self._samples, self._image_config, self._shown = samples, image, len(samples)
        with QSignalBlocker(self._choice):
            self._choice.clear()
            for number, sample in enumerate(samples, start=1):
                name = Path(str(sample.get("image") or "text only")).name
                self._choice.addItem(f"Sample {number}: line {sample.get('line', '?')}, {name}")
        self._stack.setCurrentIndex(1 if samples else 0)
        self._show()

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        self._empty.restyle()
        self._show()

    def _show(self) -> None:
        number = self._choice.currentIndex()
        if not 0 <= number < len(self._samples):
            return
        sample = self._samples[number]
        self._facts.setText(sample_facts(sample))
        self._text.setHtml(_text(sample))
        for picture in (self._overview, self._tiles):
            picture.show_image(None)
        path, image = sample.get("image"), self._image_config
        if path and image:
            self._background.run(
                lambda _: _load_views(Path(str(path)), image, sample.get("augmentation")),
                lambda views: self._show_views(sample, views),
            )

    def _show_views(self, sample: Mapping[str, Any], views: "SampleViews") -> None:
        number = self._choice.currentIndex()
        if 0 <= number < len(self._samples) and self._samples[number] is sample:
            self._overview.show_image(views.overview)
            self._tiles.show_image(views.tiles)


def _load_views(
    path: Path, image: Mapping[str, Any], augmentation: Mapping[str, Any] | None
) -> "SampleViews":
    from ocrstudio.ui.training.sample_views import load_views

    return load_views(path, image, augmentation)


def _text(sample: Mapping[str, Any]) -> str:
    colours = theme()

    def part(name: str) -> str:
        return html.escape(str(sample.get(name, ""))).replace("\n", "<br>")

    return (
        f'<p style="color:{colours.muted}"><b>Masked</b><br>{part("masked_text")}</p>'
        f'<p style="color:{colours.text}"><b style="color:{colours.green}">Learnt</b><br>'
        f"{part('learnt_text')}</p>"
    )
