"""The values that fit the students that come with the program: layers below the user's own.

A student's file (``config/train_reader.yaml``) has the sections of a training configuration with the keys
that differ, and ``modes``: the same sections again below the name of a mode, for what differs further there.
A teacher takes ``image`` and ``evaluation`` from the same file, so that a student drafts as it is measured.
"""

from ocrstudio.domain.embedded import EMBEDDED
from ocrstudio.domain.run import TrainMode
from ocrstudio.paths import config_dir
from ocrstudio.settings.layers import Layer, file_layer
from ocrstudio.settings.loader import LineMap

_MODES = "modes"


def training_layers(model: str, mode: TrainMode | None = None) -> list[Layer]:
    """What a student wants to be trained and measured with, weakest first; nothing for other models.

    Args:
        model: The word of a student, or a folder.
        mode: Which part is trained; None where nothing is.

    Raises:
        ConfigError: The student's file cannot be read.
    """
    layer = _layer_of(model)
    if layer is None:
        return []
    sections = {key: value for key, value in layer.data.items() if key != _MODES}
    layers = [Layer(sections, layer.lines)]
    further = (layer.data.get(_MODES) or {}).get(mode)
    if further:
        place = (_MODES, str(mode))
        lines = {path[2:]: line for path, line in layer.lines.lines.items() if path[:2] == place and path[2:]}
        layers.append(Layer(further, LineMap(layer.name, lines)))
    return layers


def teacher_layer(model: str) -> Layer | None:
    """What a student wants to draft with, as sections of a teacher configuration; None for other models.

    Args:
        model: The word of a student, or a folder.

    Raises:
        ConfigError: The student's file cannot be read.
    """
    layer = _layer_of(model)
    if layer is None:
        return None
    sections = {"image": layer.data.get("image"), "generation": layer.data.get("evaluation")}
    return Layer({name: values for name, values in sections.items() if values}, layer.lines)


def _layer_of(model: str) -> Layer | None:
    student = EMBEDDED.get(model)
    return file_layer(config_dir() / student.defaults) if student is not None and student.defaults else None
