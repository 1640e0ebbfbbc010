"""LoRA for routed experts whose weights are fused into 3-D tensors.

The library keeps the experts of a layer as two tensors, ``gate_up_proj`` and ``down_proj``, which PEFT's
own way (`target_parameters`) adapts by building the whole changed tensor at every step, and with one
low-rank factor for gate and up together. Here the low-rank products are taken of the routed tokens only,
and gate, up and down have factors of their own for every expert, as they have in the public checkpoint: the
adapter splits into the names ``experts.{j}.{gate,up,down}_proj`` without loss.
"""

import functools
import math

import torch
from peft import LoraConfig
from peft.tuners.lora.layer import LoraLayer
from torch import nn

from ocrstudio.student.experts import Packed, Routing, apply_experts


class ExpertsLora(nn.Module, LoraLayer):
    """Wraps a module of fused experts; PEFT creates it through `LoraConfig`'s custom module table.

    The wrapped module has ``num_experts``, ``act_fn``, ``gate_up_proj`` [experts, 2 * intermediate, hidden]
    and ``down_proj`` [experts, hidden, intermediate].
    """

    adapter_layer_names = ("lora_gate_up_A", "lora_gate_B", "lora_up_B", "lora_down_A", "lora_down_B")

    def __init__(
        self,
        base_layer: nn.Module,
        adapter_name: str,
        config: LoraConfig,
        r: int = 0,
        lora_alpha: int = 1,
        **kwargs: object,
    ) -> None:
        super().__init__()
        LoraLayer.__init__(self, base_layer, **kwargs)
        for name in self.adapter_layer_names:
            setattr(self, name, nn.ParameterDict())
        self._active_adapter = adapter_name
        self.update_layer(adapter_name, r, lora_alpha=lora_alpha, config=config)

    def _get_in_out_features(self, module: nn.Module) -> tuple[int, int]:
        hidden = module.down_proj.shape[1]
        return hidden, hidden

    def update_layer(
        self, adapter_name: str, r: int, lora_alpha: int, config: LoraConfig, **_: object
    ) -> None:
        """Create the factors of one adapter: A random, B zero, so that the function does not change at first.

        Raises:
            ValueError: The configuration asks for a LoRA variant that fused experts do not have.
        """
        if config.use_dora or config.lora_bias or config.init_lora_weights not in (True, False):
            raise ValueError(
                "fused experts support plain LoRA only (no DoRA, no bias, default initialisation)"
            )
        if r <= 0:
            raise ValueError(f"the rank must be positive, got {r}")
        down = self.get_base_layer().down_proj
        experts, hidden, intermediate = down.shape
        shapes = {
            "lora_gate_up_A": (experts, 2 * r, hidden),
            "lora_gate_B": (experts, intermediate, r),
            "lora_up_B": (experts, intermediate, r),
            "lora_down_A": (experts, r, intermediate),
            "lora_down_B": (experts, hidden, r),
        }
        for name, shape in shapes.items():
            factor = torch.zeros(shape, dtype=down.dtype, device=down.device)
            if name.endswith("_A"):
                # The bound of `nn.Linear`'s own initialisation, as PEFT uses it for A.
                bound = 1 / math.sqrt(shape[-1])
                nn.init.uniform_(factor, -bound, bound)
            getattr(self, name)[adapter_name] = nn.Parameter(factor)
        self.r[adapter_name] = r
        self.lora_alpha[adapter_name] = lora_alpha
        self.scaling[adapter_name] = lora_alpha / (math.sqrt(r) if config.use_rslora else r)
        dropout = nn.Dropout(config.lora_dropout) if config.lora_dropout else nn.Identity()
        self.lora_dropout[adapter_name] = dropout
        self.set_adapter(self.active_adapters, inference_mode=config.inference_mode)

    def forward(
        self, hidden_states: torch.Tensor, top_k_index: torch.Tensor, top_k_weights: torch.Tensor
    ) -> torch.Tensor:
        """Apply the chosen experts to each token.

        Args:
            hidden_states: float [tokens, hidden].
            top_k_index: int64 [tokens, chosen].
            top_k_weights: float [tokens, chosen].

        Returns:
            float [tokens, hidden]: the weighted sum of the chosen experts' outputs.
        """
        if self.disable_adapters and self.merged:
            self.unmerge()
        if self.disable_adapters or self.merged or not self._present_adapters():
            return self.base_layer(hidden_states, top_k_index, top_k_weights)
        return apply_experts(
            self.get_base_layer(),
            hidden_states,
            top_k_index,
            top_k_weights,
            self._gate_up_delta,
            self._down_delta,
        )

    def _present_adapters(self) -> list[str]:
        return [name for name in self.active_adapters if name in self.lora_down_A]

    def _gate_up_delta(self, routing: Routing, rows: torch.Tensor) -> torch.Tensor:
        return functools.reduce(
            torch.add, [self._gate_up_term(routing, rows, name) for name in self._present_adapters()]
        )

    def _gate_up_term(self, routing: Routing, rows: torch.Tensor, adapter: str) -> torch.Tensor:
        reduced = routing.linear(self.lora_dropout[adapter](rows), self.lora_gate_up_A[adapter])
        gate, up = (part.contiguous() for part in reduced.chunk(2, dim=-1))
        raised = (
            routing.linear(gate, self.lora_gate_B[adapter]),
            routing.linear(up, self.lora_up_B[adapter]),
        )
        return torch.cat(raised, dim=-1) * self.scaling[adapter]

    def _down_delta(self, routing: Routing, inner: torch.Tensor) -> torch.Tensor:
        return functools.reduce(
            torch.add, [self._down_term(routing, inner, name) for name in self._present_adapters()]
        )

    def _down_term(self, routing: Routing, inner: torch.Tensor, adapter: str) -> torch.Tensor:
        reduced = routing.linear(self.lora_dropout[adapter](inner), self.lora_down_A[adapter])
        return routing.linear(reduced, self.lora_down_B[adapter]) * self.scaling[adapter]

    def get_delta_weights(self, adapter: str) -> tuple[torch.Tensor, torch.Tensor]:
        """What an adapter adds to ``gate_up_proj`` and ``down_proj``, in their shapes, float32."""
        gate_a, up_a = self.lora_gate_up_A[adapter].float().chunk(2, dim=1)
        gate = self.lora_gate_B[adapter].float() @ gate_a
        up = self.lora_up_B[adapter].float() @ up_a
        down = self.lora_down_B[adapter].float() @ self.lora_down_A[adapter].float()
        scale = self.scaling[adapter]
        return torch.cat((gate, up), dim=1) * scale, down * scale

    def merge(self, safe_merge: bool = False, adapter_names: list[str] | None = None) -> None:
        """Add adapters to the wrapped weights.

        Raises:
            ValueError: The wrapped weights are in 4 bits; or, with `safe_merge`, a merged weight would not be
                finite.
        """
        names = self._present_adapters() if adapter_names is None else adapter_names
        for name in names:
            if name in self.merged_adapters or name not in self.lora_down_A:
                continue
            self._add_to_base(name, 1.0, check=safe_merge)
            self.merged_adapters.append(name)

    def unmerge(self) -> None:
        """Take merged adapters out of the wrapped weights again."""
        while self.merged_adapters:
            self._add_to_base(self.merged_adapters.pop(), -1.0, check=False)

    def _add_to_base(self, adapter: str, sign: float, *, check: bool) -> None:
        base = self.get_base_layer()
        weights = (base.gate_up_proj, base.down_proj)
        if any(isinstance(weight, Packed) for weight in weights):
            raise ValueError("experts in 4 bits cannot take an adapter in: load them in full precision")
        with torch.no_grad():
            changed = [
                (weight.float() + sign * delta).to(weight.dtype)
                for weight, delta in zip(weights, self.get_delta_weights(adapter), strict=True)
            ]
            if check and not all(bool(weight.isfinite().all()) for weight in changed):
                raise ValueError(f"the adapter {adapter} would make expert weights infinite")
            for weight, value in zip(weights, changed, strict=True):
                weight.copy_(value)
