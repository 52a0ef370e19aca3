"""Recognize the currency in a panel's answer. Pure."""

from __future__ import annotations

from typing import Any

#: Codes of ISO 4217, and three-letter codes that panels bill in beside those.
_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK
    MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
    SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS
    VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWL ZWG
    IRT RUR BTC ETH LTC TRX TON BNB
    """
CODES = frozenset(_CODES.split())
#: Words and abbreviations next to an amount that are not currency codes. They are ambiguous: a rupee may be Indian or
#: Pakistani, a dollar one of twenty. In lower case, without full stops.
_WORDS = """
    us usdt usdc rs re tk kr zl tl rp rm dh dhs sr lei leu lek kc ft din ден лв р руб рублей рубля рубль грн тг сум
    тенге dollar dollars euro euros pound pounds rupee rupees rupiah ruble rubles rouble roubles toman tomans rial
    rials riyal riyals taka naira lira lirasi real reais peso pesos baht dong dirham dirhams dinar dinars shilling
    shillings yen yuan won ringgit rand cedi credit credits point points coin coins
    تومان تومن ريال ریال دولار درهم دينار جنيه ليرة روپیہ रुपये रुपया টাকা
    """
WORDS = frozenset(_WORDS.split())


def read_currency(value: Any) -> str:
    """Return the three-letter code in ``value``, or "" where it names none.

    Signs ("₹", "$") and words ("Toman", "Rupee") are not cut to three letters: they name no currency, and a provider
    must not be stopped because of one.
    """
    if not isinstance(value, str):
        return ""
    code = value.strip().upper()
    return code if code in CODES else ""
