from __future__ import annotations

from pathlib import Path

import pytest

from catalog.db import Catalog
from catalog.ids import run_id
from catalog.ingest import ingest_run
from catalog.landing import LandingWriter
from catalog.schema import ImageRecord, IssueRecord, PageRecord, RunRecord, SightingRecord, SubjectRecord
from flows.health import failure_classes, source_health, trend


@pytest.mark.parametrize(
    ("runs", "drawn"),
    [
        ([], ""),
        ([("ok", 5)], "▅"),
        ([("ok", 5), ("ok", 5)], "▅▅"),
        ([("ok", 0), ("ok", 7), ("blocked", 0), ("rejected", 2), ("failed", 0), ("ok", 3)], "▁█brf▄"),
    ],
)
def test_the_trend_is_a_sign_per_run(runs: list[tuple[str, int]], drawn: str) -> None:
    assert trend(runs) == drawn


def test_reasons_are_counted_by_class() -> None:
    reasons = {"fetch_timeout": 2, "fetch_dns": 1, "policy_noai": 4, "record_odd": 1, "suppressed": 1}
    assert failure_classes(reasons) == {"refused": 4, "fetch": 3, "record": 1, "suppressed": 1}


def _land(folder: Path, hour: int, people: dict[str, str], state: str = "ok", reasons: tuple[str, ...] = ()) -> Path:
    """Land a run of source `cs`: person -> photo."""
    at = f"2026-11-21T{hour:02d}:00:00Z"
    run = run_id(at, "cs")
    with LandingWriter(folder / run) as writer:
        writer.add(
            PageRecord(page_id="p", source="cs", url="u", final_url="u", status=200, via="http", body_sha256=None,
                       fetched_at=at)
        )  # fmt: skip
        for person, photo in people.items():
            image = photo * 64
            writer.add(SubjectRecord(subject_id=person, source="cs", kind="person", label="cs", name=person))
            writer.add(ImageRecord(image_id=image, source="cs", url=photo, size_bytes=1, fetched_at=at))
            writer.add(
                SightingRecord(sighting_id=f"{person}{photo}", source="cs", page_id="p", subject_id=person,
                               slot="portrait", rank=0, image_url=photo, image_id=image)
            )  # fmt: skip
        for number, reason in enumerate(reasons):
            writer.add(IssueRecord(source="cs", reason=reason, where=str(number)))
        counts = {"subjects": len(people), "failed": len(reasons), "refused": 0}
        writer.finish(
            RunRecord(run_id=run, source="cs", kind="crawl", state=state, started_at=at, finished_at=at, counts=counts,
                      detail="" if state == "ok" else "too few")
        )  # fmt: skip
    return folder / run


def test_health_says_who_came_changed_and_went_and_what_failed(tmp_path: Path) -> None:
    with Catalog(f"sqlite:///{tmp_path / 'c.db'}") as catalog:
        (nothing,) = source_health(catalog, ["cs"])
        assert (nothing.state, nothing.trend, nothing.has_news) == ("none", "", False)
        ingest_run(catalog, _land(tmp_path, 1, {"ann": "a", "bob": "b", "cem": "c"}))
        ingest_run(catalog, _land(tmp_path, 2, {"ann": "a", "bob": "d", "eve": "e"}, reasons=("fetch_timeout",) * 2))
        (health,) = source_health(catalog, ["cs"])
        assert (health.new_count, health.changed_count, health.gone_count) == (1, 1, 1)
        assert health.to_row()["failure class"] == "fetch 2"
        assert health.has_news
        ingest_run(catalog, _land(tmp_path, 3, {"ann": "a"}, state="rejected"))
        (rejected,) = source_health(catalog, ["cs"])
        assert (rejected.state, rejected.detail, rejected.gone_count) == ("rejected", "too few", 0)
        assert rejected.trend == "▅▅r"
