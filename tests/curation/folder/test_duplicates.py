from __future__ import annotations

from curation.executors import InlineExecutor
from curation.folder.duplicates import find_clusters, stages_for
from curation.folder.pictures import MISSING, find_pictures, list_pictures, measure

PLANTED = {
    ("test/a/bytes.jpg", "train/a/0.jpg"): "bytes",
    ("test/b/pixels.png", "train/b/1.jpg"): "pixels",
    ("test/a/smaller.jpg", "train/a/2.jpg"): "near",
    ("test/b/mirrored.jpg", "train/b/3.jpg"): "near",
    ("train/a/4.jpg", "train/a/brighter.jpg"): "near",
    ("train/a/cropped.jpg", "train/b/5.jpg"): "near",
}


def test_all_planted_copies_are_found_and_nothing_else(clusters):
    assert {cluster.members: cluster.kind for cluster in clusters} == PLANTED


def test_the_best_of_a_cluster_is_the_largest(clusters):
    best = {cluster.members: cluster.best for cluster in clusters}
    assert best["test/a/smaller.jpg", "train/a/2.jpg"] == "train/a/2.jpg"
    assert best["train/a/cropped.jpg", "train/b/5.jpg"] == "train/b/5.jpg"


def test_bad_files_have_reasons_and_others_are_left_out(measured, planted):
    assert measured.reasons == {
        "test/b/cut.jpg": "decode_truncated",
        "test/b/empty.jpg": "decode_empty",
        "test/b/page.jpg": "decode_not_an_image",
    }
    assert not {"notes.txt", ".hidden.jpg"} & set(find_pictures(planted))


def test_equal_bytes_are_copies_even_where_they_are_no_picture(tmp_path):
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"\xff\xd8\xff broken")
    listed = list_pictures(tmp_path, [*find_pictures(tmp_path), "gone.jpg"])
    found = measure(listed, stages_for(with_embedding=False), tmp_path / "work", InlineExecutor())
    assert [(cluster.members, cluster.kind) for cluster in find_clusters(found)] == [(("a.jpg", "b.jpg"), "bytes")]
    assert found.reasons["gone.jpg"] == MISSING


def test_a_marked_picture_is_not_the_best_although_larger(tmp_path, draw):
    from PIL import Image, ImageDraw

    image = Image.fromarray(draw(4, 320, 240))
    image.save(tmp_path / "clean.jpg", quality=85)
    large = image.resize((480, 360), Image.Resampling.LANCZOS)
    pen = ImageDraw.Draw(large)
    pen.text((40, 150), "(c) sample shop", fill="white", font_size=40)
    large.save(tmp_path / "marked.jpg", quality=90)
    listed = list_pictures(tmp_path, find_pictures(tmp_path))
    found = find_clusters(measure(listed, stages_for(with_embedding=False), tmp_path / "work", InlineExecutor()))
    assert [(cluster.members, cluster.best) for cluster in found] == [(("clean.jpg", "marked.jpg"), "clean.jpg")]


def test_no_pictures_are_no_error(tmp_path):
    found = measure(list_pictures(tmp_path, []), stages_for(with_embedding=False), tmp_path / "w", InlineExecutor())
    assert find_clusters(found) == []
