"""A small web that changes while it is served: people join, leave and change their photos; a site breaks or blocks.

Everything follows from the seed and the number of steps taken; what is true now can be asked.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from sampleweb.cache import RenderCache
from sampleweb.names import FIELDS, FIRST_NAMES, LAST_NAMES
from sampleweb.pictures import Picture
from sampleweb.server import Answers
from sampleweb.structures import STRUCTURES
from sampleweb.universities import challenge_page
from sampleweb.world import Served, Site, World

_FIRST_HOST = 101
_STRUCTURE = "cards"
_BROKEN = b"<html><head><title>Moved</title></head><body><p>We are building a new site.</p></body></html>"


class ChangingWeb:
    """Sites with people; call `step` now and then.

    Args:
        sites: how many, each at an address of its own.
        people: on each at the beginning.
        seed: of all that happens.
        pictures: folder in which drawn pictures are kept.
    """

    def __init__(self, sites: int, people: int, seed: int, pictures: Path) -> None:
        self._rng = np.random.default_rng([seed, 5])
        self._seed = seed
        self._cache = RenderCache(pictures)
        self._next_person = 0
        self._people: dict[str, dict[int, int]] = {}
        self._manners: dict[str, str] = {}
        self.steps_count = 0
        labels = list(FIELDS)
        self.sites = [
            Site(
                name=f"changing-{number}", host=f"127.0.0.{_FIRST_HOST + number}", kind="staff", structure=_STRUCTURE,
                label=labels[number % len(labels)], organisation=f"changing{number}", title=f"Changing site {number}",
                start="/people/", expected_min=3, expected_max=500,
            )
            for number in range(sites)
        ]  # fmt: skip
        for site in self.sites:
            self._people[site.name] = {self._hire(): 0 for _ in range(people)}
            self._furnish(site)

    def people_count(self, name: str) -> int:
        """How many people a site shows when it is well."""
        return len(self._people[name])

    def step(self) -> None:
        """Let one person join, one leave and one change their photo, each on any site."""
        for change in (self._join, self._leave, self._change_photo):
            site = self.sites[int(self._rng.integers(len(self.sites)))]
            change(self._people[site.name])
            self._furnish(site)
        self.steps_count += 1

    def set_manner(self, name: str, manner: str) -> None:
        """Let a site be `well`, `broken` (another page stands there) or `blocking` (a challenge)."""
        self._manners[name] = manner
        self._furnish(next(site for site in self.sites if site.name == name))

    @contextlib.contextmanager
    def served(self, port: int) -> Iterator[None]:
        """Serve all sites on one port while the block runs, from a thread."""
        world = World(seed=self._seed, scale=1.0, sites=self.sites, truth={})
        app = Starlette(routes=[Route("/{path:path}", Answers(world, None, self._cache).answer)])
        sockets = []
        for site in self.sites:
            listening = socket.socket()
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((site.host, port))
            sockets.append(listening)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": sockets}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.should_exit = True
            thread.join(10)

    def _hire(self) -> int:
        self._next_person += 1
        return self._next_person

    def _join(self, people: dict[int, int]) -> None:
        people[self._hire()] = 0

    def _leave(self, people: dict[int, int]) -> None:
        if len(people) > 4:
            del people[min(people)]

    def _change_photo(self, people: dict[int, int]) -> None:
        people[int(self._rng.choice(list(people)))] += 1

    def _furnish(self, site: Site) -> None:
        """Write the pages as they are now; the new files take the place of the old ones at once."""
        manner = self._manners.get(site.name, "well")
        files = {"/": Served(body=b"<a href='/people/'>People</a>")}
        if manner == "broken":
            files[site.start] = Served(body=_BROKEN)
        elif manner == "blocking":
            files[site.start] = Served(body=challenge_page(), status=403)
        else:
            files |= self._pages(site)
        site.files = files

    def _pages(self, site: Site) -> dict[str, Served]:
        files: dict[str, Served] = {}
        shown = []
        for person, shot in sorted(self._people[site.name].items()):
            image = f"/media/{person}-{shot}.jpg"
            seed = (self._seed, 10_000 + person, shot)
            files[image] = Served(
                picture=Picture(kind="portrait", seed=seed, field=site.label, size=(180, 240)), content_type=""
            )
            name = f"{FIRST_NAMES[person % len(FIRST_NAMES)]} {LAST_NAMES[person // 7 % len(LAST_NAMES)]}"
            shown.append(
                {
                    "name": name, "title": "", "role": "Professor", "image": image, "alt": name,
                    "profile": f"/people/{person}/", "room": f"1.{person}", "mail": f"p{person}@changing.invalid",
                    "second": None,
                }
            )  # fmt: skip
        facts = {
            "lang": "en", "title": site.title, "heading": "People", "organisation": site.organisation,
            "start": site.start, "group": None,
        }  # fmt: skip
        pages = STRUCTURES[site.structure](site.start, [("Professors", shown)], facts)
        return files | {path: Served(body=text.encode()) for path, text in pages.items()}
