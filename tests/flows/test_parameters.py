from __future__ import annotations

from typing import get_args

import pytest
from pydantic import TypeAdapter, ValidationError

from flows.parameters import RequestId, TaskName
from training.tasks import TASKS


def test_the_form_offers_every_task() -> None:
    assert set(get_args(TaskName)) == set(TASKS)


@pytest.mark.parametrize("typed", ["Ada Planted", "take_0123", "take_0123456789ABCDEF", " take_0123456789abcdef"])
def test_only_the_id_of_a_request_starts_a_takedown(typed: str) -> None:
    TypeAdapter(RequestId).validate_python("take_0123456789abcdef")
    with pytest.raises(ValidationError):
        TypeAdapter(RequestId).validate_python(typed)
