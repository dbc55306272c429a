"""The review page in a real browser, by keyboard alone."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from curation.stages.duplicates import COLUMNS
from curation.verdicts import load_standing
from tests.curation.handmade import make_world
from tests.curation.review.serving import review_app, serving

pytestmark = pytest.mark.browser
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--window-size=1400,1000",
)  # fmt: skip
PAGE = "/review/garments/noise"


@pytest.fixture
def browse(monkeypatch):
    binary, driver_path = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver_path:
        pytest.skip("chromium or chromedriver is not installed")
    monkeypatch.setenv("SE_OFFLINE", "true")
    drivers = []

    def open_browser():
        options = webdriver.ChromeOptions()
        options.binary_location = binary
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        drivers.append(webdriver.Chrome(options=options, service=Service(driver_path)))
        return drivers[-1]

    yield open_browser
    for driver in drivers:
        driver.quit()


def wait_ready(driver, but_not=None):
    """Wait until a page with another batch than `but_not` listens; returns its batch."""

    def batch(d):
        found = d.find_elements(By.CSS_SELECTOR, '#queue[data-ready="true"]')
        value = found[0].get_attribute("data-batch") if found else None
        return value if value and value != but_not else None

    return WebDriverWait(driver, 20, ignored_exceptions=(Exception,)).until(batch)


def press(driver, *keys):
    ActionChains(driver).send_keys(*keys).perform()


def shown(driver):
    script = "return [...document.querySelectorAll('.card')].map(c => [c.dataset.target, c.dataset.answer])"
    return dict(driver.execute_script(script))


def standing(world):
    frame = load_standing(world.catalog, ["noise"])
    return {(row.target_id, row.reviewer): row.answer for row in frame.itertuples()}


def test_a_hundred_cards_by_keyboard_alone(tmp_path, browse):
    world = make_world(tmp_path, items_count=60)  # 120 buyers' photos
    expected = {}
    with serving(review_app(world)) as address:
        driver = browse()
        driver.get(f"{address}{PAGE}?reviewer=ana")
        batch = wait_ready(driver)

        press(driver, "2", Keys.ARROW_DOWN, "1")  # two cards of two rows
        before = shown(driver)
        assert sorted(before.values()).count("noise") == 2
        driver.refresh()  # answers that are not saved yet survive
        batch = wait_ready(driver, batch)
        assert shown(driver) == before

        while len(expected) < 100:
            expected |= shown(driver)
            press(driver, Keys.ENTER)
            batch = wait_ready(driver, batch)
            press(driver, "3")
        assert {target: answer for (target, _), answer in standing(world).items()} == expected

        last = dict(list(expected.items())[-24:])
        press(driver, "u")
        batch = wait_ready(driver, batch)
        assert shown(driver) == last  # the page is back as it was answered
        assert len(standing(world)) == len(expected) - 24
        press(driver, "a", "a", Keys.ENTER)  # all noise, all good
        wait_ready(driver, batch)
        expected |= dict.fromkeys(last, "good")
        assert {target: answer for (target, _), answer in standing(world).items()} == expected
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    world.catalog.close()


def test_two_browsers_at_once_keep_both_answers(world, browse):
    world = world.with_recipe(review={"overlap_frac": 1.0})  # both are asked everything
    with serving(review_app(world)) as address:
        first, second = browse(), browse()
        for driver, name in ((first, "ana"), (second, "ben")):
            driver.get(f"{address}{PAGE}?reviewer={name}")
        batches = [wait_ready(driver) for driver in (first, second)]
        press(second, "a")
        cards = shown(first)
        for driver, batch in zip((first, second), batches, strict=True):
            press(driver, Keys.ENTER)
            wait_ready(driver, batch)
    expected = {(target, "ana"): answer for target, answer in cards.items()}
    expected |= {(target, "ben"): "noise" for target in cards}
    assert standing(world) == expected


def test_space_enlarges_while_held_and_help_opens(world, browse):
    with serving(review_app(world)) as address:
        driver = browse()
        driver.get(f"{address}{PAGE}")
        wait_ready(driver)
        ActionChains(driver).key_down(" ").perform()
        peek = driver.find_element(By.ID, "peek")
        assert peek.is_displayed()
        ActionChains(driver).key_up(" ").perform()
        assert not peek.is_displayed()
        press(driver, "?")
        assert driver.find_element(By.ID, "help").is_displayed()


def test_faces_are_chosen_turned_and_rejected_by_keyboard(tmp_path, browse):
    world = make_world(tmp_path, items_count=5, per_item=1)
    images = world.curated.tables["samples"]["image_id"].tolist()
    two = [{"x0": x, "y0": 10, "x1": x + 20, "y1": 34, "face_score": 0.9, "size_px": 20} for x in (5, 45)]
    signals = {
        **world.curated.signals,
        "decode": pd.DataFrame({"image_id": images, "width_px": 80, "height_px": 60}),
        "faces": pd.DataFrame({"image_id": images, "faces_count": 2, "turn_deg": 0, "faces": [two] * 5}),
    }
    world = world.but(signals=signals).with_recipe(stages={"samples": {"region": "face"}})
    with serving(review_app(world)) as address:
        driver = browse()
        driver.get(f"{address}/review/garments/faces?reviewer=ana")
        batch = wait_ready(driver)
        order = list(shown(driver))
        assert set(shown(driver).values()) == {"reject"}  # two of a size: the machine chose none
        press(driver, "1", "2", "t", "2", Keys.ARROW_DOWN)  # first: face 1; second: face 2; third: turned, then face 2
        picked = {order[0]: "face_5_10_25_34", order[1]: "face_45_10_65_34", order[2]: "face_45_10_65_34_turn_90"}
        assert shown(driver) == {target: picked.get(target, "reject") for target in order}
        boxes = driver.find_elements(By.CSS_SELECTOR, ".marked .box")
        boxes[1].click()
        picked[order[4]] = "face_45_10_65_34"
        before = shown(driver)
        driver.refresh()
        batch = wait_ready(driver, batch)
        assert shown(driver) == before == {target: picked.get(target, "reject") for target in order}
        press(driver, Keys.ENTER)
        batch = wait_ready(driver, batch)
        frame = load_standing(world.catalog, ["faces"])
        assert dict(zip(frame["target_id"], frame["answer"], strict=True)) == before
        press(driver, "u")
        wait_ready(driver, batch)
        assert shown(driver) == before
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    world.catalog.close()


def test_pairs_are_told_apart_by_keyboard_and_the_unanswered_stay_open(world, browse):
    images = world.curated.tables["samples"]["image_id"].unique()
    base = dict.fromkeys(COLUMNS, "") | {"kind": "near", "phash_distance_bits": 6, "view": "mirror"}
    rows = [
        base | {"pair_id": f"p{n}", "image_id_a": images[n], "image_id_b": images[n + 1], "copy_prob": 0.5 + n / 40}
        for n in range(14)
    ]
    world = world.with_table("duplicates", pd.DataFrame(rows))
    with serving(review_app(world)) as address:
        driver = browse()
        driver.get(f"{address}/review/garments/duplicates?reviewer=ana")
        batch = wait_ready(driver)
        first = list(shown(driver))
        assert len(first) == 12
        press(driver, "1", "3", Keys.ARROW_DOWN, "1", "d")
        assert driver.find_element(By.CSS_SELECTOR, ".difference").is_displayed()
        expected = dict.fromkeys(first, "same") | {first[0]: "different", first[1]: "unsure", first[3]: "different"}
        assert shown(driver) == expected
        press(driver, Keys.ENTER)
        wait_ready(driver, batch)
        assert len(shown(driver)) == 2
        frame = load_standing(world.catalog, ["duplicates"])
        assert dict(zip(frame["target_id"], frame["answer"], strict=True)) == expected
