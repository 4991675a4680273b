"""The names of payment methods: one table for every page, the API and the audit log.

Types are Stripe's: https://docs.stripe.com/api/payment_methods/object#payment_method_object-type
"""

from typing import NamedTuple

from app.web.languages import mark

CARD = mark("Card")

TYPES = {
    "acss_debit": mark("Canadian pre-authorized debit"),
    "affirm": "Affirm",
    "afterpay_clearpay": "Afterpay / Clearpay",
    "alipay": "Alipay",
    "alma": "Alma",
    "amazon_pay": "Amazon Pay",
    "au_becs_debit": "AU BECS Debit",
    "bacs_debit": mark("Bacs Direct Debit"),
    "bancontact": "Bancontact",
    "billie": "Billie",
    "bizum": "Bizum",
    "blik": "BLIK",
    "boleto": "Boleto",
    "card": CARD,
    "card_present": CARD,
    "cashapp": "Cash App Pay",
    "crypto": mark("Crypto"),
    "custom": mark("Other payment method"),
    "customer_balance": mark("Customer balance"),
    "eps": "EPS",
    "fpx": "FPX",
    "giropay": "giropay",
    "gopay": "GoPay",
    "grabpay": "GrabPay",
    "id_bank_transfer": mark("Indonesian bank transfer"),
    "ideal": "iDEAL",
    "interac_present": "Interac",
    "kakao_pay": "Kakao Pay",
    "klarna": "Klarna",
    "konbini": "Konbini",
    "kr_card": mark("Korean card"),
    "link": "Link",
    "mb_way": "MB WAY",
    "mobilepay": "MobilePay",
    "multibanco": "Multibanco",
    "naver_pay": "Naver Pay",
    "ng_bank": mark("Nigerian bank account"),
    "ng_bank_transfer": mark("Nigerian bank transfer"),
    "ng_card": mark("Nigerian card"),
    "ng_market": "Nigerian market",
    "ng_ussd": "Nigerian USSD",
    "ng_wallet": mark("Nigerian wallet"),
    "nz_bank_account": "NZ BECS Debit",
    "octopus": "Octopus",
    "oxxo": "OXXO",
    "p24": "Przelewy24",
    "paper_check": mark("Paper check"),
    "pay_by_bank": "Pay by Bank",
    "payco": "PAYCO",
    "paynow": "PayNow",
    "paypal": "PayPal",
    "paypay": "PayPay",
    "payto": "PayTo",
    "pix": "Pix",
    "promptpay": "PromptPay",
    "qris": "QRIS",
    "rechnung": "Rechnung",
    "revolut_pay": "Revolut Pay",
    "samsung_pay": "Samsung Pay",
    "satispay": "Satispay",
    "scalapay": "Scalapay",
    "sepa_debit": mark("SEPA Direct Debit"),
    "sequra": "seQura",
    "shopeepay": "ShopeePay",
    "sofort": "Sofort",
    "stripe_balance": "Stripe balance",
    "sunbit": "Sunbit",
    "swish": "Swish",
    "tamara": "Tamara",
    "twint": "TWINT",
    "upi": "UPI",
    "us_bank_account": mark("US bank account"),
    "vipps": "Vipps",
    "wechat_pay": "WeChat Pay",
    "wero": "Wero",
    "zip": "Zip",
}

# Stripe spells several of them in two ways: in `brand` and in `display_brand`.
BRANDS = {
    "american_express": "American Express",
    "amex": "American Express",
    "bc": "BC Card",
    "cartes_bancaires": "Cartes Bancaires",
    "citi": "Citibank",
    "diners": "Diners Club",
    "diners_club": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "eftpos_australia": "eftpos",
    "elo": "Elo",
    "girocard": "girocard",
    "hana": "Hana Card",
    "hyundai": "Hyundai Card",
    "interac": "Interac",
    "jcb": "JCB",
    "jeju": "Jeju Bank",
    "jeonbuk": "Jeonbuk Bank",
    "kakaobank": "KakaoBank",
    "kbank": "K bank",
    "kdbbank": "KDB",
    "kookmin": "KB Kookmin Card",
    "kwangju": "Kwangju Bank",
    "link": "Link",
    "lotte": "Lotte Card",
    "maestro": "Maestro",
    "mastercard": "Mastercard",
    "mg": "MG",
    "nh": "NH Card",
    "other": CARD,
    "post": "Korea Post",
    "rupay": "RuPay",
    "samsung": "Samsung Card",
    "savingsbank": mark("Korean savings bank"),
    "shinhan": "Shinhan Card",
    "shinhyup": "Shinhyup",
    "suhyup": "Suhyup Bank",
    "tossbank": "Toss Bank",
    "union_pay": "UnionPay",
    "unionpay": "UnionPay",
    "unknown": CARD,
    "visa": "Visa",
    "woori": "Woori Card",
}

WALLETS = {
    "amex_express_checkout": "Amex Express Checkout",
    "apple_pay": "Apple Pay",
    "google_pay": "Google Pay",
    "link": "Link",
    "masterpass": "Masterpass",
    "samsung_pay": "Samsung Pay",
    "visa_checkout": "Visa Checkout",
}

CARD_TYPES = {"card", "card_present", "interac_present", "kr_card", "ng_card"}
BANK_DEBITS = {
    "acss_debit",
    "au_becs_debit",
    "bacs_debit",
    "nz_bank_account",
    "sepa_debit",
    "us_bank_account",
}


class MethodDetails(NamedTuple):
    """What the name of a payment method is made from. `PaymentMethod` has columns of the same names."""

    type: str
    brand: str | None = None
    last4: str | None = None
    bank_name: str | None = None
    email: str | None = None
    wallet: str | None = None
    display_name: str | None = None
    handle: str | None = None

    @property
    def name(self) -> str:
        """What it is, in one or two words: the bank, the brand or the type."""
        if self.type == "custom":
            return self.display_name or type_name(self.type)
        if self.type in CARD_TYPES and self.brand:
            return brand_name(self.brand)
        return self.bank_name or type_name(self.type)

    @property
    def title(self) -> str:
        """The method in a few words, such as `Visa •••• 4242, Apple Pay`. Unknown types have a title, too."""
        return self.titled(self.name)

    def titled(self, name: str) -> str:
        """Return the title with this name in it."""
        account = f"•••• {self.last4}" if self.last4 else self.email or self.handle
        title = f"{name} {account}" if account else name
        return f"{title}, {wallet_name(self.wallet)}" if self.wallet else title


def type_name(kind: str) -> str:
    """Return the name of a type of payment method. A type that we don't know gets a readable name, too."""
    return TYPES.get(kind) or _spell_out(kind)


def brand_name(brand: str) -> str:
    """Return the name of a card's brand."""
    return BRANDS.get(brand) or _spell_out(brand)


def wallet_name(wallet: str) -> str:
    """Return the name of the wallet that a card was saved from."""
    return WALLETS.get(wallet) or _spell_out(wallet)


def _spell_out(word: str) -> str:
    return word.replace("_", " ").strip().capitalize() or CARD
