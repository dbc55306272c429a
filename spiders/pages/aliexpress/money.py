"""Numbers and prices as the shop writes them in its languages, read with price-parser."""

from __future__ import annotations

import math
import re
from typing import Any

from price_parser import Price

_MULTIPLIERS = {
    "k": 1e3, "m": 1e6, "mil": 1e3, "mille": 1e3, "tsd": 1e3, "tys": 1e3, "тыс": 1e3, "тис": 1e3, "bin": 1e3,
    "b": 1e3, "mln": 1e6, "mio": 1e6, "mi": 1e6, "млн": 1e6, "mn": 1e6, "rb": 1e3, "jt": 1e6, "พัน": 1e3,
    "ألف": 1e3, "万": 1e4, "萬": 1e4, "만": 1e4, "천": 1e3, "千": 1e3,
}  # fmt: skip
"""What the shop's languages write after a shortened count; `B` is Turkish (bin), counts in billions do not occur."""

_SHORTENED = re.compile(r"(?P<number>\d[\d.,]*)\s*(?P<word>[^\W\d_]+)")
_RANGE = re.compile(r"(?<=[\d.,])\s*[^\d\s.,]{0,4}\s*[-–—~]\s*(?=[^\d]{0,8}\d)")

_CURRENCIES = (
    ("US $", "USD"), ("US$", "USD"), ("AU $", "AUD"), ("AU$", "AUD"), ("A$", "AUD"), ("C $", "CAD"), ("C$", "CAD"),
    ("CA$", "CAD"), ("MXN$", "MXN"), ("MX$", "MXN"), ("CLP$", "CLP"), ("COP$", "COP"), ("NZ$", "NZD"), ("NT$", "TWD"),
    ("SG$", "SGD"), ("S$", "SGD"), ("HK$", "HKD"), ("R$", "BRL"), ("CN ¥", "CNY"), ("CN¥", "CNY"), ("JP ¥", "JPY"),
    ("руб", "RUB"), ("₽", "RUB"), ("грн", "UAH"), ("₴", "UAH"), ("zł", "PLN"), ("Kč", "CZK"), ("Ft", "HUF"),
    ("lei", "RON"), ("€", "EUR"), ("£", "GBP"), ("¥", "JPY"), ("￥", "JPY"), ("円", "JPY"), ("₩", "KRW"),
    ("￦", "KRW"), ("원", "KRW"), ("₺", "TRY"), ("TL", "TRY"), ("₪", "ILS"), ("₹", "INR"), ("฿", "THB"), ("₫", "VND"),
    ("₱", "PHP"), ("Rp", "IDR"), ("SR", "SAR"), ("ر.س", "SAR"), ("د.إ", "AED"), ("₦", "NGN"), ("kr", "SEK"),
    ("Fr.", "CHF"), ("$", "USD"),
)  # fmt: skip
"""How the shop writes a currency where the page names none by code; longer forms first, a lone $ is the US one."""

_CODES = frozenset((
    "USD", "EUR", "GBP", "RUB", "BRL", "CAD", "AUD", "NZD", "JPY", "KRW", "CNY", "INR", "TRY", "PLN", "UAH", "SEK",
    "CHF", "NOK", "DKK", "CZK", "HUF", "RON", "BGN", "ILS", "SAR", "AED", "KWD", "QAR", "OMR", "BHD", "JOD", "MAD",
    "EGP", "NGN", "ZAR", "MXN", "CLP", "COP", "PEN", "ARS", "UYU", "SGD", "HKD", "TWD", "THB", "VND", "IDR", "MYR",
    "PHP", "PKR", "BDT", "LKR", "KZT", "BYN", "GEL"
))  # fmt: skip
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")


def finite(value: Any) -> float | None:
    """Give a JSON number as a float; None for anything else, booleans and what exceeds a float included."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def read_number(value: Any) -> float | None:
    """Read the first number of a text, or a JSON number.

    Handles decimal commas, grouped digits, and shortened counts (`2.3K+`, `1,5 тыс.`, `1.2万`).

    Returns:
        None where there is no number.
    """
    if not isinstance(value, str):
        return finite(value)
    text = value[:200]
    amount = Price.fromstring(text).amount
    number = finite(float(amount)) if amount is not None else None
    shortened = _SHORTENED.search(text)
    factor = _MULTIPLIERS.get(shortened["word"].casefold()) if shortened else None
    if number is None or not shortened or factor is None:
        return number
    # "1,5 mil" means 1500: after a shortening word both signs part decimals.
    return finite(float(re.sub(r"[.,](?=.*[.,])|[.,]$", "", shortened["number"]).replace(",", ".")) * factor)


def read_count(value: Any) -> int | None:
    """Read a whole number that is not negative, such as how often an item was ordered (`10,000+ sold`)."""
    number = read_number(value)
    return round(number) if number is not None and 0 <= number < 1e15 else None


def read_rating(value: Any) -> float | None:
    """Read stars; None outside 0-5."""
    number = read_number(value)
    return number if number is not None and 0 <= number <= 5 else None


def read_currency(text: Any) -> str | None:
    """Tell the ISO code of the currency that a price names by code or sign."""
    if not isinstance(text, str):
        return None
    code = next((found for found in _CODE.findall(text) if found in _CODES), None)
    return code or next((iso for sign, iso in _CURRENCIES if sign in text), None)


def read_price(text: Any) -> dict[str, float] | None:
    """Read a price or a range of prices (`US $0.99 - 1.46`).

    Returns:
        `{"low", "high"}`, both alike without a range; None where there is no number.
    """
    if not isinstance(text, str):
        number = finite(text)
        return price_between(number, number)
    bounds = [read_number(part) for part in _RANGE.split(text[:200], maxsplit=1)]
    return price_between(bounds[0], bounds[-1])


def price_between(low: float | None, high: float | None) -> dict[str, float] | None:
    """Make a price of its bounds, in order; one alone stands for both."""
    known = sorted(bound for bound in (low, high) if bound is not None and bound >= 0)
    return {"low": known[0], "high": known[-1]} if known else None
