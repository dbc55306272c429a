"""Settings: defaults, then `gleanery.toml`, then `GLEANERY_*` variables, then what a command says.

The object is read once at the rim (command line, flow, worker) and passed in; no module keeps one.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import UsageError
from catalog.paths import DataRoot

CONFIG_NAME = "gleanery.toml"
ENVIRONMENT_PREFIX = "GLEANERY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings; each may stand in gleanery.toml under its name or in the environment as GLEANERY_<NAME>."""

    root: Path = Path("data/store")
    """The data root."""
    database_url: str = ""
    """SQLAlchemy URL of the catalog; empty means SQLite in the data root."""
    blobs_url: str = ""
    """fsspec URL that holds the blobs instead of the data root."""
    derived_url: str = ""
    """fsspec URL that holds derived results instead of the data root."""
    releases_url: str = ""
    """fsspec URL that holds releases instead of the data root."""
    contact: str = ""
    """E-mail or address that goes into the user agent; crawling beyond loopback needs one."""
    workers: int = 0
    """Worker processes for curation; 0 means the cores this process may use."""
    executor: str = "processes"
    """`inline`, `processes` or `dask`."""
    dask_address: str = ""
    """Scheduler address for the dask executor; empty starts a local cluster."""
    chromium: str = ""
    """Browser binary; empty looks in the usual places."""
    chromedriver: str = ""
    """Driver binary; empty looks in the usual places."""
    prefect_host: str = "127.0.0.1"
    prefect_port: int = 4200
    """Port of the Prefect server and its dashboard."""
    web_port: int = 8300
    """Port of the review and result pages."""
    sampleweb_port: int = 8765
    auth: str = ""
    """`user:password` that the Prefect server asks for; needed to listen beyond loopback."""
    alert_webhook: str = ""
    """Address to which alerts are posted as JSON; empty leaves them in the dashboard's event feed."""
    alert_email: str = ""
    """Address to which alerts are mailed; needs smtp_url."""
    smtp_url: str = ""
    """Mail server: smtp://[user:password@]host[:port], or smtps:// for TLS from the first byte."""
    disk_min_gib: int = 5
    """Less free space than this on the data root's disk raises an alert."""
    stuck_after_hours: float = 12.0
    """A flow run that goes on for longer than this raises an alert."""

    @property
    def data_root(self) -> DataRoot:
        """Paths under the root."""
        return DataRoot(self.root)

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy URL of the catalog."""
        return self.database_url or f"sqlite:///{self.data_root.catalog_db.absolute()}"


def load_config(
    environment: Mapping[str, str], folder: Path | None = None, overrides: Mapping[str, Any] | None = None
) -> Config:
    """Read the settings.

    Args:
        environment: usually os.environ; read, never changed.
        folder: where gleanery.toml may stand; None looks in the working folder.
        overrides: what a command line says; None values are left out.

    Raises:
        UsageError: an unknown setting, or a value of the wrong type; names where it stands.
    """
    values: dict[str, Any] = {}
    path = (folder or Path()) / CONFIG_NAME
    if path.is_file():
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: not TOML: {error}") from error
        values.update({name: _coerce(name, value, str(path)) for name, value in table.items()})
    for name in _FIELDS:
        variable = ENVIRONMENT_PREFIX + name.upper()
        if variable in environment:
            values[name] = _coerce(name, environment[variable], variable)
    for name, value in (overrides or {}).items():
        if value is not None:
            values[name] = _coerce(name, value, "the command line")
    return Config(**values)


def config_environment(config: Config) -> dict[str, str]:
    """Give the settings as GLEANERY_* variables, so that a child process in any folder reads the same ones."""
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    values["root"] = config.root.absolute()
    return {ENVIRONMENT_PREFIX + name.upper(): str(value) for name, value in values.items()}


_FIELDS = {field.name: type(field.default) for field in dataclasses.fields(Config)}


def _coerce(name: str, value: Any, where: str) -> Any:
    expected = _FIELDS.get(name)
    if expected is None:
        raise UsageError(f"{where}: unknown setting {name!r}, expected one of {', '.join(sorted(_FIELDS))}")
    if expected in (int, float):
        try:
            return expected(value)
        except (TypeError, ValueError):
            kind = "whole number" if expected is int else "number"
            raise UsageError(f"{where}: {name} must be a {kind}, found {value!r}") from None
    if issubclass(expected, Path):
        return Path(value).expanduser()
    if not isinstance(value, str):
        raise UsageError(f"{where}: {name} must be text, found {value!r}")
    return value
