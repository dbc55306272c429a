"""Spellings of a name, and whether a text spells it: for takedowns, and for pages that must not be kept.

A name is compared by its *forms*: folded words in the orders in which people write them. A text is read the way a
browser or a server would read it (entities, percent signs, JSON escapes, tags), cut into words, and every run of a few
words is looked up. So `M&uuml;ller, Anna`, `anna-mueller.html` and `Anna%20M%C3%BCller` all spell one name.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

WORDS_MAX = 6
"""Words of the longest form."""

_TITLES = frozenset(
    (
        *("dr", "prof", "professor", "professorin", "phd", "mr", "mrs", "ms", "mx", "herr", "frau", "dipl", "ing"),
        *("med", "rer", "nat", "phil", "habil", "sir", "dame"),
    )
)
"""A title before or after a name is no part of it."""
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
"""A run of letters and digits; where a script writes no spaces, each sign."""
_TAG = re.compile(r"<[^<>]*>")
_JSON_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_CHARSET = re.compile(rb"charset=[\"']?([\w-]{3,20})", re.IGNORECASE)
_SPELLED_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae", "œ": "oe", "ß": "ss"})
_FOLDED = str.maketrans({"ø": "o", "đ": "d", "ł": "l", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss"})
"""What Unicode does not decompose."""


def words(text: str, *, spelled_out: bool = False) -> list[str]:
    """Cut a text into folded words: no case, no accents.

    Args:
        text: any.
        spelled_out: write `ü` as `ue`, as German and Scandinavian addresses do, instead of `u`.
    """
    if text.isascii():
        return _WORD.findall(text.lower())
    composed = unicodedata.normalize("NFC", text).casefold()
    if spelled_out:
        composed = composed.translate(_SPELLED_OUT)
    decomposed = unicodedata.normalize("NFKD", composed.translate(_FOLDED))
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _WORD.findall(unicodedata.normalize("NFC", letters))


def name_forms(name: str) -> frozenset[str]:
    """Give the forms of a name: as written, family name first, run together; with umlauts folded and spelled out.

    Empty where the name holds no word but titles.
    """
    forms: set[str] = set()
    last, comma, first = name.partition(",")
    for spelled_out in (False, True):
        found = words(f"{first} {last}" if comma else name, spelled_out=spelled_out)
        for chosen in (found, [word for word in found if word not in _TITLES]):
            plain = chosen[:WORDS_MAX]
            if not plain or all(word in _TITLES for word in plain):
                continue
            turns = [plain[cut:] + plain[:cut] for cut in range(len(plain))]  # a family name may be several words
            forms |= {join.join(turned) for turned in turns for join in (" ", "")}
    return frozenset(forms)


def spells(
    text: str,
    is_form: Callable[[str], bool],
    words_max: int = WORDS_MAX,
    may_spell: Callable[[list[str]], bool] = bool,
) -> bool:
    """Tell whether any run of words of a text, read in each of its ways, is a form that is looked for.

    Args:
        text: of a page, an address, a table cell.
        is_form: asked once for each different run.
        words_max: length of the longest run.
        may_spell: asked first for all words of a reading, where that saves work.
    """
    seen: set[str] = set()
    for reading in readings(text):
        folded, spelled_out = words(reading), [] if reading.isascii() else words(reading, spelled_out=True)
        for found in (folded, spelled_out):
            if not may_spell(found):
                continue
            for run in _runs(found, words_max):
                if run not in seen:
                    seen.add(run)
                    if is_form(run):
                        return True
    return False


def text_of(body: bytes) -> str:
    """Decode a saved page: by its byte order mark or its own word, else UTF-8, else Windows' Latin."""
    if body[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return body.decode("utf-16", "replace")
    declared = _CHARSET.search(body[:2048])
    for charset in ("utf-8", declared[1].decode() if declared else ""):
        try:
            return body.decode(charset or "cp1252")
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def readings(text: str) -> Iterator[str]:
    """Yield a text as a browser or a server would read it: escapes resolved, then without tags."""
    plain = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else text
    plain = html.unescape(plain) if "&" in plain else plain
    if "%" in plain:
        yield unquote(plain, "cp1252", "replace")
        plain = unquote(plain, "utf-8", "replace")
    yield plain
    if "<" in plain:
        yield _TAG.sub(" ", plain)  # a name may be spread over several tags
        yield _TAG.sub("", plain)


def _runs(found: list[str], words_max: int) -> Iterator[str]:
    for start in range(len(found)):
        for length in range(1, min(words_max, len(found) - start) + 1):
            yield " ".join(found[start : start + length])
