from __future__ import annotations

import pytest

from catalog.errors import UsageError
from curation.folder.audit import audit
from curation.folder.report import write_audit_page
from curation.folder.roster import Names, roster_of_folder, roster_of_table


def leaks_of(found):
    return [tuple(leak["members"]) for leak in found["leaks"]]


def test_folders_of_splits_and_classes_are_read(planted, measured, clusters):
    found = audit(roster_of_folder(planted), measured.reasons, clusters).to_json()
    assert found["images"] == 18
    assert found["splits"] == {"test": 8, "train": 10}
    assert found["labels"] == 2
    assert leaks_of(found) == [
        ("test/a/bytes.jpg", "train/a/0.jpg"),
        ("test/a/smaller.jpg", "train/a/2.jpg"),
        ("test/b/mirrored.jpg", "train/b/3.jpg"),
        ("test/b/pixels.png", "train/b/1.jpg"),
    ]
    assert all(leak["splits"] == ["test", "train"] for leak in found["leaks"])
    assert [(row["members"], row["labels"]) for row in found["conflicts"]] == [
        (["train/a/cropped.jpg", "train/b/5.jpg"], ["a", "b"])
    ]
    assert found["unreadable"] == ["test/b/cut.jpg", "test/b/empty.jpg", "test/b/page.jpg"]


def test_lists_win_and_further_columns_are_ignored(planted, measured, clusters, tmp_path):
    (tmp_path / "train.txt").write_text("train/a/0.jpg 3.5\n2.jpg\t1\n4.jpg,x\n\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("bytes.jpg 1 2 3\nbrighter.jpg\n2.jpg\nlost.jpg 4\n", encoding="utf-8")
    lists = {"train": tmp_path / "train.txt", "test": tmp_path / "test.txt"}
    roster = roster_of_folder(planted, lists)
    found = audit(roster, measured.reasons, clusters).to_json()
    assert leaks_of(found) == [
        ("test/a/bytes.jpg", "train/a/0.jpg"),
        ("test/a/smaller.jpg", "train/a/2.jpg"),  # as 2.jpg is on both lists
        ("train/a/4.jpg", "train/a/brighter.jpg"),
    ]
    assert found["not_found"] == ["lost.jpg"]


def test_a_picture_on_both_lists_leaks_without_any_copy(planted, measured, tmp_path):
    (tmp_path / "l.txt").write_text("alone.jpg\n", encoding="utf-8")
    roster = roster_of_folder(planted, {"train": tmp_path / "l.txt", "test": tmp_path / "l.txt"})
    found = audit(roster, measured.reasons, []).to_json()
    assert leaks_of(found) == [("test/a/alone.jpg",)]
    assert found["duplicates"] == []


def test_a_table_gives_splits_labels_and_names(planted, measured, clusters):
    (planted / "index.csv").write_text(
        "file,subset,category,person\n"
        "train/a/0.jpg,fit,x,p1\ntest/a/bytes.jpg,fit,y,p2\ntest/a/alone.jpg,held,x,p2\nnowhere.jpg,held,x,p3\n",
        encoding="utf-8",
    )
    roster = roster_of_table(planted / "index.csv", groups="person")
    found = audit(roster, {"nowhere.jpg": "file_missing"}, [clusters[0]]).to_json()
    assert found["leaks"] == []
    assert [row["labels"] for row in found["conflicts"]] == [["x", "y"]]
    assert found["identities"] == [
        {"identity": "p2", "splits": ["fit", "held"], "members": ["test/a/alone.jpg", "test/a/bytes.jpg"]}
    ]
    assert found["unreadable"] == ["nowhere.jpg"]
    with pytest.raises(UsageError, match="no column 'fold'"):
        roster_of_table(planted / "index.csv", split="fold")


def test_doubtful_folders_give_no_splits_and_no_labels(tmp_path):
    for path in ("train/x.jpg", "extra/y.jpg", "z.jpg"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(path.encode())
    roster = roster_of_folder(tmp_path)
    assert (roster.splits, roster.labels) == ({}, {})
    (tmp_path / "list.txt").write_text("other.jpg", encoding="utf-8")
    with pytest.raises(UsageError, match="none of its 1 lines"):
        roster_of_folder(tmp_path, {"train": tmp_path / "list.txt"})


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("a/1.jpg", "a/1.jpg"), ("./a/1.jpg 3", "a/1.jpg"), ("images/b/2 x.png\t4", "b/2 x.png"),
        ("2 x.png 5 6", "b/2 x.png"),
        ("3.jpg", None), ("c\\3.jpg", "c/3.jpg"), ("4.jpg", None),
    ],
)  # fmt: skip
def test_lines_of_lists_are_found_by_their_beginning_and_end(line, path):
    assert Names(["a/1.jpg", "b/2 x.png", "b/3.jpg", "c/3.jpg"]).find_in_line(line) == path


def test_the_page_holds_its_pictures_and_escapes_names(planted, measured, clusters, tmp_path):
    found = audit(roster_of_folder(planted), {**measured.reasons, "<b>.jpg": "decode_empty"}, clusters)
    write_audit_page(tmp_path / "page.html", "Audit <of> it", found, measured)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 12
    assert "Audit &lt;of&gt; it" in page
    assert "<b>.jpg" not in page
    assert "http" not in page  # nothing is fetched
    assert "across test, train" in page
