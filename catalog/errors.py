"""The exceptions that stop a run.

What is merely odd about one record is an issue row, not an exception (see `catalog.schema.IssueRecord`).
A command prints an error's message without a traceback and exits with its `exit_code`.
"""

from __future__ import annotations


class GleaneryError(Exception):
    """Base of all errors that a user is meant to read."""

    exit_code: int = 1


class UsageError(GleaneryError):
    """The command or a file the user wrote asks for something that cannot be; says what was expected and found."""

    exit_code = 2


class SourceChanged(GleaneryError):
    """A page no longer has the structure that its reader stands on; the run fails and says what it expected."""


class PageBlocked(GleaneryError):
    """A challenge, captcha or punish page: the source does not want us now. Never "no items"."""


class PageForeign(GleaneryError):
    """A page of a kind or site that the chosen reader does not know."""


class PolicyRefused(GleaneryError):
    """An address or an opt-out signal forbids a fetch; carries the reason slug."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the slug (see `catalog.schema.REASONS`) beside a sentence for people."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class BadImage(GleaneryError):
    """Bytes that give no picture; carries a reason slug. Caught by the decoder of the engine alone."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Keep the slug (see `catalog.schema.REASONS`) beside a sentence for people."""
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class CatalogCorrupt(GleaneryError):
    """Stored bytes do not match their name or manifest."""


class LeakFound(GleaneryError):
    """A group, subject or duplicate stands on two sides of a split of our own."""


class GateFailed(GleaneryError):
    """A release is refused: a gate of its recipe does not hold."""


class ReviewNeeded(GleaneryError):
    """A gate waits for people; not a failure. Carries the queue and how many answers are missing."""

    def __init__(self, queue: str, missing_count: int) -> None:
        """Say which queue waits and for how many answers."""
        super().__init__(f"review queue {queue!r} waits for {missing_count} more answers")
        self.queue = queue
        self.missing_count = missing_count
