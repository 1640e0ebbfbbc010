"""What the GPU of this process is doing."""

import torch


def gpu_figures() -> dict[str, float]:
    """Figures for a line of the training log; empty without a CUDA GPU.

    ``gpu_memory_gib`` is the most memory that tensors took so far. ``gpu_utilisation`` is the part of the
    last moment (the driver's sampling period, up to a second) in which a kernel ran, from 0 to 1; it is left
    out where the driver does not tell.
    """
    if not torch.cuda.is_available():
        return {}
    figures = {"gpu_memory_gib": torch.cuda.max_memory_allocated() / 2**30}
    try:
        figures["gpu_utilisation"] = torch.cuda.utilization() / 100
    except Exception:  # noqa: BLE001 - nvidia-ml-py missing, too old for the driver, or not allowed here
        return figures
    return figures
