"""Words by which a text says that the answer is another than the one that they stand beside."""

import re

KEYWORD = (
    r"(?:answers?|options?|choices?|letters?|antwort|respuesta|réponse|resposta|risposta|ответ)"
)

_WORDS = (
    r"not|cannot|nor|never|neither|no|non|nicht|kein|keine|weder|noch|pas|except|excluding|than|unlike|without|"
    r"beyond|versus|vs|against|beats|over|less likely|unlikely|hardly|by no means|far from|none of|"
    r"instead of|other than|opposite of|nobody chose|could|might|may|doubt|"
    r"(?:anything|everything|nothing|any|all|none) but|"
    r"(?:eliminat|exclud|reject|discard|dismiss|refut)\w*|rul\w+ out|"
    rf"(?:wrong|incorrect|false|bad)(?:\s{KEYWORD})?(?:\s(?:is|are|was))?|"
    r"(?:not|never|n['’]t) (?:think|say|believe|claim|guess)(?: that)?(?: it(?: is|['’]s))?"
)
_FILLERS = (
    r"be|is|it|es|ist|est|the|a|an|even|also|well|simply|just|exactly|equal|to|choose|pick|select|say|think|with|"
    rf"necessarily|either|correct|{KEYWORD}"
)
_BEFORE = re.compile(
    rf"(?:\b(?:{_WORDS})|n['’]t|不是|не)(?:\s|\b(?:{_FILLERS})\b|:)*[(\['\"]*$", re.IGNORECASE
)
_VERBS = r"(?:is|are|was|were|being|seems?|looks?|would be|must be|can be)"
_ADVERBS = r"(?:all|both|clearly|definitely|also|obviously|just|simply|therefore|thus|even)"
_WRONG = (
    r"(?:not|the wrong|wrong|incorrect|false|invalid|out|eliminated|excluded|impossible|ruled|"
    r"rejected|unlikely|implausible|inaccurate|a distractor|a trap|a mistake|no|"
    r"too (?:small|large|big|low|high|few|many))"
)
# After `B)`, what is wrong or cannot be may be the option's text.
_AFTER = re.compile(
    r"[)\].'\"]*\?\s*(?:no|nope|wrong|incorrect|false)\b(?!\s(?:doubt|question|problem))|"
    rf"[)\].'\"]*\s*{_VERBS}\s+(?:{_ADVERBS}\s+)*{_WRONG}\b|['\"]*\s+(?:(?:isn['’]t|aren['’]t|"
    r"wasn['’]t|can['’]t|cannot|does not|doesn['’]t|won['’]t|fails?|ist falsch)\b|"
    r"[(\[]?\s?(?:wrong|incorrect|false|falsch)\b)",
    re.IGNORECASE,
)


_NOT = r"(?:do not|don['’]t|cannot|can not|can['’]t|could not|couldn['’]t)"
_REFUSAL = re.compile(
    rf"\b(?:{_NOT} (?:know|say|tell|answer|determine|decide|solve|compute|calculate|find)|"
    rf"{_NOT} be (?:determined|known|answered|computed|calculated|solved|found)|"
    r"(?:no|not enough|insufficient) (?:idea|information|info|data|context|solution|answer)|n/a|"
    r"not (?:sure|certain|applicable|possible)|unsure|unable to|impossible|unknown(?!\s+\w)|"
    r"unclear|undetermined|indeterminate|undefined|unanswerable|inconclusive|"
    r"(?:does not|doesn['’]t) exist)\b",
    re.IGNORECASE,
)


def is_refusal(before: str) -> bool:
    """Whether the text before an answer says that there is none; `=` gives one all the same."""
    refused = _REFUSAL.search(before)
    return bool(refused and "=" not in before[refused.end() :])


def is_denied(before: str, after: str) -> bool:
    """Whether the text right before or right after an answer says that it is none."""
    return bool(_BEFORE.search(before) or _AFTER.match(after))
