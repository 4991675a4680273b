"""The currencies that Stripe can present, with their names."""

from functools import cache

from babel import Locale

from app.core.reference.collation import sort_key

COMMON = (
    "USD",
    "EUR",
    "GBP",
    "JPY",
    "CAD",
    "AUD",
    "CHF",
    "CNY",
    "INR",
    "BRL",
)  # the first ones of a long list
LONG_LIST = 12  # from here on, the common ones come first

# https://docs.stripe.com/currencies: the presentment currencies, as of API version 2026-10-28, without those
# that their countries have retired: nobody can pay in ANG (since 2025) or STD (since 2018).
# fmt: off
CODES = frozenset(
    (
        "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT",
        "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLP",
        "CNY", "COP", "CRC", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ETB", "EUR", "FJD",
        "FKP", "GBP", "GEL", "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR",
        "ILS", "INR", "ISK", "JMD", "JPY", "KES", "KGS", "KHR", "KMF", "KRW", "KYD", "KZT", "LAK",
        "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MUR", "MVR",
        "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK",
        "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SEK",
        "SGD", "SHP", "SLE", "SOS", "SRD", "SZL", "THB", "TJS", "TOP", "TRY", "TTD", "TWD",
        "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF",
        "YER", "ZAR", "ZMW",
    )
)
# fmt: on


# fmt: off
ISO_4217 = CODES | frozenset(  # what else ISO 4217 lists as in use: https://www.iso.org/iso-4217-currency-codes.html
    (
        "BHD", "BOV", "BTN", "CHE", "CHW", "CLF", "COU", "CUP", "ERN", "GHS", "IQD", "IRR", "JOD", "KPW",
        "KWD", "LYD", "MRU", "MXV", "OMR", "SDG", "SSP", "STN", "SVC", "SYP", "TMT", "TND", "USN", "UYI",
        "UYW", "VED", "VES", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XCG", "XDR", "XPD", "XPT", "XSU",
        "XTS", "XUA", "XXX", "ZWG",
    )
)
# fmt: on


@cache
def choices() -> tuple[tuple[str, str], ...]:
    """Code and `CODE - Name` of each, by code."""
    names = Locale("en").currencies
    return tuple((code, f"{code} - {names.get(code, code)}") for code in sorted(CODES))


def name(code: str, locale: str = "en") -> str:
    """Return a currency's name, or its code when it has none."""
    return str(Locale.parse(locale).currencies.get(code, code))


@cache
def named(locale: str, offered: tuple[str, ...] = ()) -> tuple[tuple[str, str], ...]:
    """Return code and name in a language of the offered currencies, or of all.

    A short list keeps the order of the offer. A long one has the common ones first, and then all by name.
    """
    label = {code: f"{name(code, locale)} ({code})" for code in offered or CODES}
    if offered and len(offered) < LONG_LIST:
        return tuple(label.items())
    first = [code for code in COMMON if code in label]
    rest = sorted(label.keys() - set(first), key=lambda code: sort_key(label[code], locale))
    return tuple((code, label[code]) for code in (*first, *rest))
