import pytest

from ocrstudio.cli.figures import figure_in_words


@pytest.mark.parametrize(
    ("name", "value", "words", "shown"),
    [
        ("cer", 0.1234, "character error rate", "12.34%"),
        ("runaway_rate", 0.0, "pages that repeat themselves", "0.0%"),
        ("tokens_per_second", 812.34, "tokens per second", "812.3"),
        ("pages", 12, "pages", "12"),
        ("model", "micro", "model", "micro"),
    ],
)
def test_a_figure_has_words_and_a_form(name: str, value: str | float, words: str, shown: str) -> None:
    assert figure_in_words(name, value) == (words, shown)
