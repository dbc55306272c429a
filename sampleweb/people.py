"""People, where they are listed, and their photos with every planted nuisance.

All draws come from generators seeded by (seed, what for): one part of the world does not move when another changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sampleweb.drawings import FaceDrawing, GroupDrawing, LogoDrawing, SilhouetteDrawing
from sampleweb.images import ImageSpec
from sampleweb.looks import Look, draw_look, draw_shot
from sampleweb.names import FIRST_NAMES, LAST_NAMES, ROLE_ORDER, ROLE_WEIGHTS, ROLES, TITLES_AFTER, TITLES_BEFORE
from sampleweb.sites import Site

PEOPLE_AT_SCALE_1 = 600
SIZES_PX = ((180, 240), (240, 320), (360, 480), (480, 600), (600, 800), (900, 1200), (1200, 1600))
SIZE_WEIGHTS = (0.22, 0.26, 0.22, 0.14, 0.1, 0.04, 0.02)
COPY_EDITS: dict[str, tuple[tuple[tuple[str, float], ...], int]] = {
    "same_bytes": ((), 85),
    "resized": ((("resize", 0.7),), 85),
    "recompressed": ((), 42),
    "cropped": ((("crop", 0.07),), 85),
    "mirrored": ((("mirror", 1.0),), 85),
    "watermarked": ((("watermark", 0.75),), 85),
    "brightness": ((("brightness", 1.22),), 85),
}
"""Edits and JPEG quality by which a photo of somebody listed twice is made from the first one."""


@dataclass(frozen=True, slots=True)
class Spoil:
    """One planted nuisance of portraits."""

    name: str
    count: int
    """People at scale 1; never fewer than one."""
    reasons: tuple[str, ...] = ()
    """Slugs that a careful reader may give for not using it; empty where the portrait is good."""
    encoding: str = "jpeg"


SPOILS = (
    Spoil("truncated", 6, ("decode_truncated",), "jpeg_truncated"),
    Spoil("html_as_jpg", 5, ("decode_not_an_image", "fetch_not_an_image"), "html"),
    Spoil("bomb", 2, ("decode_bomb",), "bomb"),
    Spoil("empty", 2, ("decode_empty", "fetch_not_an_image"), "empty"),
    Spoil("animated", 4, ("decode_animated",), "gif_animated"),
    Spoil("palette_png", 8, (), "png_palette"),
    Spoil("palette_gif", 5, (), "gif_palette"),
    Spoil("png", 12, (), "png"),
    Spoil("cmyk", 8, (), "jpeg_cmyk"),
    Spoil("webp", 14, (), "webp"),
    Spoil("exif_upside_down", 4, (), "jpeg_exif_3"),
    Spoil("exif_left", 5, (), "jpeg_exif_6"),
    Spoil("exif_right", 5, (), "jpeg_exif_8"),
    Spoil("rotated_pixels", 8, ("faces_tilted", "faces_none_found")),
    Spoil("group_photo", 6, ("faces_many",)),
    Spoil("logo", 5, ("faces_none_found", "record_placeholder"), "png"),
    Spoil("tiny", 5, ("quality_too_small", "faces_small", "faces_none_found")),
    Spoil("noai", 5, ("policy_noai",)),
    Spoil("not_found", 5, ("fetch_not_found",)),
    Spoil("no_image", 10, ("record_no_image",)),
    Spoil("forbidden", 2, ("policy_robots",)),
    Spoil("placeholder", 24, ("record_placeholder", "quality_placeholder"), "png"),
)
SPOIL_BY_NAME = {spoil.name: spoil for spoil in SPOILS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who does not exist."""

    person_id: str
    name: str
    title: str
    is_title_last: bool
    field: str
    role_class: str
    look: Look

    @property
    def shown_name(self) -> str:
        """Name as a page prints it, with the academic title."""
        if self.is_title_last:
            return f"{self.name}, {self.title}"
        return f"{self.title} {self.name}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """One image that a page shows as this person."""

    photo_id: str
    site: str
    person_id: str
    slot: str
    """`portrait`, `thumbnail` (a small copy on the list page) or `gallery` (a second photo)."""
    path: str
    spec: ImageSpec
    spoil: str | None = None
    copy_kind: str | None = None
    """How it was made from `copy_of`: a key of `COPY_EDITS`."""
    copy_of: str | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Reasons for which it may be dropped as a portrait; empty where it is a good one."""
        return SPOIL_BY_NAME[self.spoil].reasons if self.spoil else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A person as listed by one site."""

    site: str
    person: Person
    role: str
    portrait: Photo | None
    thumbnail: Photo | None = None
    gallery: tuple[Photo, ...] = ()


def _generator(seed: int, *words: str) -> np.random.Generator:
    return np.random.default_rng([seed, *hashlib.sha256(" ".join(words).encode()).digest()[:8]])


def photo_path(site: Site, words: str, suffix: str) -> str:
    """Give an address that tells nothing about the person."""
    return f"{site.media}{hashlib.sha256(words.encode()).hexdigest()[:12]}{suffix}"


def invent_names(seed: int) -> Iterator[str]:
    """Give different full names for ever (as long as the lists last)."""
    pairs = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    for place in _generator(seed, "names").permutation(len(pairs)):
        yield pairs[place]


def invent_person(seed: int, number: int, name: str, field: str) -> Person:
    """Invent one person of a department."""
    person_id = f"p{number:04d}"
    rng = _generator(seed, "person", person_id)
    role_class = str(rng.choice(ROLE_ORDER, p=ROLE_WEIGHTS))
    before = TITLES_BEFORE.get(role_class, ("",))
    title, is_last = str(rng.choice(before)), False
    if role_class in TITLES_AFTER and (not title or rng.random() < 0.3):
        title, is_last = str(rng.choice(TITLES_AFTER[role_class])), True
    look = draw_look(field, rng)
    return Person(
        person_id=person_id,
        name=name,
        title=title,
        is_title_last=is_last,
        field=field,
        role_class=role_class,
        look=look,
    )


def take_portrait(seed: int, person: Person, site: Site, shot_number: int, slot: str = "portrait") -> Photo:
    """Photograph a person: an unspoiled JPEG in one of the usual sizes."""
    rng = _generator(seed, "shot", person.person_id, str(shot_number))
    drawing = FaceDrawing(person.look, draw_shot(person.field, rng))
    width, height = SIZES_PX[int(rng.choice(len(SIZES_PX), p=SIZE_WEIGHTS))]
    spec = ImageSpec(drawing, width, height, quality=int(rng.integers(78, 93)))
    photo_id = f"{site.name}/{person.person_id}/{slot}"
    return Photo(
        photo_id=photo_id,
        site=site.name,
        person_id=person.person_id,
        slot=slot,
        path=photo_path(site, photo_id, spec.suffix),
        spec=spec,
    )


def copy_photo(original: Photo, site: Site, kind: str, slot: str = "portrait") -> Photo:
    """Make an edited copy for another place."""
    edits, quality = COPY_EDITS[kind]
    spec = original.spec if kind == "same_bytes" else replace(original.spec, edits=edits, quality=quality)
    photo_id = f"{site.name}/{original.person_id}/{slot}"
    return Photo(
        photo_id=photo_id,
        site=site.name,
        person_id=original.person_id,
        slot=slot,
        path=photo_path(site, photo_id, spec.suffix),
        spec=spec,
        copy_kind=kind,
        copy_of=original.photo_id,
    )


def spoil_photo(seed: int, photo: Photo, person: Person, site: Site, spoil: Spoil, others: Sequence[Person]) -> Photo:
    """Replace a portrait by its spoiled form; the address keeps the ending of what is claimed to be served."""
    rng = _generator(seed, "spoil", photo.photo_id)
    spec = replace(photo.spec, encoding=spoil.encoding)
    path_words = photo.photo_id
    if spoil.name == "rotated_pixels":
        spec = replace(spec, edits=(("rotate", float(rng.choice((90, 270)))),))
    elif spoil.name == "tiny":
        spec = replace(spec, width_px=36, height_px=48)
    elif spoil.name == "group_photo":
        faces = tuple((other.look, draw_shot(other.field, rng)) for other in (person, *others))
        spec = replace(spec, drawing=GroupDrawing(faces), width_px=240 * len(faces), height_px=400)
    elif spoil.name == "logo":
        colour = (int(rng.integers(20, 160)), int(rng.integers(20, 160)), int(rng.integers(20, 160)))
        spec = replace(
            spec,
            drawing=LogoDrawing(site.label[:2].upper(), colour, bool(rng.random() < 0.5)),
            width_px=300,
            height_px=300,
        )
    elif spoil.name == "placeholder":
        tone = 190 + sum(site.name.encode()) % 40
        spec = ImageSpec(SilhouetteDrawing(tone, has_shoulders=tone % 2 == 0), 240, 320, encoding="png")
        path_words = f"{site.name}/placeholder"
    path = photo_path(site, path_words, spec.suffix)
    if spoil.name == "placeholder" and site.language == "de":
        path = f"{site.media}platzhalter-person{spec.suffix}"
    elif spoil.name == "forbidden":
        path = f"/intern/fotos/{path.rsplit('/', 1)[1]}"
    return replace(photo, spec=spec, spoil=spoil.name, path=path)


class Registrar:
    """Lists people on sites and hands out the nuisances; used once, by `list_people`."""

    def __init__(self, seed: int, scale: float, sites: Sequence[Site]) -> None:
        self._seed, self._scale, self._sites = seed, scale, sites
        self._listings: dict[str, list[Listing]] = {site.name: [] for site in sites}
        self._free: list[tuple[Site, Person]] = []
        self._by_photo: dict[str, Photo] = {}

    def _count(self, at_scale_1: int) -> int:
        return max(1, round(at_scale_1 * self._scale))

    def _role(self, person: Person, site: Site) -> str:
        choices = ROLES[site.language][person.role_class]
        return choices[int(person.person_id[1:]) % len(choices)]

    def _enlist(self, site: Site, person: Person, portrait: Photo | None) -> None:
        listing = Listing(site=site.name, person=person, role=self._role(person, site), portrait=portrait)
        self._listings[site.name].append(listing)

    def invent(self, per_site: Sequence[int]) -> None:
        """Invent the people of every site; `_free` holds them in random order for the nuisances."""
        names, number = invent_names(self._seed), 0
        for site, count in zip(self._sites, per_site, strict=True):
            for _ in range(count):
                number += 1
                self._free.append((site, invent_person(self._seed, number, next(names), site.label)))
        order = _generator(self._seed, "nuisances").permutation(len(self._free))
        self._free = [self._free[place] for place in order]

    def _take(self, count: int, site_name: str | None = None) -> list[tuple[Site, Person]]:
        taken = [pair for pair in self._free if site_name in (None, pair[0].name)][:count]
        self._free = [pair for pair in self._free if pair not in taken]
        return taken

    def list_twice(self) -> None:
        """Plant people of two departments: every kind of copy, once in the same field and once in another."""
        kinds = (*COPY_EDITS, "other_photo")
        for turn, (site, person) in enumerate(self._take(max(2 * len(kinds), self._count(48)))):
            kind, is_same_field = kinds[turn // 2 % len(kinds)], turn % 2 == 0
            second = self._second_site(site, is_same_field, turn)
            first = take_portrait(self._seed, person, site, 0)
            other = (
                take_portrait(self._seed, person, second, 1)
                if kind == "other_photo"
                else copy_photo(first, second, kind)
            )
            self._enlist(site, person, first)
            self._enlist(second, person, other)

    def _second_site(self, site: Site, is_same_field: bool, turn: int) -> Site:
        if is_same_field:
            fits = [
                other for other in self._sites if other.label == site.label and other.organisation != site.organisation
            ]
        else:
            fits = [
                other for other in self._sites if other.label != site.label and other.organisation == site.organisation
            ]
        return fits[turn % len(fits)]

    def spoil(self) -> None:
        """Plant every spoil; placeholders stand three to a site, so that one picture stands for many people."""
        for spoil in SPOILS:
            if spoil.name == "placeholder":
                chosen = [pair for site in self._placeholder_sites() for pair in self._take(3, site)]
            else:
                chosen = self._take(
                    self._count(spoil.count), self._sites[0].name if spoil.name == "forbidden" else None
                )
            for site, person in chosen:
                self._spoil_one(site, person, spoil)

    def _placeholder_sites(self) -> list[str]:
        count = self._count(SPOIL_BY_NAME["placeholder"].count // 3)
        return [self._sites[(5 * place + 2) % len(self._sites)].name for place in range(count)]

    def _spoil_one(self, site: Site, person: Person, spoil: Spoil) -> None:
        if spoil.name == "no_image":
            self._enlist(site, person, None)
            return
        others = [pair[1] for pair in self._free[:2]]
        photo = spoil_photo(self._seed, take_portrait(self._seed, person, site, 0), person, site, spoil, others)
        self._enlist(site, person, photo)

    def list_rest(self) -> None:
        """List everybody else with a good portrait."""
        for site, person in self._free:
            self._enlist(site, person, take_portrait(self._seed, person, site, 0))

    def finish(self) -> tuple[Listing, ...]:
        """Give the listings by site in page order, by role and then name, with thumbnails and second photos."""
        ordered: list[Listing] = []
        for site in self._sites:
            by_rank = sorted(
                self._listings[site.name], key=lambda it: (ROLE_ORDER.index(it.person.role_class), it.person.name)
            )
            ordered += [self._with_more_photos(site, listing, place) for place, listing in enumerate(by_rank)]
        return tuple(ordered)

    def _with_more_photos(self, site: Site, listing: Listing, place: int) -> Listing:
        portrait = listing.portrait
        if site.structure != "list_profiles" or portrait is None or portrait.spoil is not None:
            return listing
        gallery: tuple[Photo, ...] = ()
        if place % 5 < 2:
            gallery = (take_portrait(self._seed, listing.person, site, 2, "gallery"),)
        thumbnail = copy_photo(portrait, site, "resized", "thumbnail") if sum(site.name.encode()) % 2 else None
        if thumbnail is not None:
            factor = 96 / (portrait.spec.width_px or 1)
            thumbnail = replace(
                thumbnail, spec=replace(portrait.spec, edits=(*portrait.spec.edits, ("resize", factor)))
            )
        return replace(listing, gallery=gallery, thumbnail=thumbnail)


def list_people(seed: int, scale: float, sites: Sequence[Site], per_site: Sequence[int]) -> tuple[Listing, ...]:
    """Give everybody who is listed anywhere, site by site in page order.

    Args:
        seed: of the world.
        scale: 1 plants the nuisances in the counts of `SPOILS`; less shrinks them, to one each at least.
        sites: the staff sites.
        per_site: how many people are invented for each (some are then listed by a second site too).
    """
    registrar = Registrar(seed, scale, sites)
    registrar.invent(per_site)
    registrar.list_twice()
    registrar.spoil()
    registrar.list_rest()
    return registrar.finish()
