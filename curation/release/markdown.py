"""Markdown that text from the web cannot break out of."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"(^[-+#=]|[\\`*_{}\[\]!|~])")


def inline(value: object) -> str:
    """Write a value as plain inline text: markup, links and HTML in it are shown, not obeyed; lines become one."""
    text = " ".join(str(value).split())
    return _SPECIAL.sub(r"\\\1", html.escape(text, quote=False))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; numbers are set right."""
    body = [list(row) for row in rows]
    is_number = [bool(body) and all(isinstance(row[i], int | float) for row in body) for i in range(len(header))]
    lines = [list(header), ["---:" if number else "---" for number in is_number]]
    cells = [[f"{value:,}" if isinstance(value, int) else inline(value) for value in row] for row in body]
    return "\n".join("| " + " | ".join(line) + " |" for line in [*lines, *cells])
