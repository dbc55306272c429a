"""Pages of reviews: HTML of 2018, data of 2019 on, and one item's as the table of the 2018 API."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from sampleweb.shop.offers import Offer, Review, said
from sampleweb.world import Served

BUYER_MARKS = ("Quux", "90000000", "avatar")
"""Parts of every buyer's name, id and portrait on the pages: they may stand nowhere in what a crawl keeps."""
ORIGIN = "{{origin}}"
"""What the server puts its own address in place of: the table names whole addresses."""
_PAGE_SIZE = 20


def pages_of(offer: Offer) -> dict[str, Served]:
    """Write all pages of an item's reviews."""
    if offer.item_format == "html2018":
        if offer.number == 4:
            return {evaluation_path(offer): _table(offer)}
        return _html_pages(offer)
    parts = [offer.reviews[start : start + _PAGE_SIZE] for start in range(0, len(offer.reviews), _PAGE_SIZE)]
    return {
        f"/pc/searchEvaluation.do?productId={offer.item_id}&page={number}": Served(
            body=json.dumps(_answer(offer, part, number, len(parts)), ensure_ascii=False).encode(),
            content_type="application/json",
        )
        for number, part in enumerate(parts, start=1)
    }


def evaluation_path(offer: Offer, page: int = 1) -> str:
    """Where the reviews of 2018 stand, as the server tells addresses apart."""
    return f"/display/productEvaluation.htm?productId={offer.item_id}&page={page}"


def order_line(offer: Offer, review: Review) -> list[tuple[str, str]]:
    """What a review says was ordered."""
    language = offer.category.language
    color = [(said(language, "Color"), offer.called(review.color))] if review.color else []
    return [*color, (said(language, "Size"), "SML"[review.number % 3]), ("Ships From", "China")]


def _facts(offer: Offer, review: Review) -> dict[str, Any]:
    """One review as the data has it, buyer included."""
    identity = int(offer.item_id) * 100 + review.number
    photos = [path for path, _ in review.photos]
    line = "".join(f"{name}:{value} " for name, value in order_line(offer, review))
    return {
        "evaluationId": identity, "evaluationIdStr": str(identity), "buyerCountry": review.country,
        "buyerEval": 20 * review.stars, "buyerFeedback": "As in the picture." if review.number % 2 else "Nice.",
        "evalDate": f"{1 + review.number:02d} Mar 2022", "skuInfo": line, "status": "1",
        "images": photos, "thumbnails": [f"{path}_220x220.jpg" for path in photos], "anonymous": False,
        "buyerName": f"Quux{review.number}***r", "buyerId": 90000000 + review.number, "buyerGender": "F",
        "buyerHeadPortrait": f"/kf/avatar{review.number}.jpg_220x220.jpg",
    }  # fmt: skip


def _answer(offer: Offer, part: Sequence[Review], page: int, pages: int) -> dict[str, Any]:
    return {
        "data": {
            "currentPage": page, "totalPage": pages, "totalNum": len(offer.reviews),
            "evaViewList": [_facts(offer, review) for review in part],
            "productEvaluationStatistic": {"evarageStar": 4.7},
        }
    }  # fmt: skip


def _html_pages(offer: Offer) -> dict[str, Served]:
    """Pages of 2018 do not say how many there are: the one after the last is empty."""
    starts = range(0, len(offer.reviews) + _PAGE_SIZE, _PAGE_SIZE)
    return {
        evaluation_path(offer, number): Served(body=_html(offer, offer.reviews[start : start + _PAGE_SIZE]).encode())
        for number, start in enumerate(starts, start=1)
    }


def _html(offer: Offer, part: Sequence[Review]) -> str:
    blocks = "".join(_html_review(offer, review) for review in part)
    return (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>Feedback</title></head>'
        f'<body><div class="feedback-list-wrap">{blocks}</div></body></html>'
    )


def _html_review(offer: Offer, review: Review) -> str:
    order = "".join(f"<span><strong>{name}:</strong> {value} </span>" for name, value in order_line(offer, review))
    photos = "".join(
        f'<li class="pic-view-item" data-src="{path}"><img src="{path}_50x50.jpg"></li>' for path, _ in review.photos
    )
    return (
        '<div class="feedback-item clearfix"><div class="fb-user-info">'
        f'<span class="user-avatar"><img src="/kf/avatar{review.number}.jpg_50x50.jpg"></span>'
        f'<span class="user-name"><a href="/display/detail.htm?ownerMemberId={90000000 + review.number}">'
        f"Quux{review.number}***r</a></span>"
        f'<div class="user-country"><b class="css_flag css_{review.country.lower()}">{review.country}</b></div></div>'
        '<div class="fb-main"><div class="f-rate-info"><span class="star-view">'
        f'<span style="width:{20 * review.stars}%"></span></span></div><div class="user-order-info">{order}</div>'
        '<div class="buyer-personal-info"><span class="buyer-personal-info-item">'
        f'<span class="buyer-personal-info-title">Height:</span> {review.height_cm}cm</span></div>'
        '<div class="f-content"><dl class="buyer-review"><dt class="buyer-feedback"><span>As in the picture.</span>'
        f'<span class="r-time-new">{1 + review.number:02d} Mar 2018 10:00</span></dt>'
        f'<dd class="r-photo-list"><ul>{photos}</ul></dd>'
        f'<dd class="r-time">{1 + review.number:02d} Mar 2018 10:00</dd></dl></div></div></div>'
    )


def _table(offer: Offer) -> Served:
    columns = (
        "productId", "buyerId", "buyerName", "buyerEval", "buyerFeedback", "buyerCountry", "buyerGender",
        "buyerHeadPortrait", "evalDate", "anonymous", "images", "logistics", "thumbnail", "skuInfo",
    )  # fmt: skip
    written = io.StringIO(newline="")
    table = csv.DictWriter(written, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    for review in offer.reviews:
        facts = _facts(offer, review)
        thumbnails = str([ORIGIN + path for path in facts["thumbnails"]]) if review.photos else ""
        images = str([ORIGIN + path for path in facts["images"]]) if review.photos else ""
        table.writerow(
            {**facts, "productId": offer.item_id, "images": images, "thumbnail": thumbnails, "logistics": "ePacket"}
        )
    return Served(body=written.getvalue().encode(), content_type="text/csv; charset=utf-8")
