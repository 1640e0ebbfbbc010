"""The reader's training: the network's arithmetic, exact continuations, levels that never stall."""

import json
import random
from collections import Counter

import pymupdf
import pytest
import torch
from torch import nn

from ocrstudio.domain.errors import InputError
from ocrstudio.student.micro import fill_random, micro_folder
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import by_length, choose_level
from ocrstudio.student.pretraining.checkpoints import (
    AVERAGE_EVERY,
    READER_FILE,
    TRAINING_FILE,
    TrainingState,
    read_checkpoint,
)
from ocrstudio.student.pretraining.compiling import CompiledStep
from ocrstudio.student.pretraining.decoder import decode, decoder_layer, gate_weights
from ocrstudio.student.pretraining.export import export, load_reader
from ocrstudio.student.pretraining.forward import ReaderStep
from ocrstudio.student.pretraining.gates import GateBudget
from ocrstudio.student.pretraining.heads import DenseHeads
from ocrstudio.student.pretraining.levels import LEVELS, Curriculum
from ocrstudio.student.pretraining.loop import pretrain
from ocrstudio.student.pretraining.muon import BatchedMuon
from ocrstudio.student.pretraining.optimisers import Optimisers
from ocrstudio.student.pretraining.plan import PretrainingPlan
from ocrstudio.student.reader import reader_config
from ocrstudio.student.weights import load_model
from tests.student.tiny_network import tiny_network

SHAPES = ((8, 8), (16, 8), (8, 16), (16, 8), (4, 20))


def test_the_dense_decoder_is_the_network_with_its_gradients():
    text = tiny_network().model.language_model
    hidden = torch.randn(2, 9, 32, generator=torch.Generator().manual_seed(3))

    def gradients(output):
        output.square().sum().backward()
        found = [parameter.grad.clone() for parameter in text.layers.parameters()]
        text.zero_grad()
        return found

    expected = text(inputs_embeds=hidden, use_cache=False).last_hidden_state
    middle, last = decode(text, hidden, 0, decoder_layer)
    assert torch.allclose(last, expected, atol=1e-5)
    assert torch.allclose(middle, decode(text, hidden, 1, decoder_layer)[0], atol=1e-5) is False
    for mine, theirs in zip(gradients(last), gradients(expected), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-4)


def test_the_dense_decoder_takes_the_precision_that_gates_are_measured_in():
    text = tiny_network().bfloat16().model.language_model
    hidden = torch.randn(2, 9, 32, generator=torch.Generator().manual_seed(3)).bfloat16()
    with torch.no_grad():
        expected = text(inputs_embeds=hidden, use_cache=False).last_hidden_state
        last = decode(text, hidden, 0, decoder_layer)[1]
    assert last.dtype == torch.bfloat16
    assert (last - expected).abs().mean() < 0.02 * expected.abs().mean()


def test_as_many_experts_as_asked_for_count_even_when_they_are_equally_good():
    gate = tiny_network().model.language_model.layers[1].mlp.gate
    nn.init.zeros_(gate.weight)
    assert (gate_weights(gate, torch.randn(5, 32)) > 0).sum(dim=-1).tolist() == [gate.top_k] * 5


def test_muon_in_batches_is_the_librarys_muon():
    generator = torch.Generator().manual_seed(0)
    mine = [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]
    theirs = [nn.Parameter(weight.detach().clone()) for weight in mine]
    batched = BatchedMuon(mine, 0.02, 0.05)
    library = torch.optim.Muon(theirs, lr=0.02, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    for _ in range(5):
        for one, other in zip(mine, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=generator)
            other.grad = one.grad.clone()
        batched.step()
        library.step()
    for one, other in zip(mine, theirs, strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def _broken_compiler(_graph, _inputs):
    raise RuntimeError("no compiler on this machine")


@pytest.fixture(scope="module")
def reader():
    model = DeepseekOcrForConditionalGeneration(reader_config())
    fill_random(model, 1)
    return model


def test_a_training_goes_on_without_its_compiler(reader):
    said = []
    views = torch.zeros(1, 3, 384, 384)
    compiled = CompiledStep(ReaderStep(reader, DenseHeads(96, 320), views=0), said.append, _broken_compiler)
    outputs = []

    def work():
        with torch.no_grad():
            outputs.append(reader.model.encode_views(views))

    forgotten = []
    for _ in range(2):
        compiled.run(work, lambda: forgotten.append(True))
    assert len(outputs) == 2
    assert len(forgotten) == len(said) == 1
    assert "no compiler on this machine" in said[0]
    assert "\n" not in said[0]
    with pytest.raises(ZeroDivisionError):
        compiled.run(lambda: 1 / 0, lambda: None)


def _state(level=0):
    network = tiny_network()
    heads = DenseHeads(8, 32)
    state = TrainingState(network, heads, Curriculum(level))
    return state, Optimisers([network, heads], 1e-2, warmup=3)


def _train(state, optimisers, steps):
    """Steps with gradients that depend on the number of the step alone."""
    for _ in range(steps):
        generator = torch.Generator().manual_seed(state.steps)
        for weight in optimisers.parameters:
            weight.grad = torch.randn(weight.shape, generator=generator)
        optimisers.step(state.steps, 1.0)
        state.steps += 1
        state.curriculum.saw(state.curriculum.level, 0.6)
        if state.steps % AVERAGE_EVERY == 0:
            state.update_average()


def test_a_training_that_was_interrupted_ends_as_one_that_was_not(tmp_path):
    whole, optimisers = _state()
    nn.init.zeros_(whole.heads.patch.bias)
    whole.start_average()
    _train(whole, optimisers, 13)
    whole.save(tmp_path, optimisers)
    _train(whole, optimisers, 12)

    resumed, optimisers = _state()
    saved = read_checkpoint(tmp_path)
    resumed.load(saved)
    resumed.start_average()
    optimisers.restore(saved["optimisers"])
    _train(resumed, optimisers, 12)
    for one, other in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)
    for name, weight in whole.average.items():
        assert torch.equal(weight, resumed.average[name])
    assert resumed.steps == whole.steps == 25
    assert resumed.curriculum.state() == whole.curriculum.state()


def test_the_file_that_travels_is_enough_to_go_on(tmp_path):
    state, optimisers = _state(level=2)
    state.start_average()
    _train(state, optimisers, 10)
    state.save(tmp_path, optimisers)
    (tmp_path / TRAINING_FILE).unlink()
    saved = read_checkpoint(tmp_path)
    assert "optimisers" not in saved
    resumed, _ = _state()
    resumed.load(saved)
    assert resumed.curriculum.level == 2
    for name, weight in resumed.model.named_parameters():
        assert torch.allclose(weight, state.average[name], atol=2e-3)
    assert not list(tmp_path.glob("*.part"))


def test_a_damaged_checkpoint_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no checkpoint"):
        read_checkpoint(tmp_path)
    (tmp_path / READER_FILE).write_bytes(b"half a file")
    with pytest.raises(InputError, match=r"reader\.pt cannot be read"):
        read_checkpoint(tmp_path)


def test_an_exported_checkpoint_is_a_model_folder_with_the_same_answers(reader, tmp_path):
    state = TrainingState(reader, DenseHeads(96, 320), Curriculum())
    state.start_average()
    checkpoint, folder = tmp_path / "checkpoint", tmp_path / "model"
    state.save(checkpoint, Optimisers([reader, state.heads], 1e-3, warmup=1))
    material = tmp_path / "material"
    with pytest.raises(InputError, match=r"ORIGINS\.md"):
        export(checkpoint, folder, micro_folder(), material)
    assert not folder.exists(), "what is shipped without its licences is not shipped"
    (material / "licences").mkdir(parents=True)
    (material / "ORIGINS.md").write_text("# Where this material comes from\n")
    licence_of = {"fonts-one": "SIL OFL\n", "fonts-two": "SIL OFL\n", "texts": "Public domain\n"}
    for package, text in licence_of.items():
        (material / "licences" / f"{package}.txt").write_text(text)
    size = export(checkpoint, folder, micro_folder(), material)
    assert size <= 40_000_000
    assert (folder / "ORIGINS.md").read_text().startswith("# Where")
    licences = (folder / "licences" / "packages.txt").read_text()
    assert "fonts-one, fonts-two\n" in licences
    assert [licences.count(text) for text in ("SIL OFL", "Public domain")] == [1, 1]
    assert json.loads((folder / "processor_config.json").read_text())["candidate_resolutions"] == [[384, 384]]
    ids = torch.tensor([[0, 20, 21, 22, 23]])
    with torch.no_grad():
        shipped = load_model(folder, dtype=torch.float32)(input_ids=ids).logits
        assert torch.equal(shipped, load_reader(checkpoint)(input_ids=ids).logits)


def test_an_exported_reader_can_be_trained_on(reader, tmp_path):
    state = TrainingState(reader, DenseHeads(96, 320), Curriculum(2))
    state.steps = 70
    state.start_average()
    state.save(tmp_path / "checkpoint", Optimisers([reader, state.heads], 1e-3, warmup=1))
    export(tmp_path / "checkpoint", tmp_path / "model", micro_folder())
    network = DeepseekOcrForConditionalGeneration(reader_config())
    resumed = TrainingState(network, DenseHeads(96, 320), Curriculum())
    resumed.load(read_checkpoint(tmp_path / "model"))
    assert (resumed.steps, resumed.curriculum.level) == (70, 2)
    for old, new in ((reader, resumed.model), (state.heads, resumed.heads)):
        for before, after in zip(old.parameters(), new.parameters(), strict=True):
            assert torch.equal(before.half().float(), after)


def test_a_level_that_is_not_mastered_is_left_when_nothing_more_is_learnt():
    stuck = Curriculum()
    assert sum(stuck.saw(stuck.level, 0.7) for _ in range(3_000)) == len(LEVELS) - 1
    guessing = Curriculum()
    assert not any(guessing.saw(0, 0.25) for _ in range(3_000))
    learning = Curriculum()
    assert not any(learning.saw(0, 0.5 + 0.00025 * step) for step in range(1_000))


def test_pages_of_the_next_level_are_always_among_the_others():
    source = random.Random(0)
    levels = Counter(choose_level(source, 1) for _ in range(2_000))
    assert 0.15 < levels[2] / 2_000 < 0.25
    assert levels[1] > 1_200
    assert levels[0] > 50
    assert set(Counter(choose_level(source, len(LEVELS) - 1) for _ in range(500))) <= set(range(len(LEVELS)))


def test_batches_hold_answers_of_about_one_length():
    class Page:
        def __init__(self, length):
            self.ids = (0,) * length

    source = random.Random(1)
    lengths = [source.randint(50, 700) for _ in range(40)]
    batches = by_length(source, [Page(length) for length in lengths], 10)
    assert sorted(len(page.ids) for batch in batches for page in batch) == sorted(lengths)
    padded = sum(10 * max(len(page.ids) for page in batch) for batch in batches)
    assert padded < 0.8 * 40 * max(lengths)


def test_gates_cost_a_small_share_of_the_time(monkeypatch):
    budget = GateBudget()
    clock = iter((106.0,))
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    assert budget.allows(1.0)
    assert budget.since(100.0) == 6.0
    assert not budget.allows(300.0)
    assert budget.allows(400.0)


def test_the_command_trains_stops_and_goes_on(tmp_path, capsys):
    for name in ("texts", "fonts"):
        (tmp_path / name).mkdir()
    (tmp_path / "texts" / "words.txt").write_text("\n".join(f"word{n}" for n in range(40)))
    (tmp_path / "fonts" / "droid.r.ttf").write_bytes(pymupdf.Font("cjk").buffer)
    plan = PretrainingPlan(
        seconds=0.01,
        decay_seconds=1.0,
        tokenizer=micro_folder(),
        texts=(tmp_path / "texts" / "words.txt",),
        fonts=tmp_path / "fonts",
        held_out_texts=(),
        held_out_fonts=tmp_path / "fonts",
        output=tmp_path / "out",
        views=1,
        workers=0,
        gate_pages=0,
        log_every=1,
    )
    pretrain(plan)
    pretrain(PretrainingPlan(**{**plan.__dict__, "resume": tmp_path / "out", "level": 1}))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    begun = [line for line in lines if "exact" in line]
    assert [(line["steps"], line["exact"], line["level"]) for line in begun] == [(0, True, 0), (1, True, 1)]
    assert all(0 < line["loss"] < 30 for line in lines if "loss" in line)
    assert lines[-1]["finished"] is True
    assert lines[-1]["steps"] == 2
    assert (tmp_path / "out" / "tokenizer.json").is_file()
