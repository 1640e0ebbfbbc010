"""Pictures for the model: load any image file as RGB, resolution presets, tile grid, views. No torch, no Qt.

Nothing here knows of documents or pages (`ocrstudio.pdf`), and nothing here writes a file.
"""

from ocrstudio.imaging.page_image import load_image

__all__ = ["load_image"]
