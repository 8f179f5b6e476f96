"""Secrets in texts that others wrote: keys, passwords, signatures. They go no further.

Nothing here knows every key. What is left out: values under a name that says secret, values in
a form that only keys have, and the values of variables of the environment that hold one.
"""

import re
from collections.abc import Mapping
from typing import Any

REDACTED = "(redacted)"
# Shorter values of variables that name a secret are flags, and common words.
_SHORTEST_SECRET = 8
_NAME = re.compile(
    r"(api|access|private)[-_]?key|secret|passw(or)?d|passphrase|authorization|credential|cookie"
    r"|token(?!s)",
    re.I,
)
# Not enough to be taken out of a config, but of the environment.
_VARIABLE = re.compile(r"webhook|_(key|pat|dsn)$", re.I)
_VALUE = re.compile(
    r"(?<=://)[^/@\s]+(?=@)"  # of a URL: user and password
    r"|(?<=key=)[^&\s]+|(?<=token=)[^&\s]+|(?<=signature=)[^&\s]+|(?<=credential=)[^&\s]+"
    r"|(?<=accesskeyid=)[^&\s]+|(?<=[?&]sig=)[^&\s]{8,}"
    r"|(?<=hooks\.slack\.com/)[^\s\"']+|(?<=/api/webhooks/)[^\s\"']+"
    r"|\bBearer\s+\S+|(?<=\bauthorization: )[^\r\n\"']+"
    r"|\bsk-[\w-]{16,}|\bhf_\w{30,}|\b(?:AKIA|ASIA)\w{16}|\bAIza[\w-]{30,}"
    r"|\bgh[pousr]_\w{30,}|\bgithub_pat_\w{30,}|\bgsk_\w{30,}|\bxox[a-z]-[\w-]{10,}"
    r"|\beyJ[\w-]{10,1000}\.[\w-]{10,}\.[\w-]*"
    r"|-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,20}PRIVATE KEY-----)?",
    re.I,
)
# `name: value` in prose or JSON. A word without a digit is rather a sentence that goes on.
_NAMED = re.compile(
    r"((?:api[-_ ]?key|access[-_]?key|private[-_]?key|secret|passw(?:or)?d|passphrase"
    r"|token(?!s)|cookie|authorization)(?: provided)?[\"']?\s{0,4}[:=]\s{0,4}[\"']?"
    r"(?:(?:basic|bearer|digest|token) )?)"
    r"(?=[^\s\"']{0,200}\d)[^\s\"',;&}]{8,}",
    re.I,
)


def redacted(value: Any) -> Any:
    """The value without secrets: those under a key that names one, and those that look like one."""
    if isinstance(value, Mapping):
        return {
            key: REDACTED if _NAME.search(str(key)) else redacted(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    if isinstance(value, str):
        return _NAMED.sub(rf"\1{REDACTED}", _VALUE.sub(REDACTED, value))
    return value


def without_secrets(text: str, environment: Mapping[str, str]) -> str:
    """The text without what looks like a secret, and without the secrets of the environment."""
    named = (
        value
        for name, value in environment.items()
        if len(value) >= _SHORTEST_SECRET and (_NAME.search(name) or _VARIABLE.search(name))
    )
    # The longest first: one may be a part of another.
    for secret in sorted(set(named), key=len, reverse=True):
        text = text.replace(secret, REDACTED)
    return redacted(text)


def beginning(text: str, characters: int, environment: Mapping[str, str]) -> str:
    """The first characters of a text, without secrets. Of megabytes, not all is looked at."""
    looked_at = text[: 4 * characters]
    told = without_secrets(looked_at, environment)
    if len(looked_at) < len(text):
        # At its end may be half a secret, which is not known for one.
        told = told[: len(told) // 2]
    elif len(told) <= characters:
        return told
    return f"{told[:characters]} ..."
