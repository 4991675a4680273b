"""Settings come from the environment; nonsense is refused with a sentence that says what to set."""

import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from app.core.config import Settings, SettingsRefused
from tests.conftest import make_settings
from tests.support.bad_hosts import BAD_HOSTS
from tests.support.cases import for_each

KEY = "i5hDpXVQH7mB1xgB2O8W0lB3cKMyzcQo4n3mZ0bJYEk="  # the same in every process
SECRET = "vW2q8Zr5Yt1nKx7Lc3Jd9Gf6Hs4Pb0Ma"
LEAST = {"GANGWAY_SECRET_KEY": SECRET, "GANGWAY_ENCRYPTION_KEYS": KEY}


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    """The settings of an environment with these variables besides the least."""
    with monkeypatch.context() as variables:
        for name, value in (
            LEAST | {f"GANGWAY_{name}": value for name, value in environment.items()}
        ).items():
            variables.setenv(name, value)
        return Settings.load()


def test_need_no_more_than_two_secrets(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    settings = load(monkeypatch)

    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.database_url == f"sqlite:///{data_folder / 'gangway.db'}"
    assert settings.stripe_api_base == "https://api.stripe.com"
    assert settings.rate_limit_signup == "60 per hour"
    assert not settings.is_simulated
    assert not settings.is_secure


def test_take_an_empty_token_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, METRICS_TOKEN="").metrics_token is None
    assert load(monkeypatch, METRICS_TOKEN="vX3-q9LtRw7_eKz2").metrics_token is not None


def test_say_of_each_missing_secret_how_to_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        Settings.load()

    assert str(refusal.value).splitlines() == [
        "GANGWAY_SECRET_KEY is missing: run `gangway init`, or set what `gangway key` prints.",
        "GANGWAY_ENCRYPTION_KEYS is missing: run `gangway init`, or set what `gangway key` prints.",
    ]


@for_each(
    ("name", "value", "said"),
    [
        ("PUBLIC_URL", "pay.example.com", "must be a scheme and host"),
        ("PUBLIC_URL", "https://pay.example.com/portal", "without a path"),
        ("PUBLIC_URL", "https://pay.example.com?x=1", "must be a scheme and host"),
        ("PUBLIC_URL", "https://pay.example.com#x", "must be a scheme and host"),
        ("PUBLIC_URL", "https://user:pw@pay.example.com", "must be a scheme and host"),
        ("PUBLIC_URL", "ftp://pay.example.com", "must be a scheme and host"),
        ("PUBLIC_URL", "https://", "must be a scheme and host"),
        ("PUBLIC_URL", "https://[::1", "must be a scheme and host"),
        ("PUBLIC_URL", "https://pay.example.com:99999", "must be a scheme and host"),
        ("PUBLIC_URL", "https://pay example.com", "must be a scheme and host"),
        ("PUBLIC_URL", "https://pay.example.com:", "must be a scheme and host"),
        ("PUBLIC_URL", "https://[fe80::1%25eth0]", "must be a scheme and host"),
        ("PUBLIC_URL", "https://[v1.x]", "must be a scheme and host"),
        (
            "PUBLIC_URL",
            "http://pay.example.com",
            "must begin with https://; only loopback may be plain http.",
        ),
        ("SECRET_KEY", "short", "must be 32 random characters or more"),
        ("METRICS_TOKEN", "guessable", "must be 16 random characters or more"),
        ("ENCRYPTION_KEYS", "", "must hold at least one key"),
        ("ENCRYPTION_KEYS", ",,", "must hold at least one key"),
        ("ENCRYPTION_KEYS", "no-fernet-key", "must be Fernet keys, made by `gangway key`"),
        ("ENCRYPTION_KEYS", f"{KEY},no-fernet-key", "must be Fernet keys"),
        ("ENCRYPTION_KEYS", "c2hvcnQ=", "must be Fernet keys"),
        ("DATABASE_URL", "gangway.db", "must begin with sqlite:/// or postgresql+psycopg://"),
        ("DATABASE_URL", "mysql://localhost/x", "must begin with sqlite:///"),
        ("DATABASE_URL", "postgresql://u:hunter2@localhost/x", "must begin with sqlite:///"),
        ("DATABASE_URL", "", "must begin with sqlite:///"),
        (
            "STRIPE_API_BASE",
            "http://stripe.example.com",
            "must be https://api.stripe.com or an address on loopback",
        ),
        (
            "STRIPE_API_BASE",
            "https://evil.example.com",
            "must be https://api.stripe.com or an address on loopback",
        ),
        ("STRIPE_API_BASE", "127.0.0.1:12111", "must be a scheme and host"),
        ("CHECKOUT_ORIGINS", "pay.example.com", "must be a scheme and host"),
        ("CHECKOUT_ORIGINS", "https://pay.example.com; script-src *", "must be a scheme and host"),
        ("CHECKOUT_ORIGINS", "https://\u00b9\u2044.example", "must be a scheme and host"),
        ("PUBLIC_URL", "https://\u202eexample.com", "must be a scheme and host"),
        ("PUBLIC_URL", "https://example.com:\u0664\u0664\u0663", "must be a scheme and host"),
        ("COMPANY_NAME", "", "should have at least 1 character"),
        ("COMPANY_NAME", "  ", "should have at least 1 character"),
        ("COMPANY_NAME", "x" * 81, "should have at most 80 characters"),
        ("COMPANY_NAME", "Acme\nBcc: everybody@example.com", "must be one line"),
        ("TERMS_URL", "https://example.com/" + "x" * 1990, "should have at most 2000 characters"),
        ("ACCENT_COLOR", "blue", "must be a colour such as #3b5bdb"),
        ("ACCENT_COLOR", "#fff", "must be a colour such as #3b5bdb"),
        ("ACCENT_COLOR", "#3b5bdb;}body{display:none", "must be a colour"),
        ("SUPPORT_EMAIL", "help", "must be an email address"),
        ("TERMS_URL", "javascript:alert(1)", "must be a URL that begins with https://"),
        ("TERMS_URL", "example.com/terms", "must be a URL that begins with https://"),
        ("TERMS_URL", "https://", "must be a URL that begins with https://"),
        ("TERMS_URL", "https://exam ple.com", "must be a URL that begins with https://"),
        ("DEFAULT_CURRENCY", "XXX", "must be the code of a currency"),
        ("DEFAULT_CURRENCY", "dollars", "must be the code of a currency"),
        ("PAYMENT_METHOD_POLICY", "both", "'replace', 'keep' or 'ask'"),
        ("RATE_LIMIT_SIGNUP", "many", "must read like `60 per hour`"),
        ("RATE_LIMIT_SIGNUP", "", "must read like `60 per hour`"),
        ("RATE_LIMIT_SIGNUP", "0 per hour", "must read like `60 per hour`"),
        ("RATE_LIMIT_RETURN", "5 per fortnight", "must read like `60 per hour`"),
        ("RATE_LIMIT_STORAGE", "somewhere", "must begin with memory:// or redis://"),
        ("RATE_LIMIT_STORAGE", "mongodb://localhost", "must begin with memory:// or redis://"),
        ("TRUSTED_PROXIES", "-1", "should be greater than or equal to 0"),
        ("TRUSTED_PROXIES", "one", "should be a valid integer"),
        ("WEB_PROCESSES", "0", "should be greater than or equal to 1"),
        ("WEB_THREADS", "1000", "should be less than or equal to 256"),
        ("WORKER_THREADS", "99", "should be less than or equal to 16"),
        ("PULL_INTERVAL", "1", "should be greater than or equal to 5"),
        ("LOG_LEVEL", "chatty", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("LOG_FORMAT", "xml", "'json' or 'console'"),
        ("LOGO_FILE", "/nowhere/logo.svg", "must name an existing SVG, PNG or WebP file"),
        ("CUSTOM_CSS_FILE", "/nowhere/style.css", "must name an existing CSS file"),
    ],
)
def test_refuse_nonsense_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        load(monkeypatch, **{name: value})

    sentence = str(refusal.value)
    assert sentence.startswith(f"GANGWAY_{name} ")
    assert said in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


@for_each("host", BAD_HOSTS)
def test_refuse_a_host_that_can_not_be(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    for name in ("PUBLIC_URL", "CHECKOUT_ORIGINS", "REDIRECT_ORIGINS", "TERMS_URL"):
        with pytest.raises(SettingsRefused, match=f"^GANGWAY_{name} must be "):
            load(monkeypatch, **{name: f"https://{host}"})


@for_each(
    ("name", "value"),
    [
        ("SECRET_KEY", "hunter2"),
        ("ENCRYPTION_KEYS", "hunter2"),
        ("DATABASE_URL", "postgresql://u:hunter2@localhost/x"),
        ("RATE_LIMIT_STORAGE", "radish://:hunter2@localhost"),
        ("PUBLIC_URL", "https://u:hunter2@localhost"),
    ],
)
def test_never_repeat_a_secret_that_they_refuse(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        load(monkeypatch, **{name: value})

    assert "hunter2" not in str(refusal.value)
    assert "hunter2" not in repr(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "module", "extra"),
    [
        ("DATABASE_URL", "postgresql+psycopg://localhost/x", "psycopg", "postgres"),
        ("RATE_LIMIT_STORAGE", "redis://localhost", "redis", "redis"),
    ],
)
def test_name_the_packages_that_are_missing(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as if it were not installed

    with pytest.raises(
        SettingsRefused, match=rf"^GANGWAY_{name} needs more packages: .*gangway-portal\[{extra}\]"
    ):
        load(monkeypatch, **{name: value})


def test_say_all_that_is_wrong_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsRefused) as refusal:
        load(monkeypatch, LOG_LEVEL="x", WEB_THREADS="x", DEFAULT_CURRENCY="x")

    assert len(str(refusal.value).splitlines()) == 3


@for_each(
    ("name", "value", "kept"),
    [
        ("PUBLIC_URL", "https://pay.example.com/", "https://pay.example.com"),
        ("PUBLIC_URL", " https://pay.example.com ", "https://pay.example.com"),
        ("PUBLIC_URL", "http://localhost:5000", "http://localhost:5000"),
        ("PUBLIC_URL", "http://[::1]:8000", "http://[::1]:8000"),
        ("PUBLIC_URL", "https://bücher.example", "https://xn--bcher-kva.example"),
        ("PUBLIC_URL", "https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443"),
        ("PUBLIC_URL", "https://Pay.Example.com", "https://pay.example.com"),
        ("PUBLIC_URL", "https://pay_1.example.com.", "https://pay_1.example.com."),
        ("PUBLIC_URL", "https://192.0.2.1:8443", "https://192.0.2.1:8443"),
        ("PUBLIC_URL", "https://a", "https://a"),
        ("TERMS_URL", "https://bücher.example/agb", "https://bücher.example/agb"),
        ("STRIPE_API_BASE", "http://127.0.0.1:12111/", "http://127.0.0.1:12111"),
        (
            "CHECKOUT_ORIGINS",
            "https://zahlen.straße.example,https://支付.example",
            ("https://zahlen.xn--strae-oqa.example", "https://xn--bnq875c.example"),
        ),
        (
            "CHECKOUT_ORIGINS",
            " https://a.example , https://b.example/,",
            ("https://a.example", "https://b.example"),
        ),
        ("CHECKOUT_ORIGINS", "", ()),
        ("ACCENT_COLOR", "#ABCDEF", "#abcdef"),
        ("SUPPORT_EMAIL", "", None),
        ("SUPPORT_EMAIL", "hilfe@bücher.example", "hilfe@bücher.example"),
        ("TERMS_URL", "", None),
        ("TERMS_URL", "http://example.com/terms?v=1#a", "http://example.com/terms?v=1#a"),
        ("DEFAULT_CURRENCY", "chf", "CHF"),
        ("RATE_LIMIT_SIGNUP", "10 per minute; 100 per day", "10 per minute; 100 per day"),
        ("RATE_LIMIT_STORAGE", "redis://:pw@localhost:6379/1", "redis://:pw@localhost:6379/1"),
        ("DATABASE_URL", "postgresql+psycopg://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("LOGO_FILE", "", None),
        ("CUSTOM_CSS_FILE", "", None),
    ],
)
def test_take_what_makes_sense(monkeypatch: pytest.MonkeyPatch, name: str, value: str, kept: Any) -> None:
    settings = load(monkeypatch, **{name: value})

    assert getattr(settings, name.lower()) == kept


def test_take_several_encryption_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Fernet.generate_key().decode()

    settings = load(monkeypatch, ENCRYPTION_KEYS=f"{other}, {KEY}")

    assert [key.get_secret_value() for key in settings.encryption_keys] == [other, KEY]


@pytest.mark.parametrize("name", ["logo.svg", "logo.PNG", "logo.webp"])
def test_take_a_small_logo(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"x" * 20_000)

    assert make_settings(logo_file=str(file)).logo_file == file


@pytest.mark.parametrize(("name", "size"), [("logo.svg", 20_001), ("logo.gif", 10), ("logo", 10)])
def test_refuse_a_heavy_or_strange_logo(tmp_path: Path, name: str, size: int) -> None:
    file = tmp_path / name
    file.write_bytes(b"x" * size)

    with pytest.raises(SettingsRefused, match=r"^GANGWAY_LOGO_FILE must "):
        make_settings(logo_file=str(file))


def test_take_a_style_sheet_that_is_not_heavy(tmp_path: Path) -> None:
    light, heavy = tmp_path / "light.css", tmp_path / "heavy.CSS"
    light.write_bytes(b"x" * 200_000)
    heavy.write_bytes(b"x" * 200_001)

    assert make_settings(custom_css_file=str(light)).custom_css_file == light
    with pytest.raises(SettingsRefused, match="must be under 200 kB"):
        make_settings(custom_css_file=str(heavy))


def test_never_show_their_secrets() -> None:
    settings = make_settings(secret_key=SECRET)

    assert SECRET not in repr(settings)
    assert SECRET not in str(settings.model_dump())


def test_ignore_what_is_not_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "x")
    monkeypatch.setenv("PUBLIC_URL", "nonsense")

    assert load(monkeypatch, UNKNOWN="x").public_url == "http://127.0.0.1:8000"


def test_make_the_checks_of_no_subject_alone() -> None:
    subjects: Any = Settings.__bases__

    make_settings()

    assert Settings.__pydantic_complete__
    assert {subject.__pydantic_complete__ for subject in subjects} == {False}
