"""Tasks: named prompts, read from ``prompts.yaml``, and the one builder of the student's prompt.

The builder is the same for dataset lines, training and inference, because DeepSeek-OCR answers differently to
a prompt with one more space. This package holds words only: it knows no image, no model and no server.
"""

from ocrstudio.tasks.catalogue import PROTECTED, TaskEntry, get_task, list_tasks, load_tasks, usable
from ocrstudio.tasks.prompt import IMAGE_PLACEHOLDER, student_prompt, with_target
from ocrstudio.tasks.task import Task

__all__ = [
    "IMAGE_PLACEHOLDER",
    "PROTECTED",
    "Task",
    "TaskEntry",
    "get_task",
    "list_tasks",
    "load_tasks",
    "student_prompt",
    "usable",
    "with_target",
]
