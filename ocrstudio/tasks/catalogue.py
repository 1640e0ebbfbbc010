"""The tasks that can be chosen: the shipped ones, the user's, and a teacher's own wording."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.errors import ConfigError, InputError
from ocrstudio.settings.prompts import PromptConfig, load_prompts
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER, require_target, with_target
from ocrstudio.tasks.task import Task

# The prompts DeepSeek-OCR was trained with; their wording is in config/prompts.yaml.
PROTECTED = ("document", "ocr", "free_ocr", "figure", "describe", "locate")
_TARGET_SEPARATOR = ":"


@dataclass(frozen=True)
class TaskEntry:
    """A line of the list of tasks.

    Attributes:
        id: Key of the task.
        protected: Whether its wording is fixed.
        prompt: The user message on one line.
        description: What it is for; empty for tasks that say nothing.
    """

    id: str
    protected: bool
    prompt: str
    description: str


def load_tasks(
    prompts_file: Path | str | None = None, extra: Mapping[str, PromptConfig] | None = None
) -> dict[str, Task]:
    """Load all tasks by id.

    Args:
        prompts_file: The user's tasks (``prompts_file`` of the settings); they add to the shipped ones and
            may reword all but the protected ones.
        extra: Prompts of one teacher's configuration. They win, protected ids included, for that teacher
            only: a general vision model needs other words than DeepSeek-OCR. Do not use such tasks for
            datasets.

    Returns:
        Tasks in the order of the files.

    Raises:
        ConfigError: A file cannot be used, changes a protected prompt, or a prompt holds the image token.
    """
    shipped, layer = load_prompts()
    tasks = {key: _task(key, prompt, layer.name, key in PROTECTED) for key, prompt in shipped.items()}
    if prompts_file is not None:
        own, layer = load_prompts(Path(prompts_file).expanduser())
        for key, prompt in own.items():
            line = layer.lines.line(("prompts", key))
            where = f"{layer.name}, line {line}" if line else layer.name
            _refuse_change(tasks.get(key), prompt, where)
            tasks[key] = _task(key, prompt, where, key in PROTECTED, tasks.get(key))
    for key, prompt in (extra or {}).items():
        same = key in PROTECTED and _is_same(tasks[key], prompt)
        tasks[key] = _task(key, prompt, "the prompts of the teacher", same, tasks.get(key))
    return tasks


def get_task(tasks: Mapping[str, Task], task_id: str) -> Task:
    """Find a task; ``locate:Invoice number`` also fills in the target.

    Raises:
        InputError: There is no such task (the message names the nearest one), or its target does not fit.
    """
    if task_id in tasks:
        require_target(tasks[task_id])
        return tasks[task_id]
    key, separator, target = task_id.partition(_TARGET_SEPARATOR)
    key = key.strip()
    if separator and key in tasks:
        return with_target(tasks[key], target)
    close = difflib.get_close_matches(key.lower(), list(tasks), n=1, cutoff=0.5)
    question = f' Did you mean "{close[0]}"?' if close else ""
    raise InputError(f'There is no task "{key}".{question}', f"Tasks: {', '.join(tasks)}.")


def usable(tasks: Mapping[str, Task]) -> list[Task]:
    """The tasks that can be used as they are; the others first need to know what to look for."""
    return [task for task in tasks.values() if not task.needs_target]


def list_tasks(tasks: Iterable[Task]) -> list[TaskEntry]:
    """The tasks as lines of a list, protected ones first."""
    entries = [
        TaskEntry(task.id, task.protected, " ".join(task.user.split()), task.description) for task in tasks
    ]
    return sorted(entries, key=lambda entry: not entry.protected)


def _task(key: str, prompt: PromptConfig, where: str, protected: bool, known: Task | None = None) -> Task:
    if _TARGET_SEPARATOR in key or key != key.strip() or not key:
        raise ConfigError(f'{where}: "{key}" cannot be the key of a task.', "Use letters, digits, - and _.")
    if IMAGE_PLACEHOLDER in prompt.user:
        raise ConfigError(
            f'{where}: the prompt of the task "{key}" contains {IMAGE_PLACEHOLDER}.',
            "Remove it: the image is put in front of every prompt.",
        )
    if not prompt.user.strip():
        raise ConfigError(
            f'{where}: the prompt of the task "{key}" is empty.', "Write what the model is to do."
        )
    whole_page = prompt.whole_page
    if whole_page is None:  # another wording of a known task, or a new one
        whole_page = known is not None and known.whole_page
    return Task(
        key, prompt.system.strip(), prompt.user.strip(), protected, prompt.description.strip(), whole_page
    )


def _is_same(task: Task, prompt: PromptConfig) -> bool:
    return task.user == prompt.user.strip() and task.system == prompt.system.strip()


def _refuse_change(task: Task | None, prompt: PromptConfig, where: str) -> None:
    if task is not None and task.protected and not _is_same(task, prompt):
        raise ConfigError(
            f'{where}: the task "{task.id}" is a prompt DeepSeek-OCR was trained with and cannot be changed.',
            f"Add your wording as a new key, for example {task.id}_2.",
        )
