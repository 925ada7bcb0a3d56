"""`.env` is read as people and their editors write it, or refused without showing what it holds."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dotenv import UnreadableFile, load, read

TOKEN = "4242:AAFakeFakeFakeFakeFakeFakeFakeFakeFak"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def problems_of(file: Path) -> list[str]:
    with pytest.raises(UnreadableFile) as caught:
        read(file)
    return [problem.removeprefix(str(file)).strip() for problem in caught.value.problems]


@pytest.mark.parametrize(
    "line",
    [
        f"A={TOKEN}",
        f"  A={TOKEN}  ",
        f"A = {TOKEN}",
        f"A\t=\t{TOKEN}\t",
        f"export A={TOKEN}",
        f"export\tA = '{TOKEN}'",
        f'A="{TOKEN}"',
        f"A='{TOKEN}'   # from BotFather",
        f'A="{TOKEN}"\t# from BotFather',
        f"A={TOKEN} # from BotFather",
        f"A=\N{NO-BREAK SPACE}{TOKEN}\N{NO-BREAK SPACE}",
    ],
)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""])
def test_a_line_is_read_however_it_is_written(file, line, mark, end):
    file.write_bytes(mark + line.encode() + end)

    assert read(file) == {"A": TOKEN}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("", ""),
        ('""', ""),
        ("pa$word&x;(y)`z`*", "pa$word&x;(y)`z`*"),
        ("a#b", "a#b"),
        ("#b", "#b"),
        (" # nothing yet", ""),
        ("1, 2", "1, 2"),
        ("key==", "key=="),
        ("C:\\data\\x.db", "C:\\data\\x.db"),
        ("'pa$word\\\"x'", 'pa$word\\"x'),
        (r'"say \"hi\" for \$5 \\ \n"', r'say "hi" for $5 \ \n'),
        ("'it' # 's", "it"),
        ("it's", "it's"),
        ("größe", "größe"),
    ],
)
def test_a_value_is_what_stands_there_and_no_sign_in_it_means_anything(file, written, value):
    file.write_bytes(f"A={written}\n".encode())

    assert read(file) == {"A": value}


def test_comments_blank_lines_and_lines_that_say_the_same_twice_are_nothing(file):
    file.write_bytes(b"\r\n# f\xfcr MEXC\r\n  \r\n\t# x\r\nA=1\r\n\r\nA=1\r\nB=2\r\n")

    assert read(file) == {"A": "1", "B": "2"}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"A: {TOKEN}", "is not NAME=value"),
        (TOKEN, "is not NAME=value"),
        (f"$env:A={TOKEN}", "is not NAME=value"),
        (f"set A={TOKEN}", "is not NAME=value"),
        (f"={TOKEN}", "is not NAME=value"),
        (f"A B={TOKEN}", "is not NAME=value"),
        (f"A='{TOKEN}", "has a quote that is not closed; a value stands on one line"),
        (f'A="{TOKEN}', "has a quote that is not closed; a value stands on one line"),
        (f'A="{TOKEN}\\"', "has a quote that is not closed; a value stands on one line"),
        (f"A={TOKEN}\\", "ends with a backslash; a value stands on one line"),
        (f'A="{TOKEN}"x', "has something behind its closing quote"),
        (f'A="{TOKEN}"#x', "has something behind its closing quote"),
        (f"A={TOKEN}\0", "has a NUL byte; save the file as UTF-8"),
        (f"FIRST={TOKEN}", "sets FIRST again, otherwise than line 1: keep one"),
    ],
)
def test_a_line_that_cannot_be_read_is_named_by_its_number_alone(file, line, says):
    file.write_text(f"FIRST=1\n\n{line}\nLAST=2\n")

    assert problems_of(file) == [f"line 3 {says}"]


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-8-sig"]
)
def test_a_file_in_another_encoding_is_read_or_refused_and_never_half_read(file, encoding):
    file.write_bytes(f"A={TOKEN}\n".encode(encoding))

    if encoding == "utf-8-sig":
        assert read(file) == {"A": TOKEN}
    else:
        assert "line 1 " in problems_of(file)[0]
        assert problems_of(file)[0].endswith("save the file as UTF-8")


def test_a_value_in_latin_1_is_refused(file):
    file.write_bytes(b"A=1\nB=gr\xf6\xdfe\n")

    assert problems_of(file) == ["line 2 is not in UTF-8; save the file as UTF-8"]


def test_no_file_sets_nothing_and_what_is_no_file_is_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "huge").write_bytes(b"#" * (1024 * 1024 + 1))

    assert read(tmp_path / "none") == {}
    assert problems_of(tmp_path / "folder")[0].endswith("is a folder; it must be a file")
    assert problems_of(tmp_path / "gone")[0].endswith("No such file or directory")
    assert "cannot be read" in problems_of(tmp_path / "loop")[0]
    assert problems_of(tmp_path / "huge")[0].endswith("is larger than 1 MB")


def test_the_environment_counts_more_than_the_file_even_where_it_is_empty(file):
    file.write_text("A=file\nB=file\nC=file\n")
    environment = {"B": "", "C": "env", "D": "env"}
    load(file, environment)

    assert environment == {"A": "file", "B": "", "C": "env", "D": "env"}


@given(st.binary(max_size=60))
def test_no_bytes_make_anything_but_settings_or_a_refusal(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "any.env"
    file.write_bytes(content)
    with suppress(UnreadableFile):
        assert all("\0" not in name + value for name, value in read(file).items())


@given(st.text(st.characters(exclude_characters="'\r\n\0", exclude_categories=["Cs"])))
def test_whatever_stands_between_single_quotes_is_the_value(tmp_path_factory, value):
    file = tmp_path_factory.getbasetemp() / "quoted.env"
    file.write_bytes(f"A='{value}'".encode())

    assert read(file) == {"A": value}
