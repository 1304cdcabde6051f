"""What must not be read: words that look like an option or a letter, and answers that take back what they say.

All of it errs on the side of reading nothing: what is masked here is no mention, and what is doubtful is unparsed.
"""

from __future__ import annotations

import re
from typing import Final

# -- whole answers ---------------------------------------------------------------------------------------------------

_BOXES: Final = re.compile(r"[☐☒]|\[[ xX✓✔]?\]|\([ xX]\)|[✗✘✖❌][^\n]{0,40}[✓✔✅]|[✓✔✅][^\n]{0,40}[✗✘✖❌]")
"""Boxes that are ticked or not, and ticks and crosses in one line: what they stand by cannot be told for sure."""

_TAKEN_BACK: Final = re.compile(
    r"(?:^|[.!?\n][ ]?|[,;][ ](?:but|and)[ ])(?:no, )?(?:that|this|it)(?: answer| choice)?(?: is|'s| was)[ ]"
    r"(?:not (?:right|correct|true|the answer)|wrong|incorrect|false|a mistake)\b"
    r"|,[ ]?not[.!]?$"
    r"|\b(?:the|my) (?:previous|earlier|former|last) (?:answer|response|choice)\b"
    r"|\bi(?:'d| would) (?:like|love|want) to (?:say|answer|choose|pick)\b[^.!?\n]{0,60}\bbut\b"
    r"|^\W{0,4}(?:yes|no)\b[ ,.]{1,3}i (?:can'?t|cannot|can not|could not|couldn't|am unable|am not able|do not know|"
    r"don't know)\b"
    r"|\b(?:my friend|somebody|someone|anyone|others|some people|some|people|many|he|she|they|you)"
    r"(?: would| might| may| could)? (?:say|says|said|claim|claims|claimed|think|thinks|thought|argue|argues)\b"
    r"|有人(?:说|說|认为|認為|觉得|覺得)|别人(?:说|說)|(?:上一个|上个|之前的)(?:答案|回答)"
    r"|[ABab甲乙][)）]?[ ]?[、,，/和与與及跟][ ]?[(（]?[ABab甲乙][)）]?[ ]?(?:两个|两者|兩個|兩者|选项|選項)?[ ]?"
    r"(?:都|均|全|皆)[ ]?(?:不|错|錯|是错|是錯|非|没)",
    re.IGNORECASE,
)
"""An answer that is taken back, reported of others, or denied of both."""


def unreadable(text: str) -> bool:
    """Does an answer hold something that makes it unsafe to read any choice from it?"""
    return _BOXES.search(text) is not None or _TAKEN_BACK.search(text) is not None


# -- parts of answers ------------------------------------------------------------------------------------------------

_UNITS: Final = "one|two|three|four|five|six|seven|eight|nine"
_TEENS: Final = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_TENS: Final = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_LARGE: Final = "hundred|thousand|million|billion|dozen|score"
_PART: Final = rf"{_UNITS}|{_TEENS}|{_TENS}|{_LARGE}|half|halves|thirds?|quarters?|fourths?|fifths?|tenths?"
_COMPOUND: Final = re.compile(
    rf"(?<![\w.,-])(?:an?(?=[ ](?:{_LARGE}|half|third|quarter))|\d{{1,9}}|{_PART})"
    rf"(?:(?:[ ]?-[ ]?|[ ]and[ ](?:an?[ ])?|[ ])(?:{_PART})){{1,8}}\b"
    r"|(?<![一二两兩三四五六七八九十百千万萬零〇])[一二两兩三四五六七八九十百千万萬零〇]{2,20}"
    r"|(?<!\d)\d{1,9}[ ]?[十百千万萬]",
    re.IGNORECASE,
)
"""Runs of number words: twenty-one, two hundred, two and a half, 二十二; none is the number of one of its words."""

_IDIOMS: Final = re.compile(
    r"\b(?:he|she|they|it|who|everyone|everybody|nobody|i|we|you|has|have|had)[ ](?:just[ ]|already[ ])?left\b"
    r"(?![ ](?:hand|side|eye|foot|arm|leg|wing|facing|of|or|and|then))"
    r"|\b(?:is|are|was|were|been|being|be|get|gets|got)[ ]left[ ](?:alone|behind|over|out|on|in|for|to do|with|by)\b"
    r"|\b(?:options|choices|slices?|pieces?|minutes?|items?|nothing|much)[ ](?:is[ ]|are[ ])?left\b"
    r"(?![ ]?(?:side|hand|of))"
    r"|\bleft[ ](?:over|behind|alone|unanswered|undecided)\b"
    r"|\b(?:at the |the )?right[ ](?:time|moment|place|now|away|before|after|behind|there|here|to[ ](?!the\b)\w+)\b"
    r"|\b(?:have|has|had)[ ](?:the|a|every|no)[ ]right\b|\bhuman rights?\b"
    r"|\bopen[ ](?:question|issue|to[ ](?:both|interpretation|debate|question|any|all|either|suggestions?))\b"
    r"|\b(?:as|so|how|for|not|before|too|no)[ ]long\b(?:[ ]as\b|er\b|(?=[,.!?]|$)|[ ](?:to say|time|ago|ago\b))"
    r"|\blong[ ](?:ago|time|story|since|as)\b"
    r"|\bin[ ]short\b|\bshort[ ]of\b|\bto[ ]be[ ]short\b|\bfor[ ]short\b|\bshort[ ]answer\b|\blong[ ]answer\b"
    r"|\bup[ ]to[ ](?:you|us|me|the[ ](?:viewer|user|reader)|now|\d{1,9})\b"
    r"|\b(?:sums?|summ(?:ed|ing)|looks?[ ]it|looked[ ]it)[ ]up\b"
    r"|\b(?:based|depend(?:s|ing)?|going|focus(?:ing|ed)?|rely(?:ing)?)[ ]on\b|\bin[ ](?:the|this|my|an?)[ ]"
    r"(?:image|picture|photo|opinion|view)\b",
    re.IGNORECASE,
)
"""Words of options in another sense: who left, what is left over, the right time, an open question, as long as."""


def masked(text: str, options: tuple[str, str]) -> str:
    """Cover number words that belong together and words in another sense, so that they are mentions of nothing.

    What stands in an option itself, word for word, is left as it is. The length stays, and so does every place.

    Example:
        >>> masked("There are twenty-one birds.", ("One", "Two"))
        'There are ########## birds.'
    """
    offered = [" ".join(option.split()).casefold() for option in options]

    def cover(found: re.Match[str]) -> str:
        words = " ".join(found[0].split()).casefold()
        return found[0] if any(words in option for option in offered) else "#" * len(found[0])

    return _IDIOMS.sub(cover, _COMPOUND.sub(cover, text))
