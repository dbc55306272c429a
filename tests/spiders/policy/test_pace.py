from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.errors import UsageError
from spiders.policy.agent import user_agent
from spiders.policy.pace import MAX_WAIT_S, back_off_s, retry_after_s

NOW = datetime(2026, 11, 21, 5, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Sat, 21 Nov 2026 05:01:30 GMT", 90.0),
        ("Sat, 21 Nov 2026 04:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        (None, None),
        ("-5", None),
    ],
)
def test_retry_after(value, seconds):
    assert retry_after_s(value, NOW) == seconds


def test_the_pause_grows_and_ends():
    waits = [back_off_s(tries, 1.0) for tries in range(1, 12)]
    assert waits[:3] == [4.0, 8.0, 16.0]
    assert max(waits) == MAX_WAIT_S


def test_the_user_agent_says_who_we_are():
    assert user_agent("lab@example.org", is_loopback=False) == "GleaneryBot/0.1 (+lab@example.org)"
    with pytest.raises(UsageError, match="GLEANERY_CONTACT"):
        user_agent("  ", is_loopback=False)
    with pytest.raises(UsageError):
        user_agent("a)\r\nX: y", is_loopback=True)
