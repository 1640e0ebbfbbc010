"""What more pages would bring: known laws are found again, and the interval covers what it says."""

import numpy as np
import pytest

from ocrstudio.evaluation.curve_verdict import Verdict, outlook
from ocrstudio.evaluation.learning_curve import Measurement, extrapolate, fit_power_law
from ocrstudio.evaluation.metrics import EditCount

SIZES = (10, 20, 40)


def point(pages, distances, references):
    counts = [
        EditCount(int(edits), int(length), int(length))
        for edits, length in zip(distances, references, strict=True)
    ]
    return Measurement(pages, tuple(counts))


def exact(law, sizes=SIZES, held_out=12, length=10_000):
    """Points that lie on a law, every held-out page alike."""
    return [point(size, [round(law(size) * length)] * held_out, [length] * held_out) for size in sizes]


def simulated(law, generator, *, held_out=20, sizes=SIZES, between=0.0):
    """Points of a law with noise, and the error that more pages would have on the very same held-out pages.

    Pages differ in length and difficulty; each is read anew, better or worse, by each student; `between` is
    the standard deviation between trainings (of the logarithm).
    """
    lengths = generator.integers(300, 900, held_out)
    difficulty = generator.lognormal(-0.18, 0.6, held_out)
    points = []
    for size in sizes:
        rate = law(size) * np.exp(generator.normal(0, between)) if between else law(size)
        rates = np.clip(rate * difficulty * generator.lognormal(-0.02, 0.2, held_out), 0, 1)
        points.append(point(size, generator.binomial(lengths, rates), lengths))
    return points, (lengths * difficulty).sum() / lengths.sum()


@pytest.mark.parametrize(("factor", "exponent"), [(0.6, 0.35), (0.2, 0.05), (2.0, 1.0), (0.1, 0.0)])
def test_a_power_law_is_found_again(factor, exponent):
    law = fit_power_law(SIZES, [factor * size**-exponent for size in SIZES])
    assert law.factor == pytest.approx(factor)
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    found = extrapolate(exact(lambda size: factor * size**-exponent), 100, seed=1)
    assert found.pages == 140
    assert found.cer == pytest.approx(factor * 140**-exponent, rel=0.01)


def test_pages_that_are_all_alike_leave_nothing_open():
    found = extrapolate(exact(lambda size: 0.5 * size**-0.4), 100, seed=1)
    assert found.interval.high - found.interval.low < 0.01 * found.cer


def test_a_law_with_a_floor_is_promised_too_much_and_not_too_little():
    def law(size):
        return 0.05 + 0.5 * size**-0.5

    found = extrapolate(exact(law), 100, seed=1)
    assert 0.8 * law(140) < found.cer < law(140)


@pytest.mark.parametrize(("held_out", "between", "least"), [(8, 0.0, 0.88), (20, 0.0, 0.9), (20, 0.05, 0.82)])
def test_the_interval_covers_what_it_says(held_out, between, least):
    def law(size):
        return 0.3 * size**-0.35

    generator = np.random.default_rng(7)
    covered = 0
    for seed in range(300):
        points, level = simulated(law, generator, held_out=held_out, between=between)
        interval = extrapolate(points, 100, seed=seed, resamples=400).interval
        covered += interval.low <= law(140) * level <= interval.high
    assert least <= covered / 300 <= 0.985


def test_a_flat_curve_is_hardly_ever_called_an_improvement():
    generator = np.random.default_rng(3)
    verdicts = [
        outlook(None, simulated(lambda _: 0.1, generator, between=0.03)[0], seed=seed).verdict
        for seed in range(60)
    ]
    assert verdicts.count(Verdict.HELPS) <= 4


def test_which_pages_were_held_out_does_not_widen_the_interval():
    """Hard pages are hard for every student: only how the students differ on them counts."""
    lengths = [1_000] * 12
    difficulty = np.array([20, 40, 60, 80, 100, 150, 200, 250, 300, 350, 400, 450])
    points = [point(size, difficulty * 3.0 * size**-0.5, lengths) for size in SIZES]
    found = extrapolate(points, 100, seed=2)
    assert found.interval.high < 1.1 * found.cer


def test_points_off_the_line_widen_the_interval():
    straight = extrapolate(exact(lambda size: 0.5 * size**-0.4), 100, seed=1).interval
    bent = exact(lambda size: 0.5 * size**-0.4 * (1.1 if size == 20 else 1.0))
    crooked = extrapolate(bent, 100, seed=1).interval
    assert crooked.high - crooked.low > 10 * (straight.high - straight.low)


def test_blank_pages_and_a_faultless_point_are_no_trouble():
    lengths = [500, 500, 0, 500]
    points = [
        point(10, [40, 40, 3, 40], lengths),
        point(20, [20, 20, 0, 20], lengths),
        point(40, [0] * 4, lengths),
    ]
    found = extrapolate(points, 100, seed=1)
    assert 0 < found.interval.low <= found.interval.high < 0.1


def test_two_points_or_other_pages_are_refused():
    points = exact(lambda size: 0.5 * size**-0.4)
    with pytest.raises(ValueError, match="three points"):
        extrapolate(points[:2], 100, seed=1)
    with pytest.raises(ValueError, match="same text"):
        extrapolate([*points[:2], point(40, [1] * 12, [9_999] * 12)], 100, seed=1)


# The sentence


def sentence(law, *, untrained=0.9, sizes=SIZES, held_out=12):
    before = point(0, [round(untrained * 10_000)] * held_out, [10_000] * held_out)
    return outlook(before, exact(law, sizes, held_out), seed=1)


def test_an_improvement_is_told_with_its_interval():
    said = sentence(lambda size: 0.5 * size**-0.4)
    assert said.verdict is Verdict.HELPS
    assert said.sentence == "100 more pages would bring the CER from 11.4 % to about 6.9 % (6.9 to 6.9)."


def test_a_figure_far_beyond_the_pages_is_called_a_direction():
    said = sentence(lambda size: 0.5 * size**-0.4, sizes=(2, 4, 8))
    assert said.sentence.endswith(
        "That is far beyond the 8 pages measured: a direction rather than a figure."
    )


def test_a_curve_that_is_flat_or_rises_says_that_pages_hardly_help():
    flat = sentence(lambda size: 0.08 * size**-0.02)
    assert flat.verdict is Verdict.HARDLY
    assert flat.sentence.startswith(
        "More pages of this kind would hardly help: 100 more would bring the CER from 7.4 %"
    )
    rising = sentence(lambda size: 0.08 * size**0.1)
    assert rising.verdict is Verdict.HARDLY
    assert "from 10 to 40 pages the CER did not fall (10.1 % to 11.6 %)" in rising.sentence


def test_pages_that_contradict_each_other_cannot_tell():
    lengths = [1_000] * 8
    points = [
        point(10, [100, 20, 150, 10, 90, 140, 60, 30], lengths),
        point(20, [20, 110, 30, 90, 100, 20, 120, 70], lengths),
        point(40, [90, 30, 120, 20, 10, 140, 20, 90], lengths),
    ]
    said = outlook(None, points, seed=1)
    assert said.verdict is Verdict.UNCERTAIN
    assert said.sentence.startswith("The 8 held-out pages cannot tell whether more pages would help")


def test_few_held_out_pages_get_no_word_on_the_future():
    said = sentence(lambda size: 0.5 * size**-0.4, held_out=7)
    assert (said.verdict, said.extrapolation) == (Verdict.TOO_FEW, None)
    assert (
        said.sentence
        == "7 held-out pages are too few to say what more pages would bring: hold out at least 8."
    )
    assert sentence(lambda size: 0.5 * size**-0.4, held_out=1).sentence.startswith(
        "1 held-out page is too few"
    )


def test_a_training_that_taught_nothing_is_told_first():
    said = sentence(lambda size: 0.5 * size**-0.4, untrained=0.1)
    assert said.verdict is Verdict.NOT_LEARNT
    assert "did not lower the CER (10.0 % before, 11.4 % after)" in said.sentence


def test_no_error_at_all_leaves_nothing_to_improve():
    assert sentence(lambda size: 0.1 if size < 40 else 0.0).verdict is Verdict.FAULTLESS


def test_blank_held_out_pages_alone_say_nothing():
    points = [point(size, [0] * 9, [0] * 9) for size in SIZES]
    assert (
        outlook(None, points, seed=1).sentence
        == "The held-out pages have no text to measure: hold out others."
    )
