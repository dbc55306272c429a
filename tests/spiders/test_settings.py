from __future__ import annotations

from scrapy.settings import Settings
from scrapy.utils.misc import load_object

from catalog.config import Config
from spiders.settings import components, scrapy_settings
from spiders.sources import Source

SOURCE = Source(name="a", kind="staff", url="https://uni.example/")


def settings() -> Settings:
    return Settings(scrapy_settings(SOURCE, Config(contact="lab@example.org")))


def test_nothing_listens_and_nothing_is_remote_controlled():
    made = settings()
    assert made.getbool("REMOTE_CONTROL_ENABLED") is False
    assert made.getbool("TELNETCONSOLE_ENABLED") is False
    assert made.getwithbase("EXTENSIONS") == {}


def test_manners_are_machinery():
    made = settings()
    assert made.getbool("ROBOTSTXT_OBEY") is True
    assert made.getfloat("DOWNLOAD_DELAY") >= 1.0
    assert made.getfloat("DOWNLOAD_DELAY_JITTER") == 0.0
    assert made.getbool("DOWNLOAD_VERIFY_CERTIFICATES") is True
    assert made.getbool("COOKIES_ENABLED") is False
    assert "GleaneryBot" in made["USER_AGENT"]
    assert "lab@example.org" in made["USER_AGENT"]
    assert not any("proxy" in str(name).lower() for name in made.getwithbase("DOWNLOADER_MIDDLEWARES"))
    assert {made["DOWNLOAD_HANDLERS"][scheme] for scheme in ("ftp", "file", "s3", "data")} == {None}


def test_every_part_that_is_named_can_be_loaded():
    made = settings()
    for name in [*made.getwithbase("DOWNLOADER_MIDDLEWARES"), made["TWISTED_DNS_RESOLVER"], *made["ITEM_PIPELINES"]]:
        assert callable(load_object(name))
    assert "spiders.fetch.robots" in components()


def test_the_fork_server_gets_no_reactor():
    import subprocess
    import sys

    code = "import sys, spiders.child; sys.exit('twisted.internet.reactor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
