"""Events and numbers of a run in words. Pure; no Qt."""

from collections.abc import Callable, Mapping
from typing import Any

from ocrstudio.jobs.events import Event, EventType

_SHOWN = {
    "loss": ("loss", ".4f"),
    "eval_loss": ("evaluation loss", ".4f"),
    "learning_rate": ("learning rate", ".1e"),
    "grad_norm": ("gradient norm", ".2f"),
    "tokens_per_second": ("tokens/s", ",.0f"),
    "gpu_memory_gib": ("GiB of GPU memory", ".1f"),
    "cer": ("CER", ".4f"),
    "wer": ("WER", ".4f"),
}
_MINUTE, _HOUR = 60, 3600


def values_in_words(values: Mapping[str, Any]) -> str:
    """Measurements such as ``loss 0.6120, learning rate 1.0e-04``."""
    return ", ".join(
        f"{label} {value:{shape}}"
        for name, (label, shape) in _SHOWN.items()
        if isinstance(value := values.get(name), int | float)
    )


def event_in_words(event: Event) -> str:
    """One line for the log, or nothing for events that are shown elsewhere."""
    say = _LINES.get(event.type)
    return say(event.data) if say is not None else ""


def _started(data: Mapping[str, Any]) -> str:
    attempt = data.get("attempt", 1)
    return "Started." if attempt == 1 else f"Started again (attempt {attempt})."


def _message(data: Mapping[str, Any]) -> str:
    return str(data.get("message") or data.get("name", ""))


_LINES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    EventType.STARTED: _started,
    EventType.PHASE: _message,
    EventType.QUEUED: _message,
    EventType.STOPPING: lambda data: _message(data) or "Stopping: a checkpoint is saved first.",
    EventType.METRIC: lambda data: f"Step {data.get('step', '?')}: {values_in_words(data.get('values', {}))}",
    EventType.CHECKPOINT: lambda data: f"Checkpoint saved: {data.get('path', '')}",
    EventType.WARNING: _message,
    EventType.FAILED: _message,
    EventType.FINISHED: lambda data: "Stopped." if data.get("stopped") else "Finished.",
}


def duration(seconds: float) -> str:
    """A length of time such as ``3 min 20 s``."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def time_left_in_words(seconds: float | None) -> str:
    """``about 3 min left``, or nothing while unknown."""
    if seconds is None:
        return ""
    rounded = round(seconds / _MINUTE) * _MINUTE if seconds >= 2 * _MINUTE else seconds
    return f"about {duration(rounded).removesuffix(' 0 s')} left"
