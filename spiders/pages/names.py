"""Tell a person's name from the other short texts of a page, by its shape.

There is no list of given names here: names of all the world stand on these pages. A text is a name by its shape
(a few capitalised words, initials, particles; two to four Han characters) unless one of its words is a common word
of such pages (`spiders.pages.words`). Shape alone is weak; `spiders.pages.blocks` asks for repetition and a portrait.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from spiders.pages.titles import has_title, split_titles
from spiders.pages.words import CHINESE_SURNAMES, CJK_WORDS, COMMON_WORDS, word_set

MAX_NAME_CHARS = 70

_PARTICLES = word_set(
    "von van vom de der den del della di da do dos das du des d' la le el al bin ibn ben bint ter ten te zu "
    "zum zur y e i"
    " af av st. san abu ul ur und und. o' mac mc t' 't dal dalla degli ei i\u0307 à"
)

_LATIN_WORD = re.compile(r"(?:[^\W\d_]{1,3}['’`´‘])?[^\W\d_]+(?:['’`´‘ʼ\-‐‑.·][^\W\d_]+)*[.'’]?|(?:[^\W\d_]\.-?){1,4}")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0002fa1f々〆]+")
_KANA = re.compile(r"[\u3040-\u30ff]+")
_CJK_NAME = re.compile(
    r"(?:[\u3400-\u9fff々\U00020000-\U0002fa1f]{1,4}[ "
    r"\u3000・·]?[\u3400-\u9fff\u3040-\u30ff々\U00020000-\U0002fa1f]{1,4}"
    r"|[\u30a0-\u30ff]{2,10}[・·= ][\u30a0-\u30ff]{2,10}(?:[・· ][\u30a0-\u30ff]{2,10})?|[\uac00-\ud7a3]{2,4})"
)
_SEPARATOR = re.compile(r"\s+[-–—―|/•·:>»]\s*|\s*[|;:(\[（【•·–—,，、/<>«»\"“”„*†‡]\s*|\s{3,}")
_BRACKETS = re.compile(r"\s*[(（\[][^()（）\[\]]{0,60}[)）\]]\s*")
_LIFE = re.compile(r"[(（]?\s*(\*|†)?\s*(1[89]|20)\d\d\s*[-–—]\s*(†)?\s*(1[89]|20)\d\d\s*[)）]?|[†✝]")


@dataclass(frozen=True, slots=True)
class Name:
    """A text read as a person's name."""

    text: str
    """Without titles, pronouns and brackets; given name first."""
    title: str | None
    rest: str
    """What followed it in the same text."""
    is_reversed: bool = False
    """It was written `Family, Given`."""
    is_dead: bool = False
    """Years of life, or a dagger, stood beside it."""

    @property
    def key(self) -> str:
        """The same for the same person, however accented or capitalised."""
        return fold(self.text)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Fold case, accents and punctuation: for comparing names with file names, addresses and alt texts."""
    text = text.replace("ß", "ss").replace("ø", "o").replace("ł", "l").replace("đ", "d").replace("ı", "i")
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


@lru_cache(maxsize=8192)
def read_name(text: str, is_lenient: bool = False) -> Name | None:
    """Read a text that begins with (or is) a person's name.

    Args:
        text: one line, white space folded.
        is_lenient: let common words pass that may be a family name for once ("Anna Class").

    Returns:
        None where it does not look like one.
    """
    if not 2 <= len(text) <= 400 or (not text[0].isalpha() and text[0] not in "'’*†(（"):
        return None
    dead = bool(_LIFE.search(text[:120]))
    text = _LIFE.sub(" ", text[:400]).strip() if dead else text
    text = text.lstrip("*† ")
    return _whole(text, dead, is_lenient) or (None if is_lenient else _head(text, dead))


def _whole(text: str, dead: bool, is_lenient: bool) -> Name | None:
    """The text is a name and nothing else but titles, pronouns and brackets."""
    if len(text) > MAX_NAME_CHARS + 50:
        return None
    bare = " ".join(_BRACKETS.sub(" ", text).split()).rstrip(" ,;:.-–|") if any(c in text for c in "([（") else text
    title, rest = split_titles(bare.rstrip(" ,;:-–|"))
    if "," in rest:
        return _reversed(rest, title, dead)
    rest = _nickname(text, rest)
    return Name(rest, title, "", is_dead=dead) if is_name(rest, is_lenient) else None


def _nickname(text: str, rest: str) -> str:
    """Keep brackets that stand inside a name: `Juan (Manny) Example`."""
    inner = re.search(r"(\S+) ([(][^\W\d_]+[)]) (\S+)", text)
    return rest.replace(f"{inner[1]} {inner[3]}", inner[0], 1) if inner else rest


def _reversed(text: str, title: str | None, dead: bool) -> Name | None:
    """`Family, Given` or `Family, Given, Dr.`."""
    family, _, given = text.partition(",")
    more, given = split_titles(given.strip())
    family_title, family = split_titles(family.strip())
    capitals = [word for word in family.split() if word.lower() not in _PARTICLES]
    if "," in given or not given or len(capitals) != 1 or not 1 <= len(given.split()) <= 3:
        return None
    joined = f"{given} {family}"
    titles = " ".join(t for t in (family_title, more, title) if t) or None
    return Name(joined, titles, "", is_reversed=True, is_dead=dead) if is_name(joined) else None


def _head(text: str, dead: bool) -> Name | None:
    """The text begins with a name, up to a comma, bracket, dash or bar."""
    cut = _SEPARATOR.search(text)
    if cut is None or cut.start() < 2:
        return _mixed_script(text, dead)
    title, head = split_titles(text[: cut.start()])
    rest = text[cut.start() :].strip(" ,;:|-–—/•·")
    if not is_name(head):
        return _mixed_script(text[: cut.start()], dead)
    more, after = split_titles("X Y, " + rest.split(" (")[0])
    if more and after == "X Y":
        title, rest = " ".join(t for t in (title, more) if t), ""
    return Name(head, title, rest, is_dead=dead)


def _mixed_script(text: str, dead: bool) -> Name | None:
    """`Ada Example 例子` holds one name in two scripts; the first is taken."""
    cjk = _HAN.search(text) or _KANA.search(text)
    if cjk is None:
        return None
    if cjk.start() == 0:
        latin = re.search(r"[A-Za-z]", text)
        head, rest = (text[: latin.start()], text[latin.start() :]) if latin else (text, "")
    else:
        head, rest = text[: cjk.start()], text[cjk.start() :]
    if not rest:
        return None
    title, head = split_titles(head.strip(" ,;:()（）[]-–/|"))
    return Name(head, title, rest, is_dead=dead) if is_name(head) else None


@lru_cache(maxsize=8192)
def is_name(text: str, is_lenient: bool = False) -> bool:
    """Say whether a text, titles removed, has the shape of a full name; common words forbid it unless lenient."""
    if not 2 <= len(text) <= MAX_NAME_CHARS:
        return False
    if _HAN.search(text) or _KANA.search(text) or "\uac00" <= text[0] <= "\ud7a3":
        return _is_cjk_name(text)
    words = re.sub(r"[(\"“”„][^\W\d_]+[)\"“”]", " ", text).split()
    named = [word for word in words if word not in _PARTICLES]
    if not 2 <= len(named) <= 6 or len(words) > 8:
        return False
    if any(not _LATIN_WORD.fullmatch(word) for word in words):
        return False
    if any(not word[0].isupper() and not _inner_capital(word) for word in named):
        return False
    if words[-1].lower() in _PARTICLES and words[-1].islower():
        return False
    if not is_lenient and any(part in COMMON_WORDS for word in named for part in _parts(word)):
        return False
    # "A. B." and "IT" are no names: one word at least is spelled out.
    return any(len(word) >= 2 and "." not in word.rstrip(".") for word in named)


def _inner_capital(word: str) -> bool:
    """`d'Andréa`, `al-Khatib`."""
    return bool(re.match(r"[a-z]{1,3}['’\-][^\W\d_]", word)) and any(c.isupper() for c in word)


def _parts(word: str) -> list[str]:
    lowered = word.casefold().rstrip(".")
    return [lowered, *re.split(r"[-‐‑]", lowered)] if "-" in lowered else [lowered]


def _is_cjk_name(text: str) -> bool:
    if not _CJK_NAME.fullmatch(text) or any(word in text for word in CJK_WORDS):
        return False
    bare = re.sub(r"[ \u3000・·]", "", text)
    if _KANA.search(bare) or " " in text or "\u3000" in text or "·" in text:
        return 2 <= len(bare) <= 24
    return bare[0] in CHINESE_SURNAMES or bare[:2] in CHINESE_SURNAMES or len(bare) in (3, 4)


def strength(text: str, name: Name) -> float:
    """Give how sure the shape alone makes us, in [0, 1]."""
    if name.title or has_title(text):
        return 1.0
    if _HAN.search(name.text):
        return 0.8 if name.text[0] in CHINESE_SURNAMES else 0.7 if re.search(r"[\s・·]", name.text) else 0.5
    return 0.7 if not name.rest else 0.5


def matches(name: Name, text: str) -> int:
    """Count how many words of a name stand in a text (an alt text, file name, address or mailbox).

    Words of one or two letters count only as whole words of it.
    """
    there = fold(text)
    if not there:
        return 0
    words = set(there.split())
    glued = there.replace(" ", "")
    parts = name.key.split()
    if _HAN.search(name.text):
        return 2 if name.key.replace(" ", "") in glued else 0
    return sum(1 for part in set(parts) if part in words or (len(part) >= 4 and part in glued))
