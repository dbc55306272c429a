"""A headless browser as the tests use it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S = 60.0


def open_browser() -> Any:
    options = webdriver.ChromeOptions()
    flags = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking"
    for flag in f"{flags} disable-component-update disable-sync window-size=1400,1000".split():
        options.add_argument(f"--{flag}")
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def wait_for(browser: Any, condition: Callable[[Any], Any], message: str) -> Any:
    """Wait for something; what is drawn anew meanwhile is looked at again."""
    ignored = [StaleElementReferenceException, WebDriverException]
    return WebDriverWait(browser, PATIENCE_S, ignored_exceptions=ignored).until(condition, message)


def shows(browser: Any, address: str, *texts: str) -> None:
    browser.get(address)
    sees(browser, *texts)


def sees(browser: Any, *texts: str) -> None:
    def has_all(driver: Any) -> bool:
        body = driver.find_element(By.TAG_NAME, "body").text
        return all(text in body for text in texts)

    wait_for(browser, has_all, f"{browser.current_url} does not show {texts}")


def press(browser: Any, label: str) -> None:
    """Press the button of this text or label, once it can be."""

    def pressed(driver: Any) -> bool:
        path = f"//button[normalize-space()='{label}' or @aria-label='{label}']"
        driver.find_element(By.XPATH, path)
        time.sleep(1)  # a button is drawn before it listens
        driver.find_element(By.XPATH, path).click()
        return True

    wait_for(browser, pressed, f"{browser.current_url} has no button {label!r}")


def press_until(browser: Any, label: str, condition: Callable[[], Any]) -> Any:
    """Press a button until a condition gives something, and give it: a press may come before the page listens."""
    for _ in range(6):
        press(browser, label)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.3)
    raise AssertionError(f"pressing {label!r} did nothing")
