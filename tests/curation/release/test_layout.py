from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from curation.release.layout import class_folder
from curation.release.markdown import inline, table


@given(st.lists(st.text(max_size=80), min_size=2, max_size=6, unique=True))
def test_class_folders_are_safe_and_distinct(labels):
    folders = [class_folder(label) for label in labels]
    assert len(set(folders)) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9_][a-z0-9_-]{0,59}", folder) for folder in folders)


def test_plain_labels_stay_readable():
    assert class_folder("german") == "german"
    assert class_folder("Computer Science").startswith("computer-science-")


@given(st.text(max_size=60))
def test_text_cannot_leave_a_table_cell(text):
    lines = table(["a", "b"], [[text, 1]]).split("\n")
    assert len(lines) == 3
    assert len(re.findall(r"(?<!\\)\|", lines[2])) == 3
    assert "<" not in inline(text)
