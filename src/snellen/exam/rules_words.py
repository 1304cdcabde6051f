"""The words by which rules_claims tells what a sentence does with a letter or an option: patterns, and no logic.

Patterns that end in `$` are searched in what stands before a mark, those that begin with `^` matched on what follows.
Letters and options are single characters there (rules_sentences). Every repetition is bounded or of one kind of
character, so that no text takes more than linear time.
"""

from __future__ import annotations

import re
from typing import Final

from snellen.exam.rules_sentences import LETTER, LETTERS, MARK, OPTION, OPTIONS

# -- words ----------------------------------------------------------------------------------------------------------

_FILL: Final = (
    r"(?:[\s:：=,()>→—–-]|\b(?:definitely|clearly|certainly|obviously|probably|most|likely|indeed|actually|simply|just|"
    r"surely|therefore|thus|hence|best|the|option|choice|letter|answer|statement|label|has to be|seems to be|"
    r"appears to be|labell?ed|number|as|that|it's|it|is|would|should|must|be|are|was|below|given|described|represented|"
    r"by|la|el|die|opción|opzione|opção|opcion|finally|so|i|think|believe|say|correct|either)\b|选项|選項|选|應|应|该|"
    r"當|当|就|为|為|是|明显|显然){0,9}$"
)
_NOUN: Final = (
    r"(?:\banswers?(?: (?:key|choice|option|letter))?|\b(?:respuesta|réponse|reponse|antwort|resposta|risposta|ответ|"
    r"đáp án)\b|答案|答え|正解|정답|답)(?: (?:es|est|é|è|ist|lautet)\b|\s*(?:は|은|는))?"
)
_GAP: Final = (
    rf"(?: (?:to|for|of|in|here|based|given|from|according|that|which|i|we|would|correcte|correcta|correta|corretta|"
    rf"juste|richtige|final)\b[^{LETTERS}{OPTIONS}]{{0,90}}?)?"
)
_COPULA: Final = r"(?:\b(?:is|be|are|was|equals|es|est|ist|é|è)\b|[:：=]|'s\b)"
_KIND: Final = (
    r"\b(?:option|choice|selection|solution|response|verdict|pick|guess|conclusion|statement|letter|one)\b|选项|選項|"
    r"结论"
)

ANSWER: Final = re.compile(rf"{_NOUN}(?:{_GAP}\s*{_COPULA}{_FILL}|{_FILL})")

STRONG: Final = re.compile(
    rf"(?:{_KIND}){_GAP}\s*{_COPULA}{_FILL}"
    rf"|(?:^|[,;]\s*|\b(?:i|we|i'd|i'll|i'm|we'd|would|will|should|must|can|let's|therefore|thus|so|"
    rf"to)\b[^{LETTERS}{OPTIONS}]{{0,30}}?)"
    r"\b(?:choose|select|pick|go with|going with|opt for|choosing|say|guess|answer|answering|vote(?: for)?|conclude|"
    r"settle on|"
    rf"go for|chose|selected|picked)\b(?: (?:that|with|for))?{_FILL}"
    rf"|(?:选|選|选择|選擇)(?:择|擇)?{_FILL}"
)
CONCLUSION: Final = re.compile(
    r"(?:^|[\s,;:(，；]|\b)(?:so|thus|therefore|hence|accordingly|consequently|ergo|meaning|which means|which is|"
    r"making it|i\.e\.?|that is|corresponds to|corresponding to|matches|matching|[→>])"
    rf"{_FILL}|(?:所以|因此|因而|故|即|那么|于是){_FILL}"
)
WEAK: Final = re.compile(
    r"(?:\b(?:it|this|that)(?:'s| is| must be| should be| would be| will be| has to be)|\bi(?:'d)? (?:think|believe|"
    r"guess|say|suppose|feel)|\b(?:probably|definitely|certainly|clearly|likely|maybe|perhaps|surely|obviously|"
    r"possibly|but|lean(?:ing)? towards?)|"
    rf"是|为|認為|认为|觉得|覺得){_FILL}"
)
LEAD: Final = re.compile(
    r"^(?:[\s,.:;!?()|—–→-]|\b(?:so|thus|therefore|hence|final|finally|ok|okay|sure|well|um|uh|yes|great|right|correct|"
    r"answer|of course|alright|certainly|absolutely|option|choice|letter|the|it's|it|is|this|that|definitely|clearly|"
    r"probably|maybe|perhaps|possibly|i think|i say|i believe|i guess|but|rather|instead)\b|选项|選項|那么|好的)*$"
)
FIRST: Final = re.compile(
    r"^(?:[\s,.:(—–→-]|\b(?:option|choice|letter|the|well|ok|okay|sure|so|but|yes)\b|选项|選項)*$"
)
TAIL: Final = re.compile(
    rf"^(?:\s*[.:,、)/(—–-]*\s*(?:the |an? )?{OPTION})?"
    r"(?:[\s.,:;!?)(|、，—–-]|\b(?:option|choice|please|i think|probably|definitely|maybe|here|too|side|then|"
    r"instead)\b|选项|選項|项|項|です|입니다|吧|呢|啊|哦|了|。)*$"
)
CLOSED: Final = re.compile(
    rf"^(?:\s*[.:,、)(—–-]*\s*(?:the |an? )?{OPTION})?\s*(?:$|[.,;:!?)(、，。；：—–-]|because\b|since\b|as\b|and\b|"
    rf"or\b|but\b|here\b|then\b|in this case\b|"
    r"is\b|for\b|rather than\b|instead of\b|not\b|选项|項|项|吧|而|です|입니다|，)"
)
BECAUSE: Final = re.compile(
    r"^\s*(?:because|since|as\b(?! in)|due to|given|for the|but\b|though\b|although\b|rather than|instead of|因为|因為|"
    r"而不|，)"
)
_OWN: Final = rf"(?:\s*[.:,、)(—–-]*\s*(?:the |an? )?{OPTION}\)?)?"
RIGHT_AFTER: Final = re.compile(
    rf"^{_OWN}\s*(?:(?:选项|選項|项|項)?(?:才|就|即)?(?:是|为|最)?\s*(?:正确|正確|对的|對的|最佳|最好|符合)|对$|對$"
    r"|(?:\s*(?:is|are|was|seems?|looks?|appears?|must be|should be|would be|'s|being|to be)\b)?\s*(?:(?:to be|"
    r"definitely|clearly|certainly|obviously|probably|most|likely|indeed|therefore|the|my|an?|only|"
    r"more)\s+)*(?:correct|right|true|accurate|best\b|the answer|answer\b|appropriate|the one\b|fits best|"
    r"matches (?:the|what|this)|my (?:answer|choice|pick)))"
)
NAMES: Final = re.compile(
    r"\b(?:fig(?:ure)?|panel|image|photo|picture|part|section|point|group|type|plan|class|grade|vitamin|hepatitis|"
    r"exhibit|row|column|table|step|item|line|room|gate|building|side|team|box|area|region|sign|shape)\.?\s*$|"
    r"\b(?:grade|name|blood|blood type|initial|team|class|section)\s*:\s*$"
)
DESCRIBES: Final = re.compile(
    rf"^{_OWN}\s*[:)]?\s*(?:would|says?|states?|suggests?|describes?|shows?|refers|represents?|corresponds?|means|"
    rf"indicates?|"
    r"implies|reads|mentions|claims|depicts?|faces|has|had|looks like|表示|说|指)\b"
)

# -- denial, conditions, doubt --------------------------------------------------------------------------------------

HARMLESS: Final = re.compile(
    r"\bno (?:doubt|question|problem)\b|\bwithout (?:a |any )?doubt\b|\bnot only\b|\bundoubtedly\b|非常|不过|不過|不错|"
    r"没错|毫无疑问|无疑|不仅|不但|是否|无论|\bnot sure\b|不确定"
)
DENIES: Final = re.compile(
    r"\b(?:not|no|never|neither|nor|without|cannot|non|rather than|instead of|except|unlike|excluding|exclude|excludes|"
    r"eliminate|eliminates|eliminating|rules? out|ruling out|ruled out|reject|rejects|rejecting|wrong|incorrect|false|"
    r"unlikely|refuse|mistake|mistaken|doubt|doubts|doubtful|nobody|nothing|none|hardly|barely|than|as opposed to|"
    r"opposite|away from|half|partially|partly|almost|nearly|semi|anything but|all but|less|least|worst|fails?|"
    r"instead of|"
    r"ain't|dont|isnt|cant|doesnt)\b|n't\b|不|没|沒|非|并非|无|無|排除|错误|錯誤|错|錯|别|勿|半"
)
NEW_START: Final = re.compile(
    r"[;；]|(?:\bwrong|\bincorrect|\bfalse|错误|錯誤|不对|不正确|错)\s*[,，]|"
    r"(?<!anything )(?<!nothing )(?<!all )\bbut\b|\bhowever\b|\binstead\b(?! of)|"
    rf"\b(?:instead of|unlike|except for) {MARK}\s*,|"
    r"[,，—–:.-]\s*(?:choose|select|pick|so|therefore|thus|hence|then|because|since|rather(?! than)|"
    rf"it|it's|its|he|she|they|this|that's|i|i'd|i'll|i'm|the (?:\w+ )?(?:answer|option|choice)|answer)\b"
    r"|\bso (?:it|it's|the|i)\b|[,，]\s*(?:而是|是|应|選|选|答案|它|他|她|我)|而是|所以|因此|但|故选|应选"
    rf"|\bso\s*(?={MARK})|\b(?:answer|conclusion)\s*(?:is\s*)?[:：]"
)
NOT_AFTER: Final = re.compile(
    rf"^{_OWN}\s*[)]?\s*(?:选项|選項|项|項)?\s*(?:(?:is|was|are|would be|seems|looks|can be|must be|'s|也|就|都|是|"
    rf"显然|clearly|"
    r"definitely|obviously|therefore|also|probably|simply|just|the|an?|more|most)\s*)*(?:\b(?:not|never|no longer|"
    r"incorrect|wrong|false|inaccurate|untrue|invalid|impossible|out of the question|ruled out|eliminated|excluded|"
    r"less|unlikely|incompatible|inconsistent|fails|contradicts|cannot|can't|isn't|wasn't|doesn't|does not|won't|"
    r"wouldn't|couldn't|didn't|aren't|ain't)\b|错|錯|不|非|没|有误)"
    rf"|^{_OWN}\s*[:(—–-]\s*(?:incorrect|wrong|false|inaccurate|nope|no\b(?!\s*\w)|错|錯|不)"
)
IF: Final = re.compile(r"\b(?:if|unless|suppose|supposing|assuming|would have|in case)\b|如果|若|假如|假设|要是")
WHETHER: Final = re.compile(r"\b(?:whether|between|determine|decide)\b|是否|还是")
IF_AFTER: Final = re.compile(
    rf"^[^{LETTERS}{OPTIONS}]{{0,60}}\b(?:if|unless)\b|^[^{LETTERS}{OPTIONS}]{{0,30}}(?:如果|的话)"
)
PERHAPS: Final = re.compile(
    r"\b(?:could|might|may|can)(?: also| possibly| well| just)?(?: be| have been)?(?:\s+\w+){0,2}?[\s(:]*$"
)
ALSO: Final = re.compile(rf"(?:\b(?:or|alternatively|also|and)\b|[&+/|]|或者?|还是|和|与|及|、)\s*{_FILL}")
POSSIBLE: Final = re.compile(
    rf"^{_OWN}\s*(?:is|could be|may be|might be|seems|also|could also be|,)?\s*(?:also |too |equally |a )*"
    r"(?:possible|possibility|plausible|likely too|both|也|都)"
)
JOINED: Final = re.compile(
    rf"(?P<between>\bbetween (?:option |choice |the )*)?(?P<one>{LETTER}){_OWN}\s*(?:[,/&+|→、，]|\b(?:or|and|nor|"
    rf"vs\.?|versus|to|than)(?!\w)|或者?|还是|和|与|及)?\s*(?:(?:or|and|maybe|perhaps|possibly|option|choice|either|"
    rf"the)\s+|选项|选)*(?P<other>{LETTER})"
)
BOTH: Final = re.compile(
    rf"(?P<one>{OPTION})[\s.:,/&+|→、，()-]*(?:(?:or|and|nor)\b|或者?|还是|和|与)?\s*(?:the |an? )?(?P<other>{OPTION})"
)
UNSURE: Final = re.compile(
    r"\b(?:cannot|can't|could not|couldn't|unable to|impossible to|difficult to|hard to|not possible to|"
    r"not able to)(?: \w+){0,2} (?:tell|determine|say|see|know|decide|answer|view|discern|judge|ascertain|be sure|"
    r"be determined)\b|\b(?:not sure|unsure|uncertain|unclear|not clear|ambiguous|not certain|no idea|don't know|"
    r"do not know|not visible|cannot be determined|can't be determined|hard to tell|guess)\b|不确定|无法|不清楚|不知道|"
    r"看不清|难以"
)
COULD: Final = re.compile(
    r"\b(?:could|might|may|(?<!\bi )(?<!\bwe )would|either|supposed to|likely to|used to|about to|as if|as though)\b|"
    r"可能|也许|或许"
)
