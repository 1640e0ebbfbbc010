"""Several processes that train one student together, each on a device and a part of every batch of its own.

Whoever starts them (`ocrstudio.worker.peers`, torchrun, accelerate) says in the environment which one this
is. The library's trainer opens the connection; before that, and with one process, everything here is local.
The main process (rank 0) alone talks to the user and writes files.
"""

import os

import torch
from torch import distributed

from ocrstudio.domain.errors import RunError


def rank() -> int:
    """Number of this process; 0 is the main one."""
    return int(os.environ.get("RANK", "0"))


def world_size() -> int:
    """Number of processes."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process talks to the user and writes files."""
    return rank() == 0


def own_device() -> torch.device:
    """This process's GPU, made the current one, or the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def require_devices() -> None:
    """Make sure that every process can have a GPU of its own, where there are GPUs at all.

    Raises:
        RunError: There are fewer.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    local = int(os.environ.get("LOCAL_WORLD_SIZE", world_size()))
    if gpus and local > gpus:
        raise RunError(
            f"The run wants {local} GPUs, and {gpus} can be seen.",
            "Lower training.num_processes, or check CUDA_VISIBLE_DEVICES.",
        )


def is_connected() -> bool:
    """Whether there are other processes to talk to."""
    return world_size() > 1 and distributed.is_available() and distributed.is_initialized()


def total(values: torch.Tensor) -> torch.Tensor:
    """The sum over all processes of a tensor that each of them holds; every process has to call it."""
    if is_connected():
        values = values.clone()
        distributed.all_reduce(values)
    return values


def word_of_main(flag: bool) -> bool:
    """What the main process says; every process has to call it."""
    return bool(_reduced(flag if is_main() else False, distributed.ReduceOp.MAX))


def true_everywhere(flag: bool) -> bool:
    """Whether every process says yes; every process has to call it."""
    return bool(_reduced(flag, distributed.ReduceOp.MIN))


def _reduced(flag: bool, operation: distributed.ReduceOp.RedOpType) -> int:
    if not is_connected():
        return int(flag)
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    value = torch.tensor(int(flag), device=device)
    distributed.all_reduce(value, op=operation)
    return int(value)
