"""Where the letters of the two options stand in an answer, as letters: "A dog" has none."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from snellen.exam.rules_options import CJK, Mention

_ARTICLES: Final = frozenset("aeiouy")
"""Letters that are words of some language by themselves: as letters they need a clearer sign."""

_NOUN: Final = (
    r"answers?|options?|choices?|letters?|selection|response|respuesta|réponse|reponse|antwort|resposta|risposta|ответ|"
    r"choose|select|pick|选项|選項|答案|选|選|选择|選擇"
)
_CUE: Final = re.compile(
    rf"(?:{_NOUN})\W{{0,4}}(?:(?:is|was|be|would be|should be|must be|es|est|ist|é|è|=|->|→|是|为|應為|应为)\W{{0,4}})?"
    r"(?:(?:option|choice|letter|definitely|clearly|probably|likely|either|not)\W{0,3}){0,2}\Z",
    re.IGNORECASE,
)
_CLOSED: Final = re.compile(
    rf"\s*(?:$|[\n.,;:!?()|、，。；：！？=→{CJK}]|[—–-](?!\w)|/|(?:is|because|since|as|was|and|or|but)\b)",
    re.IGNORECASE,
)
_VERB: Final = re.compile(
    r"\s+(?:is|isn't|was|because|since|as|and|or|but|nor|would|should|seems|looks|appears|if|then|than|rather|"
    r"instead|matches|fits|best)\b"
)
_ANSWERED: Final = re.compile(
    r"\s+is (?:the |my )?(?:(?:correct|right|best|final) )?(?:answer|choice|option)\b", re.IGNORECASE
)
_WITH: Final = re.compile(
    r"\s*(?:[,/&|]|(?:or|and|nor|vs\.?|versus)(?!\w))\s*\(?(?P<other>[^\W_]+)(?![^\W_])", re.IGNORECASE
)
_SEPARATED: Final = re.compile(r"\s*[.:)、：.-]{1,2}\s*\(?\s*|\s*[,，—–-]\s*\(?\s*|\s*\(\s*")


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter at `start` to `end`, its brackets included; `bracketed` says whether it had any."""

    start: int
    end: int
    option: int
    bracketed: bool


def core(letter: str) -> str:
    """What is left of a letter as the prompt names it, without marks: "a" of "(a)"."""
    return "".join(filter(str.isalnum, letter)).casefold()


def find_letters(text: str, cores: tuple[str, str], mentioned: Sequence[Mention]) -> list[Letter]:
    """Find both letters, in order of place.

    Args:
        text: Plain text.
        cores: What names the option shown first, and the one shown second.
        mentioned: Where the options' texts stand.
    """
    starts = {one.start: one for one in mentioned}
    found = []
    for hit in re.finditer("|".join(sorted(map(re.escape, cores), key=len, reverse=True)), text, re.IGNORECASE):
        start, end = hit.span()
        if hit[0].casefold() not in cores or _joined(text[start - 1 : start]) or _joined(text[end : end + 1]):
            continue
        option = cores.index(hit[0].casefold())
        letter = _bracketed(text, start, end, option, cores)
        if letter is None and _bare(text, start, end, option, starts, cores):
            letter = Letter(start, end, option, False)
        if letter is not None:
            found.append(letter)
    return found


def _joined(character: str) -> bool:
    """Does this neighbour make a letter part of a word?"""
    if not character or re.match(f"[{CJK}]", character):
        return False
    return character.isalnum() or character == "_" or unicodedata.combining(character) > 0


def _bracketed(text: str, start: int, end: int, option: int, cores: tuple[str, str]) -> Letter | None:
    left, right = start, end
    while left and start - left < 3 and text[left - 1] == " ":
        left -= 1
    while right < len(text) and right - end < 3 and text[right] == " ":
        right += 1
    before, after = text[left - 1 : left], text[right : right + 1]
    if before == "(" and after == ")":
        word = re.search(r"[^\W_]*\Z", text[max(0, left - 13) : left - 1])
        attached = word[0] if word else ""
        if 0 < len(attached) < 3 and attached.casefold() not in cores and not re.search(f"[{CJK}]", attached):
            return None  # f(a), plural(s)
        return Letter(left - 1, right + 1, option, True)
    if text[end : end + 1] == ")" and (not before or before in " \n\t" or re.match(f"[{CJK}：:,，.。]", before)):
        line = text[max(0, start - 80) : start].rpartition("\n")[2]
        if line.count("(") <= line.count(")"):
            return Letter(start, end + 1, option, True)
    return None


def _bare(text: str, start: int, end: int, option: int, starts: dict[int, Mention], cores: tuple[str, str]) -> bool:
    """Is a letter without brackets clearly a letter?"""
    before, after = text[max(0, start - 48) : start], text[end : end + 48]
    if _in_a_name(before, after, end, starts):
        return False
    if re.search(r"(?:^|\n)[ \t]*\Z", before) and re.match(r"[ \t]*[.:!)]?[ \t]*(?:\n|$)", after):
        return True
    separated = _SEPARATED.match(text, end)
    if separated is not None and separated.end() in starts:
        mention = starts[separated.end()]
        if mention.option == option or text[end : end + 1] in (".", ":", ")", "(", "、", "：", ",", " "):
            return True
    if re.search(rf"[{CJK}]\Z", before) or re.match(f"[{CJK}]", after):
        return True
    if _CUE.search(before) and _CLOSED.match(after):
        return True
    letter = text[start:end]
    if _ANSWERED.match(after) or _other_follows(after, cores):
        return not letter.isdigit()
    if letter.casefold() in _ARTICLES:
        named = re.search(r"\b(?:options?|choices?)\s+\Z", before, re.IGNORECASE) is not None
        clear = named or _before_the_other(text, end, option, starts) or _no_article(letter, after, cores)
        return letter.isupper() and clear
    if letter.isdigit() or letter.isupper():
        return letter.isupper()
    closed = re.match(r"\s*(?:$|[\n.,;:!?()、，。；：！？—–-])", after)
    return closed is not None


def _no_article(letter: str, after: str, cores: tuple[str, str]) -> bool:
    """Can a capital A not be an article, by what follows it: the end, a verb, the other letter?"""
    other = re.match(r"\s+([A-Z0-9]+)\b", after)
    if other is not None and other[1].casefold() in cores:
        return True
    return letter != "I" and (_CLOSED.match(after) is not None or _VERB.match(after) is not None)


def _other_follows(after: str, cores: tuple[str, str]) -> bool:
    """Does the other letter follow, as in "a or b"?"""
    joined = _WITH.match(after)
    return joined is not None and joined["other"].casefold() in cores


def _in_a_name(before: str, after: str, end: int, starts: dict[int, Mention]) -> bool:
    """Is it part of a name, a number or an abbreviation: B-52, A+, U.S.A, a.m., A's?"""
    if re.match(r"[+#°%]|['&@-][^\W_]", after) or re.search(r"[^\W_]['&@.-]\Z|[@#+$]\Z", before):
        return True
    if re.match(rf"\.[^\W_{CJK}]", after):
        return end + 1 not in starts
    return False


def _before_the_other(text: str, end: int, option: int, starts: dict[int, Mention]) -> bool:
    """Does "A Right" stand here, where A is Left? A capital shows that A is no article there."""
    mention = starts.get(end + 1)
    return mention is not None and mention.option != option and text[end] == " " and text[end + 1].isupper()
