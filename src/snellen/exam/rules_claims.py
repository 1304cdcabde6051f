"""What a sentence does with a letter or an option: choose it, deny it, weigh it, or just mention it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from snellen.exam.rules_sentences import LETTER, LETTERS, MARK, OPTION, OPTIONS, Mark, Sentence

_REACH: Final = 160
"""How many characters before a mark, and after it, are looked at."""

# -- words ----------------------------------------------------------------------------------------------------------

_FILL: Final = (
    r"(?:[\s:：=,()>→—–-]|\b(?:definitely|clearly|certainly|obviously|probably|most|likely|indeed|actually|simply|just|"
    r"surely|therefore|thus|hence|best|the|option|choice|letter|answer|statement|label|labell?ed|number|with|for|as|"
    r"that|it's|it|is|would|should|must|be|are|was|below|given|described|represented|by|finally|so|i|think|believe|say|"
    r"correct|one|either)\b|选项|選項|选|應|应|该|當|当|就|为|為|是|明显|显然){0,9}$"
)
_NOUN: Final = (
    r"(?:\banswers?(?: (?:key|choice|option|letter))?|\b(?:respuesta|réponse|reponse|antwort|resposta|risposta|ответ|"
    r"đáp án)\b|答案|答え|正解|정답|답)(?: (?:es|est|é|è|ist|lautet)\b|\s*(?:は|은|는))?"
)
_GAP: Final = (
    rf"(?: (?:to|for|of|in|here|based|given|from|according|that|which|i|we|would|correcte|correcta|correta)\b"
    rf"[^{LETTERS}{OPTIONS}]{{0,90}}?)?"
)
_COPULA: Final = r"(?:\b(?:is|be|are|was|equals|es|est|ist|é|è)\b|[:：=]|'s\b)"
_KIND: Final = (
    r"\b(?:option|choice|selection|solution|response|verdict|pick|guess|conclusion|statement|letter|one)\b|选项|選項|结论"
)

_ANSWER: Final = re.compile(rf"{_NOUN}(?:{_GAP}\s*{_COPULA}{_FILL}|{_FILL})")

_STRONG: Final = re.compile(
    rf"(?:{_KIND}){_GAP}\s*{_COPULA}{_FILL}"
    rf"|(?:^|\b(?:i|we|i'd|i'll|i'm|we'd|would|will|must|can|let's|therefore|thus|so|to)\b[^{LETTERS}{OPTIONS}]{{0,30}}?)"
    r"\b(?:choose|select|pick|go with|going with|opt for|choosing|say|guess|answer|answering|vote for|conclude|settle on|"
    rf"go for|chose|selected|picked)\b(?: (?:that|with|for))?{_FILL}"
    rf"|(?:选|選|选择|選擇)(?:择|擇)?{_FILL}"
)
_CONCLUSION: Final = re.compile(
    r"(?:^|[\s,;:(，；]|\b)(?:so|thus|therefore|hence|accordingly|consequently|ergo|meaning|which means|which is|"
    r"making it|i\.e\.?|that is|corresponds to|corresponding to|matches|matching|[→>])"
    rf"{_FILL}|(?:所以|因此|因而|故|即|那么|于是){_FILL}"
)
_WEAK: Final = re.compile(
    r"(?:\b(?:it|this|that)(?:'s| is| must be| should be| would be| will be| has to be)|\bi(?:'d)? (?:think|believe|guess|"
    r"say|suppose|feel)|\b(?:probably|definitely|certainly|clearly|likely|maybe|perhaps|surely|obviously|possibly|"
    r"but|lean(?:ing)? towards?)|"
    rf"是|为|認為|认为|觉得|覺得){_FILL}"
)
_LEAD: Final = re.compile(
    r"^(?:[\s,.:(|—–→-]|\b(?:so|thus|therefore|hence|final|finally|ok|okay|sure|well|um|uh|yes|great|right|correct|answer|"
    r"of course|alright|certainly|absolutely|option|choice|letter|the|it's|it|is|this|that|definitely|clearly|probably|"
    r"maybe|perhaps|possibly|i think|i say|i believe|i guess|but|rather|instead)\b|选项|選項|那么|好的)*$"
)
_FIRST: Final = re.compile(r"^(?:[\s,.:(—–→-]|\b(?:option|choice|letter|the|well|ok|okay|sure|so|but|yes)\b|选项|選項)*$")
_TAIL: Final = re.compile(
    rf"^(?:\s*[.:,、)/(—–-]*\s*(?:the |an? )?{OPTION}|\s*[(,]?\s*(?:option )?{LETTER})?"
    r"(?:[\s.,:!)(|、，—–-]|\b(?:option|choice|please|i think|probably|definitely|maybe|here|too|side|then|instead)\b|"
    r"选项|選項|项|項|です|입니다|吧|呢|啊|哦|了|。)*$"
)
_CLOSED: Final = re.compile(
    rf"^(?:\s*[.:,、)(—–-]*\s*(?:the |an? )?{OPTION})?\s*(?:$|[.,;:!?)(、，。；：—–-]|because\b|since\b|as\b|and\b|or\b|but\b|"
    r"is\b|for\b|rather than\b|instead of\b|not\b|选项|項|项|吧|而|です|입니다|，)"
)
_BECAUSE: Final = re.compile(r"^\s*(?:because|since|as\b(?! in)|due to|given|for the|rather than|instead of|因为|因為|而不|，)")
_OWN: Final = rf"(?:\s*[.:,、)(—–-]*\s*(?:the |an? )?{OPTION}\)?)?"
_RIGHT_AFTER: Final = re.compile(
    rf"^{_OWN}\s*(?:(?:选项|選項|项|項)?(?:是|为|最)?\s*(?:正确|正確|对的|對的|最佳|最好|符合)|对$|對$"
    r"|(?:\s*(?:is|are|was|seems?|looks?|appears?|must be|should be|would be|'s|being|to be)\b)?\s*"
    r"(?:(?:to be|definitely|clearly|certainly|obviously|probably|most|likely|indeed|therefore|the|my|an?|only|more)\s+)*"
    r"(?:correct|right|true|accurate|best\b|the answer|answer\b|appropriate|the one\b|matches (?:the|what|this)|my (?:answer|choice|pick)))"
)
_NAMES: Final = re.compile(
    r"\b(?:fig(?:ure)?|panel|image|photo|picture|part|section|point|group|type|plan|class|grade|vitamin|hepatitis|exhibit|row|"
    r"column|table|step|item|line|room|gate|building|side|team|box|area|region|sign|shape)\.?\s*$"
)
_DESCRIBES: Final = re.compile(
    rf"^{_OWN}\s*[:)]?\s*(?:would|says?|states?|suggests?|describes?|shows?|refers|represents?|corresponds?|means|indicates?|"
    r"implies|reads|mentions|claims|depicts?|faces|has|had|looks like|表示|说|指)\b"
)

# -- denial, conditions, doubt --------------------------------------------------------------------------------------

_HARMLESS: Final = re.compile(
    r"\bno (?:doubt|question|problem)\b|\bwithout (?:a |any )?doubt\b|\bnot only\b|\bundoubtedly\b|非常|不过|不過|不错|没错|"
    r"毫无疑问|无疑|不仅|不但|是否|无论|\bnot sure\b|不确定"
)
_DENIES: Final = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|non|rather than|instead of|except|unlike|excluding|exclude|excludes|"
    r"eliminate|eliminates|eliminating|rules? out|ruling out|ruled out|reject|rejects|rejecting|wrong|incorrect|false|"
    r"unlikely|hardly|barely|than|as opposed to|opposite|away from|half|partially|partly|almost|nearly|semi|anything but|"
    r"all but|less|least|fails?|instead of|ain't|dont|isnt|cant|doesnt)\b|n't\b|不|没|沒|非|并非|无|無|排除|错误|錯誤|错|錯|别|勿|半"
)
_NEW_START: Final = re.compile(
    r"[;；]|(?:\bwrong|\bincorrect|\bfalse|错误|錯誤|不对|不正确|错)\s*[,，]|\b(?:but|however)\b|\binstead\b(?! of)|[,，—–:.-]\s*(?:so|therefore|thus|hence|then|because|since|rather(?! than)|"
    rf"it|it's|its|he|she|they|this|that's|i|i'd|i'll|i'm|the (?:\w+ )?(?:answer|option|choice)|answer)\b"
    r"|\bso (?:it|it's|the|i)\b|[,，]\s*(?:而是|是|应|選|选|答案|它|他|她|我)|而是|所以|因此|但|故选|应选"
    rf"|\bso\s*(?={MARK})|\b(?:answer|conclusion)\s*(?:is\s*)?[:：]"
)
_NOT_AFTER: Final = re.compile(
    rf"^{_OWN}\s*[)]?\s*(?:选项|選項|项|項)?\s*(?:(?:is|was|are|would be|seems|looks|can be|must be|'s|也|就|都|是|显然|clearly|"
    r"definitely|obviously|therefore|also|probably|simply|just|the|an?|more|most)\s*)*"
    r"(?:\b(?:not|never|no longer|incorrect|wrong|false|inaccurate|untrue|invalid|impossible|out|ruled out|eliminated|excluded|"
    r"less|unlikely|incompatible|inconsistent|fails|contradicts|cannot|can't|isn't|wasn't|doesn't|does not|won't|wouldn't|"
    r"couldn't|didn't|aren't|ain't)\b|错|錯|不|非|没|有误)"
    rf"|^{_OWN}\s*[:(—–-]\s*(?:incorrect|wrong|false|inaccurate|nope|no\b(?!\s*\w)|错|錯|不)"
)
_IF: Final = re.compile(r"\b(?:if|unless|suppose|supposing|assuming|would have|in case)\b|如果|若|假如|假设|要是")
_WHETHER: Final = re.compile(r"\b(?:whether|between|determine|decide)\b|是否|还是")
_IF_AFTER: Final = re.compile(rf"^[^{LETTERS}{OPTIONS}]{{0,60}}\b(?:if|unless)\b|^[^{LETTERS}{OPTIONS}]{{0,30}}(?:如果|的话)")
_PERHAPS: Final = re.compile(
    r"\b(?:could|might|may|can)(?: also| possibly| well| just)?(?: be| have been)?(?:\s+\w+){0,2}?[\s(:]*$"
)
_ALSO: Final = re.compile(rf"(?:\b(?:or|alternatively|also|and)\b|[&+/|]|或者?|还是|和|与|及|、)\s*{_FILL}")
_POSSIBLE: Final = re.compile(
    rf"^{_OWN}\s*(?:is|could be|may be|might be|seems|also|could also be|,)?\s*(?:also |too |equally |a )*"
    r"(?:possible|possibility|plausible|likely too|both|也|都)"
)
_JOINED: Final = re.compile(
    rf"(?P<between>\bbetween (?:option |choice |the )*)?(?P<one>{LETTER}){_OWN}\s*(?:[,/&+|、，]|\b(?:or|and|nor)\b|或者?|还是|和|与|及)?\s*(?:(?:or|and|maybe|perhaps|possibly|"
    rf"option|choice|either|the)\s+|选项|选)*(?P<other>{LETTER})"
)
_UNSURE: Final = re.compile(
    r"\b(?:cannot|can't|could not|couldn't|unable to|impossible to|difficult to|hard to|not possible to|not able to)"
    r"(?: \w+){0,2} (?:tell|determine|say|see|know|decide|answer|view|discern|judge|ascertain|be sure|be determined)\b|"
    r"\b(?:not sure|unsure|uncertain|unclear|not clear|ambiguous|not certain|no idea|don't know|do not know|not visible|"
    r"cannot be determined|can't be determined|hard to tell|guess)\b|不确定|无法|不清楚|不知道|看不清|难以"
)
_COULD: Final = re.compile(r"\b(?:could|might|may|would|either|supposed to|likely to|used to|about to|as if|as though)\b|可能|也许|或许")


PLACE: Final = 1
"""A letter in the place of an answer: at the beginning or the end."""
SAID: Final = 2
"""In words: "it's B"."""
EXPLICIT: Final = 3
"""In words that mean nothing else: "I choose B", "so B", "B is correct"; or a line of its own."""
ANSWER: Final = 4
"""After "answer"."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A choice that a sentence makes, and how plainly: see `PLACE` and those after it."""

    option: int
    strength: int
    mark: Mark


@dataclass(slots=True)
class Said:
    """All that one sentence says of the two options.

    `claims` are choices, `denied` letters that it says are wrong, `weighed` those it thinks possible, `named` those that
    it mentions for no reason that is understood; `stated` and `doubted` are the options whose text it affirms, or uses
    in doubt; `clash`: a letter with the other option's text.
    """

    sentence: Sentence
    claims: list[Claim] = field(default_factory=list)
    denied: set[int] = field(default_factory=set)
    weighed: set[int] = field(default_factory=set)
    named: set[int] = field(default_factory=set)
    stated: dict[int, Mark] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)
    refuted: set[int] = field(default_factory=set)
    clash: bool = False
    unsure: bool = False

    @property
    def chosen(self) -> set[int]:
        """The options that it chooses: one, or several."""
        return {claim.option for claim in self.claims}


def say(sentence: Sentence) -> Said:
    """Find out what a sentence says of the two options."""
    said = Said(sentence, unsure=bool(_UNSURE.search(sentence.text)))
    for number, mark in enumerate(sentence.marks):
        before = sentence.text[max(0, mark.at - _REACH) : mark.at]
        after = sentence.text[mark.at + 1 : mark.at + 1 + _REACH]
        if mark.is_letter:
            _letter(said, mark, before, after, number)
        else:
            _option(said, mark, before, after)
    for joined in _JOINED.finditer(sentence.text):
        pair = {LETTERS.index(joined["one"]), LETTERS.index(joined["other"])}
        if len(pair) == 2 and not pair & said.denied and not joined["between"]:
            said.weighed |= pair
    return said


def _letter(said: Said, mark: Mark, before: str, after: str, number: int) -> None:
    if said.sentence.asks:
        return
    other = re.match(rf"\s*[.:,、)(—–-]*\s*(?:the |an? )?({OPTION})", after)
    clash = other is not None and OPTIONS.index(other[1]) != mark.option
    if _denied(before) or _NOT_AFTER.match(after):
        said.denied.add(mark.option)
    elif _IF.search(before) or _IF_AFTER.match(after) or _undecided(before):
        return
    elif _PERHAPS.search(before) or _POSSIBLE.match(after) or (number and _ALSO.search(before)):
        said.weighed.add(mark.option)
    else:
        strength = _strength(said.sentence, mark, before, after)
        if strength:
            said.claims.append(Claim(mark.option, strength, mark))
            said.clash |= clash
        elif not _DESCRIBES.match(after):
            said.named.add(mark.option)


def _strength(sentence: Sentence, mark: Mark, before: str, after: str) -> int:
    """How plainly a letter is chosen; 0: not at all."""
    if _ANSWER.search(before) and (_CLOSED.match(after) or mark.bracketed):
        return ANSWER
    if _STRONG.search(before) and (_CLOSED.match(after) or mark.bracketed):
        return EXPLICIT
    if _RIGHT_AFTER.match(after):
        return EXPLICIT
    if _CONCLUSION.search(before) and _CLOSED.match(after):
        return EXPLICIT
    if _LEAD.match(before) and _TAIL.match(after):
        return EXPLICIT if sentence.whole else PLACE
    if _WEAK.search(before) and _CLOSED.match(after):
        return SAID
    if re.search(r"(?:[,:;，：→—–-]|\bso)\s*$", before) and _TAIL.match(after):
        return PLACE
    if mark.bracketed and _TAIL.match(after) and not _NAMES.search(before):
        return PLACE
    if re.search(rf"{OPTION}\s*\(?$", before) and _TAIL.match(after):
        return PLACE
    if sentence.opens and _FIRST.match(before) and (
        mark.bracketed or _BECAUSE.match(after) or re.match(rf"\s*(?:[).:,、，：(—–-]|{OPTION})", after)
    ):
        return 0 if _DESCRIBES.match(after) else PLACE
    return 0


def _option(said: Said, mark: Mark, before: str, after: str) -> None:
    option = mark.option
    if said.sentence.asks:
        return
    if _IF.search(before) or _IF_AFTER.match(after) or _undecided(before) or not mark.sure:
        said.doubted.add(option)
    elif _denied(before) or _NOT_AFTER.match(after):
        said.refuted.add(option)
    elif _COULD.search(before):
        said.doubted.add(option)
    else:
        said.stated.setdefault(option, mark)
        bare = re.sub(r"\b(?:the|an?)\s*$", "", before)
        behind_letter = re.search(rf"{LETTER}\s*[.:,、)(—–-]*\s*(?:the |an? )?$", before)
        if behind_letter:
            return
        if _ANSWER.search(bare) and _CLOSED.match(after):
            said.claims.append(Claim(option, ANSWER, mark))
        elif _STRONG.search(bare) and _CLOSED.match(after):
            said.claims.append(Claim(option, EXPLICIT, mark))
        elif _LEAD.match(bare) and _TAIL.match(after):
            said.claims.append(Claim(option, EXPLICIT if said.sentence.whole else PLACE, mark))
        elif re.match(r"^[\s(]*$", bare) and (re.match(r"\s*[,.:;，、—–-]", after) or _BECAUSE.match(after)):
            said.claims.append(Claim(option, PLACE, mark))


def _denied(before: str) -> bool:
    """Does a denial reach up to here, with no new start after it?"""
    before = _HARMLESS.sub(" ", before)
    last = None
    for last in _DENIES.finditer(before):  # noqa: B007 - the last one counts
        pass
    return last is not None and not _NEW_START.search(before, last.start())


def _undecided(before: str) -> bool:
    last = None
    for last in _WHETHER.finditer(before):  # noqa: B007 - the last one counts
        pass
    return last is not None and not _NEW_START.search(before, last.end())
