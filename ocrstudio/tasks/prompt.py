"""The one prompt builder of the student, and the target of a task that has one."""

import dataclasses

from ocrstudio.domain.errors import InputError
from ocrstudio.tasks.task import TARGET_FIELD, Task

IMAGE_PLACEHOLDER = "<image>"


def student_prompt(task: Task) -> str:
    r"""The prompt of a task as the student reads it: ``<image>\n`` and the stripped text.

    The system message is left out: DeepSeek-OCR has no role for it.

    Raises:
        InputError: The prompt holds an image token of its own, is empty, or still needs its target.
    """
    text = task.user.strip()
    if IMAGE_PLACEHOLDER in text:
        raise InputError(
            f'The prompt of the task "{task.id}" contains {IMAGE_PLACEHOLDER}.',
            "Remove it: the image is put in front of every prompt.",
        )
    if not text:
        raise InputError(f'The prompt of the task "{task.id}" is empty.', "Write what the model is to do.")
    require_target(task)
    return f"{IMAGE_PLACEHOLDER}\n{text}"


def with_target(task: Task, target: str) -> Task:
    """The task with its ``{target}`` filled in, such as the text to locate.

    Args:
        task: A task that needs a target.
        target: What the user looks for, as plain text.

    Raises:
        InputError: The task takes no target, or the target is empty or holds a tag of the model.
    """
    if not task.needs_target:
        raise InputError(
            f'The task "{task.id}" takes no target, but "{target}" was given.',
            f"Write {task.id} alone; a prompt takes a target where it holds {TARGET_FIELD}.",
        )
    target = " ".join(target.split())
    if not target:
        require_target(task)
    if "<|" in target or "|>" in target or IMAGE_PLACEHOLDER in target:
        raise InputError(
            f'The target "{target}" of the task "{task.id}" holds a tag of the model.',
            "Use plain text.",
        )
    user = task.user.replace(TARGET_FIELD, target)
    return dataclasses.replace(task, id=f"{task.id}:{target}", user=user)


def require_target(task: Task) -> None:
    """Raise InputError when a task still needs its target."""
    if task.needs_target:
        raise InputError(
            f'The task "{task.id}" needs to know what to look for.',
            f"Write it after a colon, for example {task.id}:Invoice number",
        )
