"""multiple_choice: the letter that an answer names, if it names one."""

import re
from collections import deque
from string import ascii_letters

from itemeval_assets.core.grading.grader import Targets
from itemeval_assets.core.grading.scorer import scorer
from itemeval_assets.core.grading.verdict import Verdict

from .denials import is_refusal
from .letters import (
    Mention,
    before,
    claims,
    is_claim,
    is_possible,
    mentions,
    only_letter,
    shown,
    to_ascii,
)
from .payload import last_boxed, payload_of, unwrapped

_SHORT_WORDS = 5  # a text of so many words is little more than its letter
_MOST = 200  # letters that are looked at, from the end of a long text

# `$` opens a formula only before, and closes one only after, a character that shows.
_FORMULA = re.compile(
    r"\$\$[^$]{0,2000}\$\$|\$(?=\S)[^$\n]{0,300}(?<=\S)\$(?!\d)|\\\(.{0,300}?\\\)"
    r"|\\\[[^\]]{0,2000}\]|\\[a-zA-Z]+(?:\{[^{}\n]{0,100}\})*"
)
_REASON = re.compile(
    r"\b(?:because|since|whereas|while|although|given that|unlike|weil|denn|porque|car|perché)\b",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|correction|sorry|oops|i mean|scratch|hmm|on second thought|instead|rather|"
    r"no,)(?!\w)",
    re.IGNORECASE,
)
_UNDECIDED = re.compile(
    r"\b(?:none of|neither|cannot|can't|can not|unsure|not sure|don't know|do not know|undecided|"
    r"unclear|unknown|impossible to|all of the above|both of|(?:that|this|it) is wrong)\b",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    r"\b(?:answer|option|choice)\b"
    r"(?:\s+(?:here|would|should|must|to (?:this|the) (?:question|problem)))*"
    r"\s*(?:is|be|=|:|are)(?:\s|\b(?:therefore|thus|clearly|indeed|then|definitely|simply|probably|"
    r"likely|most|option|choice|letter|answer)\b|:)*[(\['\"]*(?=[A-Za-z](?![A-Za-z]))",
    re.IGNORECASE,
)
_NO_CLAIM = re.compile(
    r"(?:\b(?:not|never|hardly|no way|doubt)|n't)\b[^.,;:!?\n]{0,20}\s(?:the|that|my)\s+$|"
    r"\b(?:if|whether|suppose|assume|assuming|wrong|incorrect|false|worst|unlikely|doubt|says?|"
    r"that|initial|first|tempting)\s+(?:(?:the|that|this|my|correct|right|best|final)\s+)*$",
    re.IGNORECASE,
)
_LISTED = re.compile(r"^[\s>#*(\[-]{0,12}([A-Z])[).:\]][ \t]+\S", re.MULTILINE)
_SENTENCE = 300
_SENTENCE_END = re.compile(r"[.!?]\s|\n")
_NEXT_OPTION = re.compile(r"(?:\n[\s>#*(\[-]{0,12}|[.;!?,]\s+[(\[]?)([A-Z])[).:\]]\s+\S")
_AFTER_LEADING = re.compile(r"[).\]:,;](?!\.)|\s[(\[]|\s?[-–—]+\s")
_LETTER_IN_BRACKETS = re.compile(r"\s[(\[][A-Za-z][)\]]")
_OFFERED = re.compile(r"\b(?:or|oder|ou)\s+(?:option\s+|choice\s+)?[(\['\"]*$", re.IGNORECASE)
# The `F.` of `John F. Kennedy`, but not the `B.` of `Therefore B. The others`.
_INITIAL = re.compile(r"\b(?!(?:Therefore|Thus|Hence|So|Is|Choose|Select|Pick)\b)[A-Z][a-z]+ $")
_REST_OF_NAME = re.compile(r"\. [A-Z][a-z]")


def multiple_choice(solution: str, target: str) -> Verdict:
    """1.0 where the letter that the answer names is the target's, in either case.

    With a label: a letter before `) . : ,`, a bracket or the end, or before the reason for it;
    never an article, nor `I` before a verb. Without one: `the answer is X` (also option, choice),
    a text that is little more than the letter, a boxed letter, or else the last upper-case letter
    that is no pronoun and stands in no LaTeX. Letters that are denied do not count; several
    letters are no letter. Codes: `target_not_letter`, `no_letter_found`.
    """
    expected = target.strip()
    if not _is_letter(expected):
        return Verdict.failed("target_not_letter")
    payload = payload_of(solution)
    text = unwrapped(to_ascii(payload.text))
    letter = _of_answer(shown(text)) if payload.labelled else _of_text(text)
    if not letter:
        return Verdict.failed("no_letter_found", payload.text)
    return Verdict.scored(1.0 if letter == expected.upper() else 0.0, payload.text)


def _is_letter(target: str) -> bool:
    return len(target.strip()) == 1 and target.strip() in ascii_letters


# Below, "" stands for an answer that is unclear, and None for one that the rule does not find.


def _of_answer(text: str) -> str | None:
    """The letter of a short answer: the one that it begins with, or the only one."""
    first = next(mentions(text), None)
    # What cannot be known may be the option's text: `unknown (B)`.
    if first and not text[: first.start].endswith(("(", "[")) and is_refusal(text[: first.start]):
        return ""
    leading = _leading(text)
    if leading is not None:
        return leading
    reason = _REASON.search(text)
    if reason and any(claims(text[: reason.start()])):
        text = text[: reason.start()].rstrip()
    claimed = list(claims(text))
    if not claimed:
        return None
    return "" if _is_left_open(text, claimed[-1]) else only_letter(claimed) or ""


def _leading(text: str) -> str | None:
    """The letter that a text begins with, before a mark; what follows is the option's text."""
    first = next(mentions(text), None)
    if first is None or text[: first.start].strip("('\"[ ") or len(first.letters) != 1:
        return None
    rest = text[first.end :]
    if not is_claim(text, first) or not _AFTER_LEADING.match(rest):
        return None
    return "" if _names_another(rest, first.letters) else first.letters.upper()


def _names_another(rest: str, letter: str) -> bool:
    """Whether what follows a letter takes it back, or offers another beside it."""
    back, later = _TAKEN_BACK.search(rest), deque(mentions(rest), _MOST)
    return bool(
        _LETTER_IN_BRACKETS.match(rest)
        or (back and any(mention.start > back.start() for mention in later))
        or any(len(m.letters) == 1 and _OFFERED.search(before(rest, m.start)) for m in later)
        or any(found[1] != letter for found in _NEXT_OPTION.finditer(rest))
    )


def _of_text(text: str) -> str | None:
    boxed = last_boxed(text)
    if boxed is not None and len(boxed.split()) <= 2 * _SHORT_WORDS:
        letter = _of_answer(shown(boxed))
        if letter:
            return letter
    plain = shown(text)
    is_short = len(plain.split()) <= _SHORT_WORDS
    if is_short and plain.endswith("?"):
        return ""
    letter = _of_answer(plain) if is_short else _of_phrase(plain)
    if letter is None and "\n" not in plain and len(_LISTED.findall(plain)) == 1:
        letter = _leading(plain)
    return _last_upper(shown(_FORMULA.sub(" □ ", text))) if letter is None else letter


def _of_phrase(text: str) -> str | None:
    """The letter of the last `answer is X`."""
    letter, end = None, 0
    starts = {mention.start: mention for mention in mentions(text)}
    for phrase in _PHRASE.finditer(text):
        mention = starts.get(phrase.end())
        if mention is None or _NO_CLAIM.search(before(text, phrase.start())):
            continue
        may_be_word = mention.letters[0].islower() or mention.letters[0] in "AI"
        if not (is_claim if may_be_word else is_possible)(text, mention):
            continue
        letter, end = only_letter([mention]) or "", mention.end
    back = _TAKEN_BACK.search(text, end) if letter else None
    if back and letter:
        later = text[back.start() :]
        named = any(letter in mention.letters.upper() for mention in mentions(later))
        return "" if named or any(claims(later)) else letter
    return letter


def _last_upper(text: str) -> str | None:
    """The last upper-case letter, unless it only heads an option in a list of them."""
    listed = {found.start(1): found[1] for found in _LISTED.finditer(text)}
    heads = listed if len(set(listed.values())) > 1 else {}
    for mention in reversed(deque(mentions(text, upper=True), _MOST)):
        if mention.start in heads or not is_possible(text, mention) or _is_aside(text, mention):
            continue
        return "" if _is_left_open(text, mention) else only_letter([mention])
    return None


def _is_left_open(text: str, mention: Mention) -> bool:
    """Whether a later sentence says that there is no answer."""
    end = _SENTENCE_END.search(text, mention.end)
    return bool(end and _UNDECIDED.search(text, end.end()))


def _is_aside(text: str, mention: Mention) -> bool:
    """Whether a letter is asked for, a person's initial, or in the reason for another letter."""
    left = before(text, mention.start, _SENTENCE)
    if text.startswith("?", mention.end):
        return True
    if _REST_OF_NAME.match(text, mention.end) and _INITIAL.search(left):
        return True
    sentence = _SENTENCE_END.split(left)[-1]
    reason = _REASON.search(sentence)
    claimed = sentence[: reason.start()] if reason else ""
    return any(is_possible(claimed, earlier) for earlier in mentions(claimed, upper=True))


MULTIPLE_CHOICE = scorer(
    "multiple_choice", "3", multiple_choice, Targets("one letter from A to Z", _is_letter)
)
