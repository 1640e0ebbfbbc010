"""A picture that fits its place."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel


class ScaledPicture(QLabel):
    """A picture that fits its place."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._image = QImage()
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumSize(80, 80)
        self.setAccessibleName(name)

    def show_image(self, image: QImage | None) -> None:
        """Shows a picture, or nothing."""
        self._image = image or QImage()
        self.setVisible(image is not None)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Scales it again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._image.isNull():
            self.clear()
            return
        ratio = self.devicePixelRatioF()
        scaled = self._image.scaled(
            self.size() * ratio,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        scaled.setDevicePixelRatio(ratio)
        self.setPixmap(QPixmap.fromImage(scaled))
