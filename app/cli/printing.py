"""The settings as they may be printed: no secret, and no password of a database or of Redis."""

from collections.abc import Iterator
from typing import get_args

import sqlalchemy as sa
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.core.config import Settings
from app.core.environment import PREFIX, SettingsRefused, Sources

URLS = {"database_url", "rate_limit_storage"}
SECRET_PARAMETERS = ("password", "sslpassword", "passfile", "sslkey")
MASK = "***"


def settings_lines(sources: Sources) -> Iterator[str]:
    """Give a line for each setting, in force or refused: what is set, else the default."""
    defaults: dict[str, object] = {}
    for name, field in Settings.model_fields.items():
        try:
            value: object = sources.values([name]).get(name)
        except SettingsRefused:  # its file can't be read
            value = ""
        if value is None:
            value = _default(field, {"data_dir": sources.data_folder} | defaults)
        defaults[name] = value
        yield f"{PREFIX}{name.upper()}={_shown(name, field, value)}"


def _default(field: FieldInfo, earlier: dict[str, object]) -> object:
    return (
        None if field.is_required() else field.get_default(call_default_factory=True, validated_data=earlier)
    )


def _shown(name: str, field: FieldInfo, value: object) -> str:
    if value is None or value in {"", ()}:
        return ""
    if SecretStr in (field.annotation, *get_args(field.annotation)):
        return ",".join(MASK for part in str(value).split(",") if part.strip())
    if name in URLS:
        return _without_password(str(value))
    return ",".join(value) if isinstance(value, tuple) else str(value).strip()


def _without_password(text: str) -> str:
    try:
        url = sa.make_url(text.strip())
    except (sa.exc.ArgumentError, ValueError):
        return MASK
    hidden = {name: MASK for name in url.query if name.lower() in SECRET_PARAMETERS}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)
