"""Plain text of an answer: thinking blocks and markup are taken off, and every character knows where it came from."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

_TAGS: Final = "think|thinking|thought|thoughts|reason|reasoning|analysis|scratchpad|reflection|cot|seed:think"
_THINKING: Final = re.compile(
    rf"(?P<open><\s*(?:{_TAGS})(?:\s[^<>]{{0,80}})?>|◁think▷|\[THINK\]|<\|begin_of_thought\|>"
    r"|<\|channel\|>\s*analysis)"
    rf"|(?P<close><\s*/\s*(?:{_TAGS})\s*>|◁/think▷|\[/THINK\]|<\|end_of_thought\|>|<\|channel\|>\s*final\s*<\|"
    rf"message\|>)",
    re.IGNORECASE,
)


def kept(text: str) -> list[tuple[int, int]] | None:
    """Return the parts of an answer that are no thinking, as ranges; None where thinking was begun and not ended.

    What stands before a closing mark that nothing opened is thinking too: some chat templates open it in the prompt.
    """
    parts: list[tuple[int, int]] = []
    depth = at = 0
    for mark in _THINKING.finditer(text):
        if mark["open"]:
            if depth == 0:
                parts.append((at, mark.start()))
            depth += 1
        elif depth == 0:
            parts.clear()
        else:
            depth -= 1
        at = mark.end()
    if depth:
        return None
    return [*parts, (at, len(text))]


@dataclass(frozen=True, slots=True)
class Plain:
    """Text without markup; `index[k]` is where character k stands in the answer (or the mark that it stands for)."""

    text: str
    index: list[int]

    def verbatim(self, answer: str, start: int, end: int) -> str:
        """Return the part of the answer that a range of the text was made from."""
        return answer[self.index[start] : self.index[end - 1] + 1]


_CROSSES: Final = "❌❎✗✘✖☒🚫⛔"
_BOXES: Final = {"🅰": "A", "🅱": "B", "🇦": "A", "🇧": "B"}
_SHOUTED: Final = "answer|final_answer|final answer|final|choice|option|conclusion"
_MARKUP: Final = re.compile(
    rf"""
    (?P<opens> <\s*(?:{_SHOUTED})\s*> | \\(?:boxed|fbox)\s*\{{ | <\|begin_of_box\|> )
    | (?P<ends> </\s*(?:{_SHOUTED})\s*> | <\|end_of_box\|> | <\|[^|<>\n]{{1,40}}\|> | <(?:br|p|/p|li|/li|div|/div)\s*/?>
        | ^[ \t]*(?:```|~~~)[\w-]* | [\r\v\f\x85\u2028\u2029] | ^[ \t]*[-=*_]{{3,}}[ \t]*$
        | \b(?:assistant|ai|bot|gpt|model|response|output)\s*:(?=\s) )
    | (?P<command> \\(?:text|mathrm|mathbf|mathit|mathsf|textbf|textit|operatorname|emph|underline|bf|rm)\b\s*\{{?
        | \\[()\[\],;!] | \$+ )
    | (?P<arrow> \\(?:rightarrow|Rightarrow|to|implies|therefore|longrightarrow)\b | [=-]{{1,3}}> | [→⇒⟹➡➜➔∴] )
    | (?P<struck> ~~[^~\n]{{1,200}}~~ )
    | (?P<tag> </?(?P<name>[a-zA-Z][a-zA-Z0-9_:-]{{0,20}})(?:\s[^<>\n]{{0,100}})?/?> )
    | (?P<emphasis> [*`]+ | (?<![^\W_])_+ | _+(?![^\W_]) | ^[ \t]*(?:\#+|>+)[ \t]* )
    | (?P<quote> ["“”„«»「」『』《》‹›] | (?<!\w)['‘’] | ['‘’](?!\w) )
    | (?P<curly> [{{}}] )
    | (?P<other> [^\x20-\x7e\n] )
    | (?P<bracket> [\[\]<>] )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)


def plain(answer: str, parts: list[tuple[int, int]]) -> Plain:
    r"""Take the markup off: Markdown, LaTeX, HTML, JSON's quotes and braces, chat tokens, full-width forms, emojis.

    What is marked as the answer (`<answer>`, `\boxed`) becomes a line that begins with `answer:`. What is struck out
    is gone. Brackets of all kinds become round ones.
    """
    text: list[str] = []
    index: list[int] = []

    def put(piece: str, at: int) -> None:
        text.append(piece)
        index.extend([at] * len(piece))

    lowered = answer.lower()
    for start, end in parts:
        at = start
        for mark in _MARKUP.finditer(answer, start, end):
            text.append(answer[at : mark.start()])
            index.extend(range(at, mark.start()))
            put(_instead(mark, lowered), mark.start())
            at = mark.end()
        text.append(answer[at:end])
        index.extend(range(at, end))
        put("\n", max(start, end - 1))
    return Plain("".join(text), index)


def _instead(mark: re.Match[str], lowered: str) -> str:
    """Say what stands for a piece of markup."""
    kind, found = mark.lastgroup, mark[0]
    if kind == "tag":
        name = mark["name"]
        closed = len(name) > 1 or found.startswith("</") or f"</{name.lower()}>" in lowered
        return "" if closed else f"({name})"
    if kind == "bracket":
        return "(" if found in "[<" else ")"
    if kind == "other":
        return _character(found)
    return {"opens": "\nanswer: ", "ends": "\n", "arrow": " → ", "struck": " ", "curly": " "}.get(str(kind), "")


def _character(found: str) -> str:
    """Say what stands for a character outside ASCII, or a control character."""
    if found in "→⇒":
        return found
    if found in "’‘":
        return "'"
    if found in "【〔〖［（﹝":
        return "("
    if found in "】〕〗］）﹞":
        return ")"
    if found in _CROSSES:
        return " not "
    if found in _BOXES:
        return _BOXES[found]
    code = ord(found)
    if 0x2460 <= code <= 0x2473 or 0x24B6 <= code <= 0x24E9:  # a digit or a letter in a circle
        return f"({unicodedata.normalize('NFKC', found)})"
    if found in "，！？；：":
        return found
    if 0xFF01 <= code <= 0xFF5E or 0x2474 <= code <= 0x24B5 or 0x1D400 <= code <= 0x1D7FF or found == "…":
        return unicodedata.normalize("NFKC", found)
    kind = unicodedata.category(found)
    if kind in ("So", "Sk", "Cf") or 0xFE00 <= code <= 0xFE0F:
        return ""
    return " " if kind in ("Cc", "Zs", "Co", "Cn", "Cs", "Zl", "Zp") else found
