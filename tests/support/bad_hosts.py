"""Hosts that can't exist, or that a browser reads as another one."""

BAD_HOSTS = [
    ".",
    "-",
    "_",
    "..",
    "a..b",
    ".example.com",
    "example.com..",
    "-a.example.com",
    "a-.example.com",
    "127.1",
    "256.1.1.1",
    "1.2.3.04",
    "0x7f.0.0.1",
    "app.0x7f",
    "a" * 64 + ".example.com",
    ".".join(["a" * 60] * 5),
]
