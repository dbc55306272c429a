from __future__ import annotations

from catalog.schema import Verdict
from curation.verdicts import agreed_answers, verdicts_frame


def verdict(number: int, target: str, answer: str, reviewer: str = "a") -> Verdict:
    return Verdict(
        verdict_id=f"v{number}", queue="noise", target_id=target, answer=answer, reviewer=reviewer,
        answered_at=f"2026-11-21T05:00:{number:02d}Z",
    )  # fmt: skip


def test_later_answers_and_undo_replace_earlier_ones_of_one_reviewer():
    frame = verdicts_frame(
        [verdict(1, "x", "noise"), verdict(2, "x", "good"), verdict(3, "y", "noise"), verdict(4, "y", "undone")]
    )
    assert agreed_answers(frame, "noise") == {"x": "good"}
    assert agreed_answers(frame, "duplicates") == {}


def test_majority_wins_and_the_latest_breaks_a_tie():
    frame = verdicts_frame(
        [
            verdict(1, "x", "noise", "a"), verdict(2, "x", "noise", "b"), verdict(3, "x", "good", "c"),
            verdict(4, "y", "noise", "a"), verdict(5, "y", "good", "b"),
        ]
    )  # fmt: skip
    assert agreed_answers(frame, "noise") == {"x": "noise", "y": "good"}
