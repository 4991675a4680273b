"""Typing errors in the domain of an email address: a question to ask, never a refusal."""

# Domains that many people use. Real ones that resemble others are here, so that nobody is asked about them.
# fmt: off
DOMAINS = frozenset(
    (
        "aol.com", "comcast.net", "email.com", "fastmail.com", "free.fr", "freenet.de", "gmail.com",
        "googlemail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "hey.com", "hotmail.co.uk",
        "hotmail.com", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "icloud.com", "laposte.net",
        "libero.it", "live.com", "live.de", "live.nl", "mac.com", "mail.com", "mail.de", "mail.ru",
        "mailbox.org", "me.com", "msn.com", "naver.com", "o2.pl", "onet.pl", "orange.fr", "outlook.com",
        "outlook.de", "outlook.es", "outlook.fr", "outlook.jp", "pm.me", "posteo.de", "proton.me",
        "protonmail.com", "qq.com", "rocketmail.com", "sfr.fr", "t-online.de", "tutanota.com", "uol.com.br",
        "wanadoo.fr", "web.de", "wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.br",
        "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it", "yandex.ru", "ymail.com", "zoho.com",
    )
)
# fmt: on
ENDINGS = {  # none of these exists
    "cmo": "com",
    "comm": "com",
    "con": "com",
    "cpm": "com",
    "ocm": "com",
    "vom": "com",
    "xom": "com",
    "ner": "net",
    "nte": "net",
    "ogr": "org",
    "rog": "org",
}
MIN_NAME_LENGTH = 5  # of what comes before the dot: shorter names resemble too many others


def suggest(email: str) -> str | None:
    """Return the address that somebody probably meant, or None."""
    mailbox, _, domain = email.rpartition("@")
    domain = domain.lower()
    if not mailbox or domain in DOMAINS:
        return None
    meant = _nearest(domain) or _with_ending(domain)
    return f"{mailbox}@{meant}" if meant else None


def _nearest(domain: str) -> str | None:
    for known in sorted(DOMAINS):
        if len(known.partition(".")[0]) >= MIN_NAME_LENGTH and _is_near(domain, known):
            return known
    return None


def _with_ending(domain: str) -> str | None:
    name, _, ending = domain.rpartition(".")
    return f"{name}.{ENDINGS[ending]}" if name and ending in ENDINGS else None


def _is_near(typed: str, known: str) -> bool:
    """Does one slip make one of the other: a letter too few, too many, wrong, or two swapped?"""
    if abs(len(typed) - len(known)) > 1 or typed == known:
        return False
    start = next(
        (i for i, pair in enumerate(zip(typed, known, strict=False)) if pair[0] != pair[1]),
        min(len(typed), len(known)),
    )
    rest, goal = typed[start:], known[start:]
    is_swapped = len(rest) > 1 and rest[1::-1] + rest[2:] == goal
    return rest[1:] == goal or rest == goal[1:] or rest[1:] == goal[1:] or is_swapped
