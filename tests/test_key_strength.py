"""A secret key that anybody could guess is refused; a random one never is."""

import base64
import hashlib
import secrets
import string

import pytest
from cryptography.fernet import Fernet

from app.core.config import Settings, SettingsRefused
from app.core.secrets.key_strength import TOKEN_GUESSES_LOG10, is_guessable
from tests.conftest import KEY

GUESSABLE = [
    "s" * 32,
    "test" * 10,
    "hunter2" * 5,
    "abababababababababababababababac",
    "0123456789abcdef0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz012345",
    "qwertyuiopasdfghjklzxcvbnm123456",
    "9a8b7c6d5e4f3g2h1i0j9a8b7c6d5e4f",
    "please-change-me-before-production-ok",
    "your-secret-key-goes-here-xxxxxxxxxx",
    "P@ssw0rd-P@ssw0rd-P@ssw0rd-12345",
    "this is the secret key of our portal",
    "00" * 32,
    "deadbeef" * 8,
    "to be or not to be that is the question",
    "It was the best of times; it was the worst of times",
    "itwasthebestoftimesitwastheworstoftimes",
    "thisisaverylongsecretthatnobodywillguess",
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",  # Flask's manual
    "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",  # cryptography's manual
    "To be or not to be: THAT is the question.",
    "Call me Ishmael. Some years ago - never mind how long",
    hashlib.sha256(b"").hexdigest(),
    hashlib.sha256(b"mysecret").hexdigest(),
    hashlib.sha256(b"monkey").hexdigest().upper(),
    hashlib.md5(b"password", usedforsecurity=False).hexdigest(),
    base64.b64encode(b"changemechangemechangemechangeme").decode(),
    base64.urlsafe_b64encode(b"this is my very secret key 12345").decode(),
]


@pytest.mark.parametrize("key", GUESSABLE)
def test_a_typed_or_patterned_key_is_refused(key: str) -> None:
    with pytest.raises(SettingsRefused, match="GANGWAY_SECRET_KEY can be guessed: take a random one"):
        Settings.of({"secret_key": key, "encryption_keys": KEY})


@pytest.mark.parametrize(
    "key", ["A" * 43 + "=", base64.urlsafe_b64encode(bytes(range(32))).decode(), GUESSABLE[-1]]
)
def test_so_is_such_an_encryption_key(key: str) -> None:
    with pytest.raises(SettingsRefused, match="GANGWAY_ENCRYPTION_KEYS can be guessed"):
        Settings.of({"secret_key": KEY, "encryption_keys": f"{KEY},{key}"})


@pytest.mark.parametrize(
    "token",
    ["m" * 16, "0123456789abcdef", "letmein-letmein-1", "a-long-enough-token", "prometheus-2026-october"],
)
def test_so_is_such_a_metrics_token(token: str) -> None:
    with pytest.raises(SettingsRefused, match="GANGWAY_METRICS_TOKEN can be guessed: take a random one"):
        Settings.of({"secret_key": KEY, "encryption_keys": KEY, "metrics_token": token})


def test_a_short_random_metrics_token_is_taken() -> None:
    tokens = ["136f3d900437226e", "kqzvwmtrbxfplhyj", secrets.token_urlsafe(12), secrets.token_hex(16)]

    assert [token for token in tokens if is_guessable(token, TOKEN_GUESSES_LOG10)] == []


def test_a_random_key_of_any_kind_is_taken() -> None:
    keys = [Fernet.generate_key().decode() for _ in range(10)]
    keys += [secrets.token_hex(size) for size in (16, 32) for _ in range(3)]
    keys += ["".join(secrets.choice(string.ascii_lowercase) for _ in range(32)) for _ in range(3)]
    keys += ["".join(secrets.choice(string.printable[:94]) for _ in range(40)) for _ in range(3)]
    keys += [secrets.token_urlsafe(size) for size in (24, 64) for _ in range(3)]

    assert [key for key in keys if is_guessable(key)] == []
