"""Looking for a person in a folder without any code of ours: raw bytes, decoded Parquet, SHA-256, pHash."""

from __future__ import annotations

import html
import io
import tarfile
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import imagehash
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image


def spellings(text: str) -> set[bytes]:
    """A text in the ways in which files hold it; compare in lower case."""
    spelled_out = text.translate(str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}))
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.replace("ß", "ss")) if not unicodedata.combining(c))
    plain = [text, unicodedata.normalize("NFD", text), spelled_out, bare]
    entities = "".join(f"&{html.entities.codepoint2name.get(ord(c), '')};" if ord(c) > 127 else c for c in text)
    numeric = text.encode("ascii", "xmlcharrefreplace").decode()
    escaped = text.encode("unicode_escape").decode()
    json_like = "".join(f"\\u{ord(c):04x}" if ord(c) > 127 else c for c in text)
    forms = [*plain, entities, numeric, escaped, json_like, *(quote(each) for each in plain)]
    forms += [quote(text, encoding="cp1252"), quote(text, safe="")]
    found = {each.lower().encode(codec) for each in forms for codec in ("utf-8", "utf-16-le")}
    return found | {text.lower().encode("cp1252")}


def texts_of(path: Path) -> Iterator[bytes]:
    """A file's bytes in lower case; of Parquet also every value."""
    yield path.read_bytes().lower()
    if path.suffix == ".parquet":
        table = pq.read_table(path)
        for column in table.columns:
            if "binary" not in str(column.type):
                yield "\n".join(map(str, column.to_pylist())).lower().encode()


def files_with(root: Path, texts: Sequence[str]) -> list[str]:
    """Files that hold one of some texts, in any spelling."""
    needles = {form for text in texts for form in spellings(text)}
    return [
        str(path.relative_to(root))
        for path in sorted(root.rglob("*"))
        if path.is_file() and any(needle in text for text in texts_of(path) for needle in needles)
    ]


def pictures_in(root: Path) -> Iterator[tuple[str, bytes]]:
    """Every picture under a folder: files, members of tar files, and values of Parquet files."""
    for path in sorted(root.rglob("*")):
        if not path.is_file():
            continue
        if path.suffix == ".parquet":
            yield from ((str(path), value) for value in _binaries(pq.read_table(path)))
        elif path.suffix == ".tar":
            with tarfile.open(path) as archive:
                bodies = ((entry.name, archive.extractfile(entry)) for entry in archive)
                yield from ((f"{path}: {name}", body.read()) for name, body in bodies if body is not None)
        else:
            yield str(path), path.read_bytes()


def _binaries(table: pa.Table) -> Iterator[bytes]:
    for column in table.columns:
        for value in column.to_pylist() if "binary" in str(column.type) else ():
            values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
            yield from (each for each in values if isinstance(each, bytes))


def phash(body: bytes) -> Any:
    return imagehash.phash(Image.open(io.BytesIO(body)).convert("RGB"))


def files_showing(root: Path, pictures: Sequence[bytes], radius_bits: int) -> list[str]:
    """Files with the bytes of some pictures, or with a picture that looks like one of them."""
    shas, looks = {sha256(body).hexdigest() for body in pictures}, [phash(body) for body in pictures]
    found = []
    for where, body in pictures_in(root):
        if sha256(body).hexdigest() in shas:
            found.append(f"{where}: same bytes")
        try:
            look = phash(body)
        except (OSError, ValueError, SyntaxError):
            continue
        if min(look - known for known in looks) <= radius_bits:
            found.append(f"{where}: looks like it")
    return found
