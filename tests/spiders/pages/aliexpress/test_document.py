import pytest

from spiders.pages.aliexpress import description_images
from spiders.pages.aliexpress.document import BrokenJson, absolute_url, assigned_json, next_page, page_text, whole_json
from spiders.pages.contract import PageInput


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('window.run = {"a": 1};', [{"a": 1}]),
        ("window.run = { data: {\"a\": 1}, token: 'x' };", [{"a": 1}]),
        ('window.run = {\n token: \'x\',\n "data": {"a": "}"} };', [{"a": "}"}]),
        ('window.run = {"data": {"a": 1}, token: 1};', [{"a": 1}]),
        ('window.run = {"a": {"data": {"b": 1}}}', [{"a": {"data": {"b": 1}}}]),
        ('window.run = window.run || {}; window.run={"a": "\t\\u00e9"}', [{"a": "\té"}]),
        ('if (window.run == {"a": 1}) {}', []),
        ("window.run = {}; window.run = {data: {}}; window.run = {data: {b: 1}}; window.run = f()", []),
    ],
)
def test_objects_that_scripts_assign(script, found):
    assert list(assigned_json(f"<script>{script}</script>", "window.run")) == found


@pytest.mark.parametrize("script", ['window.run = {"a": ', "window.run = {data: {", "window.run = {"])
def test_cut_objects_are_broken(script):
    with pytest.raises(BrokenJson):
        list(assigned_json(script, "window.run"))


def test_whole_answers():
    assert whole_json(' callback1({"a": NaN}) ') == {"a": None}
    assert whole_json("[1]") == [1]
    assert whole_json("<html>{}</html>") is None
    with pytest.raises(BrokenJson):
        whole_json('{"a": ')


def test_declared_charsets_are_used_where_utf8_fails():
    body = "<meta charset=windows-1251>Юбка".encode("cp1251")
    assert page_text(PageInput(url="", body=body)).endswith("Юбка")
    assert (
        page_text(
            PageInput(url="", headers={"content-type": "text/html; charset=cp1251"}, body="Юбка".encode("cp1251"))
        )
        == "Юбка"
    )
    assert page_text(PageInput(url="", body=b"\xff")) == "\ufffd"
    assert page_text(PageInput(url="", body=b"<meta charset=unheard-of>\xff")).endswith("\ufffd")


def test_only_web_addresses_are_addresses():
    base = "https://shop.example/item/1.html"
    assert absolute_url("//a.b/c", base) == "https://a.b/c"
    assert absolute_url(" ../d ", base) == "https://shop.example/d"
    for other in ("data:image/png;base64,A", "javascript:void(0)", "http://[", "", None, 5):
        assert absolute_url(other, base) is None


def test_the_next_page_keeps_the_rest_of_the_address():
    assert next_page("https://a.b/x?page=3&withPictures=true") == ("https://a.b/x?page=4&withPictures=true",)
    assert next_page("https://a.b/x?catId=1") == ("https://a.b/x?catId=1&page=2",)
    assert next_page("saved.html") == ()


@pytest.mark.parametrize(
    "body",
    [
        b'<p>Text</p><img src="//ae01.alicdn.com/kf/d1.jpg_640x640.jpg"><div><img data-src="https://ae01.alicdn.com/kf/d2.jpg">',
        b'window.productDescription=\'<p>Text</p><img src=\\"//ae01.alicdn.com/kf/d1.jpg\\">'
        b'<img src=\\"//ae01.alicdn.com/kf/d2.jpg\\">\';',
    ],
)
def test_description_pages_give_their_pictures(body):
    page = PageInput(url="https://www.aliexpress.com/getDescModuleAjax.htm", body=body)
    assert description_images(page) == ["https://ae01.alicdn.com/kf/d1.jpg", "https://ae01.alicdn.com/kf/d2.jpg"]
