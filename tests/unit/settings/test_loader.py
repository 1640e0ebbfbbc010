from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.loader import _NodeReader, dump_data, read_value, read_yaml
from ocrstudio.settings.yaml_schema import SchemaLoader


def test_lines_of_keys_are_known(config):
    data, lines = read_yaml(config("a: 1\nb:\n  c: 2\n  d: [x,\n    y]\n"))
    assert data == {"a": 1, "b": {"c": 2, "d": ["x", "y"]}}
    assert [lines.line(path) for path in [("a",), ("b", "c"), ("b", "d", 1), ("b", "gone"), ("gone",)]] == [
        1, 3, 5, 2, None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-4", 2e-4), ("2.0e-4", 2e-4), ("1_000", 1000), ("-5", -5), ("true", True),
        ("no", "no"), ("on", "on"), ("1:30", "1:30"), ("2026-11-23", "2026-11-23"),
        ("~", None), ("", None), (".5", 0.5), ("'7'", "7"),
    ],
)  # fmt: skip
def test_plain_values_follow_yaml_1_2(config, text, value):
    data, _ = read_yaml(config(f"v: {text}\n"))
    assert data == {"v": value}
    assert type(data["v"]) is type(value)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n"])
def test_an_empty_file_has_no_keys(config, text):
    assert read_yaml(config(text))[0] == {}


def test_broken_yaml_names_line_and_column(config):
    with pytest.raises(ConfigError, match=r"my\.yaml, line 2, column 4: this is not valid YAML"):
        read_yaml(config("a: 1\nb: : 2\n"))


def test_repeated_keys_are_an_error_with_both_lines(config):
    with pytest.raises(ConfigError, match=r'line 4: the key "a\.x" is already set in line 2'):
        read_yaml(config("a:\n  x: 1\n  y: 2\n  x: 3\n"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: \xff\xfe", "line 1: this is not UTF-8 text"),
        (b"a: 1\nb: \x07\n", r"line 2: the character U\+0007"),
        (b"- a\n- b\n", "must hold keys with values"),
        (b"a: &x 1\nb: *x\n", "aliases"),
        (b"a: &x [*x]\n", "aliases"),
        (b"a: 1\n---\nb: 2\n", "not valid YAML"),
        (b"a: !!python/object/apply:os.system [ls]\n", "not supported"),
        (b"a: !!python/name:os.system ''\n", "not supported"),
        (b"[" * 5000, "nested too deeply|not valid YAML"),
        (b"? [a, b]\n: 1\n", "single word"),
        (b"x" * (2 << 20), "larger than 1 MiB"),
    ],
)
def test_unusable_files_give_a_sentence(tmp_path, content, says):
    path = tmp_path / "my.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=says) as caught:
        read_yaml(path)
    assert "my.yaml" in caught.value.message


def test_missing_files_and_folders_give_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.yaml does not exist"):
        read_yaml(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match="is a folder"):
        read_yaml(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    path = tmp_path / "my.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert read_yaml(path)[0] == {"a": 1, "b": 2}


def test_variables_are_replaced_and_typed(config, monkeypatch):
    monkeypatch.setenv("STEPS", "20")
    monkeypatch.setenv("HOST", "http://server")
    monkeypatch.delenv("GONE", raising=False)
    text = (
        'n: ${STEPS}\nquoted: "${STEPS}"\nurl: ${HOST}/v1\n'
        "default: ${GONE:-0.5}\nempty: ${GONE:-}\nkept: $${HOST}\n"
    )
    data, lines = read_yaml(config(text))
    assert data == {
        "n": 20, "quoted": "20", "url": "http://server/v1", "default": 0.5, "empty": None, "kept": "${HOST}",
    }  # fmt: skip
    assert ("n",) in lines.references
    assert ("kept",) not in lines.references


def test_a_value_from_the_environment_cannot_add_keys(config, monkeypatch):
    monkeypatch.setenv("EVIL", "x\nother: 1")
    assert read_yaml(config("a: ${EVIL}\n"))[0] == {"a": "x\nother: 1"}


def test_unset_variables_are_all_named_with_their_lines(config, monkeypatch):
    monkeypatch.delenv("ONE", raising=False)
    monkeypatch.delenv("TWO", raising=False)
    with pytest.raises(ConfigError) as caught:
        read_yaml(config("a: ${ONE}\nb:\n  c: ${TWO}\n"))
    assert "line 1: " in caught.value.message
    assert "variable ONE" in caught.value.message
    assert 'line 3: "b.c"' in caught.value.message


_characters = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), include_characters="\n\t")
_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
_scalars = st.none() | st.booleans() | _numbers | st.text(_characters, max_size=30)


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), _scalars | st.lists(_scalars, max_size=3))
)
def test_what_is_written_reads_back_equal(data):
    node = SchemaLoader(dump_data(data)).get_single_node()
    assert (_NodeReader(substitute=False).read(node, ()) if node else {}) == data


def test_texts_that_look_like_other_types_are_quoted():
    assert yaml.safe_load(dump_data({"a": "1e5", "b": "true", "c": "null"})) == {
        "a": "1e5",
        "b": "true",
        "c": "null",
    }


def test_an_unreadable_file_gives_a_sentence(tmp_path):
    path = Path("/proc/self/mem") if Path("/proc/self/mem").exists() else tmp_path / "gone"
    with pytest.raises(ConfigError):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("2e-4", 2e-4),
        ("yes", "yes"),
        ("", None),
        ("[fc1, fc2]", ["fc1", "fc2"]),
        ("{a: 1}", {"a": 1}),
        ('"5"', "5"),
        ("${HOME}", "${HOME}"),
    ],
)
def test_a_value_is_read_as_it_would_be_in_a_file(text, value):
    assert read_value(text) == value


@pytest.mark.parametrize(
    "text", ["[1", "*a", "!!int x", "!!python/name:os", "[" * 5000, "\x01", "{a: 1, a: 2}"]
)
def test_what_is_no_value_is_a_sentence(text):
    with pytest.raises(ConfigError):
        read_value(text)
