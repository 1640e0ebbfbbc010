"""Names of the public checkpoint and names of the network, one to the other.

The public layout (2,710 tensors) has SAM's and CLIP's historical names and three matrices for every routed
expert; the network has the library's names and two fused tensors for the experts of a layer. Everything here
is about names and slices; no weights are copied.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

PEFT_PREFIX = "base_model.model."

# (network, checkpoint); {n} stands for a layer's number. The first match counts, on whole dotted parts.
_RENAMES = (
    ("model.language_model.embed_tokens", "model.embed_tokens"),
    ("model.language_model.layers", "model.layers"),
    ("model.language_model.norm", "model.norm"),
    ("model.projector", "model.projector.layers"),
    ("model.view_separator", "model.view_seperator"),
    ("model.vision_model.pre_layernorm", "model.vision_model.pre_layrnorm"),
    ("model.sam_model.patch_embed.projection", "model.sam_model.patch_embed.proj"),
    ("model.sam_model.layers.{n}.layer_norm1", "model.sam_model.blocks.{n}.norm1"),
    ("model.sam_model.layers.{n}.layer_norm2", "model.sam_model.blocks.{n}.norm2"),
    ("model.sam_model.layers", "model.sam_model.blocks"),
    ("model.sam_model.neck.conv1", "model.sam_model.neck.0"),
    ("model.sam_model.neck.layer_norm1", "model.sam_model.neck.1"),
    ("model.sam_model.neck.conv2", "model.sam_model.neck.2"),
    ("model.sam_model.neck.layer_norm2", "model.sam_model.neck.3"),
    ("model.sam_model.proj.conv1", "model.sam_model.net_2"),
    ("model.sam_model.proj.conv2", "model.sam_model.net_3"),
)
_FUSED = re.compile(r"(?P<experts>.*\.mlp\.experts)\.(?P<kind>gate_up_proj|down_proj)$")


def _rules() -> list[tuple[re.Pattern[str], str]]:
    rules = []
    for native, public in _RENAMES:
        pattern = re.escape(native).replace(r"\{n\}", r"(?P<n>\d+)") + r"(?=\.|$)"
        rules.append((re.compile(pattern), public.replace("{n}", r"\g<n>")))
    return rules


_TO_CHECKPOINT = _rules()


def _rename(name: str) -> str:
    for pattern, replacement in _TO_CHECKPOINT:
        match = pattern.match(name)
        if match:
            return match.expand(replacement) + name[match.end() :]
    return name


def to_checkpoint_name(native: str) -> str:
    """Checkpoint name of a module or parameter of the network; of fused experts, see `checkpoint_slices`.

    A PEFT prefix (``base_model.model.``) and what follows a module (``.lora_A.weight``) are kept.
    """
    if native.startswith(PEFT_PREFIX):
        return PEFT_PREFIX + _rename(native.removeprefix(PEFT_PREFIX))
    return _rename(native)


def expert_module_name(native_experts: str, expert: int, kind: str) -> str:
    """Checkpoint module name of one matrix of one routed expert.

    Args:
        native_experts: The network's module of fused experts, for example
            ``model.language_model.layers.1.mlp.experts``.
        expert: Number of the expert.
        kind: ``gate_proj``, ``up_proj`` or ``down_proj``.
    """
    return f"{to_checkpoint_name(native_experts)}.{expert}.{kind}"


@dataclass(frozen=True)
class TensorSlice:
    """One checkpoint tensor and where it lies in a parameter of the network.

    Attributes:
        name: In the checkpoint.
        native: Name of the parameter.
        expert: Number of the expert in a fused parameter; None for a whole parameter.
        rows: First and last row (exclusive) within the expert; None for all.
        shape: In the checkpoint.
    """

    name: str
    native: str
    expert: int | None
    rows: tuple[int, int] | None
    shape: tuple[int, ...]

    def of(self, parameter: Tensor) -> Tensor:
        """A view of the parameter that holds exactly this checkpoint tensor."""
        if self.expert is None:
            return parameter
        view = parameter[self.expert]
        return view if self.rows is None else view[self.rows[0] : self.rows[1]]


def checkpoint_slices(native: str, shape: tuple[int, ...]) -> Iterator[TensorSlice]:
    """The checkpoint tensors that make up one parameter of the network.

    Args:
        native: Name of the parameter.
        shape: Its shape.
    """
    match = _FUSED.match(native)
    if match is None:
        yield TensorSlice(to_checkpoint_name(native), native, None, None, shape)
        return
    experts, rows, columns = shape
    for expert in range(experts):
        if match["kind"] == "down_proj":
            name = expert_module_name(match["experts"], expert, "down_proj")
            yield TensorSlice(f"{name}.weight", native, expert, None, (rows, columns))
            continue
        half = rows // 2
        for kind, bounds in (("gate_proj", (0, half)), ("up_proj", (half, rows))):
            name = expert_module_name(match["experts"], expert, kind)
            yield TensorSlice(f"{name}.weight", native, expert, bounds, (half, columns))


def layout_of(parameters: Mapping[str, Tensor]) -> dict[str, TensorSlice]:
    """All checkpoint tensors of a network, by checkpoint name."""
    return {
        piece.name: piece
        for native, parameter in parameters.items()
        for piece in checkpoint_slices(native, tuple(parameter.shape))
    }
