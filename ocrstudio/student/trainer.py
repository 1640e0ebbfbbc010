"""The library's trainer, told what a batch, a checkpoint and an evaluation are here."""

import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import AutocastKwargs
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler
from transformers import Trainer, TrainerControl, TrainerState
from transformers.modeling_outputs import ModelOutput
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ocrstudio.student.adapters import restore_weights
from ocrstudio.student.callbacks import Throughput, diverged
from ocrstudio.student.distributed import is_connected, rank, total, world_size
from ocrstudio.student.gpu import gpu_figures
from ocrstudio.student.loader_workers import end_loaders
from ocrstudio.student.lora import LANGUAGE, PROJECTOR, SAM, VISION, plain_network, trainable_parameters
from ocrstudio.student.modeling.loss import labelled_positions
from ocrstudio.student.text_graphs import TextGraphs
from ocrstudio.student.turns import Turn
from ocrstudio.student.view_graphs import ViewGraphs

BATCH_COUNTS = ("token_count", "page_count", "answer_count", "placeholder_counts")
"""Entries of a batch that are not for the network: known numbers, so that nobody waits for the device."""

_PICTURES = ("pixel_values_global", "pixel_values_tiles", "tile_grids", "image_features")
_ACCURACY_CHUNK = 1024  # positions whose logits are held at once


class OcrTrainer(Trainer):
    """Trains the adapter of a student.

    Args:
        sampler: Order of the training samples.
        throughput: Counter of tokens and pages.
        write_checkpoint: Writes the adapter into a checkpoint folder; is given the folder and the step.
        should_stop: Asked between the batches of an evaluation.
        record: Whether the text model's part of a step may be recorded as CUDA graphs.
        **kwargs: Of the library's trainer.
    """

    control: TrainerControl

    def __init__(
        self,
        *,
        sampler: Sampler[Turn],
        throughput: Throughput,
        write_checkpoint: Callable[[Path, int], None],
        should_stop: Callable[[], bool],
        record: bool,
        **kwargs: Any,  # noqa: ANN401 - the library's own arguments
    ) -> None:
        super().__init__(**kwargs)
        # More than one GPU would make the library copy the model to all of them, which cannot split pictures.
        self.args._n_gpu = min(self.args.n_gpu, 1)  # noqa: SLF001
        self._sampler = sampler
        self._throughput = throughput
        self._write_checkpoint = write_checkpoint
        self._should_stop = should_stop
        self._correct = torch.zeros((), dtype=torch.int64, device=self.args.device)
        self._labelled = self._tokens = self._pages = 0
        self._graphs = self._prepare_graphs() if record else None

    def _prepare_graphs(self) -> TextGraphs:
        trainable = trainable_parameters(self.model)
        inside = [parameter for name, parameter in trainable.items() if LANGUAGE in name]
        tower = [name for name in trainable if any(part in name for part in (VISION, SAM, PROJECTOR))]
        network = plain_network(self.model)
        pool = torch.cuda.graph_pool_handle()
        settings: dict[str, Any] = {"dtype": torch.bfloat16, "pool": pool}
        if not tower:
            network.model.encode_views = ViewGraphs(network.model, pool)
        through = len(inside) < len(trainable)
        return TextGraphs(network, list(trainable.values()), through=through, **settings)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[Turn]:  # noqa: ANN401, ARG002
        """The library's way to ask for the order."""
        return self._sampler

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:  # noqa: ANN401 - the library's two forms of answer
        """Loss of a micro-batch; what is needed for the counters is noted on the way."""
        self._tokens += int(inputs["token_count"])
        self._pages += int(inputs["page_count"])
        self._labelled += int(inputs["answer_count"])
        loss, correct, outputs = self.forward_loss(model, inputs, num_items_in_batch)
        self._correct += correct
        if num_items_in_batch is not None and is_connected():
            # Its labels are counted over all processes, whose gradients are then averaged.
            loss = loss * world_size()
        return (loss, outputs) if return_outputs else loss

    def forward_loss(
        self, model: nn.Module, inputs: dict[str, Any], items: Tensor | int | None = None
    ) -> tuple[Tensor, Tensor, ModelOutput | None]:
        """Run a batch forward.

        Args:
            model: The adapted network, as the library's trainer wrapped it.
            inputs: A batch of the collator, on the device.
            items: Divisor of the summed loss; None for the batch's own labels.

        Returns:
            The loss, the number of labelled tokens that the network would have chosen, and its outputs unless
            they stayed inside a recording.
        """
        counts = {name: inputs.pop(name) for name in BATCH_COUNTS}
        if self._graphs is not None and model.training and counts["answer_count"]:
            return *self._replay(self._graphs, inputs, counts, items), None
        outputs = model(**inputs, num_items_in_batch=items)
        correct, _ = self._count_correct(outputs.last_hidden_state, inputs["labels"])
        return outputs.loss, correct, outputs

    def _replay(
        self,
        graphs: TextGraphs,
        inputs: dict[str, Any],
        counts: dict[str, Any],
        items: Tensor | int | None,
    ) -> tuple[Tensor, Tensor]:
        """Loss and right guesses by way of recorded graphs; the pictures are encoded as ever."""
        pictures = {name: inputs[name] for name in _PICTURES if name in inputs}
        network = plain_network(self.model).model
        # A frozen vision tower gains nothing from mixed precision: its weights have 16 bits already.
        with self.accelerator.autocast(AutocastKwargs(enabled=graphs.through)):
            embeds = network.embed(inputs["input_ids"], counts["placeholder_counts"], **pictures)
        answers = counts["answer_count"]
        return graphs.loss(embeds, inputs["labels"], answers, answers if items is None else items)

    def _count_correct(self, hidden_states: Tensor, labels: Tensor) -> tuple[Tensor, int]:
        """How many labelled tokens the network would have chosen, and how many there are."""
        output_layer = plain_network(self.model).get_output_embeddings()
        with torch.no_grad():
            positions, targets = labelled_positions(labels)
            hidden = hidden_states.detach().flatten(0, 1).index_select(0, positions)
            correct = torch.zeros((), dtype=torch.int64, device=hidden.device)
            parts = zip(hidden.split(_ACCURACY_CHUNK), targets.split(_ACCURACY_CHUNK), strict=True)
            for part, wanted in parts:
                logits = output_layer(part.to(output_layer.weight.dtype))
                correct += (logits.argmax(dim=-1) == wanted).sum()
        return correct, targets.numel()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add what was counted since the last line of the training log."""
        if "loss" in logs:
            counts = torch.tensor([self._labelled, self._tokens, self._pages], device=self._correct.device)
            correct, labelled, tokens, pages = total(torch.cat([self._correct[None], counts])).tolist()
            logs["token_accuracy"] = correct / max(labelled, 1)
            self._throughput.add(tokens, pages)
            self._correct.zero_()
            self._labelled = self._tokens = self._pages = 0
            logs.update(gpu_figures())
        super().log(logs, start_time)

    def evaluate(
        self,
        eval_dataset: Any = None,  # noqa: ANN401 - the library's argument
        ignore_keys: list[str] | None = None,  # noqa: ARG002
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Loss and token accuracy over the evaluation set; every answer token weighs the same.

        An evaluation that a stop request interrupts has no result and is not reported.
        """
        started = time.perf_counter()
        # With several processes, the others would wait for one that stopped.
        may_stop = not is_connected()
        sums = self.sum_losses(self._own_part(eval_dataset), lambda: may_stop and self._should_stop())
        if sums is None:
            return {}
        loss_sum, correct, labelled, pages = total(sums).tolist()
        prefix = metric_key_prefix
        metrics = {
            f"{prefix}_loss": loss_sum / max(labelled, 1),
            f"{prefix}_token_accuracy": correct / max(labelled, 1),
            f"{prefix}_seconds": time.perf_counter() - started,
            f"{prefix}_pages": pages,
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def sum_losses(self, batches: Iterable[dict[str, Any]], should_stop: Callable[[], bool]) -> Tensor | None:
        """Run batches forward in evaluation mode; nothing is exchanged with other processes.

        Args:
            batches: Of the collator.
            should_stop: Asked before each of them.

        Returns:
            float64 [4] on the device: the summed loss of all answer tokens, how many of them the network
            would have chosen, how many there are, and the pages; None when it was stopped.
        """
        loss_sum, correct, labelled, pages = 0.0, 0.0, 0.0, 0.0
        was_training = self.model.training
        self.model.eval()
        try:
            for batch in batches:
                if should_stop():
                    return None
                inputs = self._prepare_inputs(batch)
                pages += int(inputs["page_count"])
                count = int(inputs["answer_count"])
                with torch.no_grad(), self.accelerator.autocast():
                    loss, hits, _ = self.forward_loss(self.model, inputs, 1)
                loss_sum += float(loss) if count else 0.0
                correct += int(hits)
                labelled += count
        finally:
            self.model.train(was_training)
        sums = [loss_sum, correct, labelled, pages]
        return torch.tensor(sums, dtype=torch.float64, device=self.args.device)

    def end_loaders(self) -> None:
        """End the processes that prepare pages; the library would leave them to the garbage collector."""
        end_loaders(self.accelerator._dataloaders)  # noqa: SLF001 - all that it has prepared

    def _own_part(self, eval_dataset: Any) -> DataLoader[Any]:  # noqa: ANN401
        """Batches of this process; the library would repeat samples so that all have equally many."""
        if not is_connected():
            loader: DataLoader[Any] = self.get_eval_dataloader(eval_dataset)
            return loader
        samples = self.eval_dataset if eval_dataset is None else eval_dataset
        return DataLoader(
            samples[rank() :: world_size()],
            batch_size=self.args.per_device_eval_batch_size,
            collate_fn=self.data_collator,
        )

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:  # noqa: ANN401
        """Never write weights that are no numbers: the checkpoint before would be rotated away."""
        weights = trainable_parameters(model).values()
        if not all(bool(weight.isfinite().all()) for weight in weights):
            raise diverged("a weight", self.state.global_step)
        try:
            super()._save_checkpoint(model, trial)
        except BaseException:
            if not self.args.should_save:
                raise
            partial = Path(self.args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            shutil.rmtree(partial, ignore_errors=True)
            raise

    def _save(self, output_dir: str | None = None, state_dict: Mapping[str, Tensor] | None = None) -> None:  # noqa: ARG002
        """Write the adapter; the base weights never change. Some releases ask every process to."""
        if not self.args.should_save:
            return
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        self._write_checkpoint(folder, self.state.global_step)

    def stand_at(self, checkpoint: Path) -> None:
        """Take weights and history of a checkpoint behind which there is no step left.

        The library's own way would train one step more before it sees that.
        """
        restore_weights(self.model, checkpoint)
        self.state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: nn.Module | None = None) -> None:
        """Read the adapter back."""
        restore_weights(self.model if model is None else model, Path(resume_from_checkpoint))
