r"""One way to write mathematics: what LaTeX, Unicode and plain text say of numbers, made alike.

A part that holds a number but has no value here (a root, pi, a logarithm) becomes OPAQUE.
"""

import re
from collections.abc import Callable

OPAQUE = "√"

_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-", strict=True))
_VULGAR = {
    **{"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5"},
    **{"⅗": "3/5", "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8"},
    "⅞": "7/8",
}
_MINUS = "\N{MINUS SIGN}\N{NON-BREAKING HYPHEN}\N{FULLWIDTH HYPHEN-MINUS}\N{SMALL HYPHEN-MINUS}"
_ALIKE = str.maketrans(
    {
        **dict.fromkeys(_MINUS, "-"),
        **dict.fromkeys("×·⋅∙", "*"),
        **dict.fromkeys("⁄∕÷", "/"),
        **dict.fromkeys("≅≃", "≈"),
        **dict.fromkeys("⇒→⟹", "="),
        **dict.fromkeys("π∞∑∫", OPAQUE),
        **{"＝": "=", "．": ".", "％": "%", "，": ",", "（": "(", "）": ")", "：": ":"},
        **{"。": ". ", "、": ", ", "；": ";"},
    }
)
_GROUP = r"(?:,|\{,\}|\\,|[\u00a0\u202f\u2009])"
_GROUP_MARK = re.compile(_GROUP)
_INNER = r"[^{}\n]{0,60}"
_SIGNED = r"[-+]?\d+(?:\.\d+)?"

_Replacement = str | Callable[[re.Match[str]], str]
_STEPS: list[tuple[re.Pattern[str], _Replacement]] = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"~~[^~\n]{1,200}~~", " "),
        (r"=>|->|\\(?:to|[rR]ightarrow|implies|equiv)(?![a-zA-Z])", "="),
        (r"\\(?:approx|simeq|sim)(?![a-zA-Z])", "≈"),
        (r"!=|\\neq?(?![a-zA-Z])", "≠"),
        (r"<=|\\(?:leq?|leqslant)(?![a-zA-Z])", "≤"),
        (r">=|\\(?:geq?|geqslant)(?![a-zA-Z])", "≥"),
        (r"\\lt(?![a-zA-Z])", "<"),
        (r"\\gt(?![a-zA-Z])", ">"),
        (r"\\pm(?![a-zA-Z])|\+/-", "±"),
        (r"–(?=[^\S\n]?[\d.\\$])", "-"),
        (
            rf"(?<![\d.,])(?<!\{{,\}})(?<!\d[\u00a0\u202f\u2009])[1-9]\d{{0,2}}(?:{_GROUP}\d{{3}})+"
            rf"(?!\d|{_GROUP}\d)",
            lambda found: _GROUP_MARK.sub("", found[0]),
        ),
        (
            f"([0-9])?[ \\u00a0]?([{''.join(_VULGAR)}])",
            lambda found: (f"{found[1]} " if found[1] else " ") + _VULGAR[found[2]],
        ),
        (
            f"[{''.join(_SUPERSCRIPTS)}]+",
            lambda found: "^" + "".join(map(_SUPERSCRIPTS.__getitem__, found[0])),
        ),
        # Mixed numbers: `2\frac{1}{2}` is `2 1/2`.
        (r"(?<=\d)(?=\\[dtc]?frac)", " "),
        (
            rf"\\[dtc]?frac\s*(?:\{{\s*({_SIGNED})\s*\}}\s*\{{\s*({_SIGNED})\s*\}}|\s?(\d)\s?(\d))",
            lambda found: f"{found[1] or found[3]}/{found[2] or found[4]}",
        ),
        (rf"\\(?:[dtc]?frac|binom)\s*\{{{_INNER}\}}\s*\{{{_INNER}\}}", f" {OPAQUE} "),
        (rf"\\sqrt\s*(?:\[\w{{0,5}}\])?\s*(?:\{{{_INNER}\}}|\d)", f" {OPAQUE} "),
        (r"\\(?:times|cdot|ast)(?![a-zA-Z])", "*"),
        (r"\\div(?![a-zA-Z])", "/"),
        (r"\^?\s?\{?\\(?:circ|degree)(?![a-zA-Z])\}?|°", " °"),
        (r"\\(?:Omega|mu|AA)(?![a-zA-Z])", " °"),
        (
            r"(?:\^|(?<=[A-Za-z0-9)])\*\*(?=[-+\d({]))\s?(?:\{\s*([-+]?\d+)\s*\}|\(\s*([-+]?\d+)\s*\)|"
            r"([-+]?\d+))",
            lambda found: f"^{found[1] or found[2] or found[3]}",
        ),
        ("[₀-₉]+", "_0"),
        (r"(?<=[\w})])_\s?\{[^{}\n]{0,20}\}", "_0"),
        (
            r"\\(?:boxed|fbox|mbox|text[a-z]*|math(?:rm|bf|it|sf|tt|bb|cal)|operatorname|q?quad|left|right|"
            r"displaystyle|[bB]igg?[lr]?)(?![a-zA-Z])",
            " ",
        ),
        (r"\\[a-zA-Z]+", f" {OPAQUE} "),
        (r"(?<=[A-Za-z])\\?[$€£¥₹]", " "),
        (r"\\?[$%]|[€£¥₹`]|\*\*|\\[!,;: ()\[\]]", ""),
        (r"[{}~]", " "),
    )
]


def plain_math(text: str) -> str:
    """The text with one sign for each operation, without marks of money, percent, groups and
    layout; fractions as `3/4`, powers as `10^3`, arrows as `=`."""
    text = text.translate(_ALIKE)
    for pattern, replacement in _STEPS:
        text = pattern.sub(replacement, text)
    return text.strip()
