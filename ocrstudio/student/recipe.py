"""A training run from beginning to end. Read this file first; every stage is a short method.

    setup_data      read the datasets, find every problem, show what the model will see
    estimate        will it fit into memory? said before anything is loaded
    setup_model     load the base model, put the adapter on it
    check           the longest samples forward and backward: enough memory? a gradient everywhere?
    setup_trainer   (by check, for every choice that it tries) optimiser, schedule, checkpoints, events
    train           the loop; after the first steps, has everything moved that is trained?
    save            the best adapter into the run folder
    look            did the student look at its pictures? how far has each part moved?

The loop itself is `transformers.Trainer`; nothing is reported to anybody but the run's own events.
"""

import contextlib
import time
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import RunError
from ocrstudio.domain.picture_check import CHECK_KEY, MOVEMENT_KEY
from ocrstudio.domain.run import TrainMode
from ocrstudio.domain.wording import size_of
from ocrstudio.jobs.context import RunContext
from ocrstudio.student.adapters import AdapterInfo, restore_weights, save_adapter, write_adapter
from ocrstudio.student.arguments import training_arguments
from ocrstudio.student.best_adapters import keep_best, kept_adapter
from ocrstudio.student.callbacks import (
    BestAdapterCallback,
    EpochCallback,
    Evaluation,
    EventCallback,
    FiniteLossCallback,
    StopCallback,
    Throughput,
    best_evaluation,
    evaluations,
)
from ocrstudio.student.checkpointing import apply_checkpointing
from ocrstudio.student.collator import Collator
from ocrstudio.student.distributed import is_main, require_devices, true_everywhere, world_size
from ocrstudio.student.engines import choose_engine
from ocrstudio.student.failures import TRAINING_MEMORY_ADVICE, sentences
from ocrstudio.student.feature_store import keep_where_possible
from ocrstudio.student.first_steps import FirstSteps, FirstStepsCallback
from ocrstudio.student.gradient_check import GradientReport, check_gradients
from ocrstudio.student.loading import SEED_FACT, beside_base, load_processor, load_student, student_config
from ocrstudio.student.lora import (
    attach_adapter,
    leave_casting_to_autocast,
    select_targets,
    train_everything,
    trainable_parameters,
)
from ocrstudio.student.memory import MemoryEstimate, estimate_memory, fits, free_memory
from ocrstudio.student.movement import Movement
from ocrstudio.student.picture_check import PictureChecker
from ocrstudio.student.preflight import check_free_space, run_preflight
from ocrstudio.student.request import read_train_request
from ocrstudio.student.resuming import check_checkpoint, is_at_the_end
from ocrstudio.student.sampler import StepSampler
from ocrstudio.student.step_choices import StepChoice, first_that_fits, recording_obstacles, step_choices
from ocrstudio.student.trainer import OcrTrainer
from ocrstudio.student.turns import TrainingExamples

PROMPT_CONVENTION = "<image>\n{user}, stripped; begin token, placeholders, prompt; answer, end token"


def train(context: RunContext) -> dict[str, Any]:
    """Run a training.

    Args:
        context: The run; `TrainRequest` describes its request and configuration.

    Returns:
        The summary: steps, losses, time, the adapter's folder, and whether the run was stopped.

    Raises:
        OcrStudioError: Whatever went wrong, in one sentence; announced checkpoints are intact.
    """
    with sentences(context.folder, TRAINING_MEMORY_ADVICE):
        recipe = Recipe(context)
        recipe.setup_data()
        recipe.estimate()
        recipe.setup_model()
        recipe.check()
        with recipe.kept_pictures():
            recipe.train()
            recipe.save()
            recipe.look()
        return recipe.summary()


class Recipe:
    """The stages of a training and what they hand to each other."""

    def __init__(self, context: RunContext) -> None:
        self.context = context
        self.request = read_train_request(context.folder)
        self.config = self.request.config
        self.started = time.monotonic()
        require_devices()
        transformers.set_seed(self.config.training.seed)

    def setup_data(self) -> None:
        """Read the datasets with the tokenizer alone; no weights are loaded yet."""
        self._phase("data", "Reading and checking the dataset")
        self.processor = load_processor(
            self.request.model, self.config.image, max_length=self.config.training.max_length
        )
        self.collator = Collator(self.processor)
        self.data = run_preflight(self.request, self.collator, self.context)
        if self.request.resume_from is not None:
            for remark in check_checkpoint(self.request.resume_from, self.request, self.data.plan):
                self._warn(remark)

    def estimate(self) -> None:
        """Say how much memory the run will take, and what to change where that is too much."""
        if self.request.mode is TrainMode.FULL and self.config.model.load_in_4bit:
            raise RunError(
                "Mode full trains every weight, and weights in 4 bits cannot be trained.",
                "Set model.load_in_4bit to false, or choose mode llm, vision or both.",
            )
        self.engine = choose_engine(self.config.model)
        if self.engine.remark:
            self._warn(self.engine.remark)
        self.choices = step_choices(self.config, on_gpu=torch.cuda.is_available())
        leanest, free = self._needed_memory(self.choices[-1]), free_memory()
        self._phase("memory", f"Needs {leanest.sentence()}; {size_of(free)} are free")
        if not fits(leanest, free):
            self._warn(
                f"This run may not fit: it needs about {size_of(leanest.total)} of memory and "
                f"{size_of(free)} are free. {TRAINING_MEMORY_ADVICE}"
            )

    def _needed_memory(self, choice: StepChoice) -> MemoryEstimate:
        in_full = is_embedded(self.request.model) or self.request.mode is TrainMode.FULL
        longest = self.data.lengths[self.data.longest[0]]
        return estimate_memory(
            student_config(self.request.model),
            choice.config,
            self.request.mode,
            longest=longest.total,
            image_tokens=longest.image,
            every=choice.every,
            value_bytes=4 if in_full else 2,
        )

    def setup_model(self) -> None:
        """Load the base model and put a fresh adapter on it."""
        self._phase("model", f"Loading the base model {self.request.model} with {self.engine.name}")
        every_weight = self.request.mode is TrainMode.FULL
        self.student = load_student(
            self.request.model,
            self.config.image,
            # Small steps on weights of 16 bits would be rounded away; an adapter has 32 by itself.
            dtype=torch.float32 if every_weight else None,
            load_in_4bit=self.config.model.load_in_4bit,
        )
        network = self.student.model
        if every_weight:
            self.model = train_everything(network)
        else:
            targets = select_targets(network, self.config.lora, self.request.mode)
            self.model = attach_adapter(network, self.config.lora, targets)
        self.movement = Movement(self.model)
        self.trainable = sum(tensor.numel() for tensor in trainable_parameters(self.model).values())
        self.engine.prepare_model(self.model)
        self.processor.pixel_dtype = network.dtype  # pixels travel in the weights' type
        if network.device.type == "cuda":
            leave_casting_to_autocast(self.model)
        total = sum(tensor.numel() for tensor in self.model.parameters())
        self._phase(
            "model",
            f"Training {self.trainable:,} of {total:,} parameters "
            f"({self.trainable / total:.2%}) in mode {self.request.mode.value}",
        )
        check_free_space(
            self.context.folder.checkpoints, self.trainable, self.config.training, self.data.plan
        )

    def _records(self) -> bool:
        """Whether the text model's steps become CUDA graphs."""
        if not self.config.model.record_steps:
            return False
        on_gpu = self.student.model.device.type == "cuda"
        found = recording_obstacles(self.config, self.request.mode, on_gpu=on_gpu)
        if found:
            self._warn(f"Steps are not recorded (model.record_steps): {', '.join(found)}.")
        return not found

    def setup_trainer(self) -> None:
        """Join model, data, optimiser and callbacks."""
        training = self.config.training
        throughput = Throughput()
        self.stop = StopCallback(self.context)
        self.best = BestAdapterCallback(
            self._keep_best,
            patience=training.early_stopping_patience,
            threshold=training.early_stopping_threshold,
        )
        sampler = StepSampler(
            [length.total for length in self.data.lengths],
            training.per_device_train_batch_size * training.gradient_accumulation_steps * world_size(),
            shuffle=training.shuffle,
            seed=training.seed,
        )
        self.trainer = OcrTrainer(
            model=self.model,
            args=training_arguments(
                self.config,
                self.context.folder.checkpoints,
                has_evaluation=bool(self.data.evaluation),
            ),
            data_collator=self.collator,
            train_dataset=TrainingExamples(self.data.train, training),
            eval_dataset=list(self.data.evaluation) or None,
            callbacks=[
                EpochCallback(sampler.set_epoch, self.data.plan.per_epoch),
                FiniteLossCallback(),
                self.best,
                FirstStepsCallback(self.model, self._say_what_moved),
                EventCallback(self.context, throughput),
                self.stop,
            ],
            sampler=sampler,
            throughput=throughput,
            write_checkpoint=lambda folder, step: write_adapter(self.model, folder, self._info(step)),
            should_stop=self.context.should_stop,
            record=self._records(),
        )
        self.trainer.remove_callback(transformers.PrinterCallback)  # the events say it better

    def check(self) -> None:
        """Probe memory and gradients with the longest samples, as one batch; settle how a step is done."""
        self._phase("check", "Checking memory and gradients with the longest samples")
        free = free_memory()
        hopeful = [choice for choice in self.choices[:-1] if fits(self._needed_memory(choice), free)]
        chosen, report = first_that_fits([*hopeful, self.choices[-1]], self._try, true_everywhere)
        if len(self.choices) > 1:
            self._phase("check", chosen.sentence())
        for warning in report.warnings():
            self._warn(warning)
        self._phase("check", report.sentence())

    def _try(self, choice: StepChoice) -> GradientReport:
        self.config = choice.config
        self.model.zero_grad(set_to_none=True)  # of a choice before that did not fit
        apply_checkpointing(self.model, choice.every, has_dropout=self.config.lora.lora_dropout > 0)
        self.setup_trainer()
        longest, size = self.data.longest, self.config.training.per_device_train_batch_size
        # A dataset smaller than the batch is gone through again.
        batch = self.collator([self.data.train[longest[number % len(longest)]] for number in range(size)])
        return check_gradients(self.model, lambda: self._loss(batch))

    def train(self) -> None:
        """Run the loop, from the beginning or from a checkpoint."""
        resume_from = self.request.resume_from
        if resume_from is not None and is_at_the_end(resume_from, self.data.plan):
            self._phase("train", f"All steps were done before: {resume_from.name} is the last checkpoint")
            self.trainer.stand_at(resume_from)
            return
        self._phase("train", f"Training on {self.trainer.args.device}")
        try:
            self.trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
        finally:
            self.trainer.end_loaders()

    def kept_pictures(self) -> contextlib.AbstractContextManager[None]:
        """Where pictures come back and nothing that sees them is trained, encode each of them once."""
        if self.request.mode is not TrainMode.LLM or self.data.plan.epochs <= 1:
            return contextlib.nullcontext()
        return keep_where_possible(
            self.context,
            self.config.training,
            self.student.model,
            self.collator,
            [*self.data.train, *self.data.evaluation],
            positions=self.data.image_positions,
        )

    def save(self) -> None:
        """Write the adapter: the one of the best evaluation where there was one, else the last."""
        if not is_main():
            return
        self._phase("save", "Writing the adapter")
        folder = self.context.folder
        step = self.trainer.state.global_step
        history = evaluations(self.trainer.state.log_history)
        chosen = best_evaluation(history, self.config.training.early_stopping_threshold)
        if chosen is not None and chosen.step < step:
            kept = self._kept_adapter(chosen)
            if kept is not None:
                restore_weights(self.model, kept)
                step = chosen.step
            else:
                self._warn(
                    f"The adapter of step {chosen.step}, the best one, is gone; the last one is written."
                )
        eval_loss = next((evaluation.loss for evaluation in history if evaluation.step == step), None)
        save_adapter(self.model, folder.adapter, self._info(step, eval_loss))
        self.adapter_step, self.history = step, history

    def look(self) -> None:
        """Measure what the adapter that was kept has learnt to look at; the other processes need not wait."""
        if not is_main():
            return
        self.moved = self.movement.say(self.context, lambda: beside_base(self.student))
        checker = PictureChecker(self.context, self.trainer, self.collator, self.config.training)
        self.looked = checker.run(self.data, stand_in=SEED_FACT in self.student.facts)

    def summary(self) -> dict[str, Any]:
        """What the run has come to; empty in all processes but the main one."""
        if not is_main():
            return {}
        state, step, history = self.trainer.state, self.adapter_step, self.history
        losses = [float(entry["loss"]) for entry in state.log_history if "loss" in entry]
        return {
            "steps": state.global_step,
            "planned_steps": state.max_steps,
            "epochs": state.epoch,
            "first_loss": losses[0] if losses else None,
            "last_loss": losses[-1] if losses else None,
            "adapter": str(self.context.folder.adapter),
            "adapter_step": step,
            "eval_losses": [[evaluation.step, evaluation.loss] for evaluation in history],
            "trainable_parameters": self.trainable,
            "engine": self.engine.name,
            "batch": [
                self.config.training.per_device_train_batch_size,
                self.config.training.gradient_accumulation_steps,
            ],
            "processes": world_size(),
            "samples": len(self.data.train),
            "augment": self.config.training.augment,
            "skipped_samples": self.data.skipped,
            "seconds": round(time.monotonic() - self.started, 1),
            "stopped": self.stop.requested,
            "stopped_early": self.best.stopped_early,
            CHECK_KEY: None if self.looked is None else self.looked.to_json(),
            MOVEMENT_KEY: self.moved,
        }

    def _loss(self, batch: dict[str, Any]) -> Tensor:
        """Loss of a batch as training computes it, mixed precision included."""
        inputs = self.trainer._prepare_inputs(dict(batch))  # noqa: SLF001 - the library's way to its device
        with self.trainer.accelerator.autocast():
            return self.trainer.forward_loss(self.model, inputs)[0]

    def _say_what_moved(self, first: FirstSteps) -> None:
        self._phase("train", first.sentence())
        if first.still:
            self._warn(first.warning())

    def _keep_best(self, evaluation: Evaluation) -> None:
        if not is_main():
            return
        info = self._info(evaluation.step, evaluation.loss)
        keep_best(
            self.context.folder.checkpoints,
            evaluation.step,
            lambda folder: save_adapter(self.model, folder, info),
        )

    def _kept_adapter(self, evaluation: Evaluation) -> Path | None:
        """Where the adapter of an evaluation was kept: here, or in the run that this one goes on from."""
        places = [self.context.folder.checkpoints]
        if self.request.resume_from is not None:
            places.append(self.request.resume_from.parent)
        return kept_adapter(places, evaluation.step)

    def _info(self, step: int, eval_loss: float | None = None) -> AdapterInfo:
        """What the adapter's folder says about it."""
        return AdapterInfo(
            base_model=self.request.model,
            base=self.student.facts,
            mode=self.request.mode.value,
            image=self.config.image.model_dump(),
            prompt=PROMPT_CONVENTION,
            step=step,
            run=self.context.folder.id,
            eval_loss=eval_loss,
            versions=dict(self.context.folder.spec.versions),
            augment=self.config.training.augment,
        )

    def _phase(self, name: str, message: str) -> None:
        self.context.emit("phase", name=name, message=message)

    def _warn(self, message: str) -> None:
        self.context.emit("warning", message=message)
