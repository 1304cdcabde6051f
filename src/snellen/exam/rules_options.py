"""Where the texts of the two options stand in an answer: whole words, the longer option before the one inside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from snellen.exam.rules_numbers import NOT_COUNTED_AFTER, NOT_COUNTED_BEFORE, RUN, value

CJK: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af"
"""Writing in which words are not set apart by spaces, as the inside of a character class."""

_WORD: Final = re.compile(
    rf"\d+(?:[.,:/]\d+){{0,4}}(?:st|nd|rd|th)?(?![^\W_{CJK}])|[{CJK}]|[^\W_{CJK}]+(?:'[^\W_{CJK}]+)*"
)

_ENGLISH: Final = {
    word: str(number)
    for number, word in enumerate(
        (
            *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
            *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
        )
    )
}
_CHINESE: Final = {word: str(number) for number, word in enumerate("〇一二三四五六七八九十")}
_NUMBERS: Final = {**_ENGLISH, **_CHINESE, "两": "2", "兩": "2"}

ARTICLES: Final = ("a", "an", "the")
_NEGATORS: Final = {"not", "no", "non", "不", "没", "沒", "非", "无", "never"}

_LOOSE: Final = frozenset(
    (
        *("yes", "no", "yeah", "yep", "yup", "nope", "true", "false", "none", "both", "neither", "either", "not"),
        *("in", "on", "off", "out", "by", "at", "of", "to", "a", "an", "the", "and", "or", "so", "as", "if"),
        *("i", "it", "is", "this", "that", "there", "here", "all", "any", "some"),
    )
)
"""Options of one such word are read only where an answer stands, never from the middle of a sentence."""

_SAME: Final = {
    "yes": ("yeah", "yep", "yup"),
    "no": ("nope",),
    "是": ("是的", "对", "对的"),
    "否": ("不是", "不对", "不"),
    "有": ("有的",),
    "没有": ("没", "无"),
}

_CLOSED: Final = re.compile(r"\s*(?:$|[\n.,;:!?)(、，。；：！？—–-])")
_CLOSED_CJK: Final = re.compile(r"\s*(?:$|[\n.,;:!?)(、，。；：！？—–边邊侧側方面吧呢啊哦了])")
_OPENED: Final = re.compile(
    r"(?:^|[\n.,;:!?()、，。；：！？→]|\b[A-Z]|\b(?:is|are|was|were|be|being|say|says|answer|choose|select|pick|turned|"
    r"switched|"
    r"facing|looking|pointing|going|moving|definitely|clearly|probably|it's|that's|there's|am|be|think|the|a|an)|"
    r"(?:答案|是|为|選|选|择|朝|向|面))\s*\Z"
)
_ANSWERS: Final = frozenset(("没有", "是的", "不是", "有的", "对的", "不对"))
"""Chinese answers that are also parts of other words and sentences."""
_YES_NO: Final = frozenset(("yes", "no", "yeah", "yep", "yup", "nope"))
_GOES_ON: Final = re.compile(r"\s+(?:it|there|they|he|she|this|that|i)\b", re.IGNORECASE)
_OTHER_RIGHT: Final = re.compile(
    r"[ \t]+(?:answer|choice|option|one|letter|response|now|there|here|away)\b", re.IGNORECASE
)
_ALL_RIGHT: Final = re.compile(r"\b(?:all|that's|that is|you're|you are|alright)\s+\Z", re.IGNORECASE)
_ONE_OF: Final = re.compile(
    r"[ \t]+(?:of|on|in|with|who|that|which|at|is|another|can|might|may|by|thing|sees|would)\b", re.IGNORECASE
)
_NO_ONE: Final = re.compile(
    r"\b(?:the|this|that|which|no|each|every|any|other|first|second|last|correct|right)\s+\Z", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Mention:
    """An option's text at `start` to `end`; `sure` is False where it may be something else: a warning, no evidence.

    `word` is the text in lower case where it is one word, and else empty.
    """

    start: int
    end: int
    option: int
    sure: bool
    word: str = ""


def words(text: str) -> list[tuple[str, int, int]]:
    """Cut into words with their places: lower case, a number as its digits; else a Chinese character is a word."""
    found, at = [], 0
    for run in RUN.finditer(text):
        found += [(_plain_word(word[0]), word.start(), word.end()) for word in _WORD.finditer(text, at, run.start())]
        found.append((value(run[0]), run.start(), run.end()))
        at = run.end()
    found += [(_plain_word(word[0]), word.start(), word.end()) for word in _WORD.finditer(text, at)]
    return found


def _plain_word(word: str) -> str:
    folded = word.casefold()
    return _NUMBERS.get(folded, folded)


def _bare(option: str) -> tuple[str, ...]:
    found = [word for word, _, _ in words(option)]
    while len(found) > 1 and found[0] in ARTICLES:
        found.pop(0)
    return tuple(found)


def mentions(text: str, options: tuple[str, str]) -> list[Mention]:
    """Find both options' texts, in order of place.

    A mention inside a mention of the other, longer option is left out: "open" in "not open".
    """
    bare = (_bare(options[0]), _bare(options[1]))
    if bare[0] == bare[1] or not all(bare):
        return _alone(text, options)
    found = words(text)
    wanted = [(variant, option) for option in (0, 1) for variant in _variants(bare[option])]
    hits: list[tuple[int, int, int]] = []
    for first, (word, _, _) in enumerate(found):
        for variant, option in wanted:
            if word == variant[0] and _follows(text, found, first, variant):
                hits.append((first, first + len(variant), option))
    hits = _outermost(hits)
    short = _shorter(bare)
    extra = set(bare[1 - short]) - set(bare[short]) - _NEGATORS if short is not None else set()
    inside = {at for first, end, option in hits if option != short for at in range(first, end)}
    strayed = bool(extra) and any(word in extra and at not in inside for at, (word, _, _) in enumerate(found))
    mentioned = []
    for first, end, option in hits:
        start, stop = found[first][1], found[end - 1][2]
        alone = found[first][0] if end - first == 1 else None
        sure = _stands(text, start, stop, alone)
        if alone is not None and alone.isdigit():
            sure = sure and _counted(text, start, stop, options[option])
        if sure is not None:
            plainly = sure and not (strayed and option == short)
            mentioned.append(Mention(start, stop, option, plainly, text[start:stop].casefold() if alone else ""))
    return mentioned


def _counted(text: str, start: int, stop: int, option: str) -> bool:
    """Does a number say how many, and not about how many, a price, a share? What the option holds too may stand."""
    before, after = NOT_COUNTED_BEFORE.search(text[max(0, start - 30) : start]), NOT_COUNTED_AFTER.match(text, stop)
    return not any(sign is not None and sign[0].strip().casefold() not in option.casefold() for sign in (before, after))


def _alone(text: str, options: tuple[str, str]) -> list[Mention]:
    """Read options that are no words, or the same words, only where they are the whole answer."""
    whole = text.strip()
    start = text.find(whole)
    return [
        Mention(start, start + len(whole), at, True)
        for at, option in enumerate(options)
        if whole and whole == option.strip()
    ]


def _variants(bare: tuple[str, ...]) -> list[tuple[str, ...]]:
    same = _SAME.get("".join(bare), ()) if len(bare) <= 2 else ()
    return [bare, *(_bare(one) for one in same)]


def _follows(text: str, found: list[tuple[str, int, int]], first: int, variant: tuple[str, ...]) -> bool:
    """Do all words of an option stand here, with nothing but spaces and light marks between them?"""
    if first + len(variant) > len(found):
        return False
    for at, word in enumerate(variant):
        if found[first + at][0] != word:
            return False
        if at and not set(text[found[first + at - 1][2] : found[first + at][1]]) <= set(" ,'()-–/%$"):
            return False
    return True


def _outermost(hits: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Leave out what lies inside another hit; `hits` are in order of their beginning."""
    kept: list[tuple[int, int, int]] = []
    for hit in sorted(set(hits), key=lambda one: (one[0], -one[1])):
        if not kept or hit[1] > max(one[1] for one in kept[-2:]):
            kept.append(hit)
    return kept


def _shorter(bare: tuple[tuple[str, ...], tuple[str, ...]]) -> int | None:
    """Which option's words are all among the other's, if one's are."""
    if set(bare[0]) < set(bare[1]):
        return 0
    return 1 if set(bare[1]) < set(bare[0]) else None


def _stands(text: str, start: int, stop: int, word: str | None) -> bool | None:
    """Is this one option's text (True), perhaps (False), or no mention at all (None)?

    `word` is the mention where it is a single word.
    """
    before, after = text[max(0, start - 30) : start], text[stop : stop + 30]
    if text[start:stop] in _ANSWERS:
        return bool((_CLOSED.match(after) and _OPENED.search(before)) or before[-1:] in tuple("中里上内"))
    if word is None:
        return True
    if re.match(f"[{CJK}]", text[start:stop]) and (word.isdigit() or stop - start == 1):
        return _stands_in_chinese(text[start:stop], word, before, after)
    if word in _YES_NO or word in _LOOSE or (len(word) == 1 and word.isalpha()):
        if len(word) == 1 and word.isalpha() and not text[start].isupper() and (before.strip() or after.strip()):
            return None
        if word == "no" and re.match(r"\.?\s*\d", after):
            return None
        opened = _OPENED.search(before) is not None
        goes_on = word in _YES_NO and _GOES_ON.match(after) and re.search(r"(?:^|[\n.!?;:])\s*\Z", before)
        stands = bool(opened and (_CLOSED.match(after) or goes_on))
        return stands or (None if word in _YES_NO and not _CLOSED.match(after) else False)
    if word == "right" and (_OTHER_RIGHT.match(after) or _ALL_RIGHT.search(before)):
        return None
    if word == "1" and text[start:stop].casefold() == "one" and (_ONE_OF.match(after) or _NO_ONE.search(before)):
        return None
    if text[start:stop].isdigit() and re.search(r"(?:^|\n)[ \t]*\Z", before) and re.match(r"[.)][ \t]+\S", after):
        return None  # the number of a list
    return True


def _stands_in_chinese(found: str, word: str, before: str, after: str) -> bool | None:
    """As `_stands`, of one character, or of a number in Chinese."""
    if found == "一":
        return True if _CLOSED.match(after) or (after[:1] in "只個个条朵辆" and not before.strip()) else None
    if word.isdigit():
        return re.match(r"[只個个条朵辆张匹头]?\s*(?:$|[\n.,!(、，。；：！])", after) is not None
    if word in "是否有无没对错不":
        return True if _CLOSED.match(after) and _OPENED.search(before) else None
    return _CLOSED_CJK.match(after) is not None
