"""The letters that a text names: each that stands alone, unless it is a word or part of a formula.

Letters joined by `or` and the like make one mention. Only a few characters round each letter are
looked at, so that time stays linear.
"""

import re
from collections.abc import Iterable, Iterator
from string import ascii_uppercase
from typing import NamedTuple

from .denials import KEYWORD, is_denied
from .payload import untagged

_NEAR = 60

# Full-width and circled letters and marks are those of ASCII.
_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_ASCII |= {0x24B6 + place: ord(letter) for place, letter in enumerate(ascii_uppercase)}
_ASCII |= dict(zip(map(ord, "。、【】’‘“”"), map(ord, ".,[]''\"\""), strict=True))

_MARKUP = re.compile(
    r"~~[^~\n]{1,200}~~|\\(?:boxed|fbox|mbox|text[a-z]*|math[a-z]+|emph|rm|bf|it|left|right|q?quad)(?![a-z])"
    r"|\\\\|\\[()\[\],;! ]|[{}$*`_~]"
)

# A letter of an alphabet. Scripts without spaces touch the letter that they name.
_W = r"[^\W\u0e00-\u0e7f\u3000-\u9fff\uac00-\ud7af]"
_LETTER = re.compile(
    rf"(?<!{_W})(?<!{_W}')(?<!{_W}-)(?<![A-Za-z]\.)([A-Za-z])"
    rf"(?!{_W})(?!'{_W})(?!-{_W})(?!\.[A-Za-z](?![A-Za-z]))"
)
_JOINED = re.compile(
    r"\s+|[)\].?!'\"]*\s*[(\[]?(?:[,/&+;|~]|[-–—]+|\b(?:and/or|and|or|nor|und|oder|et|ou|vs\.?|versus|"
    r"through|to|[yoeu])\b|或|和|または|или|и)(?:\s|\b(?:both|either|also|maybe|perhaps|possibly|"
    r"even|is it|option|choice|answer|letter|the|or|and)\b)*[(\['\"]*",
    re.IGNORECASE,
)

# An article stands before a word, a pronoun before its verb.
_WORD_AFTER_ARTICLE = re.compile(
    r"\s+(?!(?:is|was|because|since|and|or|und|oder|et|ou|but|not|as|to|vs)\b)[^\W\d]"
)
_END_AFTER_PRONOUN = re.compile(r"\s*(?:$|[).\]:'\"])")

# What may follow a letter that is the answer, and what stands before a small one.
_ENDS = re.compile(
    r"\s*(?:$|[).\]:,;!?'\"]|\s[(\[]|[(\[](?:\w{2}|\d)|[-–—]+(?:\s|$)|[^\x00-\u2fff]|"
    r"(?:because|since|as|is|was|but|not|and not|for sure|which|due|rather|instead|over|"
    r"would|must|should|seems|looks|fits|has)\b|/\s*[A-Za-z]{2})"
)
_LEADS = re.compile(
    rf"(?:^|[:(\[=>]|\b(?:is|be|it's|are|was|choose|chose|pick|select|say|think|guess|with|for|so|"
    rf"thus|therefore|hence|definitely|clearly|probably|likely|surely|certainly|obviously|ist|es|est|{KEYWORD})|[^\x00-\u2fff])\s*[('\"\[]*$",
    re.IGNORECASE,
)

# The `E.` of `E. coli`. Other options begin with a small letter too: of other words that may name
# a species, only those that end as no English word does.
_EPITHETS = (
    r"coli|melanogaster|elegans|cerevisiae|pombe|aureus|epidermidis|subtilis|anthracis|cereus|"
    r"sapiens|erectus|habilis|musculus|norvegicus|thaliana|falciparum|vivax|pneumophila|pyogenes|"
    r"mutans|tuberculosis|leprae|bovis|rerio|laevis|tropicalis|rex|difficile|botulinum|tetani|"
    r"perfringens|pylori|jejuni|albicans|neoformans|fumigatus|niger|flavus|nidulans|crassa|"
    r"aegypti|discoideum|gondii|brucei|cruzi|mansoni|burgdorferi|pallidum|meningitidis|"
    r"aeruginosa|putida|fluorescens|pestis|enterica|typhi|typhimurium|marcescens|vulgaris|acnes|"
    r"faecalis|faecium|monocytogenes|tumefaciens|sativa|sativum|vinifera|indica|tabacum|mays|"
    r"lupus|catus|scrofa|taurus|gallus|troglodytes|[a-z]+(?:ensis|iae|ii|eae|oides|phila|icola)"
)
_SPECIES = re.compile(rf"\.[ \t]?(?:{_EPITHETS})(?!\w)")

# Letters of formulas, and of things that are called by a letter.
_NAMED = (
    r"vitamins?|hepatitis|plan|types?|grade|class|group|factor|phase|figure|fig\.|section|team|"
    r"points?|line|angle|model|vector|set|matrix|side|case|vertex|node|step|part|appendix|exhibit|"
    r"variables?|mr\.?|malcolm|war|chapter|level|protein|note|key|drug|event|circle|triangle|"
    r"function|box|city|town|person|player|car|train|planet|compound|substance|item|row|column"
)
_OTHER_BEFORE = re.compile(
    r"(?:[+*/^<>|°≤≥×·−#&∪∩⊂⊆∈∧∨⊕]\s*|[-–]|\d\s*|(?<!answer)(?<!option)(?<!choice)(?<!letter)(?<=\S)\s*=\s*"
    rf"|\b(?:{_NAMED})\s+['\"]?)$",
    re.IGNORECASE,
)
_OTHER_AFTER = re.compile(
    r"\s*->|\s*[=+*^<>≤≥°×#≈∪∩⊂⊆∈∧∨⊕]|\s*/(?!\s*[A-Za-z]{2})|\s?[([]\w?[)\]]?\s*="
)
_CALL = re.compile(rf"{_W}[(\[]$")
_KEYWORD_CALL = re.compile(rf"{KEYWORD}[(\[]$", re.IGNORECASE)

# A denial holds up to the end of its clause.
_DENIED_CLAUSE = re.compile(
    r"(?:\b(?:not|never|hardly|no way|doubt)|n't)\b(?:(?!\b(?:but|so|hence|thus|therefore|and|"
    r"because|since|however|while|then|leaves)\b)[^.,;:!?\n]){0,40}$",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|whether|suppose|assum\w+|let)\b[^.,;:\n]{0,50}\s[(\['\"]*$", re.IGNORECASE
)


class Mention(NamedTuple):
    """Letters that are named together, each once, and where they stand."""

    letters: str
    start: int
    end: int


def to_ascii(text: str) -> str:
    return text.translate(_ASCII)


def shown(text: str) -> str:
    """The text without the marks of Markdown, HTML and LaTeX that show nothing."""
    return _MARKUP.sub("", untagged(text)).strip()


def mentions(text: str, upper: bool = False) -> Iterator[Mention]:
    """The letters of a text that stand alone, articles and pronouns left out."""
    current: Mention | None = None
    for found in _LETTER.finditer(text):
        letter = found[1]
        if (upper and letter.islower()) or _is_word(text, found):
            continue
        if current and _JOINED.fullmatch(text, current.end, found.start()):
            letters = current.letters + letter * (letter not in current.letters)
            current = Mention(letters, current.start, found.end())
            continue
        if current:
            yield current
        current = Mention(letter, found.start(), found.end())
    if current:
        yield current


def claims(text: str) -> Iterator[Mention]:
    """The mentions that can be the answer as they stand."""
    return (mention for mention in mentions(text) if is_claim(text, mention))


def is_claim(text: str, mention: Mention) -> bool:
    after = _after(text, mention.end)
    if not is_possible(text, mention) or not _ENDS.match(after):
        return False
    if mention.letters[0].isupper():
        return True
    return bool(after.startswith(")") or _LEADS.search(before(text, mention.start)))


def is_possible(text: str, mention: Mention) -> bool:
    """Whether letters may be options: nothing denies them, and they name nothing else."""
    left, right = before(text, mention.start), _after(text, mention.end)
    if _OTHER_BEFORE.search(left) or _OTHER_AFTER.match(right) or _SPECIES.match(right):
        return False
    if _CALL.search(left) and not _KEYWORD_CALL.search(left):
        return False
    supposed = _DENIED_CLAUSE.search(left) or _SUPPOSED.search(left)
    return not (supposed or is_denied(left, right))


def only_letter(found: Iterable[Mention]) -> str | None:
    """The one letter that all mentions name, in upper case; None where there are several."""
    letters: set[str] = set()
    for mention in found:
        letters |= set(mention.letters.upper())
        if len(letters) > 1:
            return None
    return letters.pop() if letters else None


def before(text: str, place: int, near: int = _NEAR) -> str:
    """The characters before a place, so many at most."""
    return text[max(0, place - near) : place]


def _after(text: str, place: int) -> str:
    return text[place : place + _NEAR]


def _is_word(text: str, found: re.Match[str]) -> bool:
    """Whether a letter is an article, the pronoun, or the `y` that joins two words."""
    after = _after(text, found.end())
    if found[1] == "I":
        return not _END_AFTER_PRONOUN.match(after)
    if found[1] in "aA":
        return bool(_WORD_AFTER_ARTICLE.match(after))
    return found[1] in "eouy" and bool(re.match(r"\s+\w", after))
