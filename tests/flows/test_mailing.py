from __future__ import annotations

from typing import Any

import pytest

from catalog.config import Config
from catalog.errors import UsageError
from flows.mailing import send_mail
from tests.e2e.receivers import mail_server


def test_an_alert_is_mailed() -> None:
    with mail_server() as (port, letters):
        config = Config(alert_email="ops@example.org", smtp_url=f"smtp://127.0.0.1:{port}")
        send_mail(config, "Gleanery: source rejected", "uni-cs: rejected: found 2 people, expected at least 10")
    (letter,) = letters
    assert b"To: ops@example.org" in letter
    assert b"Subject: Gleanery: source rejected" in letter
    assert b"uni-cs: rejected: found 2 people" in letter


@pytest.mark.parametrize("wrong", [{"smtp_url": ""}, {"smtp_url": "http://x"}, {"alert_email": ""}])
def test_half_a_setting_is_a_usage_error(wrong: dict[str, Any]) -> None:
    settings = {"alert_email": "ops@example.org", "smtp_url": "smtp://127.0.0.1", **wrong}
    with pytest.raises(UsageError, match="smtp_url"):
        send_mail(Config(**settings), "s", "t")
