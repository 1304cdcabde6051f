"""`Questions.csv` against the csv module, and in the forms that copies in circulation have."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snellen.benchmark import mmvp
from snellen.benchmark.mmvp_csv import _lines, read
from snellen.jsonl import Bad

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    'a ",\n\r(b)', max_size=8
)
PLAIN = "Index,Question,Options,Correct Answer\n"


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read_as_it_was(table: list[list[str]], end: str) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    assert [fields for _, fields in _lines(file.getvalue())] == table


@given(st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1, max_size=5))
def test_and_so_with_as_few_quotes_as_need_be(table: list[list[str]]) -> None:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerows(table)
    assert [fields for _, fields in _lines(file.getvalue())] == table


@given(st.text('ab", \n', max_size=30))
def test_what_the_strict_module_takes_is_read_alike(text: str) -> None:
    """Whatever the module reads in its strict mode, we read alike, but for the lines that it leaves out for empty."""
    try:
        expected = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return
    try:
        found = [fields for _, fields in _lines(text)]
    except Bad:
        # A field that begins plain and holds quotes: the module takes them literally, and so do we.
        raise AssertionError(text) from None
    assert [fields for fields in found if fields != [""]] == [fields for fields in expected if fields not in ([], [""])]


def rows(text: str | bytes, columns: Any = mmvp.COLUMNS) -> dict[int, dict[str, str]]:
    data = text if isinstance(text, bytes) else text.encode()
    return {number: dict(row.values) for number, row in read(data, columns).rows.items()}


@pytest.mark.parametrize(
    ("row", "question"),
    [
        ('1,"Can you see the key "Z" in the image?",(a) Yes (b) No,(a)', 'Can you see the key "Z" in the image?'),
        ('1,"Is, by the way, "X" facing straight?",(a) Yes (b) No,(a)', 'Is, by the way, "X" facing straight?'),
        ('1,"Can you see the key ""Z"" in the image?",(a) Yes (b) No,(a)', 'Can you see the key "Z" in the image?'),
        ('1,Can you see the key "Z" in the image?,(a) Yes (b) No,(a)', 'Can you see the key "Z" in the image?'),
        ('1,"""Z"" is there?",(a) Yes (b) No,(a)', '"Z" is there?'),
        ('1,""Z" is there?",(a) Yes (b) No,(a)', '"Z" is there?'),
        ('1,"Two\nlines",(a) Yes (b) No,(a)', "Two\nlines"),
    ],
)
def test_quotes_in_quotes_are_read_as_they_were_meant(row: str, question: str) -> None:
    assert rows(PLAIN + row + "\n")[1]["question"] == question


@pytest.mark.parametrize(
    "row",
    [
        '1,"Is this "Z"",(a) Yes (b) No,(a)',  # the last quote may be either
        '1,"Is this "Z", or not?",(a) Yes (b) No,(a)',  # cuts into one field too many
        '1,"no end,(a) Yes (b) No,(a)',
        '1,"spaces" ,(a) Yes (b) No,(a)',
    ],
)
def test_quotes_that_may_mean_two_things_are_refused_by_line(row: str) -> None:
    with pytest.raises(Bad, match="line 2"):
        rows(PLAIN + row + "\n3,Q,(a) Yes (b) No,(a)\n")


@pytest.mark.parametrize(
    "header",
    [
        "Index,Question,Options,Correct Answer",
        "lndex,Question,Options,Correct Answer",
        " index ,QUESTION,Option,Correct answer ",
        "Index,Question,Options,Correct_Answer",
        '"Index","Question","Options","Correct  Answer"',
        ",Question,Options,Correct Answer",
        "Unnamed: 0,Question,Options,Correct Answer",
    ],
)
def test_headers_seen_in_the_wild(header: str) -> None:
    found = rows(header + "\n2,B?,(a) x (b) y,(b)\n1,A?,(a) x (b) y,(a)\n")
    assert {number: row["question"] for number, row in found.items()} == {1: "A?", 2: "B?"}


def test_a_number_is_taken_from_a_column_of_names_and_both_must_agree() -> None:
    text = "Question,Options,Correct Answer,file_name\nB?,(a) x (b) y,(b),MMVP Images/2.jpg\nA?,(a) x (b) y,(a),1.jpg\n"
    assert rows(text)[2]["question"] == "B?"
    with pytest.raises(Bad, match="two numbers"):
        rows("Index,Question,Options,Correct Answer,Image\n1,A?,(a) x (b) y,(a),2.jpg\n")
    with pytest.raises(Bad, match=r"an image's name such as 37\.jpg"):
        rows("Question,Options,Correct Answer,Image\nA?,(a) x (b) y,(a),../1.jpg\n")


def test_an_index_that_was_written_twice_is_read_by_its_name() -> None:
    """What pandas writes without `index=False`: places from 0, without a name, before the published numbers."""
    assert set(rows(",Index,Question,Options,Correct Answer\n0,7,A?,(a) x (b) y,(a)\n")) == {7}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Question,Options,Correct Answer\nA?,(a) x (b) y,(a)\nA?,(a) x (b) y,(b)\n",
            "no column of numbers.*add a first",
        ),
        (",Question,Options,Correct Answer\n0,A?,(a) x (b) y,(a)\n1,A?,(a) x (b) y,(b)\n", "no column of numbers"),
        (",Question,Options,Correct Answer\n1,A?,(a) x (b) y,(a)\n1,A?,(a) x (b) y,(b)\n", "no column of numbers"),
        (",Question,Options,Correct Answer\nx,A?,(a) x (b) y,(a)\n", "no column of numbers"),
        ("Index,Question,Correct Answer\n1,A?,(a)\n", "no column 'options'.*'Index', 'Question', 'Correct Answer'"),
        ("1,A?,(a) x (b) y,(a)\n2,A?,(a) x (b) y,(b)\n", "no column 'question'"),
        ("Index;Question;Options;Correct Answer\n1;A?;(a) x (b) y;(a)\n", "no column 'question'"),
        ("Index,lndex,Question,Options,Correct Answer\n1,2,A?,(a) x (b) y,(a)\n", "'Index' and 'lndex', which mean"),
        (PLAIN + "1,A?,(a) x (b) y,(a)\n1,A?,(a) x (b) y,(b)\n", "number 1 twice, in lines 2 and 3"),
        (PLAIN + "one,A?,(a) x (b) y,(a)\n", "'one' in line 2, where a number"),
        (PLAIN + "1,A?,(a) x (b) y,(a)\n-1,A?,(a) x (b) y,(b)\n", "'-1' in line 3"),
        (PLAIN + "1,A?,(a) x (b) y\n", "3 fields in line 2, and 4"),
        (PLAIN, "no row"),
        ("", "is empty"),
        ("\n\n", "is empty"),
    ],
)
def test_what_cannot_be_numbered_or_read_is_refused(text: str, said: str) -> None:
    with pytest.raises(Bad, match=said):
        rows(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_ends_of_lines(encoding: str, end: str) -> None:
    text = (PLAIN + "1,Café – öffnen?,(a) x (b) y,(a)\n\n").replace("\n", end)
    assert rows(text.encode(encoding))[1]["question"] == "Café – öffnen?"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((PLAIN + "1,Café?,(a) x (b) y,(a)\n").encode("cp1252"), r"is not UTF-8 \(byte 43\): save it as UTF-8"),
        ((PLAIN + "1,A?,(a) x (b) y,(a)\n").encode("utf-16-le"), "zero bytes"),
        ((PLAIN + "1,A?,(a) x (b) y,(a)\n").encode("utf-16")[:-1], "is not UTF-16"),
        ((PLAIN + "1,A?,(a) x (b) y,(a)\n").encode("utf-32"), "zero bytes|not UTF-16"),
        (b"\xff\xd8\xff\xe0 a picture", "not UTF-8"),
    ],
)
def test_other_encodings_are_said(data: bytes, said: str) -> None:
    with pytest.raises(Bad, match=said):
        rows(data)


def test_columns_that_are_not_read_are_named() -> None:
    found = read(b"Index,Category,Question,Options,Correct Answer,\n1,sc,A?,(a) x (b) y,(a),\n", mmvp.COLUMNS)
    assert found.unread == ("Category",)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("(a) Open (b) Closed", ("Open", "Closed")),
        ("(a) 1 (one) (b) 2", ("1 (one)", "2")),
        ("(a) Left (viewer's) (b) Right", ("Left (viewer's)", "Right")),
        (" (a) Away from the camera (b) Facing the camera ", ("Away from the camera", "Facing the camera")),
        ('(a) "Good day" (b) "Good day!"', ('"Good day"', '"Good day!"')),
        ("(a)OK/SELECT (b)OK", ("OK/SELECT", "OK")),
    ],
)
def test_options_are_taken_apart(text: str, options: tuple[str, str]) -> None:
    assert mmvp.options_of(text) == options


@pytest.mark.parametrize(
    "text",
    [
        "Open (b) Closed",
        "(a) Open",
        "(a) Open(b) Closed",
        "(b) Closed (a) Open",
        "(a) Plan (b) of two (b) Other",
        "(a) One (a) (b) Two",
        "(a)  (b) Two",
        "(a) One (b) ",
        "(a) One (b) one ",
        "x (a) One (b) Two",
        "",
    ],
)
def test_options_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(Bad, match="has the options"):
        mmvp.options_of(text)
