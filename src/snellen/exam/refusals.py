"""Answers that decline to answer, and texts that are no answer at all but a tool's note that its request failed."""

from __future__ import annotations

import re
from typing import Final

_FAILED: Final = re.compile(
    r"\s*(?:\[?LMMS_EVAL_REQUEST_FAILED\b|Failed to obtain answer via API\b|\[?(?:REQUEST|API)[ _](?:FAILED|ERROR)\b|"
    r"Error code: \d{3}\b|Traceback \(most recent call last\))"
)

_WINDOW: Final = 600
"""A refusal comes at the beginning; what follows it is politeness."""

_CANNOT: Final = (
    r"(?:can'?t|cannot|can not|could not|couldn't|am unable to|am not able to|'m unable to|'m not able to|won't|"
    r"will not)"
)
_DO: Final = (
    r"(?:\w+ ){0,2}(?:help|assist|answer|provide|analy[sz]e|process|comply|fulfil+|comment|discuss|engage|do that|"
    r"(?:view|see|access|open|display|interpret|look at|examine) (?:\w+ ){0,2}(?:images?|pictures?|photos?|files?|"
    r"attachments?)|(?:identify|recogni[sz]e) (?:\w+ ){0,2}(?:people|persons?|individuals?|faces|someone|who))\b"
)
_REFUSES: Final = re.compile(
    rf"\b(?:i|we)(?: am| 'm)? ?(?:apologi[sz]e|sorry)?,? ?(?:but )?(?:i |we )?{_CANNOT} {_DO}"
    rf"|\bi(?:'m| am) (?:very |so |really )?sorry,? (?:but )?i {_CANNOT}"
    r"|\bas an? (?:ai|artificial intelligence|(?:large )?language model|text-based)[^.!?\n]{0,80}?(?:can'?t|cannot|"
    r"can not|unable|not able|do not have|don't have)"
    r"|\bi (?:don't|do not|can't|cannot) (?:actually |currently )?(?:see|have access to|have) (?:an?y? |the |"
    r"your )?(?:image|picture|photo|attachment)"
    r"|\b(?:no|there is no|there's no) (?:image|picture|photo) (?:was |is |has been )?(?:attached|provided|uploaded|"
    r"shared)"
    r"|\bi(?:'m| am) (?:unable|not able) to\b|\bi (?:must|have to) (?:decline|refuse)\b|\bi(?:'d| would) rather not\b"
    r"|(?:抱歉|对不起|對不起|很遗憾|不好意思)[^。！？\n]{0,20}?(?:无法|無法|不能|没法|不可以|没有办法)"
    r"|我(?:是|作为)?[^。！？\n]{0,12}?(?:无法|無法|不能)(?:直接)?(?:查看|看到|回答|识别|識別|提供|处理|分析|协助|帮助|"
    r"判断)"
    r"|作为[^。！？\n]{0,12}(?:模型|AI|助手|人工智能)[^。！？\n]{0,20}?(?:无法|無法|不能)",
    re.IGNORECASE,
)


def failed(text: str) -> bool:
    """Is this a tool's note that no answer came, stored in the place of one?

    lmms-eval and VLMEvalKit both write such notes, and graded them as answers.
    """
    return _FAILED.match(text) is not None


def refuses(text: str) -> bool:
    """Does an answer from which no choice was read plainly decline to answer?

    Args:
        text: Plain text, without thinking and markup.
    """
    return _REFUSES.search(" ".join(text[:_WINDOW].split())) is not None
