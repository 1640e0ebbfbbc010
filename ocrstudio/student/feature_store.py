"""Image features of a frozen vision tower, computed once: the same pages come back in every pass.

A page at full size takes 2.3 MB. The features lie in the run folder while the training goes on, so that the
processes that prepare batches read them in place of opening, scaling and cutting a picture, and the network
has nothing to encode.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.utils.data import DataLoader

from ocrstudio.jobs.context import RunContext
from ocrstudio.settings.train import TrainingConfig
from ocrstudio.student.arguments import preparation_workers
from ocrstudio.student.collator import Collator
from ocrstudio.student.distributed import rank, true_everywhere, world_size
from ocrstudio.student.examples import Example
from ocrstudio.student.loader_workers import end_workers
from ocrstudio.student.tokenizer import IMAGE

_AT_ONCE_ON_GPU = 8
_DISK_SHARE = 0.5  # of what is free
_KEY = "features"
_FOLDER = "features"  # in that of the run


class FeatureStore:
    """Files with the features of pictures.

    Args:
        folder: Where they are.
        images: The pictures, without repetition.
    """

    def __init__(self, folder: Path, images: Iterable[Path]) -> None:
        self.folder = folder
        self._files = {image: folder / f"{number}.safetensors" for number, image in enumerate(images)}

    @property
    def images(self) -> list[Path]:
        """The pictures."""
        return list(self._files)

    def write(self, image: Path, features: Tensor) -> None:
        """Keep [positions, hidden]."""
        save_file({_KEY: features.cpu().contiguous()}, self._files[image])

    def read(self, image: Path) -> Tensor:
        """[positions, hidden] as they were written."""
        return load_file(self._files[image])[_KEY]


def keep_where_possible(
    context: RunContext,
    training: TrainingConfig,
    network: Any,  # noqa: ANN401 - see `kept_features`
    collator: Collator,
    examples: Sequence[Example],
    *,
    positions: int,
) -> AbstractContextManager[None]:
    """What `kept_features` does, unless the settings forbid it or something is in the way; the run says so.

    Args:
        context: The run.
        training: Its ``training`` section.
        network: See `kept_features`.
        collator: See there.
        examples: All that the run will use.
        positions: How many positions all their pictures take.
    """
    if not training.keep_image_features:
        return nullcontext()
    needed = positions * network.config.text_config.hidden_size * network.dtype.itemsize
    obstacle = obstacle_to_keeping(training, context.folder.path, needed)
    if obstacle:
        context.emit("phase", name="features", message=obstacle)
        return nullcontext()
    message = "Encoding every picture once; the vision part is not trained"
    context.emit("phase", name="features", message=message)
    return kept_features(
        network,
        collator,
        examples,
        context.folder.path / _FOLDER,
        tell=lambda done, total: context.emit("progress", done=done, total=total, unit="pages"),
        should_stop=context.should_stop,
    )


def obstacle_to_keeping(training: TrainingConfig, folder: Path, needed: int) -> str:
    """Why features cannot be kept; empty where they can.

    Args:
        training: The ``training`` section.
        folder: Where they would be; its disk shall keep as much again free.
        needed: Bytes of all of them.
    """
    if training.augment != "off":
        return (
            f"Pages look different in each pass (training.augment is {training.augment}), so their features "
            "cannot be kept: they are encoded each time"
        )
    if needed > _DISK_SHARE * shutil.disk_usage(folder).free:
        return "The disk is too full to keep image features; pages are encoded anew"
    return ""


@contextmanager
def kept_features(
    network: Any,  # noqa: ANN401 - `DeepseekOcrForConditionalGeneration` with its adapter
    collator: Collator,
    examples: Sequence[Example],
    folder: Path,
    *,
    tell: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> Iterator[None]:
    """Have a collator give features in place of pictures for the life of the context.

    Several processes share the folder, and each of them encodes its part.

    Args:
        network: Nothing in its vision tower is trained.
        collator: Of the run; changed for that time.
        examples: All that the run will use.
        folder: For the files; removed at the end.
        tell: Called with the pictures done and the pictures in all.
        should_stop: Asked between batches; true gives up, and pictures are encoded as they come.

    Raises:
        InputError: A picture cannot be opened.
        OSError: The disk is full.
    """
    images = dict.fromkeys(image for example in examples for image in example.images)
    store = FeatureStore(folder, images)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        complete = _encode(network, collator, store, tell, should_stop)
        if true_everywhere(complete):
            collator.features = store
        yield
    finally:
        collator.features = None
        if rank() == 0:
            shutil.rmtree(folder, ignore_errors=True)


def _encode(
    network: Any,  # noqa: ANN401 - see `kept_features`
    collator: Collator,
    store: FeatureStore,
    tell: Callable[[int, int], None],
    should_stop: Callable[[], bool],
) -> bool:
    device = next(network.parameters()).device
    own = [
        Example(IMAGE, "", image, image.name, number) for number, image in enumerate(store.images, start=1)
    ][rank() :: world_size()]
    on_gpu = device.type == "cuda"
    loader: Any = DataLoader(
        own,
        batch_size=_AT_ONCE_ON_GPU if on_gpu else 1,
        collate_fn=lambda chosen: (chosen, collator(chosen)),
        num_workers=preparation_workers() if on_gpu else 0,
    )
    done = 0
    batches = iter(loader)
    try:
        for _ in range(len(loader)):  # not to its end: there it would wait for each worker
            chosen, batch = next(batches)
            if should_stop():
                return False
            tiles = batch.get("pixel_values_tiles")
            with torch.no_grad():
                encoded = network.get_image_features(
                    batch["pixel_values_global"].to(device),
                    None if tiles is None else tiles.to(device),
                    batch["tile_grids"],
                )
            for example, features in zip(chosen, encoded, strict=True):
                store.write(example.image, features.to(network.dtype))
            done += len(chosen)
            tell(done, len(own))
    finally:
        end_workers(batches)
    return True
