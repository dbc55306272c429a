import pytest
from hypothesis import given
from hypothesis import strategies as st

from spiders.pages.aliexpress.money import read_count, read_currency, read_number, read_price, read_rating


@pytest.mark.parametrize(
    ("text", "low", "high", "currency"),
    [
        ("US $0.99 - 1.46", 0.99, 1.46, "USD"),
        ("US $1.00-US $2.00", 1.0, 2.0, "USD"),
        ("US $1,299.00", 1299.0, 1299.0, "USD"),
        ("$7", 7.0, 7.0, "USD"),
        ("1.234,56 €", 1234.56, 1234.56, "EUR"),
        ("3,45€ - 5,76€", 3.45, 5.76, "EUR"),
        ("R$ 12,90", 12.9, 12.9, "BRL"),
        ("1 299,50 - 1 450,00 руб.", 1299.5, 1450.0, "RUB"),
        ("12,90 zł", 12.9, 12.9, "PLN"),
        ("￦12,300", 12300.0, 12300.0, "KRW"),
        ("JP ¥1,200", 1200.0, 1200.0, "JPY"),
        ("CN ¥12.5", 12.5, 12.5, "CNY"),
        ("AU $12.00", 12.0, 12.0, "AUD"),
        ("C $1,020.50", 1020.5, 1020.5, "CAD"),
        ("MXN$99", 99.0, 99.0, "MXN"),
        ("1.299,00TL", 1299.0, 1299.0, "TRY"),
        ("SAR 1,299.00", 1299.0, 1299.0, "SAR"),
        ("₪45.20", 45.2, 45.2, "ILS"),
    ],
)
def test_prices(text, low, high, currency):
    assert read_price(text) == {"low": low, "high": high}
    assert read_currency(text) == currency


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("133", 133), (133, 133), ("2,345 orders", 2345), ("10,000+ sold", 10000), ("1.000+ verkauft", 1000),
        ("2.3K+ sold", 2300), ("12,5k", 12500), ("1.2M", 1200000), ("2,3 тыс.", 2300), ("1,5 mil vendidos", 1500),
        ("1.2万", 12000), ("3만", 30000), ("1 045", 1045), ("5 Bestellungen", 5), ("no orders", None), ("", None),
        (None, None), (True, None), (-3, None), (float("nan"), None), (10**400, None),
    ],
)  # fmt: skip
def test_counts(text, count):
    assert read_count(text) == count


@pytest.mark.parametrize(("text", "stars"), [("4.8", 4.8), ("4,8", 4.8), (5, 5.0), ("96.5", None), ("-", None)])
def test_ratings_are_stars(text, stars):
    assert read_rating(text) == stars


@given(st.text(max_size=60))
def test_any_text_gives_a_number_or_none(text):
    number = read_number(text)
    price = read_price(text)
    assert number is None or abs(number) < float("inf")
    assert price is None or 0 <= price["low"] <= price["high"]


@given(low=st.decimals(0, 9999, places=2), more=st.decimals(0, 9999, places=2))
def test_written_ranges_read_back(low, more):
    text = f"US ${low:,} - {low + more:,}"
    assert read_price(text) == {"low": float(low), "high": float(low + more)}
