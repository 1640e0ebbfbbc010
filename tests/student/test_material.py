"""The material of the reader: from packages to a folder, the same every time, and nothing lost in silence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ocrstudio.domain.errors import InputError
from ocrstudio.student.pretraining.material.__main__ import main
from ocrstudio.student.pretraining.material.alphabet import ALPHABET
from ocrstudio.student.pretraining.material.licences import read_licences
from ocrstudio.student.pretraining.material.lzw import decompress
from ocrstudio.student.pretraining.material.packages import find_packages
from ocrstudio.student.pretraining.material.subsetting import find_fault
from ocrstudio.student.pretraining.material.table import read_table
from ocrstudio.student.pretraining.pages import find_faces
from ocrstudio.student.reader import READER_VOCABULARY
from ocrstudio.student.tokenizer import OcrTokenizer
from tests.student.debian_packages import make_font, make_html, write_package

NAMES = b'{"3166-1": [{"name": "C\xc3\xb4te d\'Ivoire"}, {"name": "Saint Lucia"}, {"name": "\xe6\x97\xa5"}]}'
TABLE = {
    "fonts": [
        {"package": "fonts-one", "families": ["One"], "weights": ["regular", "light"]},
        {"package": "fonts-odd", "families": ["Odd", "Same"]},
        {"package": "fonts-odd", "families": ["Dash"], "alike": "-\u2013"},
    ],
    "held_out_fonts": [{"package": "fonts-two", "families": ["Two"]}],
    "texts": [
        {"name": "guide", "package": "guide-doc", "kind": "html", "files": ["*.html"], "kilobytes": 9},
        {"name": "names", "package": "lists", "kind": "names", "files": ["*.json"], "kilobytes": 9},
        {"name": "words", "package": "lists", "kind": "words", "files": ["*/words"], "kilobytes": 9},
    ],
    "held_out_texts": [
        {"name": "other", "package": "other-doc", "kind": "html", "files": ["*.html"], "kilobytes": 9}
    ],
    "tokens": 500,
    "tokenizer_pages": 40,
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packages")
    regular = make_font("One", "Regular")
    fonts = "usr/share/fonts"
    write_package(
        folder,
        "fonts-one",
        {
            f"{fonts}/One-Regular.ttf": regular,
            f"{fonts}/One-Light.ttf": make_font("One", "Light"),
            f"{fonts}/One-Italic.ttf": make_font("One", "Italic"),
            f"{fonts}/One-Bold.ttf": make_font("One", "Bold", heavier=True),
            f"{fonts}/One-CondensedBold.ttf": make_font("One", "Condensed Bold"),
        },
        version="1%3a2.5-1",
    )
    write_package(
        folder,
        "fonts-odd",
        {
            f"{fonts}/Odd-Regular.ttf": make_font("Odd", "Regular", without="€"),
            f"{fonts}/Same-Regular.ttf": make_font("Same", "Regular", alike="O0"),
            f"{fonts}/Dash-Regular.ttf": make_font("Dash", "Regular", alike="-\u2013"),
        },
    )
    write_package(folder, "fonts-two", {f"{fonts}/Two-Regular.ttf": make_font("Two", "Regular")})
    write_package(folder, "guide-doc", {"usr/share/doc/guide-doc/a.html": make_html(60, 1)})
    write_package(folder, "other-doc", {"usr/share/doc/other-doc/a.html": make_html(60, 2)})
    write_package(
        folder,
        "lists",
        {"usr/share/a.json": NAMES, "usr/share/words": "abacus\nna\u00efve\nzoo\nzoo's\n".encode()},
    )
    return folder


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return _table(tmp_path_factory.mktemp("table"))


def _table(folder, **changes):
    file = folder / "table.yaml"
    file.write_text(yaml.safe_dump(TABLE | changes), encoding="utf-8")
    return file


def _command(table, packages, output, *more):
    return ["--output", str(output), "--packages", str(packages), "--offline", "--table", str(table), *more]


@pytest.fixture(scope="module")
def material(packages, table, tmp_path_factory):
    output = tmp_path_factory.mktemp("made") / "material"
    assert main(_command(table, packages, output, "--pack", str(output.with_suffix(".tar.xz")))) == 0
    return output


def test_faces_have_the_bold_font_of_their_family(material):
    faces = {face.regular.name.split(".r.")[0]: face for face in find_faces(material / "fonts")}
    assert sorted(faces) == ["dash", "one", "one-italic", "one-light"]
    bold = faces["one"].bold.read_bytes()
    assert bold != faces["one"].regular.read_bytes()
    assert faces["one-italic"].bold.read_bytes() == faces["one-light"].bold.read_bytes() == bold
    assert faces["dash"].bold is None
    assert [face.regular.name for face in find_faces(material / "held_out_fonts")] == ["two.r.ttf"]


def test_a_font_is_small_and_draws_every_character(material):
    from fontTools.ttLib import TTFont

    file = material / "fonts" / "one.r.ttf"
    assert find_fault(file.read_bytes()) is None
    font = TTFont(file)
    assert "fpgm" not in font
    assert font["name"].getDebugName(1) is None
    assert set(font.getBestCmap()) <= {*map(ord, ALPHABET), 0x20, 0xA0, *range(0xFB00, 0xFB05)}


def test_what_is_left_out_is_counted_and_named(material):
    origins = (material / "ORIGINS.md").read_text(encoding="utf-8")
    assert "Faces: 4 in `fonts/`, 1 in `held_out_fonts/`." in origins
    assert "Left out: 2.\n- fonts: Odd-Regular.ttf (fonts-odd) lacks €\n- fonts: Same-Regular.ttf" in origins
    assert "draws O and 0 alike" in origins
    assert "| training | One | fonts-one | 1:2.5-1 | OFL-1.1 |" in origins
    assert "| held out | text `other` | other-doc | 1.0-1 | OFL-1.1 |" in origins
    assert (material / "licences" / "fonts-two.txt").read_text(encoding="utf-8").startswith("Format:")


def test_texts_are_plain_paragraphs_in_the_alphabet(material):
    lines = (material / "texts" / "guide.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 60
    assert all(line.startswith("The ") and line.endswith(" was café.") for line in lines)
    assert {line.split()[1] for line in lines} == {'"first"', "“first”"}
    assert (material / "texts" / "words.txt").read_text(encoding="utf-8").split() == [
        "abacus",
        "naïve",
        "zoo",
    ]
    names = (material / "texts" / "names.txt").read_text(encoding="utf-8").split()
    assert names == ["Côte", "Lucia", "Saint"]
    written = "".join(file.read_text(encoding="utf-8") for file in (material / "texts").iterdir())
    assert set("§€£°±½«»“”—…©") <= set(written) <= set(ALPHABET) | {" ", "\n"}


def test_each_character_is_one_token_and_any_text_comes_back(material):
    tokenizer = OcrTokenizer(material / "tokenizer")
    assert tokenizer.vocabulary_size == 500
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.pad_id, tokenizer.image_id) == (0, 1, 2, 3)
    assert [len(tokenizer.encode(character)) for character in ALPHABET] == [1] * len(ALPHABET)
    for text in ("# A\n\n| a | 12,50 € |\n|---|---|", "日本 \x00\t<|ref|>x<|/ref|> <td>\\(x^{2}\\)</td>"):
        assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_same_packages_give_the_same_bytes_and_it_says_what_it_left_out(
    material, packages, table, tmp_path
):
    output = tmp_path / "material"
    packed = tmp_path / "material.tar.xz"
    # Another process: nothing may depend on the order of a set.
    command = _command(table, packages, output, "--pack", str(packed))
    said = subprocess.run(
        [sys.executable, "-m", "ocrstudio.student.pretraining.material", *command],
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        cwd=Path(__file__).parents[2],
    ).stdout
    assert "left out: fonts: Odd-Regular.ttf (fonts-odd) lacks €" in said
    assert "5 faces, 2 of them without a bold face, 2 fonts left out" in said
    files = sorted(path.relative_to(output) for path in output.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(material) for path in material.rglob("*") if path.is_file())
    for file in files:
        assert (output / file).read_bytes() == (material / file).read_bytes(), file
    assert packed.read_bytes() == material.with_suffix(".tar.xz").read_bytes()


def test_missing_packages_are_all_named(packages, tmp_path, capsys):
    more = [*TABLE["fonts"], {"package": "fonts-none", "families": ["No"]}]
    table = _table(tmp_path, fonts=more)
    assert main(_command(table, packages, tmp_path / "m")) == 1
    assert "lacks 1 of 7 packages: fonts-none." in capsys.readouterr().err
    assert not (tmp_path / "m").exists()


def test_without_apt_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        InputError, match=r"2 packages are missing .* apt-get is not installed here\. .*--packages"
    ):
        find_packages(["fonts-a", "fonts-b"], tmp_path, download=True)


def test_a_family_that_is_not_there_is_an_error(packages, tmp_path, capsys):
    table = _table(tmp_path, held_out_fonts=[{"package": "fonts-two", "families": ["Tow"]}])
    assert main(_command(table, packages, tmp_path / "m")) == 1
    assert "fonts-two 1.0-1 holds no font Tow" in (said := capsys.readouterr().err)
    assert "It holds Two (regular, normal)" in said


def test_a_damaged_package_and_two_versions_are_named(tmp_path):
    (tmp_path / "a_1_all.deb").write_bytes(b"!<arch>\nnonsense")
    package = find_packages(["a"], tmp_path, download=False)["a"]
    with pytest.raises(InputError, match=r"a_1_all\.deb is damaged"):
        package.copyright()
    (tmp_path / "a_2_all.deb").write_bytes(b"")
    with pytest.raises(InputError, match="2 files of the package a"):
        find_packages(["a"], tmp_path, download=False)


def test_a_folder_with_other_files_is_left_alone(packages, table, tmp_path, capsys):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts" / "mine.ttf").write_bytes(b"mine")
    assert main(_command(table, packages, tmp_path)) == 1
    assert "holds files that are no material" in capsys.readouterr().err
    assert (tmp_path / "fonts" / "mine.ttf").read_bytes() == b"mine"


def test_the_shipped_table_fits_the_reader():
    table = read_table()
    assert table.tokens == READER_VOCABULARY
    trained = {family for entry in table.fonts for family in entry.families}
    kept = {family for entry in (*table.held_out_fonts, *table.new_faces) for family in entry.families}
    assert not trained & kept
    assert "Carlito" not in trained  # Lato under another name


@pytest.mark.parametrize(
    ("text", "licences"),
    [
        ("Format: x\n\nFiles: *\nLicense: OFL-1.1\n\nFiles: debian/*\nLicense: GPL-3+", ("OFL-1.1",)),
        ("Format: x\n\nFiles: *\nLicense: GPL-2\n\nFiles: a.ttf\nLicense: MIT\n", ("GPL-2", "MIT")),
        ("It is under the SIL Open\n Font License, 1.1.", ("OFL-1.1",)),
        ("All rights reserved.", ()),
    ],
)
def test_licences_are_read_from_the_copyright_file(text, licences):
    assert read_licences(text) == licences


def test_lzw():
    # "abababab" and the code that is not yet in its table (258 after a, b).
    codes = (ord("a"), ord("b"), 257, 259, 256, ord("c"))
    data = sum(code << 9 * number for number, code in enumerate(codes[:5])).to_bytes(9, "little")
    data += ord("c").to_bytes(2, "little")
    assert decompress(data) == b"abababac"
    with pytest.raises(InputError, match="damaged"):
        decompress((300).to_bytes(2, "little"))
