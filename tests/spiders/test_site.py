import pytest

from spiders.site import is_same_site


@pytest.mark.parametrize(
    ("url", "start", "is_same"),
    [
        ("https://feedback.aliexpress.com/x", "https://www.aliexpress.com/", True),
        ("https://www.aliexpress.us/item/1.html", "https://de.aliexpress.com/", True),
        ("https://aliexpress.ru/item/1.html", "https://www.aliexpress.com/", True),
        ("https://aliexpress.example/item/1.html", "https://www.aliexpress.com/", False),
        ("https://cs.example.org/", "https://www.example.org/", True),
        ("https://example.org.example.net/", "https://www.example.org/", False),
    ],
)
def test_mirrors_of_a_shop_and_departments_of_a_university_are_one_site(url, start, is_same):
    assert is_same_site(url, (start,)) is is_same
