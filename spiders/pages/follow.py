"""Where a crawl goes on from a staff page: profiles, letters, further pages, sibling lists; nothing else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from spiders.pages.document import Document, Node
from spiders.pages.markup import text_of

_DOWNLOAD = re.compile(
    r"\.(pdf|docx?|xlsx?|pptx?|zip|gz|tar|ics|vcf|vcard|bib|jpe?g|png|gif|webp|svg|mp4|mp3|xml|rss|json|csv|epub)$",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"calendar|kalender|/events?(/|$)|ical|download|login|logout|signin|/search|print=|[?&](date|month|year"
    r"|day)=|mailto:|vcard|/feed",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"^\W*(next( page)?|weiter|nächste( seite)?|suivante?|siguiente|próxima|successiva|older|下一页|下页|次へ"
    r"|次のページ|load more|mehr laden|»|›|>|→|>>)\W*$",
    re.IGNORECASE,
)
_PAGE = re.compile(r"[?&/](page|seite|pagina|p|paged|start|offset|tx_[\w%\[\]]*page[\w%\]]*)[=/]\d+", re.IGNORECASE)
_LETTER_IN = re.compile(r"[=/_-]([a-z])(\.\w+|/)?$", re.IGNORECASE)
_LISTS = re.compile(
    r"^(all|alle|show all|view all|tous|todos)( \w+){0,3}$|^(all |our |academic |non[- ]?academic |permanent "
    r"|temporary |visiting |administrative |technical |research |teaching |core |affiliated? |emerit\w+ "
    r"|current |former |lab |group |(under)?graduate |doctoral |post-?doctoral |ph\.? ?d\.? |master'?s? "
    r"|bachelor'?s? )*(staff|faculty|people|members|team|academic|students|researchers|post-?docs|fellows"
    r"|personnel|directory|alumni)$"
    r"|^(alle |wissenschaftliche |ehemalige |technische |studentische )*(mitarbeiter(innen|/innen|\*innen"
    r"|:innen)?|mitarbeitende|personen|beschäftigte|professor(inn)?en|doktorand(inn)?en|team|personal"
    r"|ehemalige)$"
    r"|^(équipe|membres|personnel|doctorants|enseignants|equipo|personal|miembros|profesores|profesorado|教师"
    r"|师资队伍|教师队伍|研究人员|学生|毕业生|团队成员|教員|スタッフ|メンバー|卒業生|学生)$",
    re.IGNORECASE,
)


def pages_to_follow(
    document: Document,
    records: Iterable[Mapping[str, Any]],
    page_format: str,
    thumbnails: Collection[str] = (),
) -> list[str]:
    """Give the addresses that lead to more people or to what this page does not show of them.

    Args:
        document: the page.
        records: its people.
        page_format: a `profile` leads nowhere.
        thumbnails: addresses of pictures that are shown small, without a link to the original.
    """
    if page_format == "profile":
        return []
    here = document.url.split("#")[0]
    found: dict[str, None] = {}
    for url in [*_navigation(document), *_profiles(list(records), thumbnails)]:
        if url != here and _is_inside(document, url):
            found[url] = None
    return list(found)


def _profiles(records: list[Mapping[str, Any]], thumbnails: Collection[str]) -> list[str]:
    """The profile pages, where the list keeps portraits or roles to itself, or shows them small."""
    without = [r for r in records if r["image_url"] is None or r["role"] is None or r["image_url"] in thumbnails]
    return [str(record["profile_url"]) for record in without if record["profile_url"]]


def _navigation(document: Document) -> list[str]:
    letters: list[str] = []
    others: list[str] = []
    for node in document.nodes:
        if node.tag not in ("a", "link") or not node.get("href"):
            continue
        text = text_of(document, node) if node.tag == "a" and node.end - node.start <= 8 else ""
        is_letter = len(text) == 1 and text.isalpha()
        if not (is_letter or _is_onward(node, text)) or not (url := document.absolute(node.get("href"))):
            continue
        if is_letter:
            letters.append(url)
        elif node.tag == "link" or _leads_on(document, node, text, url):
            others.append(url)
    return [*(letters if len(set(letters)) >= 4 else []), *others]


def _is_onward(node: Node, text: str) -> bool:
    """Say whether a link could be one to more people, before its address is resolved."""
    if node.tag == "link":
        return node.get("rel") == "next"
    says_next = "next" in node.get("rel").split() or "next" in node.get("aria-label").lower()
    return says_next or (text.isdigit() and len(text) <= 3) or bool(_NEXT.match(text) or _LISTS.match(text))


def _leads_on(document: Document, node: Node, text: str, url: str) -> bool:
    if "next" in node.get("rel").split() or _NEXT.match(text) or "next" in node.get("aria-label").lower():
        return _path(url) == _path(document.url) or bool(_PAGE.search(url))
    if text.isdigit() and len(text) <= 3:
        return bool(_PAGE.search(url)) or _path(url) == _path(document.url)
    # In a site's main menu "Staff" may lead anywhere; beside the list, or inside its folder, it leads to more of it.
    is_near = bool(_folder(url)) or node.within("nav", "header", "footer") is None
    # Under the page itself stand parts of its list ("Doctoral students"); a bare "People" there is a menu's.
    is_part = _folder(url) == _path(document.url) and (" " in text or text.lower() in ("alumni", "ehemalige"))
    return is_near and (_folder(url) == _folder(document.url) or is_part) and bool(_LISTS.match(text))


def _path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def _folder(url: str) -> str:
    """Lists of one directory stand beside each other, or one under the other."""
    parts = urlsplit(url).path.rstrip("/").split("/")
    return "/".join(parts[:-1])


def _is_inside(document: Document, url: str) -> bool:
    there, here = urlsplit(url), urlsplit(document.url)
    return (
        there.scheme in ("http", "https")
        and there.netloc == here.netloc
        and not _DOWNLOAD.search(there.path)
        and not _NEVER.search(url)
    )


def needs_script(document: Document) -> bool:
    """Say whether a page without people runs scripts that may bring them."""
    scripts = [node for node in document.tagged("script") if "json" not in node.get("type")]
    if not any(node.get("src") or len(document.raw_text(node)) > 200 for node in scripts):
        return False
    spoken = sum(len(line.text) for line in document.lines)
    says = any(
        re.search(
            r"enable javascript|javascript (aktivieren|is required|erforderlich)|loading|wird geladen|chargement"
            r"|cargando|加载",
            line.text,
            re.IGNORECASE,
        )
        for line in document.lines
    )
    return (
        spoken < 600
        or says
        or any(
            node.get("id") in ("root", "app", "__next", "__nuxt") and node.end - node.start <= 3
            for node in document.nodes
        )
    )
