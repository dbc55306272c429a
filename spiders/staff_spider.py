"""People of a site: list pages, and the profile pages that they lead to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.errors import UsageError
from spiders.assembly.drafts import Draft
from spiders.assembly.people import Reading, people
from spiders.gleaning_spider import GleaningSpider, PageRead, Step
from spiders.pages.contract import PageInput, PageResult
from spiders.pages.staff import StaffHints, read_profile, read_staff
from spiders.site import bare
from spiders.sources import Source


def staff_hints(source: Source) -> StaffHints:
    """Read the CSS hints of a source.

    Raises:
        UsageError: an unknown hint; names those that are known.
    """
    try:
        return StaffHints(**source.hints)
    except TypeError:
        known = ", ".join(StaffHints.__dataclass_fields__)
        raise UsageError(
            f"source {source.name!r}: unknown hint among {sorted(source.hints)}, expected {known}"
        ) from None


class StaffSpider(GleaningSpider):
    """Collects people and portraits."""

    name = "staff"
    first_role = "list"
    counted_name = "people"

    def counted(self, draft: Draft) -> object:
        """Every subject is a person."""
        return draft.key

    @classmethod
    def check(cls, source: Source) -> None:
        """Read the hints."""
        staff_hints(source)

    def read(self, step: Step, page: PageInput) -> PageResult:
        """Read a list, or a person's own page."""
        reader = read_profile if step.role == "profile" else read_staff
        return reader(page, staff_hints(self.work.source))

    def follow(self, read: PageRead) -> Iterable[Step]:
        """Go where the page leads; what it names as somebody's profile is read as one, if the source wants them."""
        named = [str(url) for record in read.result.records if (url := record.get("profile_url"))]
        profiles, wanted = {bare(url) for url in named}, self.work.source.profiles
        further = named if wanted == "always" and read.step.role == "list" else []
        for url in dict.fromkeys([*read.result.pages, *further]):
            role = "profile" if bare(url) in profiles else "list"
            if role == "list" or wanted != "never":
                yield Step(url=url, role=role, depth=read.step.depth + 1)

    def drafts(self, pages: Sequence[PageRead]) -> list[Draft]:
        """Merge mentions into people."""
        readings = [
            Reading(
                page_id=read.page_id, page_url=read.step.url if read.step.role == "profile" else read.final_url,
                is_profile=read.step.role == "profile", records=read.result.records,
            )
            for read in pages
        ]  # fmt: skip
        return people(self.work.source, readings)
