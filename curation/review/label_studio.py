"""Answers as Label Studio tasks with annotations, both ways, for people who already work with that tool.

A task's `data` names queue, target and picture; an annotation is one reviewer's answer, a prediction the model's. The
labelling configuration that fits is `labelling_config`. Source of the format: Label Studio documentation, "Export
annotations: Label Studio JSON format" and "Import pre-annotated data".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from catalog import files
from catalog.db import Catalog
from catalog.errors import UsageError
from catalog.ids import short_id
from catalog.schema import Verdict
from curation.review.answers import checked_reviewer
from curation.review.progress import read_given
from curation.review.queues.contract import Card
from curation.review.queues.registry import find_queue
from curation.verdicts import UNDONE

_FROM, _TO = "answer", "image"
_ANSWER_CHARS = 40


def export_tasks(catalog: Catalog, cards: Sequence[Card], image_url: Callable[[str], str], path: Path) -> int:
    """Write the cards of one queue as tasks, answered or not, with the answers that stand; returns how many tasks.

    Args:
        catalog: has the answers.
        cards: of one queue.
        image_url: image id -> the address that Label Studio shows.
        path: JSON file to write.
    """
    queue = cards[0].queue if cards else ""
    standing = read_given(catalog, queue).standing if queue else {}
    last: dict[tuple[str, str], Verdict] = {}
    for verdict in catalog.verdicts(queue or None):
        last[verdict.target_id, verdict.reviewer] = verdict
    by_target: dict[str, list[Verdict]] = {}
    for target, reviewer in standing:
        by_target.setdefault(target, []).append(last[target, reviewer])
    tasks = [
        _task(number, card, by_target.get(card.target_id, []), image_url) for number, card in enumerate(cards, start=1)
    ]
    files.write_text(path, json.dumps(tasks, indent=1, ensure_ascii=False) + "\n")
    return len(tasks)


def _task(number: int, card: Card, verdicts: Iterable[Verdict], image_url: Callable[[str], str]) -> dict[str, Any]:
    images = [picture.image_id for picture in card.pictures] or [card.image_id]
    data = {
        "image": image_url(images[0]),
        "images": [image_url(image) for image in images],
        "queue": card.queue,
        "target_id": card.target_id,
        "image_ids": images,
        "title": card.title,
        "choices": [{"value": answer.slug, "html": answer.title} for answer in card.answers if answer.is_offered],
    }
    predictions = []
    if card.model_answer is not None:
        score = {} if card.model_prob is None else {"score": round(card.model_prob, 6)}
        predictions = [{"model_version": "gleanery", **score, "result": [_result(card.model_answer, "model")]}]
    annotations = [
        {
            "id": place,
            "completed_by": {"email": verdict.reviewer},
            "created_at": verdict.answered_at,
            "lead_time": verdict.duration_s,
            "was_cancelled": False,
            "result": [_result(verdict.answer, verdict.verdict_id)],
        }
        for place, verdict in enumerate(verdicts, start=1)
    ]
    return {"id": number, "data": data, "annotations": annotations, "predictions": predictions}


def _result(answer: str, name: str) -> dict[str, Any]:
    return {"id": name, "type": "choices", "from_name": _FROM, "to_name": _TO, "value": {"choices": [answer]}}


def labelling_config(queue: str) -> str:
    """Give the labelling configuration (XML) of a queue: the picture, or all of them, and one choice.

    Queues whose answers differ from card to card take them from the task (`$choices`).
    """
    kind = find_queue(queue)
    pictures = '  <Image name="image" value="$image"/>\n'
    if kind.layout == "list" and kind.name != "faces":
        pictures = '  <Image name="image" valueList="$images"/>\n'
    if kind.positive:
        rows = "".join(f"    <Choice value={quoteattr(a.slug)} alias={quoteattr(a.slug)}/>\n" for a in kind.answers)
        choices = f'  <Choices name="{_FROM}" toName="{_TO}" choice="single">\n{rows}  </Choices>\n'
    else:
        choices = f'  <Choices name="{_FROM}" toName="{_TO}" choice="single" value="$choices"/>\n'
    return f"<View>\n  <Header value={quoteattr(kind.question)}/>\n{pictures}{choices}</View>\n"


def import_annotations(catalog: Catalog, path: Path) -> int:
    """Append the annotations of a Label Studio JSON export that are not there yet; returns how many were new.

    Cancelled (skipped) ones and tasks without annotations are left out. What was exported from here and not changed
    there is known and adds nothing.

    Raises:
        UsageError: no such export, or a task or annotation that is none of a queue; says which, nothing is imported.
    """
    try:
        tasks = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"{path}: not JSON: {error}") from error
    if not isinstance(tasks, list):
        raise UsageError(f"{path}: expected a list of tasks, as Label Studio's JSON export is")
    known = {verdict.verdict_id: verdict.answer for verdict in catalog.verdicts()}
    verdicts: list[Verdict] = []
    for number, task in enumerate(tasks, start=1):
        try:
            found = [_read_annotation(task, one, known) for one in task.get("annotations", []) if _is_given(one)]
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, UsageError) as error:
            raise UsageError(f"{path}, task {number}: {type(error).__name__}: {error}") from error
        verdicts += [verdict for verdict in found if verdict is not None]
    verdicts.sort(key=lambda verdict: verdict.answered_at)
    return catalog.add_verdicts(verdicts)


def _is_given(annotation: Mapping[str, Any]) -> bool:
    return not annotation.get("was_cancelled") and bool(annotation.get("result"))


def _read_annotation(
    task: Mapping[str, Any], annotation: Mapping[str, Any], known: Mapping[str, str]
) -> Verdict | None:
    """Make a verdict of an annotation; None where it is one of ours, unchanged."""
    data = task["data"]
    queue, target = find_queue(data["queue"]).name, str(data["target_id"])
    result = next(part for part in annotation["result"] if part.get("from_name", _FROM) == _FROM)
    (answer,) = result["value"]["choices"]
    if not isinstance(answer, str) or not 0 < len(answer) <= _ANSWER_CHARS or answer == UNDONE:
        raise UsageError(f"expected an answer of 1 to {_ANSWER_CHARS} characters, found {str(answer)[:100]!r}")
    if known.get(str(result.get("id"))) == answer:
        return None
    # Edited there, it is a new answer, given when it was edited.
    answered_at = str(annotation.get("updated_at") or annotation["created_at"])
    reviewer = checked_reviewer(_reviewer_name(annotation.get("completed_by")))
    lead_time = annotation.get("lead_time")
    return Verdict(
        verdict_id=short_id("verdict", "label-studio", queue, target, reviewer, answered_at, answer),
        queue=queue,
        target_id=target,
        answer=answer,
        reviewer=reviewer,
        answered_at=answered_at,
        shown={"image_ids": data.get("image_ids", []), "tool": "label-studio"},
        duration_s=float(lead_time) if isinstance(lead_time, int | float) else None,
    )


def _reviewer_name(completed_by: Any) -> str:
    """Name who annotated: Label Studio gives a number, or an object with e-mail and names."""
    if isinstance(completed_by, Mapping):
        return str(completed_by.get("email") or completed_by.get("username") or f"annotator {completed_by['id']}")
    return f"annotator {completed_by}"
