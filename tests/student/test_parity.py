"""The network against the published implementation; tests/data/parity/README.md says how."""

import faulthandler
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ocrstudio.student.configuration import from_checkpoint_dict
from ocrstudio.student.layout import layout_of
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.weights import build_empty, reset_rotary_frequencies

DATA = Path(__file__).parents[1] / "data" / "parity"
GOLDEN = np.load(DATA / "golden.npz")
CASES = ["tiny", "small", "base", "large", "gundam_2x3", "gundam_4x2"]
pytestmark = pytest.mark.timeout(900)
IMAGE_ID = 2  # any id that the golden sequences do not use


def _load_helpers():
    spec = importlib.util.spec_from_file_location("parity_weights", DATA / "weights.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = _load_helpers()


@pytest.fixture(scope="module")
def model() -> DeepseekOcrForConditionalGeneration:
    """The vision tower of full size under a small language model, filled by the names of its weights."""
    data = json.loads((DATA / "config.json").read_text()) | {"image_token_id": IMAGE_ID}
    data["language_config"].update(REFERENCE.TEXT_OVERRIDES)
    model = build_empty(from_checkpoint_dict(data)).to_empty(device="cpu")
    reset_rotary_frequencies(model)
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    for name, piece in layout_of(parameters).items():
        piece.of(parameters[piece.native]).copy_(torch.from_numpy(REFERENCE.weight(name, piece.shape)))
    return model.eval()


@pytest.fixture(autouse=True)
def _heavy(_one_thread):
    """Seconds of arithmetic each, so two cores; minutes on a busy machine, which is no deadlock."""
    torch.set_num_threads(2)
    faulthandler.cancel_dump_traceback_later()


def _inputs(case: str) -> dict:
    base, tile, columns, rows, prompt, answer = (int(value) for value in GOLDEN[f"{case}/case"])
    count = REFERENCE.placeholders(base, tile, columns, rows)
    answer_ids = [*REFERENCE.text_ids(f"{case}:answer", answer), 1]
    ids = [0, *[IMAGE_ID] * count, *REFERENCE.text_ids(f"{case}:prompt", prompt), *answer_ids]
    labels = [-100] * (len(ids) - len(answer_ids)) + answer_ids
    tiles = None
    if columns * rows > 1:
        tiles = torch.from_numpy(REFERENCE.pixels(f"{case}:tiles", columns * rows, tile))
    return {
        "input_ids": torch.tensor([ids]),
        "labels": torch.tensor([labels]),
        "pixel_values_global": torch.from_numpy(REFERENCE.pixels(f"{case}:global", 1, base)),
        "pixel_values_tiles": tiles,
        "tile_grids": torch.tensor([[columns, rows]]),
    }


def _run(model, case: str):
    """Image features and outputs of a case; the vision tower runs once."""
    inputs = _inputs(case)
    pictures = {
        name: inputs.pop(name) for name in ("pixel_values_global", "pixel_values_tiles", "tile_grids")
    }
    features = model.get_image_features(**pictures)
    return features[0], model(**inputs, image_features=features, logits_to_keep=16)


def _relative(found, expected) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def _compare(case: str, features, output) -> None:
    golden = {key: GOLDEN[f"{case}/{key}"] for key in ("image_features_norms", "logits_last16", "loss")}
    features = features.detach().numpy()
    assert _relative(features[:8], GOLDEN[f"{case}/image_features_first8"]) < 1e-3
    assert _relative(features[-8:], GOLDEN[f"{case}/image_features_last8"]) < 1e-3
    assert _relative(np.linalg.norm(features, axis=1), golden["image_features_norms"]) < 1e-3
    assert np.abs(output.logits[0].detach().numpy() - golden["logits_last16"]).max() < 1e-3
    assert abs(output.loss.item() - golden["loss"]) < 1e-4


@pytest.mark.parametrize("case", CASES)
def test_features_logits_and_loss_are_those_of_the_reference(model, case):
    with torch.inference_mode():
        features, output = _run(model, case)
    _compare(case, features, output)


def test_gradients_are_those_of_the_reference_in_every_part(model):
    prefix = "small_grad/grad_norm/"
    layout = layout_of(dict(model.named_parameters()))
    pieces = {
        key.removeprefix(prefix): layout[key.removeprefix(prefix)]
        for key in GOLDEN.files
        if key.startswith(prefix)
    }
    assert len(pieces) == 13
    model.requires_grad_(False)  # only what is compared is computed
    for piece in pieces.values():
        model.get_parameter(piece.native).requires_grad_(True)
    features, output = _run(model, "small_grad")
    _compare("small_grad", features, output)
    output.loss.backward()
    for name, piece in pieces.items():
        norm = piece.of(model.get_parameter(piece.native).grad).norm().item()
        assert norm == pytest.approx(float(GOLDEN[prefix + name]), rel=0.01), name
