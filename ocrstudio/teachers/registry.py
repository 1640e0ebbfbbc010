"""Teachers by type."""

from collections.abc import Callable, Mapping
from typing import Any

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.teacher import TeacherConfig
from ocrstudio.teachers.base import Teacher

Progress = Callable[[dict[str, Any]], None]


def create_teacher(config: TeacherConfig, *, progress: Progress | None = None) -> Teacher:
    """Make the teacher of a configuration; it still has to be opened.

    Args:
        config: The configuration.
        progress: Called in the event loop with what a model says while it loads (``message``, ``done``,
            ``total``).

    Raises:
        ConfigError: The section of its type is missing.
    """
    return _TEACHERS[config.type](config, progress)


def _api(config: TeacherConfig, progress: Progress | None) -> Teacher:  # noqa: ARG001 - one shape for all
    from ocrstudio.teachers.api.teacher import ApiTeacher

    if config.api is None or config.generation is None:
        raise _missing("api")
    return ApiTeacher(config, config.api, config.generation)


def _local(config: TeacherConfig, progress: Progress | None) -> Teacher:
    from ocrstudio.teachers.student.teacher import StudentTeacher

    if config.local is None or config.generation is None:
        raise _missing("local")
    return StudentTeacher(config, config.local, config.generation, on_notice=progress)


def _offline(config: TeacherConfig, progress: Progress | None) -> Teacher:  # noqa: ARG001 - one shape for all
    from ocrstudio.teachers.offline.teacher import OfflineTeacher

    if config.offline is None:
        raise _missing("offline")
    return OfflineTeacher(
        config.offline,
        config.model_type,
        timeout=config.request.timeout,
        concurrency=config.request.concurrent_requests,
    )


def _missing(section: str) -> ConfigError:
    return ConfigError(
        f"The teacher is of type {section}, but its configuration has no section {section}.",
        f"See config/teacher_{section}.yaml.",
    )


_TEACHERS: Mapping[str, Callable[[TeacherConfig, Progress | None], Teacher]] = {
    "api": _api,
    "local": _local,
    "offline": _offline,
}
