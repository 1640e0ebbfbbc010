"""The loss behind a frozen output layer, and the text model's layers without the library's loop.

Recordings themselves need a GPU: `benchmarks.train_gpu` compares losses there.
"""

import torch

from ocrstudio.student.modeling.loss import answer_loss, labelled_positions
from ocrstudio.student.text_graphs import FrozenHeadLoss, _decode
from tests.student.tiny_network import tiny_batch, tiny_network

torch.set_num_threads(1)


def test_frozen_head_loss_and_gradient_equal_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(700, 32, generator=generator)
    weight = torch.randn(50, 32, generator=generator)
    targets = torch.randint(0, 50, (700,), generator=generator)
    targets[::3] = -100
    ours, theirs = hidden.clone().requires_grad_(), hidden.clone().requires_grad_()
    loss, correct = FrozenHeadLoss.apply(ours, targets, weight)
    (loss / 7).backward()
    expected = torch.nn.functional.cross_entropy(theirs @ weight.T, targets, reduction="sum")
    (expected / 7).backward()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(ours.grad, theirs.grad)
    guesses = (hidden @ weight.T).argmax(dim=-1)
    assert int(correct) == int(((guesses == targets) & (targets >= 0)).sum())


def test_padding_and_spare_positions_change_neither_loss_nor_gradients():
    network = tiny_network()
    batch = tiny_batch(text_only=True)
    outputs = network(**batch)
    outputs.loss.backward()
    expected = network.model.language_model.layers[1].self_attn.q_proj.weight.grad.clone()
    network.zero_grad()
    length = batch["input_ids"].shape[1]
    padded = torch.nn.functional.pad(batch["input_ids"], (0, 6), value=2)
    labels = torch.nn.functional.pad(batch["labels"], (0, 6), value=-100)
    hidden = _decode(network.model.language_model, network.get_input_embeddings()(padded))
    torch.testing.assert_close(hidden[:, :length], outputs.last_hidden_state)
    positions, targets = labelled_positions(labels)
    spare = torch.cat([positions, positions.new_zeros(3)]), torch.cat([targets, targets.new_full((3,), -100)])
    total, _ = FrozenHeadLoss.apply(hidden.flatten(0, 1)[spare[0]], spare[1], network.lm_head.weight.detach())
    (total / len(targets)).backward()
    unpadded = outputs.last_hidden_state.flatten(0, 1)[labelled_positions(batch["labels"])[0]]
    torch.testing.assert_close(total / len(targets), answer_loss(unpadded, targets, network.lm_head))
    torch.testing.assert_close(
        network.model.language_model.layers[1].self_attn.q_proj.weight.grad, expected, atol=1e-5, rtol=1e-4
    )
