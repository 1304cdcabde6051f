"""What must not be read: words that look like an option or a letter, and answers that take back what they say.

All of it errs on the side of reading nothing: what is masked here is no mention, and what is doubtful is unparsed.
"""

from __future__ import annotations

import re
from typing import Final

from snellen.exam.rules_numbers import RUN, value

# -- whole answers ---------------------------------------------------------------------------------------------------

_BOXES: Final = re.compile(
    r"[☐☒□■◻◼◽◾▢▣⬜⬛🔲🔳🔘⚪⚫○●◯◉⦿◌🗷🗹👎√×]|\[[ _]?\]|\[[xXvV*✓✔√•-]\]|\([ xX*•✓✔√]\)|^[ \t]*[_xX][ \t]+[(A-Za-z]"
    r"|<input\b|[:：=|—–-][ ]?[✗✘✖❌❎]|\w[ ]?[✓✔✅☑][ ]?\w|[✗✘✖❌❎][^\n]{0,40}[✓✔✅☑]|[✓✔✅☑][^\n]{0,40}[✗✘✖❌❎]",
    re.MULTILINE,
)
"""Boxes that are ticked or not, and ticks and crosses in one line: what they stand by cannot be told for sure."""

_WRONG: Final = (
    r"(?:(?:certainly |definitely |clearly |obviously |probably |actually |simply |just )?(?:wrong|incorrect|false|"
    r"untrue|"
    r"inaccurate|a (?:mistake|lie|joke|trap)|mistaken)\b|not (?:quite |actually |really |the )?(?:right|correct|true|"
    r"answer|"
    r"accurate|so\b|what)|a mistake\b)"
)
_TAKEN_BACK: Final = re.compile(
    # "That is wrong", "..., which is not right", "But this answer was incorrect"; or just "Wrong." and "not!"
    r"(?:^|[.!?\n;,—–…-][ ]?|\b(?:but|and|however|though|although)[ ,]{1,2})(?:(?:no|but|however|and|oh|well|sorry|"
    r"actually|"
    r"now|though|yet)[ ,]{1,2}){0,2}(?:(?:that|this|it|which|my answer|(?:the|this|that) (?:last |"
    r"previous )?(?:answer|choice|"
    rf"response))(?: is|'s|’s| was| would be| seems| may be| might be)(?: also)?|i (?:am|was)|i'm)[ ]{_WRONG}"
    r"|(?:that|this|it)(?: isn| wasn)['’]t (?:right|correct|true|the answer|so\b)"
    rf"|[.!?…—–]\s{{1,2}}{_WRONG}[.!\s]*$|\bbut (?:is|was) {_WRONG}"
    r"|(?:[,;:!…—–]|\.{1,3})[ ]?not[.!]*\s*$|\b(?:just|only|was|am|i'm) (?:kidding|joking|lying)\b|\bi (?:don['’]t|"
    r"do not) think so\b"
    r"|\b(?:the|my) (?:previous|earlier|former|last) (?:answer|response|choice)\b"
    r"|\bi(?:'d| would)? ?(?:like|love|want|wanted|wish|tried) to (?:say|answer|choose|pick)\b[^.!?\n]{0,60}\bbut\b"
    r"|\b(?:tempt(?:ed|ing)|(?:was|were) (?:going|about)|wanted|a lie|a mistake|wrong) (?:to (?:say|answer|choose|"
    r"pick)|that)\b"
    r"|\bi(?:'d| would| could| should)? have (?:said|picked|chosen|answered)\b|\bi (?:wish|almost|nearly) "
    # "No, I cannot say" and "No, it is impossible to tell" answer no question
    r"|^\W{0,4}(?:yes|no)\b[ ,.!]{1,3}(?:but )?(?:sorry[ ,]{1,2})?(?:i(?: a|['’])m )?(?:i (?:can['’]?t|cannot|"
    r"can not|could not|couldn['’]t|"
    r"do not know|don['’]t know)\b|unable|not (?:able|sure|certain|clear)|(?:it|this)(?: i|['’])s (?:not (?:possible|"
    r"clear)|"
    r"impossible|unclear|hard|difficult)|there (?:is|are)(?:n['’]t| not| no)(?: \w+)? ?(?:enough|sufficient|"
    r"information)|"
    r"(?:the|this|your) (?:image|picture|photo|question) (?:does not|doesn['’]t|did not) (?:provide|contain|give|"
    r"show enough|"
    r"have enough|include)|i can (?:help|assist|do that|answer|(?:see|view|describe) (?:the|your|this) (?:image|"
    r"picture|photo))|"
    r"i understand\b|this is an? (?:\w+ )?question|sorry\b)"
    # said by others
    r"|\b(?:it (?:is|was|has been) said|i (?:was|am|have been) told|i['’]ve been told|rumou?r|according to (?:my|"
    r"the (?:user|hint|caption|prompt)|a |"
    r"him|her|them|some|others|many)|allegedly|supposedly|reportedly)\b"
    r"|\b(?:friend|teacher|user|somebody|someone|anyone|others|people|some|many|most|he|she|they|you|one|models?|"
    r"everyone|"
    r"everybody|caption|hint|sign|text|label|note|gpt-?\w*)"
    r"(?: would| might| may| could| will| has| have| also)? (?:say|says|said|claim|claims|claimed|think|thinks|"
    r"thought|argue|"
    r"argues|argued|believes?|believed|suggests?|answers?|answered|picks?|picked|chooses?|chose|told|contains|reads)\b"
    r"(?!\s*[:,])(?=[^.!?\n]{0,40}(?:\banswer|\boption|\bit['’]?s\b|\bit is\b|[(]?\b[A-DabcdAB12]\b))"
    r"|\bor (?:something|anything) else\b|\bimage contains the (?:text|words)\b|\btext in the image\b"
    r"|(?:有人|别人|有些人|他|她|它|他们|人们|朋友|用户|老师|题目|大家)(?:会|都|可能|也)?(?:说|說|认为|認為|觉得|覺得|选)|据说|據說|"
    r"难道|(?:上一个|上个|之前的)(?:答案|回答)|我想(?:说|选)[^。\n]{0,20}(?:但|可是)"
    r"|[ABab甲乙][)）]?[ ]?[、,，/和與与及跟]?[ ]?(?:选项|選項)?[(（]?[ABab甲乙][)）]?[ ]?"
    r"(?:两个|两者|兩個|兩者|选项|選項|两项|"
    r"，)?[ ]?(?:(?:都|均|全|皆)[ ]?(?:不|错|錯|是错|是錯|非|没|有问题|有误)|没有?一个|无一|沒)"
    r"|[，,。！!；;](?:但|可|可是|但是)?(?:这|那|它|该答案|此)?(?:答案)?(?:是|就)?"
    r"(?:不对|不是|不正确|错误的?|错的?了?|錯的?了?)[。！.!]*\s*$",
    re.IGNORECASE,
)
"""An answer that is taken back, reported of others, or denied of both."""


def unreadable(text: str) -> bool:
    """Does an answer hold something that makes it unsafe to read any choice from it?"""
    return _BOXES.search(text) is not None or _TAKEN_BACK.search(text) is not None


# -- parts of answers ------------------------------------------------------------------------------------------------

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
    r"|\b(?:as|so|how|for|not|before|too|no)[ ]long\b(?:[ ]as\b|er\b|(?=\s*(?:[,.!?]|$))|[ ](?:to say|time|ago|ago\b))"
    r"|\blong[ ](?:ago|time|story|since|as)\b"
    r"|\bin[ ]short\b|\bshort[ ]of\b|\bto[ ]be[ ]short\b|\bfor[ ]short\b|\bshort[ ]answer\b|\blong[ ]answer\b"
    r"|\bup[ ]to[ ](?:you|us|me|the[ ](?:viewer|user|reader)|now|\d{1,9})\b"
    r"|\b(?:sums?|summ(?:ed|ing)|looks?[ ]it|looked[ ]it)[ ]up\b"
    r"|\bhot[ ]dogs?\b|\bso[ ]far\b|\beven[ ]so\b|\ba[ ]second\b|\blet's[ ](?:go|see)\b|\bwhite[ ]house\b|"
    r"\ba[ ]cold(?=\s*(?:[,.!]|$))"
    r"|\bblack[ -]and[ -]white\b|\bmoving[ ]on\b|\bback[ ](?:then|to[ ]the[ ]question)\b|\bstraight[ ]away\b|"
    r"\bin[ ]full\b"
    r"|\bonce[ ]more\b|\bfirst[ ]of[ ]all\b|\bat[ ]first\b|\bat[ ]present\b|\bone[ ](?:should|could|would|must|"
    r"needs?)\b"
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

    numbers = {value(run[0]) for option in options for run in RUN.finditer(option)}

    def cover_number(found: re.Match[str]) -> str:
        several = re.search(r"\w[\s\u2010-\u2015-]+\w|[^\x00-\x7f]", found[0])
        return "#" * len(found[0]) if several and value(found[0]) not in numbers else found[0]

    return _IDIOMS.sub(cover, RUN.sub(cover_number, text))
