"""What a training is asked to do."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PretrainingPlan:
    """How long and with what.

    Attributes:
        seconds: Length of the training, everything but the last gates included.
        decay_seconds: The last part of it, in which the learning rate falls to nothing.
        tokenizer: Folder of the tokenizer.
        texts: Word lists and texts to write with.
        fonts: Folder of fonts.
        held_out_texts: Texts of the gates.
        held_out_fonts: Fonts of the gates.
        output: Folder of checkpoints.
        resume: Folder of the checkpoints to go on from, or None.
        level: First level; with `resume` at least the one reached there.
        target: Share of right next tokens at which the next level begins.
        learning_rate: The highest.
        views: Tiles and overviews of a step.
        workers: Processes that make pages; 0 makes them here.
        gate_pages: Pages of each gate; 0 measures none.
        gate_seconds: Time between two looks at the gates while training.
        checkpoint_seconds: Time between two checkpoints.
        log_every: Steps between two lines.
        echo: Batches that are kept on the device to be trained once more when the next one is not ready; 0
            waits instead.
        compiled: Whether layers and losses are compiled.
        seed: Of the pages; a continuation makes others by itself.
    """

    seconds: float
    decay_seconds: float
    tokenizer: Path
    texts: tuple[Path, ...]
    fonts: Path
    held_out_texts: tuple[Path, ...]
    held_out_fonts: Path
    output: Path
    resume: Path | None = None
    level: int = 0
    target: float = 0.85
    learning_rate: float = 1.5e-3
    views: int = 784
    workers: int = 15
    gate_pages: int = 32
    gate_seconds: float = 200.0
    checkpoint_seconds: float = 120.0
    log_every: int = 50
    echo: int = 0
    compiled: bool = False
    seed: int = 0
