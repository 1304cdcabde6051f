"""Numbers in words: all words of one number are one token, so that "twenty-three" holds no three.

A run of number words that is no number that we know ("two thirds", "half a hundred") is a token too, equal only to
the same run: it is never the number of one of its words.
"""

from __future__ import annotations

import re
from typing import Final

UNITS: Final = {
    word: number
    for number, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"))
}
TEENS: Final = {
    word: number
    for number, word in enumerate(
        (
            *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
            "nineteen",
        ),
        10,
    )
}
TENS: Final = {
    word: number * 10
    for number, word in enumerate(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2)
}
_LARGE: Final = {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

CHINESE: Final = {**{word: number for number, word in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "兩": 2}
_POWERS: Final = {"十": 10, "百": 100, "千": 1_000}

_WHOLE: Final = "|".join((*sorted((*UNITS, *TEENS, *TENS), key=len, reverse=True), "hundred", *_LARGE, "dozen"))
_OTHER: Final = (
    r"scores?|hundreds|thousands|millions|dozens|half|halves|thirds?|quarters?|(?:four|fif|six|seven|eigh|nin|ten|"
    r"twelf|hundred|thousand)ths?|seconds?|first|tens|ones|twos|threes|pairs?|couples?"
)
_DASH: Final = "[-\u2010-\u2015\u2212]"
_JOIN: Final = rf"(?:{_DASH}[ ]?|(?:[ ]{{1,2}}|(?<=ty)\n)(?:and[ ](?:an?[ ])?|an?[ ]|point[ ])?)"
_NUMERAL: Final = r"(?:\d{1,3}(?:,\d{3}){1,4}(?![,\d])|\d{1,15}(?:[.,:/]\d{1,15}){0,4})(?![\d.]*[^\W\d_])"
RUN: Final = re.compile(
    r"\d{1,15}[ ]?[十百千万萬亿多几][十百千万萬亿多几]*"
    rf"|(?<![\w.,])(?:(?:(?:minus|negative)[ ]|an?[ ](?=(?:hundred|thousand|[mb]illion|dozen|"
    rf"{_OTHER})\b)))?(?:{_NUMERAL}|(?:{_WHOLE}|half)\b)"
    rf"(?:{_JOIN}(?:(?:{_WHOLE}|{_OTHER})\b|(?<=[\d][ ])\d{{1,15}}\b(?![.,)]?[\w)])))*"
    r"|[零〇一二两兩三四五六七八九十百千万萬廿卅几半分之多亿]{2,20}",
    re.IGNORECASE,
)
"""All that belongs to one number; numbers of one word as well."""

_SPLIT: Final = re.compile(rf"[\s,]+|{_DASH}")

NOT_COUNTED_BEFORE: Final = re.compile(
    r"(?:\b(?:about|around|over|under|nearly|almost|roughly|approximately|more than|less than|fewer than|at least|"
    r"at most|up to|minus|negative|plus|half|point|exceeds?|beyond|one in|one of the|one out of|\d in|\d out of|"
    r"(?:more|fewer|less) than)[ ]|[$€£¥~≈≥≤＜＞±第前约近]|(?<=\w[ =(])[+−-]|(?<=\w [=(])[+−-]|(?<=[\d])[+×x*/^=][ ]?|"
    r"第[ ])\Z",
    re.IGNORECASE,
)
"""Before a number that does not say how many there are: about two, more than two, -2, $2."""
NOT_COUNTED_AFTER: Final = re.compile(
    r"[ ]?(?:[%°+€£¥^×]|[*/x][ ]?\d|percent\b|or (?:so|more|less|fewer)\b|(?:more|less|fewer) than\b|(?:plus|times|"
    r"minus)\b|(?:in|out of|of the) (?:\d|one|two|three|four|five|six|seven|eight|nine|ten)\b|pairs?\b|[个個只]?半|"
    r"[个個]?多|左右|以上|以下)",
    re.IGNORECASE,
)
"""Behind such a number: 2%, 2+, two or more, two pairs, one in ten."""


def value(run: str) -> str:
    """Say what a run of number words is: its digits, or, where it is no number that we know, the run itself.

    Example:
        >>> value("twenty-three"), value("a hundred and two"), value("1,000"), value("二十二"), value("two thirds")
        ('23', '102', '1000', '22', '#two thirds')
    """
    folded = " ".join(part for part in _SPLIT.split(run.casefold()) if part)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+", run):
        return run.replace(",", "")
    if re.fullmatch(r"\d+(?:[.,:/]\d+)*", run):
        return run
    number = _english(folded.split()) if run.isascii() or " " in folded or folded.isascii() else _chinese(folded)
    return f"#{folded}" if number is None else str(number)


def _english(parts: list[str]) -> int | None:
    """Add up a number in words, if it is put together as a number is."""
    if parts in (["half", "a", "dozen"], ["half", "dozen"], ["a", "half", "dozen"]):
        return 6
    total, current, last = 0, 0, ""
    for at, part in enumerate(parts):
        if part == "and" and last in ("hundred", "large") and at + 1 < len(parts):
            continue
        if part in ("a", "an") and at == 0 and len(parts) > 1 and parts[1] in ("hundred", "dozen", *_LARGE):
            current, last = 1, "unit"
        elif part.isdigit() and at == 0:
            current, last = int(part), "unit"
        elif part in UNITS and last in ("", "tens", "hundred", "large") and (part != "zero" or len(parts) == 1):
            current, last = current + UNITS[part], "unit"
        elif part in TEENS and last in ("", "hundred", "large"):
            current, last = current + TEENS[part], "unit"
        elif part in TENS and last in ("", "hundred", "large"):
            current, last = current + TENS[part], "tens"
        elif part == "hundred" and last in ("unit", "tens") and 0 < current < 100:
            current, last = current * 100, "hundred"
        elif part in _LARGE and last and last != "large" and (not total or total > current * _LARGE[part]):
            total, current, last = total + current * _LARGE[part], 0, "large"
        elif part == "dozen" and last in ("unit", "tens") and at == len(parts) - 1:
            current, last = current * 12, "dozen"
        else:
            return None
    return total + current if last else None


def _chinese(run: str) -> int | None:
    """Add up a Chinese number below 100,000,000, if it is put together as a number is."""
    found = re.fullmatch(r"(\d+)[ ]?([十百千万萬])", run)
    if found:
        return int(found[1]) * {**_POWERS, "万": 10_000, "萬": 10_000}[found[2]]
    high, sign, low = run.replace("萬", "万").partition("万")
    if sign:
        upper, lower = _below_myriad(high), _below_myriad(low) if low else 0
        return None if upper is None or lower is None else upper * 10_000 + lower
    return _below_myriad(run)


def _below_myriad(run: str) -> int | None:
    shape = re.fullmatch(
        r"(?:(?P<k>[一二两兩三四五六七八九])千)?(?:[零〇]?(?P<h>[一二两兩三四五六七八九])百)?"
        r"(?:[零〇]?(?P<t>[一二三四五六七八九])?(?P<ten>十))?(?:[零〇]?(?P<u>[一二两兩三四五六七八九]))?",
        run,
    )
    if not run or shape is None:
        return None
    if shape["u"] and not shape["ten"] and (shape["k"] or shape["h"]) and run[-2] not in "零〇":
        return None  # 一百二 is 120, not 102
    number = sum(CHINESE[shape[name]] * size for name, size in (("k", 1_000), ("h", 100), ("u", 1)) if shape[name])
    return number + (CHINESE[shape["t"]] if shape["t"] else 1) * 10 if shape["ten"] else number
