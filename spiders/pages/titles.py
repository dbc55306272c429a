"""Academic titles and forms of address: kept apart from the name."""

from __future__ import annotations

import re

from spiders.pages.words import word_set

_PREFIX = (
    # Professors, in the forms that European directories use.
    r"(o\.)?(univ|jun|junior|apl|hon|ao|em|emer|assoc|asst|assist|tit|vertr|stiftungs|gast"
    r"|außerpl)?\.?-?prof(essor(in)?)?\.?(in)?"
    r"|prof\.?ssa|profa\.?|profra?\.?|professeure?|profesora?|professora|associate|assistant|adjunct|emerit(us"
    r"|a)|univ\.|apl\.|hon\."
    r"|em\.|emer\.|jun\.|assoc\.|asst\.|assist\.|junior-?professor(in)?|juniorprof\.?"
    # Doctors, with the faculties that follow "Dr."
    r"|(d|dd)r\.?(-?ing\.?)?(in)?|dr\.-ing|doktor(in)?|doctor|dott\.?(ssa)?|dra\.?|ddr\.?|doç\.|doc\.|rer\.?"
    r"|nat\.?|phil\.?|pol\.?|med\.?"
    r"|jur\.?|oec\.?|publ\.?|techn\.?|sc\.?|h\.?c\.?|h\.|c\.|mult\.?|habil\.?|agr\.?|forest\.?|theol\.?|vet\.?"
    r"|dent\.?|biol\.?|hum\.?|math\.?"
    r"|pharm\.?|ing\.?|-ing\.?|paed\.?|soc\.?|cult\.?|nat\.techn\.?|rer\.nat\.?|rer\.pol\.?|phys\.?|inform\.?"
    r"|mont\.?|disc\.?|iur\.?|psych\.?"
    r"|pd|priv\.?-?doz\.?|privatdozent(in)?|doz\.?|dozent(in)?|akad\.?|oberrat|rat|rätin|oberrätin"
    # Degrees that stand before a name.
    r"|dipl\.?(-?[a-zäöü]+\.?){0,3}(\(fh\))?|diplom-[a-zäöü]+|\(fh\)|m{0,2}mag\.?a?|di|bakk\.?|lic\.?|ir\.?|eng\.?"
    r"|msc\.?|bsc\.?|m\.\s?sc\.?|b\.\s?sc\.?|m\.\s?a\.?|b\.\s?a\.?|ma|ba|ph\.?d\.?|m\.\s?ed\.?|b\.\s?ed\.?"
    r"|m\.\s?eng\.?|b\.\s?eng\.?|mba|ll\.\s?m\.?"
    r"|st?r|ostr|akadr|ar|aor|ord|stud|stud\.|cand\.|wirt\.?-?inf\.?"
    # Forms of address.
    r"|herrn?|frau|mr\.?|mrs\.?|ms\.?|miss|sir|dame|mme\.?|mlle\.?|sr\.?|sra\.?|srta\.?|dña\.|don|doña|rev\.?|hon\."
)
_SUFFIX = (
    r"ph\.?\s?d\.?|d\.?\s?phil\.?|m\.?\s?sc\.?(\s?\([\w.]+\))?|b\.?\s?sc\.?|m\.?\s?a\.?|b\.?\s?a\.?"
    r"|m\.?\s?eng\.?|b\.?\s?eng\.?|m\.?\s?ed\.?|b\.?\s?ed\.?"
    r"|m\.?\s?d\.?|j\.?\s?d\.?|mba|ll\.?\s?[mb]\.?|dr\.?(-ing\.?|\s?h\.?\s?c\.?)?|prof\.?|dipl\.?-?\s?[\w.-]+"
    r"|d\.?sc\.?|sc\.?d\.?|mph|mpa|mphil|m\.?\s?phil\.?|rn|cpa|pe|p\.e\.|fellow|frs"
    r"|msc\.?|bsc\.?|mag\.?|jr\.?|sr\.?|i{2,3}|emerit(us|a)|esq\.?|c\.?\s?eng\.?|edd|ed\.?d\.?|psy\.?d\.?"
    r"|pharm\.?d\.?|facm|ieee|m\.?\s?s\.?|b\.?\s?s\.?|mfa|m\.?f\.?a\.?|cfa|dma"
)
_CJK_SUFFIX = re.compile(
    r"\s*(特聘|講座|讲座|助理|副|准|准|名誉|客員|特任)?(教授|教師|教师|老师|博士|先生|女士|さん|助教|講師|讲师"
    r"|研究员|研究員|院士)$"
)

_IS_PREFIX = re.compile(rf"({_PREFIX})", re.IGNORECASE)
_IS_SUFFIX = re.compile(rf"({_SUFFIX})", re.IGNORECASE)
_NAMELIKE = word_set(
    "ma di ba ar pd sr mag ing don rat ir lic dame med nat phil ord stud em doc jun math sir ms m. d. c. h. ii pe rn"
)
"""Short words that are titles too, but as often a family name or an initial: titles only if enough is left."""


def split_titles(text: str) -> tuple[str | None, str]:
    """Part academic titles and forms of address from a name, before and after it.

    Returns:
        The titles as written, joined by a space (None where there are none), and the rest.

    Example:
        `Prof. Dr. rer. nat. Ada Example, M.Sc.` gives `("Prof. Dr. rer. nat. M.Sc.", "Ada Example")`.
    """
    words, titles = _leading(text.split())
    rest, trailing = _trailing(" ".join(words))
    titles = [title.rstrip(",") for title in (*titles, *trailing)]
    spoken = [title for title in titles if title.lower() not in _ADDRESS]
    return " ".join(spoken) or None, rest


_ADDRESS = word_set("herr herrn frau mr mr. mrs mrs. ms ms. miss mme mme. mlle mlle. sr sr. sra sra. srta srta. dña.")


def _leading(words: list[str]) -> tuple[list[str], list[str]]:
    count = 0
    if words and len(words[0]) == 2 and words[0][1] == ".":
        return words, []  # an initial
    while count < len(words) and _IS_PREFIX.fullmatch(words[count].rstrip(",;:")):
        count += 1
    # "Ma Jun", "M. Example": a short word is a title only before a whole name, or among other titles.
    while count and len(words) - count < 2 and words[count - 1].lower().rstrip(",") in _NAMELIKE:
        count -= 1
    return words[count:], words[:count]


def _trailing(text: str) -> tuple[str, list[str]]:
    titles: list[str] = []
    head, *parts = [part.strip() for part in text.split(",")]
    while parts and (not parts[-1] or _is_degrees(parts[-1])):
        titles.insert(0, parts.pop())
    words = head.split()
    while len(words) > 2 and not parts and _IS_SUFFIX.fullmatch(words[-1]) and words[-1].lower() not in _NAMELIKE:
        titles.insert(0, words.pop())
    rest = ", ".join([" ".join(words), *parts])
    match = _CJK_SUFFIX.search(rest)
    if match and len(rest[: match.start()].replace(" ", "")) >= 2:
        return rest[: match.start()], [match[0].strip(), *titles]
    return rest, [title for title in titles if title]


def _is_degrees(part: str) -> bool:
    if _IS_SUFFIX.fullmatch(part):
        return True
    words = part.split()
    return (
        bool(words)
        and len(words) <= 6
        and all(_IS_SUFFIX.fullmatch(w) or (_IS_PREFIX.fullmatch(w) and w.endswith(".")) for w in words)
    )


def has_title(text: str) -> bool:
    """Say whether a text begins with an academic title."""
    return bool(
        re.match(
            r"(?i)(univ\.|apl\.|jun\.|em\.)?[ -]*(prof\b|professor(in)?\b|(d|dd)r\b|pd dr|dipl\.|m\.\s?sc|dott|mag\.)",
            text,
        )
    )
