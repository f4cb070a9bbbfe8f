"""Tells what a spreadsheet may take for a formula: imports refuse formulas, exports defuse whatever begins like one.

Source: OWASP, CSV injection. Hidden characters in front are looked through, because programs drop them on the way.
"""

from __future__ import annotations

import re
import unicodedata

_SEPARATORS = ("\t", "\r", "\n")
# After a sign: a call, a reference, another book's cell, a program (DDE), an array, a further formula.
_REACHES_OUT = re.compile(r"[|!\[\]{}=@]|[^\W\d_]\s*\(|(?<![^\W_])\$?[A-Za-z]{1,3}\$?[0-9]{1,7}(?![^\W_])")


def begins_like_formula(text: str) -> bool:
    """Tell whether a file should keep `text` from being calculated: too often rather than too seldom."""
    return text.startswith(_SEPARATORS) or _sign_of(drop_hidden(text)) in {"=", "+", "-", "@"}


def is_formula(text: str) -> bool:
    """Tell whether `text` does something when calculated; `+86 138 0000 0000` and `- leave at door` don't."""
    visible = drop_hidden(text)
    sign = _sign_of(visible)
    if sign in {"+", "-"}:
        return _REACHES_OUT.search(unicodedata.normalize("NFKC", visible[1:])) is not None
    return sign in {"=", "@"}


def drop_hidden(text: str) -> str:
    """Return `text` from its first character that can be seen."""
    for place, character in enumerate(text):
        if not (character.isspace() or unicodedata.category(character) in {"Cf", "Cc"}):
            return text[place:]
    return ""


def _sign_of(text: str) -> str:
    """Return the first character as its plain form; full-width signs are signs in Chinese spreadsheets."""
    return unicodedata.normalize("NFKC", text[:1])
