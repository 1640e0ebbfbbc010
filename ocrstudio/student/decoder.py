"""Token by token for many rows at once: a static key-value cache with slots, and a decoding step made for it.

A row lives in a slot from its prompt to its end; then the slot takes the next page, while the others go on.
A step has the same shapes every time and never asks the device for anything: on a GPU it is recorded once for
a number of rows as a CUDA graph and replayed, which spares the some 700 kernel launches that one token takes.
The host looks at the tokens after a number of steps only.

Positions are each row's own; nothing is padded on the left. Attention reads as many keys of a slot as it
holds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)
from transformers import DynamicCache

from ocrstudio.student.library import CACHE
from ocrstudio.student.ngram import NO_TOKEN, banned_tokens

_FLASH_TYPES = (torch.bfloat16, torch.float16)
_WARM_UP_STEPS = 2  # before a recording: kernels are loaded, workspaces allocated


@dataclass(frozen=True)
class TokenRule:
    """How the next token is chosen.

    Attributes:
        temperature: 0 takes the likeliest token.
        ngram_size: Length of the n-grams that may not repeat; 0 for no rule.
        ngram_window: Last generated tokens that the rule looks at.
        whitelist: Tokens that may always repeat.
    """

    temperature: float
    ngram_size: int
    ngram_window: int
    whitelist: tuple[int, ...]


class SlotDecoder:
    """Decodes rows in slots.

    Args:
        model: `DeepseekOcrForConditionalGeneration`, plain or under a PEFT wrapper, in evaluation mode.
        slots: Most rows at once.
        positions: Most positions of a row, prompt and answer together.
        chunk: Steps between two looks of the host.
        rule: How tokens are chosen.
        record: Whether steps are recorded as CUDA graphs.
    """

    def __init__(
        self, model: nn.Module, *, slots: int, positions: int, chunk: int, rule: TokenRule, record: bool
    ) -> None:
        base = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._network: Any = base
        self._text = base.model.language_model
        self._rule = rule
        self._record = record
        self.slots, self.positions, self.chunk = slots, positions, chunk
        config = self._text.config
        device = self._text.embed_tokens.weight.device
        self._dtype = self._text.embed_tokens.weight.dtype
        self._heads = config.num_attention_heads
        self._head_width = config.hidden_size // self._heads
        shape = (config.num_hidden_layers, slots, positions, config.num_key_value_heads, self._head_width)
        self._keys = torch.zeros(shape, dtype=self._dtype, device=device)
        self._values = torch.zeros_like(self._keys)
        whole = {"dtype": torch.int64, "device": device}
        self._lengths = torch.zeros(slots, **whole)
        self._current = torch.zeros(slots, **whole)
        self._produced = torch.zeros((slots, chunk), **whole)
        self._history = torch.full((slots, max(rule.ngram_window, 1)), NO_TOKEN, **whole)
        self._rows = torch.arange(slots, **whole)
        self._starts = (torch.arange(slots + 1, **whole) * positions).to(torch.int32)
        self._ones = torch.arange(slots + 1, device=device, dtype=torch.int32)
        self._whitelist = torch.tensor(rule.whitelist, **whole)
        self._cos, self._sin = self._rotary_table(positions)
        self._recordings: dict[int, torch.cuda.CUDAGraph] = {}

    @staticmethod
    def bytes_per_position(model: nn.Module) -> int:
        """Memory that one position of one slot takes."""
        config = model.config.text_config
        width = config.hidden_size // config.num_attention_heads * config.num_key_value_heads
        return 2 * config.num_hidden_layers * width * model.dtype.itemsize

    def _rotary_table(self, positions: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines [positions, 1, head width] of every position."""
        like = torch.zeros((), dtype=self._dtype, device=self._rows.device)
        numbers = torch.arange(positions, device=self._rows.device)[None]
        cos, sin = self._text.rotary_emb(like, position_ids=numbers)
        return cos[0][:, None], sin[0][:, None]

    @torch.inference_mode()
    def prefill(self, slots: Sequence[int], inputs: dict[str, Any], lengths: Sequence[int]) -> list[int]:
        """Put prompts into free slots.

        Args:
            slots: Where each row goes.
            inputs: The batch, padded on the right, on the device; without an attention mask, which causal
                attention does not need then.
            lengths: Positions of each prompt.

        Returns:
            The first token of each answer.
        """
        cache = DynamicCache(config=self._text.config)
        outputs = self._network.model(**inputs, **{CACHE: cache}, use_cache=True)
        device = self._rows.device
        rows = torch.arange(len(slots), device=device)
        where = torch.tensor(list(slots), device=device)
        filled = torch.tensor(list(lengths), device=device)
        hidden = outputs.last_hidden_state[rows, filled - 1]
        self._history[where] = NO_TOKEN
        tokens = self._choose(self._network.lm_head(hidden).float(), self._history[where])
        width = inputs["input_ids"].shape[1]
        for number, layer in enumerate(cache.layers):
            self._keys[number, where, :width] = layer.keys.transpose(1, 2)
            self._values[number, where, :width] = layer.values.transpose(1, 2)
        self._lengths[where] = filled
        self._current[where] = tokens
        self._history[where, -1] = tokens
        return tokens.tolist()

    @torch.inference_mode()
    def decode(self, rows: int) -> list[list[int]]:
        """Take `chunk` steps with the first slots.

        Args:
            rows: How many slots take part; free ones among them write nothing that counts.

        Returns:
            The new tokens of each of these slots.
        """
        step = self._recorded(rows) if self._record else self._eager(rows)
        for _ in range(self.chunk):
            step()
        return self._produced[:rows].tolist()

    def release(self, slot: int) -> None:
        """Forget the row of a slot; it costs next to nothing from then on."""
        self._lengths[slot] = 0

    def move(self, source: int, target: int) -> None:
        """Carry a row over to another slot."""
        with torch.inference_mode():
            self._keys[:, target] = self._keys[:, source]
            self._values[:, target] = self._values[:, source]
            for state in (self._lengths, self._current, self._history):
                state[target] = state[source]
            self._lengths[source] = 0

    def _eager(self, rows: int) -> Callable[[], None]:
        # The host's view of the fullest slot bounds what attention has to look at.
        limit = min(int(self._lengths[:rows].max()) + self.chunk + 1, self.positions)
        return lambda: self._step(rows, limit)

    def _recorded(self, rows: int) -> Callable[[], None]:
        if rows not in self._recordings:
            self._recordings[rows] = self._capture(rows)
        return self._recordings[rows].replay

    def _capture(self, rows: int) -> torch.cuda.CUDAGraph:
        """Record a step; what the warm-up wrote into the rows' state is set back."""
        state = (self._lengths, self._current, self._produced, self._history)
        kept = [tensor.clone() for tensor in state]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_STEPS):
                self._step(rows, self.positions)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        pool = next(iter(self._recordings.values())).pool() if self._recordings else None
        with torch.cuda.graph(graph, pool=pool):
            self._step(rows, self.positions)
        for tensor, value in zip(state, kept, strict=True):
            tensor.copy_(value)
        return graph

    def _step(self, rows: int, limit: int) -> None:
        """One token for the first rows; everything stays on the device."""
        lengths = self._lengths[:rows]
        hidden = self._text.embed_tokens(self._current[:rows])
        rotary = self._cos[lengths], self._sin[lengths]
        for number, layer in enumerate(self._text.layers):
            attended = self._attend(
                layer.self_attn, number, _norm(layer.input_layernorm, hidden), rotary, limit
            )
            hidden = hidden + attended
            hidden = hidden + layer.mlp(_norm(layer.post_attention_layernorm, hidden))
        logits = self._network.lm_head(_norm(self._text.norm, hidden)).float()
        history = self._history[:rows]
        tokens = self._choose(logits, history)
        self._current[:rows] = tokens
        history.copy_(torch.cat([history[:, 1:], tokens[:, None]], dim=1))
        produced = self._produced[:rows]
        produced.copy_(torch.cat([produced[:, 1:], tokens[:, None]], dim=1))
        # A row that has reached its end goes on until the host looks; it must not leave its slot.
        lengths.copy_((lengths + 1).clamp(max=self.positions - 1))

    def _attend(
        self,
        attention: Any,  # noqa: ANN401 - the library's attention, with or without an adapter
        number: int,
        hidden: Tensor,
        rotary: tuple[Tensor, Tensor],
        limit: int,
    ) -> Tensor:
        rows = hidden.shape[0]
        split = (rows, -1, self._head_width)
        query = _rotate(attention.q_proj(hidden).view(split), rotary)
        key = _rotate(attention.k_proj(hidden).view(split), rotary)
        lengths, numbers = self._lengths[:rows], self._rows[:rows]
        keys, values = self._keys[number], self._values[number]
        keys[numbers, lengths] = key
        values[numbers, lengths] = attention.v_proj(hidden).view(split)
        if query.is_cuda and self._dtype in _FLASH_TYPES:
            attended = self._flash(query, keys, values, lengths)
        else:
            seen = torch.arange(limit, device=lengths.device) <= lengths[:, None]
            attended = F.scaled_dot_product_attention(
                query[:, :, None],
                keys[:rows, :limit].transpose(1, 2),
                values[:rows, :limit].transpose(1, 2),
                attn_mask=seen[:, None, None],
                enable_gqa=query.shape[1] != keys.shape[2],
            )
        return attention.o_proj(attended.reshape(rows, -1))

    def _flash(self, query: Tensor, keys: Tensor, values: Tensor, lengths: Tensor) -> Tensor:
        """Attention of one query a row over the used part of its slot."""
        rows = query.shape[0]
        output = torch.ops.aten._flash_attention_forward(  # noqa: SLF001 - the public form lacks seqused_k
            query,
            keys.flatten(0, 1),
            values.flatten(0, 1),
            self._ones[: rows + 1],
            self._starts[: rows + 1],
            1,
            self.positions,
            0.0,
            False,
            False,
            seqused_k=(lengths + 1).to(torch.int32),
        )
        return output[0]

    def _choose(self, logits: Tensor, history: Tensor) -> Tensor:
        """The next token of each row, from float logits [rows, vocabulary]."""
        rule = self._rule
        if rule.ngram_size:
            tokens, mask = banned_tokens(history, rule.ngram_size, self._whitelist)
            penalty = torch.zeros_like(tokens, dtype=logits.dtype).masked_fill(mask, -torch.inf)
            logits = logits.scatter_reduce(
                1, tokens.clamp(min=0), logits.gather(1, tokens.clamp(min=0)) + penalty, "amin"
            )
        if rule.temperature:
            # The largest of logits with Gumbel noise is a sample of their distribution.
            noise = torch.empty_like(logits).exponential_().log()
            return (logits / rule.temperature - noise).argmax(dim=-1)
        return logits.argmax(dim=-1)


def _norm(module: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401 - the library's normalisation
    """The text model's root-mean-square normalisation as one kernel."""
    return F.rms_norm(hidden, module.weight.shape, module.weight, module.variance_epsilon)


def _rotate(states: Tensor, rotary: tuple[Tensor, Tensor]) -> Tensor:
    """Turn [rows, heads, head width] to their positions."""
    first, second = states.chunk(2, dim=-1)
    cos, sin = rotary
    return states * cos + torch.cat([-second, first], dim=-1) * sin
