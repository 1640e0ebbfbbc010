"""Events and measurements of a run in words: the window and the command line say the same."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ocrstudio.domain.wording import count_of, shortened
from ocrstudio.jobs.events import Event, EventType

VALUES: Mapping[str, str] = {
    "loss": "loss {:.4f}",
    "eval_loss": "evaluation loss {:.4f}",
    "token_accuracy": "token accuracy {:.1%}",
    "eval_token_accuracy": "evaluation token accuracy {:.1%}",
    "learning_rate": "learning rate {:.1e}",
    "grad_norm": "gradient norm {:.2f}",
    "tokens_per_second": "{:,.0f} tokens/s",
    "pages_per_second": "{:.2f} pages/s",
    "gpu_memory_gib": "{:.1f} GiB of GPU memory",
    "gpu_utilisation": "{:.0%} of the GPU's time used",
    "cer": "CER {:.4f}",
    "wer": "WER {:.4f}",
}
"""Measurements that are worth showing, the most telling first."""


def values_in_words(values: Mapping[str, Any]) -> str:
    """Measurements such as ``loss 0.6120, learning rate 1.0e-04``; unknown and missing ones are left out."""
    return ", ".join(
        words.format(value)
        for name, words in VALUES.items()
        if isinstance(value := values.get(name), int | float)
    )


_TEXT_SHOWN = 200  # characters of a part of a sample


def sample_facts(data: Mapping[str, Any]) -> str:
    """How many tokens of a training sample are masked and learnt."""
    counts = [data.get(f"{part}_tokens", 0) for part in ("image", "prompt", "answer")]
    end = "ends with the end token" if data.get("ends_with_eos") else "has NO end token"
    return (
        f"{counts[0]} positions of the picture, {counts[1]} tokens of the prompt (both masked), "
        f"{counts[2]} tokens of the answer (learnt); it {end}.{_degraded(data.get('augmentation'))}"
    )


def _degraded(augmentation: object) -> str:
    return " The page is degraded, as in the first pass." if augmentation else ""


def sample_in_words(data: Mapping[str, Any]) -> str:
    """A training sample as the model sees it, in three lines, its line breaks as they are written in JSON."""
    name = Path(str(data.get("image") or "text only")).name
    texts = {part: str(data.get(f"{part}_text", "")) for part in ("masked", "learnt")}
    lines = [
        f"  {part}: {shortened(json.dumps(text, ensure_ascii=False), _TEXT_SHOWN)}"
        for part, text in texts.items()
    ]
    return "\n".join([f"Sample of line {data.get('line', '?')}, {name}: {sample_facts(data)}", *lines])


def event_in_words(event: Event) -> str:
    """One line for a log, or nothing for events that are shown in another way."""
    say = _LINES.get(event.type)
    return say(event.data) if say is not None else ""


def _started(data: Mapping[str, Any]) -> str:
    attempt = data.get("attempt", 1)
    return "Started." if attempt == 1 else f"Started again (attempt {attempt})."


def _message(data: Mapping[str, Any]) -> str:
    return str(data.get("message") or data.get("name", ""))


def _point(data: Mapping[str, Any]) -> str:
    pages, low, high = int(data.get("pages") or 0), data.get("low"), data.get("high")
    trained = f"Trained on {count_of(pages, 'page')}" if pages else "Not trained"
    between = f" ({low:.1%} to {high:.1%})" if isinstance(low, float) and isinstance(high, float) else ""
    return f"{trained}: CER {data.get('cer', 0.0):.1%}{between} on the held-out pages."


_LINES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    EventType.STARTED: _started,
    EventType.PHASE: _message,
    EventType.QUEUED: _message,
    EventType.STOPPING: lambda data: _message(data) or "Stopping: a checkpoint is saved first.",
    EventType.METRIC: lambda data: f"Step {data.get('step', '?')}: {values_in_words(data.get('values', {}))}",
    EventType.POINT: _point,
    EventType.CHECKPOINT: lambda data: f"Checkpoint saved: {data.get('path', '')}",
    EventType.WARNING: _message,
    EventType.FAILED: _message,
    EventType.FINISHED: lambda data: "Stopped." if data.get("stopped") else "Finished.",
}
