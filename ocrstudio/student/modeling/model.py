"""DeepSeek-OCR for training and generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from ocrstudio.domain.errors import InputError
from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.library import CACHE
from ocrstudio.student.modeling.assembly import assemble, images_per_sample, tile_count
from ocrstudio.student.modeling.clip import ClipEncoder
from ocrstudio.student.modeling.loss import answer_loss, labelled_positions
from ocrstudio.student.modeling.sam import SamEncoder
from ocrstudio.student.modeling.text import TextModel

_VIEW_INPUTS = ("pixel_values_global", "pixel_values_tiles", "tile_grids", "image_features")
# [batch, length]; masks with more dimensions say everything about attention themselves.
_PADDING_MASK_DIMS = 2


@dataclass
class DeepseekOcrOutput(CausalLMOutputWithPast):
    """What a forward pass returns: of the library's fields `loss`, `logits` and the cache, and one more.

    `loss` is a scalar, when labels were given. `logits` are [batch, kept positions, vocabulary]; None for a
    loss without `logits_to_keep`. The cache has the name that the library gives it (`library.CACHE`).

    Attributes:
        last_hidden_state: [batch, length, hidden], after the final normalisation.
    """

    last_hidden_state: Tensor | None = None


class DeepseekOcrPreTrainedModel(PreTrainedModel):
    """What the library needs to know about the network."""

    config: DeepseekOcrConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    input_modalities = ("image", "text")
    supports_gradient_checkpointing = True
    _no_split_modules: ClassVar[list[str]] = [
        "DeepseekOcr2SamVisionLayer",
        "ClipLayer",
        "DeepseekOcr2TextDecoderLayer",
    ]
    _skip_keys_device_placement: ClassVar[list[str]] = [CACHE]
    _supports_sdpa = True
    _supports_flash_attn = True
    _supports_attention_backend = True
    _can_compile_fullgraph = True

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights; the library asks the newline, which is trained in float32 on any base."""
        dtype: torch.dtype = self.get_input_embeddings().weight.dtype
        return dtype


class DeepseekOcrModel(DeepseekOcrPreTrainedModel):
    """Vision tower, projector and text model, without the output layer.

    Modules (native names): `sam_model`, `vision_model` (CLIP), `projector`, `image_newline`,
    `view_separator`, `language_model`. Nothing runs under `no_grad`: a part is frozen by
    `requires_grad_(False)` on its parameters, and then costs no memory for gradients.
    """

    def __init__(self, config: DeepseekOcrConfig) -> None:
        super().__init__(config)
        hidden = config.text_config.hidden_size
        self.sam_model = SamEncoder(config.sam_config)
        self.vision_model = ClipEncoder(config.clip_config)
        self.projector = nn.Linear(config.vision_width, hidden)
        self.image_newline = nn.Parameter(torch.zeros(hidden))
        self.view_separator = nn.Parameter(torch.zeros(hidden))
        self.language_model = TextModel(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The token embedding table."""
        return self.language_model.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the token embedding table."""
        self.language_model.embed_tokens = value

    def encode_views(self, pixels: Tensor) -> Tensor:
        """Run SAM, CLIP and the projector over a stack of views of one size.

        Args:
            pixels: [views, 3, side, side], normalised to about [-1, 1].

        Returns:
            [views, q, q, hidden] with q = ceil(side / 16 / 4).
        """
        pixels = pixels.to(self.sam_model.patch_embed.projection.weight.dtype)
        sam_features = self.sam_model(pixels).last_hidden_state
        clip_features = self.vision_model(sam_features)
        both = torch.cat([clip_features, sam_features.flatten(2).transpose(1, 2)], dim=-1)
        return self.projector(both).unflatten(1, sam_features.shape[-2:])

    def get_image_features(
        self,
        pixel_values_global: Tensor,
        pixel_values_tiles: Tensor | None,
        tile_grids: Sequence[tuple[int, int]],
    ) -> list[Tensor]:
        """Features of every image as they stand in the sequence.

        Args:
            pixel_values_global: [images, 3, base, base].
            pixel_values_tiles: [tiles of all images, 3, tile, tile] row by row of each grid; None without
                tiles.
            tile_grids: (columns, rows) of every image; (1, 1) has no tiles.

        Returns:
            One tensor [positions, hidden] an image.

        Raises:
            InputError: The number of tiles or grids does not fit.
        """
        tiles = 0 if pixel_values_tiles is None else pixel_values_tiles.shape[0]
        if len(tile_grids) != pixel_values_global.shape[0] or tile_count(tile_grids) != tiles:
            raise InputError(
                f"The batch holds {pixel_values_global.shape[0]} pictures and {tiles} tiles, but "
                f"its tile grids describe {len(tile_grids)} pictures and {tile_count(tile_grids)} tiles."
            )
        return assemble(
            self.encode_views(pixel_values_global),
            self.encode_views(pixel_values_tiles) if tiles else None,
            tile_grids,
            self.image_newline,
            self.view_separator,
        )

    def forward(  # noqa: PLR0913, PLR0917 (the library's calling convention)
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values_global: Tensor | None = None,
        pixel_values_tiles: Tensor | None = None,
        tile_grids: Tensor | Sequence[tuple[int, int]] | None = None,
        image_features: Sequence[Tensor] | None = None,
        use_cache: bool | None = None,
        **kwargs: object,
    ) -> DeepseekOcrOutput:
        """Run the decoder; see `DeepseekOcrForConditionalGeneration` for the inputs."""
        if (input_ids is None) == (inputs_embeds is None):
            raise InputError("A forward pass needs either input_ids or inputs_embeds.")
        has_images = pixel_values_global is not None or image_features is not None
        if has_images and input_ids is None:
            raise InputError("Images need input_ids: their placeholders say where the features go.")
        without_cache = use_cache is False and kwargs.get(CACHE) is None
        placeholders: list[int] = []
        if input_ids is not None and (has_images or without_cache):
            placeholders, padded_right = self._survey(input_ids, attention_mask if without_cache else None)
            if padded_right and position_ids is None:
                # Causal attention never looks at padding behind a sample; without a mask it is faster.
                attention_mask = None
        if inputs_embeds is None:
            inputs_embeds = self.embed(
                input_ids, placeholders, pixel_values_global, pixel_values_tiles, tile_grids, image_features
            )
        if position_ids is None and attention_mask is not None and attention_mask.dim() == _PADDING_MASK_DIMS:
            # Padding on either side leaves the positions of a sample as they are alone.
            positions = (attention_mask.long().cumsum(-1) - 1).clamp(min=0)
            position_ids = positions[:, -inputs_embeds.shape[1] :]
        outputs = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            use_cache=use_cache,
            **kwargs,
        )
        return DeepseekOcrOutput(
            last_hidden_state=outputs.last_hidden_state, **{CACHE: getattr(outputs, CACHE)}
        )

    def embed(
        self,
        input_ids: Tensor,
        placeholders: Sequence[int],
        pixel_values_global: Tensor | None = None,
        pixel_values_tiles: Tensor | None = None,
        tile_grids: Tensor | Sequence[tuple[int, int]] | None = None,
        image_features: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Embed tokens, with the features of the pictures in place of their placeholders.

        Args:
            input_ids: [batch, length].
            placeholders: How many placeholders every sample has; nothing waits for the device to count them.
            pixel_values_global: See `get_image_features`, like the next two.
            pixel_values_tiles: See there.
            tile_grids: See there.
            image_features: Features in place of pictures.

        Returns:
            [batch, length, hidden].

        Raises:
            InputError: Placeholders and pictures do not fit.
        """
        inputs_embeds = self.get_input_embeddings()(input_ids)
        if pixel_values_global is not None and image_features is None:
            grids = _as_grids(tile_grids)
            image_features = self.get_image_features(pixel_values_global, pixel_values_tiles, grids)
        images_per_sample(placeholders, [features.shape[0] for features in image_features or ()])
        return self._insert(input_ids, inputs_embeds, image_features) if image_features else inputs_embeds

    def _survey(self, input_ids: Tensor, attention_mask: Tensor | None) -> tuple[list[int], bool]:
        """Look at a batch with a single wait for the device.

        Returns:
            The placeholders of every sample, and whether all padding (if any) stands at the right.
        """
        counts = (input_ids == self.config.image_token_id).sum(dim=1)
        if attention_mask is None or attention_mask.dim() != _PADDING_MASK_DIMS:
            return counts.tolist(), False
        falling = (attention_mask[:, 1:] <= attention_mask[:, :-1]).all()
        *placeholders, padded_right = torch.cat([counts, falling[None].to(counts.dtype)]).tolist()
        return placeholders, bool(padded_right)

    def _insert(self, input_ids: Tensor, inputs_embeds: Tensor, image_features: Sequence[Tensor]) -> Tensor:
        """Put the features in place of the placeholders."""
        mask = input_ids == self.config.image_token_id
        features = torch.cat(list(image_features)).to(inputs_embeds)
        return inputs_embeds.masked_scatter(mask[..., None].expand_as(inputs_embeds), features)


def _as_grids(tile_grids: Tensor | Sequence[tuple[int, int]] | None) -> list[tuple[int, int]]:
    if tile_grids is None:
        raise InputError("Pictures need tile_grids: the columns and rows of every picture.")
    rows = tile_grids.tolist() if isinstance(tile_grids, Tensor) else tile_grids
    return [(int(columns), int(rows_)) for columns, rows_ in rows]


class DeepseekOcrForConditionalGeneration(DeepseekOcrPreTrainedModel, GenerationMixin):
    """DeepSeek-OCR with its output layer.

    Inputs of `forward` (the processor's batches fit as they are):

    * `input_ids` [batch, length], `attention_mask` [batch, length] with zeros on the padding of either side;
    * `labels` [batch, length]: the answer's ids, -100 elsewhere; the loss covers nothing else;
    * `pixel_values_global` [images, 3, base, base], the images of all samples in order;
    * `pixel_values_tiles` [tiles, 3, tile, tile], row by row of each image's grid, or None;
    * `tile_grids` [images, 2], columns and rows of every image, (1, 1) without tiles. A tensor on the CPU (or
      a list) saves a synchronisation with the device;
    * `image_features`: a list of [positions, hidden] tensors in place of the pictures (from
      `get_image_features`), for runs that keep the features of a frozen vision tower;
    * the key-value cache, under the name that the library gives it (`library.CACHE`);
    * `num_items_in_batch`: labelled tokens of all micro-batches of an optimiser step; the summed loss is
      divided by it, so that every token weighs the same;
    * `logits_to_keep`: how many last positions get logits (0 = all). By default all without labels, none with
      labels.

    A sample without an image has no placeholders; samples with and without images, of any tiling, share a
    batch.
    """

    accepts_loss_kwargs = True

    def __init__(self, config: DeepseekOcrConfig) -> None:
        super().__init__(config)
        text = config.text_config
        self.model = DeepseekOcrModel(config)
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The token embedding table."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the token embedding table."""
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """The output layer; never tied to the embedding table."""
        return self.lm_head

    def get_image_features(
        self,
        pixel_values_global: Tensor,
        pixel_values_tiles: Tensor | None,
        tile_grids: Tensor | Sequence[tuple[int, int]],
    ) -> list[Tensor]:
        """Features of every image as they stand in the sequence, one [positions, hidden] an image."""
        return self.model.get_image_features(pixel_values_global, pixel_values_tiles, _as_grids(tile_grids))

    def forward(  # noqa: PLR0913, PLR0917 (the library reads the names from this signature)
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        pixel_values_global: Tensor | None = None,
        pixel_values_tiles: Tensor | None = None,
        tile_grids: Tensor | Sequence[tuple[int, int]] | None = None,
        image_features: Sequence[Tensor] | None = None,
        use_cache: bool | None = None,
        num_items_in_batch: Tensor | int | None = None,
        logits_to_keep: int | Tensor | None = None,
        **kwargs: object,
    ) -> DeepseekOcrOutput:
        """Compute logits, or the loss over the labelled positions; the class docstring lists the inputs."""
        # Found first: waiting for the device is cheapest before the step's work has been queued.
        answer = None if labels is None else labelled_positions(labels)
        if use_cache is None and labels is not None:
            use_cache = False
        outputs = self.model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            inputs_embeds=inputs_embeds,
            pixel_values_global=pixel_values_global,
            pixel_values_tiles=pixel_values_tiles,
            tile_grids=tile_grids,
            image_features=image_features,
            use_cache=use_cache,
            **kwargs,
        )
        hidden_states = outputs.last_hidden_state
        loss = None
        if answer is not None:
            positions, targets = answer
            picked = hidden_states.flatten(0, 1).index_select(0, positions)
            loss = answer_loss(picked, targets, self.lm_head, num_items_in_batch)
        logits = None
        if labels is None or logits_to_keep is not None:
            keep = 0 if logits_to_keep is None else logits_to_keep
            kept = slice(-keep, None) if isinstance(keep, int) else keep
            logits = self.lm_head(hidden_states[:, kept])
        return DeepseekOcrOutput(
            loss=loss,
            logits=logits,
            last_hidden_state=hidden_states,
            **{CACHE: getattr(outputs, CACHE)},
        )

    def prepare_inputs_for_generation(
        self, input_ids: Tensor, *, is_first_iteration: bool | None = False, **kwargs: object
    ) -> dict[str, Any]:
        """Pictures go in with the prompt only: later steps find their keys and values in the cache."""
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids, is_first_iteration=is_first_iteration, **kwargs
        )
        if is_first_iteration and all(inputs.get(name) is None for name in _VIEW_INPUTS):
            counts = (input_ids == self.config.image_token_id).sum(dim=1)
            images_per_sample(counts.tolist(), [])
        if not is_first_iteration and inputs.get("use_cache", True):
            for name in _VIEW_INPUTS:
                inputs.pop(name, None)
        return inputs

    def _expand_inputs_for_generation(
        self,
        expand_size: int = 1,
        is_encoder_decoder: bool = False,
        input_ids: Tensor | None = None,
        **model_kwargs: object,
    ) -> tuple[Tensor, dict[str, Any]]:
        """Refuse what would go wrong: repeating pictures by row mixes up the tiles of a batch."""
        if expand_size > 1 and any(model_kwargs.get(name) is not None for name in _VIEW_INPUTS):
            raise InputError(
                "Several answers or beams for one picture are not supported.",
                "Repeat the picture and its prompt in the batch instead.",
            )
        expanded: tuple[Tensor, dict[str, Any]] = super()._expand_inputs_for_generation(
            expand_size, is_encoder_decoder, input_ids, **model_kwargs
        )
        return expanded
