"""The registry of payment gateways. To add a gateway, add its class to ``GATEWAYS``."""

from storefront.payments.gateway import Gateway
from storefront.payments.gateways.binancepay import BinancePay
from storefront.payments.gateways.cashfree import Cashfree
from storefront.payments.gateways.coinpayments import CoinPayments
from storefront.payments.gateways.cryptobot import CryptoBot
from storefront.payments.gateways.demo import Demo
from storefront.payments.gateways.flutterwave import Flutterwave
from storefront.payments.gateways.freekassa import Freekassa
from storefront.payments.gateways.heleket import Cryptomus, Heleket
from storefront.payments.gateways.iyzico import Iyzico
from storefront.payments.gateways.manual import Manual
from storefront.payments.gateways.mercadopago import MercadoPago, MercadoPagoPix
from storefront.payments.gateways.midtrans import Midtrans
from storefront.payments.gateways.nowpayments import NowPayments
from storefront.payments.gateways.payeer import Payeer
from storefront.payments.gateways.paypal import PayPal
from storefront.payments.gateways.paystack import Paystack
from storefront.payments.gateways.paytr import PayTR
from storefront.payments.gateways.phonepe import PhonePe
from storefront.payments.gateways.plisio import Plisio
from storefront.payments.gateways.razorpay import Razorpay
from storefront.payments.gateways.robokassa import Robokassa
from storefront.payments.gateways.stripe import Stripe
from storefront.payments.gateways.tripay import Tripay
from storefront.payments.gateways.tzsmm import TZSMMPay
from storefront.payments.gateways.upi import Upi
from storefront.payments.gateways.yookassa import YooKassa
from storefront.payments.models import PaymentMethod

GATEWAYS: dict[str, type[Gateway]] = {
    gateway.name: gateway
    for gateway in (
        Manual,
        Upi,
        Stripe,
        PayPal,
        Heleket,
        Cryptomus,
        NowPayments,
        CryptoBot,
        BinancePay,
        Plisio,
        CoinPayments,
        Razorpay,
        Paystack,
        Tripay,
        PayTR,
        Iyzico,
        YooKassa,
        Freekassa,
        Robokassa,
        MercadoPago,
        MercadoPagoPix,
        Payeer,
        TZSMMPay,
        Cashfree,
        Midtrans,
        Flutterwave,
        PhonePe,
        Demo,
    )
}


def of(method: PaymentMethod) -> Gateway:
    """Return the gateway of a payment method, with its configuration."""
    return GATEWAYS[method.gateway](method.values(), is_test=method.is_test)


def available() -> list[type[Gateway]]:
    """Return the gateways that operators can set up."""
    return [gateway for gateway in GATEWAYS.values() if gateway.is_available()]


def is_usable(method: PaymentMethod) -> bool:
    """Return whether the gateway of a payment method exists and may be used."""
    gateway = GATEWAYS.get(method.gateway)
    return gateway is not None and gateway.is_available()
