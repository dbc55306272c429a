"""The declarations that ship say where their addresses are known from, and wait until somebody has looked."""

from __future__ import annotations

import pytest

from spiders.policy.pace import PUBLIC_DELAY_S
from spiders.sources import SHIPPED, Source, load_sources

STAFF = [source for source in load_sources([SHIPPED]).values() if source.kind == "staff"]
UNIVERSITIES = {
    "kit", "tum", "lmu", "wuerzburg", "siegen", "bayreuth", "freiburg", "heidelberg", "erlangen", "bamberg", "mannheim"
}  # fmt: skip


def test_every_university_of_the_article_has_a_declaration() -> None:
    assert {source.organisation for source in STAFF} == UNIVERSITIES
    assert {source.label for source in STAFF} == {"cs", "econ", "german", "mechanical"}


@pytest.mark.parametrize("source", STAFF, ids=lambda source: source.name)
def test_nothing_is_enabled_before_it_was_verified(source: Source) -> None:
    assert source.reference
    assert source.is_enabled <= bool(source.verified_at)
    assert source.delay_s >= PUBLIC_DELAY_S
    assert not source.allow_loopback
