"""Common words as options: where in a sentence "left", "up" or "open" says what the option says, and nothing else.

"He left", "time is up" and "an open question" hold the words of options and say nothing of them. Words for sides and
ways and small words count in running text only in a position in which they answer; of every other option of one word,
only the commonest other senses are guarded against.
"""

from __future__ import annotations

import re
from typing import Final

from snellen.exam.rules_sentences import LETTER, OPTION

_SIDES: Final = frozenset(("left", "right"))
_WAYS: Final = frozenset(("up", "down"))
_NOUNS: Final = frozenset(("front", "back", "top", "bottom"))
_SMALL: Final = frozenset(
    (
        *("over", "under", "with", "without", "above", "below", "still", "far", "even", "odd", "more", "less", "like"),
        *("unlike", "may", "can", "will", "go", "stop", "present", "first", "second", "same", "near", "light", "well"),
        *("clear", "good", "bad", "single", "double", "fine", "kind", "mean", "might", "past", "next", "round", "full"),
        *("just", "only", "most", "least", "other", "before", "after", "behind", "between", "around", "through"),
    )
)

_MOVES: Final = (
    r"\b(?:fac(?:es?|ing|ed)|points?|pointing|pointed|looks?|looking|turns?|turned|turning|mov(?:es?|ing)|heads?|"
    r"headed|"
    r"heading|going|goes|directed|directions?|aim(?:s|ed|ing)?|lean(?:s|ed|ing)?|tilt(?:s|ed|ing)?|walk(?:s|ing)?|"
    r"orient(?:ed|ation)|run(?:s|ning)|fl(?:ies|ying)|swim(?:s|ming)?|driv(?:es?|ing)|travel(?:s|l?ing)|bends?|bent|"
    r"curv(?:es?|ed|ing)|gaz(?:es?|ing)|star(?:es?|ing)|thumbs?|arrows?|positioned|located|towards?|rotated|angled|"
    r"extend(?:s|ed|ing)|raised|slant(?:s|ed|ing)?|tips?|straight|sits?|sitting|stands?|standing|placed)"
)
_BY: Final = (
    r"(?:[ ](?:to|toward|towards|the|its|his|her|their|viewer's|our|my|your|is|are|far|slightly|directly|straight|more|"
    r"mostly|clearly|definitely|also|probably|forward|and|on|in|at)){0,5}[ ]$"
)
_MOVED: Final = re.compile(_MOVES + _BY)
_PLACED: Final = re.compile(
    r"\b(?:to|towards?|on|from|at|in|facing)[ ](?:the|its|his|her|their|my|our|your|viewer's)(?:[ ](?:far|viewer's|"
    r"dog's|cat's|upper|lower|top|bottom|image's|camera's))?[ ]$|\b(?:to|towards?|facing)[ ]$"
)
_IT_IS: Final = re.compile(
    rf"(?:(?:\b(?:it|this|that|side|way|turn|answer|choice|one)|{LETTER}\)?)(?:[ ]is|'s)|\bi[ ](?:think|believe|say|"
    rf"guess)|\b(?:probably|"
    r"definitely|clearly|likely|but|say|so))(?:[ ](?:clearly|definitely|probably|the|a|likely|more)){0,2}[ ]$"
)
_IS: Final = re.compile(
    r"(?:\b(?:is|are|was|were|be|being|remains?|stays?|appears?|seems?|looks?)|'s|'re)(?:[ ](?:very|quite|fully|"
    r"completely|currently|clearly|definitely|probably|standing|sitting|turned|mostly|more)){0,2}[ ]$"
)
_NOT_THERE: Final = re.compile(
    r"\b(?:time|systems?|servers?|game|match|show|site|internet|what|which)(?:[ ]is|'s|[ ]are)[ ]$"
)

_GETS: Final = re.compile(r"\b(?:sits?|sitting|stands?|standing)[ ]$")
_GOES_ON: Final = re.compile(r"^[ ](?:and|or)[ ](?:running|down|up|about|coming)\b|^[ ](?:to|for)\b")

_SIDE_AFTER: Final = re.compile(
    r"(?:[ ]|-)(?:hand|facing|most|pointing|to-right|to-left)\b(?!ed)|[ ](?:hand[ ])?(?:sides?|edge|half|corner|part|"
    r"profile|direction|of (?:the|it|him|her|us)|arms?|hands?|legs?|foot|eyes?|ears?|wings?|paws?|shoulder|knee|cheek|"
    r"horn|shoe|lane|panel|mirror|window|headlight|wheel|one|turn)\b"
)
_PART: Final = re.compile(r"\b(?:from|facing|shows?|showing|at|on|to|see)[ ](?:the|its|his|her)[ ]$")
_END: Final = (
    rf"\s*(?:$|[.,;:!?)(、，。—–=]|{OPTION}|{LETTER}|-(?!\w)|is (?:correct|right|the (?:answer|correct|right))\b"
)
_CLOSED: Final = re.compile(
    _END
    + r"|(?:because|since|as|and|or|but|while|with|rather|instead|not|when|so|which|due|relative|based|given|than)\b)"
)
_ON: Final = re.compile(
    _END
    + r"|(?:because|since|as|and|or|but|while|with|rather|instead|not|in|when|from|at|so|which|away|relative|based|"
    r"given|for|than|towards?|into|to|is|are|there|here|on|through|by)\b)"
)
_OPENS: Final = re.compile(r"^(?:[\s,.:;!?()—–-]|\b(?:the|a|an|so|it's|it is|answer|upside|yes|well)\b)*$")
_CHATTER: Final = re.compile(r"^\s*[,.!]\s*(?:let|so|i|we|ok|okay|now|that|this|good|got)\b")

_ABSTRACT: Final = (
    r"(?:questions?|issues?|matters?|minds?|debates?|stor(?:y|ies)|terms?|time|while|shots?|exposure|notice|run|"
    r"descriptions?|answers?|topics?|sources?|secrets?|captions?|distances?|estate|life|ago|order|doors|road|air|"
    r"space|juice|chance|resolution|quality|school|angle|probability|name|speed|view|blanket|luck|morning|check|"
    r"summary|list|response|explanation|fields?)"
)
_OTHER_BEFORE: Final = re.compile(
    rf"\b(?:the|this|that|an?)[ ]{_ABSTRACT}[ ](?:is|are|was|remains?|stays?|seems?)(?:[ ]\w+)?[ ]$|\bit[ ]remains[ ]$|"
    r"\b(?:please|cannot|can't|cut|falls?|fell|keep it|make it|took|takes|case|day|night|years?|months|weeks|in|"
    r"in the|so|"
    r"too|how)[ ]$|\blong story[ ]$"
)
_OTHER_AFTER: Final = re.compile(
    rf"^[ ](?:\w+[ ])?{_ABSTRACT}\b|^[ ](?:of breath|on time|your|the (?:image|file|picture|attachment|link)|live)\b"
)
_HYPHEN_BEFORE: Final = re.compile(r"\w-$")
_HYPHEN_AFTER: Final = re.compile(
    r"^-(?!(?:colou?red|looking|facing|pointing|hand\b|like|shaped|sided|ish|side|most)\b)\w"
)


def placed(word: str, before: str, after: str) -> bool:
    """Does an option of one word stand where it says what the option says?

    Args:
        word: The option's word in lower case; empty where the option has several, which are always placed.
        before: What stands before it in its sentence, with single marks for letters and options.
        after: What stands behind it.
    """
    if not word:
        return True
    if _HYPHEN_BEFORE.search(before) or _HYPHEN_AFTER.match(after):
        return False
    if word in _SIDES:
        if _CHATTER.match(after) and word == "right" and _OPENS.match(before):
            return False
        if _SIDE_AFTER.match(after):
            return True
        if _OPENS.match(before) or _IT_IS.search(before):
            return _CLOSED.match(after) is not None
        return bool((_MOVED.search(before) or _PLACED.search(before)) and _ON.match(after))
    if word in _WAYS:
        if _GETS.search(before) or _GOES_ON.match(after):
            return False
        if _MOVED.search(before):
            return _ON.match(after) is not None
        here = _OPENS.match(before) or _IS.search(before) or _IT_IS.search(before)
        return bool(here and not _NOT_THERE.search(before) and _CLOSED.match(after))
    if word in _NOUNS:
        return bool((_OPENS.match(before) or _PART.search(before)) and _CLOSED.match(after))
    if word in _SMALL:
        here = _OPENS.match(before) or _IS.search(before)
        return bool(here and not _NOT_THERE.search(before) and _CLOSED.match(after))
    return not word.isalpha() or not (_OTHER_BEFORE.search(before) or _OTHER_AFTER.match(after))
