"""The student as a server: load once, answer batches. `ocrstudio.worker.serve` gives it its pipes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import InputError
from ocrstudio.settings.generation import DecodingConfig
from ocrstudio.settings.image import ImageConfig
from ocrstudio.settings.teacher import load_teacher_config, shipped_file
from ocrstudio.student.failures import PREDICTION_MEMORY_ADVICE, memory_sentences
from ocrstudio.student.generation import TRUNCATED, Generator, PageAnswer, PageRequest
from ocrstudio.student.inference import LoadedStudent, open_student
from ocrstudio.student.processor import OcrProcessor


class Server:
    """Answers pages with one model.

    Args:
        model: Model folder, or the word of an embedded student.
        adapter: Adapter folder, or None.
        load_in_4bit: Keep the base weights in 4 bits.

    Raises:
        ModelError: Model or adapter cannot be used, or do not belong together.
    """

    def __init__(self, model: str, adapter: str | None = None, load_in_4bit: bool = False) -> None:
        defaults = load_teacher_config(shipped_file("local"), {"local.model_path": model})
        if defaults.generation is None or defaults.image is None:
            raise InputError(f"{shipped_file('local')} lacks its generation or image section.")
        self._generation = defaults.generation.model_dump(exclude={"extra_body"})
        self._follows_request = adapter is None
        self._student: LoadedStudent = open_student(
            model, Path(adapter) if adapter else None, defaults.image, load_in_4bit=load_in_4bit
        )

    def predict(
        self, images: Sequence[Path], prompts: Sequence[str], generation: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Answer pages as one batch.

        Args:
            images: Picture files.
            prompts: One for each picture, from `ocrstudio.tasks.student_prompt`.
            generation: Keys of the ``generation`` section that differ from the shipped ones, and
                optionally an ``image`` section, which counts for a model without adapter.

        Returns:
            For each page ``text`` (with the model's tags), ``tokens``, ``prompt_tokens``, ``truncated``,
            ``flags``, ``remarks``, ``seconds`` and the ``image`` settings that were used; for a page without
            an answer ``error`` and ``hint`` alone, the others do not suffer from it.

        Raises:
            InputError: A setting is impossible.
            OcrStudioError: Memory ran out.
        """
        if len(images) != len(prompts):
            raise InputError(f"{len(images)} pictures came with {len(prompts)} prompts.")
        if not images:
            return []
        settings = dict(generation)
        processor = self._processor(settings.pop("image", None))
        config = DecodingConfig.model_validate({**self._generation, **settings})
        pages = [PageRequest(Path(image), prompt) for image, prompt in zip(images, prompts, strict=True)]
        with memory_sentences(PREDICTION_MEMORY_ADVICE):
            answers = dict(Generator(self._student.model, processor, config).stream(pages))
        view = processor.image
        used = {"base_size": view.base_size, "image_size": view.image_size}
        used |= {"crop_mode": view.crop_mode, "max_tiles": view.max_tiles}
        return [self._result(answers[number], used) for number in range(len(pages))]

    def _result(self, answer: PageAnswer | InputError, image: Mapping[str, Any]) -> dict[str, Any]:
        if isinstance(answer, InputError):
            return {"error": answer.message, "hint": answer.hint}
        return {
            "text": answer.text,
            "tokens": answer.tokens,
            "prompt_tokens": answer.prompt_tokens,
            "truncated": TRUNCATED in answer.flags,
            "flags": list(answer.flags),
            "remarks": [*self._student.remarks, *answer.remarks],
            "seconds": round(answer.seconds, 3),
            "image": image,
        }

    def _processor(self, image: Mapping[str, Any] | None) -> OcrProcessor:
        """The processor for the asked image settings; an adapter keeps those that it was trained with."""
        processor = self._student.processor
        if image is None or not self._follows_request:
            return processor
        return OcrProcessor(processor.tokenizer, ImageConfig.model_validate(image), processor.max_length)
