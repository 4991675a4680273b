"""Tax ids by country: which kind a number is at Stripe, and whether it can be right.

The checks are python-stdnum's; they use check digits, and ask nobody. Stripe's types and formats:
https://docs.stripe.com/billing/customer/tax-ids
"""

import re
from importlib import import_module
from typing import Any

from app.core.values import frozen

MAX_LENGTH = 50
EU_VAT = {  # examples; each begins with the prefix of its country
    "AT": "ATU13585627",
    "BE": "BE0428759497",
    "BG": "BG175074752",
    "CY": "CY10259033P",
    "CZ": "CZ25123891",
    "DE": "DE136695976",
    "DK": "DK13585628",
    "EE": "EE100931558",
    "ES": "ESB58378431",
    "FI": "FI20774740",
    "FR": "FR40303265045",
    "GR": "EL094259216",
    "HR": "HR33392005961",
    "HU": "HU12892312",
    "IE": "IE6433435F",
    "IT": "IT00743110157",
    "LT": "LT119511515",
    "LU": "LU15027442",
    "LV": "LV40003521600",
    "MT": "MT11679112",
    "NL": "NL004495445B01",
    "PL": "PL8567346215",
    "PT": "PT501964843",
    "RO": "RO18547290",
    "SE": "SE123456789701",
    "SI": "SI50223054",
    "SK": "SK2022749619",
}


@frozen
class Kind:
    """One kind of number: Stripe's type, a module of python-stdnum or a pattern, and an example."""

    type: str
    check: str
    example: str
    prefix: str = ""  # that Stripe wants and people leave out
    suffix: str = ""
    is_formatted: bool = False  # Stripe wants the usual dots and dashes


KINDS: dict[str, tuple[Kind, ...]] = {
    "AD": (Kind("ad_nrt", "ad.nrt", "L-709604-E", is_formatted=True),),
    "AE": (Kind("ae_trn", r"[0-9]{15}", "123456789012345"),),
    "AR": (Kind("ar_cuit", "ar.cuit", "20-05536168-2", is_formatted=True),),
    "AU": (Kind("au_abn", "au.abn", "83914571673"),),
    "BR": (
        Kind("br_cnpj", "br.cnpj", "16.727.230/0001-97", is_formatted=True),
        Kind("br_cpf", "br.cpf", "390.533.447-05", is_formatted=True),
    ),
    "CA": (
        Kind("ca_gst_hst", r"[0-9]{9}RT[0-9]{4}", "123026635RT0001"),
        Kind("ca_bn", "ca.bn", "123026635"),
    ),
    "CH": (
        Kind("ch_vat", "ch.vat", "CHE-107.787.577 MWST", is_formatted=True),
        Kind("ch_uid", "ch.uid", "CHE-107.787.577", is_formatted=True),
    ),
    "CL": (Kind("cl_tin", "cl.rut", "76.086.428-5", is_formatted=True),),
    "CN": (Kind("cn_tin", "cn.uscc", "91110000600037341L"),),
    "CO": (Kind("co_nit", "co.nit", "213.123.432-1", is_formatted=True),),
    "EC": (Kind("ec_ruc", "ec.ruc", "1792060346001"),),
    "GB": (Kind("gb_vat", "gb.vat", "GB980780684", prefix="GB"),),
    "HK": (Kind("hk_br", r"[0-9]{8}", "12345678"),),
    "ID": (Kind("id_npwp", "id.npwp", "01.312.166.0-091.000", is_formatted=True),),
    "IL": (Kind("il_vat", "il.hp", "516179157"),),
    "IN": (Kind("in_gst", "in_.gstin", "27AAPFU0939F1ZV"),),
    "IS": (Kind("is_vat", "is_.vsk", "00621"),),
    "JP": (
        Kind("jp_trn", r"T[0-9]{13}", "T5835678256246"),
        Kind("jp_cn", "jp.cn", "5835678256246"),
    ),
    "KR": (Kind("kr_brn", "kr.brn", "116-82-00276", is_formatted=True),),
    "LI": (Kind("li_uid", "ch.uid", "CHE100155212"),),
    "MX": (Kind("mx_rfc", "mx.rfc", "GODE561231GR8"),),
    "NO": (Kind("no_vat", "no.mva", "995525828MVA", suffix="MVA"),),
    "NZ": (Kind("nz_gst", "nz.ird", "49091850"),),
    "PE": (Kind("pe_ruc", "pe.ruc", "20512333797"),),
    "RS": (Kind("rs_pib", "rs.pib", "101134702"),),
    "RU": (Kind("ru_inn", "ru.inn", "7827004526"),),
    "SA": (Kind("sa_vat", r"[0-9]{15}", "123456789012345"),),
    "SG": (Kind("sg_uen", "sg.uen", "00192200M"),),
    "TH": (Kind("th_vat", "th.moa", "0993000133978"),),
    "TR": (Kind("tr_tin", "tr.vkn", "4540536920"),),
    "TW": (Kind("tw_vat", "tw.ubn", "00501503"),),
    "UA": (Kind("ua_vat", r"[0-9]{12}", "123456789012"),),
    "US": (Kind("us_ein", "us.ein", "91-1144442", is_formatted=True),),
    "UY": (Kind("uy_ruc", "uy.rut", "211003420017"),),
    "VN": (Kind("vn_tin", "vn.mst", "0100233488"),),
    "ZA": (Kind("za_vat", r"4[0-9]{9}", "4123456789"),),
} | {country: (Kind("eu_vat", "eu.vat", example, prefix=example[:2]),) for country, example in EU_VAT.items()}


@frozen
class TaxNumber:
    """A number in the form that Stripe takes; without a type, Stripe knows no tax ids of that country."""

    type: str | None
    value: str

    @classmethod
    def of(cls, text: str) -> "TaxNumber":
        """Read what `text` returned."""
        found = re.fullmatch(r"(.+) \((\w+)\)", text)
        return cls(found[2], found[1]) if found else cls(None, text)

    @property
    def text(self) -> str:
        """The number with its type, as pages show it."""
        return f"{self.value} ({self.type})" if self.type else self.value


class InvalidTaxId(ValueError):
    """The number can't be a tax id of its country; `example` shows what one looks like."""

    def __init__(self, example: str) -> None:
        super().__init__(example)
        self.example = example


def read(country: str, text: str) -> TaxNumber:
    """Read what somebody typed, with or without dots, spaces and the country's prefix.

    Raises InvalidTaxId. A number of a country without known kinds is taken as it is.
    """
    kinds = KINDS.get(country, ())
    for kind in kinds:
        value = _read(kind, text)
        if value is not None:
            return TaxNumber(kind.type, value)
    if kinds:
        raise InvalidTaxId(kinds[0].example)
    return TaxNumber(None, " ".join(text.split()))


def _read(kind: Kind, text: str) -> str | None:
    bare = re.sub(r"[\s./-]", "", text).upper()
    if kind.prefix and not bare.startswith(kind.prefix):
        bare = kind.prefix + bare
    if kind.suffix and not bare.endswith(kind.suffix):
        bare += kind.suffix
    if "[" in kind.check:
        return bare if re.fullmatch(kind.check, bare) else None
    module: Any = import_module(f"stdnum.{kind.check}")
    if not module.is_valid(bare):
        return None
    compact = str(module.compact(bare))
    if kind.is_formatted:
        return str(module.format(compact))
    return compact if not kind.prefix or compact.startswith(kind.prefix) else kind.prefix + compact
