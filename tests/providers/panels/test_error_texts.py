"""Error texts in the languages of panels: the meaning of each, and meanings that they must not be given."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.panels import error_phrases
from providers.panels.error_texts import (
    compile_phrases,
    is_fault,
    is_foreign,
    normalize,
    refusal_reason,
    rejection_reason,
)

#: By reason; "" is for texts that do not plainly say that nothing was done.
REJECTIONS = {
    "duplicate": """
        There is already an active order for this link
        You already have an active order with this link
        Order with this link already in progress
        Please wait until your previous order is completed
        Link is already in process, wait until order completes
        Заказ с такой ссылкой уже выполняется
        Bu link için devam eden sipariş var
        Bu linke ait aktif bir siparişiniz bulunmaktadır
        neworder.error.link_duplicate
        You have active order with this link. Please wait until order being completed.
        You cannot start a new order with the same link that is active processing order.
        У вас уже есть активный заказ с этой ссылкой
        Bu link için aktif siparişiniz var. Aynı link ile sipariş veremezsiniz
        """,
    "funds": """
        Insufficient balance, please deposit
        Your balance is not sufficient
        No enough balance
        Not enough credit
        Account balance is low
        Please add funds to your account
        balance_not_enough
        Low funds
        You have no funds
        Your funds are insufficient
        Insufficient fund
        Insufficient account balance
        Balance not sufficient to place this order
        Your account balance is less than the order price
        You do not have sufficient funds to place this order.
        Not enough funds.
        ERROR_NOT_ENOUGH_FUNDS
        Payment Required: insufficient credits
        You need more balance
        Please top up your balance
        Wallet balance insufficient
        Order cost exceeds your balance
        Недостаточно средств на счёте
        Баланс недостаточен
        Недостаточный баланс
        Пополните баланс
        На балансе недостаточно денег для заказа
        Bakiyeniz yetersiz, lütfen bakiye yükleyin
        Hesabınızda yeterli bakiye yok
        رصيدك الحالي غير كافي لإتمام الطلب
        ليس لديك رصيد كاف
        Saldo insuficiente para realizar o pedido
        Seu saldo é insuficiente
        Créditos insuficientes
        No hay saldo suficiente
        Tu saldo es insuficiente
        Saldo anda kurang
        Saldo tidak mencukupi untuk melakukan pemesanan
        Maaf, saldo Anda tidak cukup
        बैलेंस पर्याप्त नहीं है
        आपके खाते में पर्याप्त बैलेंस नहीं है
        Low balance
        You don't have enough balance
        Not enough funds on balance
        Balance is not enough
        You don't have sufficient balance
        You have insufficient balance
        Your balance is insufficient.
        insufficient_balance
        neworder.error.not_enough_funds
        Order was not placed: insufficient balance
        Недостаточно средств на балансе
        Недостаточно средств
        На вашем балансе недостаточно средств
        Не хватает денег на счете
        Yetersiz bakiye
        Bakiyeniz yetersiz
        Bakiye yetersiz!
        YETERSİZ BAKİYE
        Yeterli bakiyeniz bulunmamaktadır.
        Bakiyeniz yeterli değil
        رصيدك غير كافٍ
        الرصيد غير كافي
        رصيد غير كاف
        لا يوجد رصيد كافي
        Saldo insuficiente
        Saldo insuficiente na conta
        Você não tem saldo suficiente
        Fondos insuficientes
        No tienes saldo suficiente
        Saldo tidak cukup
        Saldo Anda tidak mencukupi
        अपर्याप्त शेष राशि
        अपर्याप्त बैलेंस
        पर्याप्त बैलेंस नहीं है
        Not Enough Balance
        Insufficient funds in your account
        Your balance is too low
        You do not have enough funds
        No balance
        Insufficient wallet balance
        Please recharge your account
        Not enough money
        Out of funds
        Balance too low!
        """,
    "busy": """
        Too many requests
        You are sending requests too fast
        Rate limit reached
        API rate limit exceeded
        Under maintenance
        Slow down
        Превышен лимит запросов
        Too many requests. Limit 50/minute.
        Too many requests, please try again later
        Site is under maintenance
        Слишком много запросов
        Çok fazla istek gönderdiniz
        Muitas requisições
        Demasiadas solicitudes
        Rate limit exceeded
        Please wait 5 seconds before placing a new order
        """,
    "key": """
        Invalid API
        Invalid Api Key.
        Api key not found
        Key not found
        Wrong key
        API key expired
        Your API access has been disabled
        API access is disabled
        Token is invalid
        Please provide a valid API key
        Your IP is not allowed
        IP address is not whitelisted
        Account is disabled
        Your account is blocked
        You are banned
        Неверный API-ключ
        API ключ не найден
        Ключ недействителен
        Доступ запрещён
        Geçersiz API Key
        Api key hatalı
        API anahtarı geçersiz
        مفتاح الـ API غير صالح
        Chave da API inválida
        API key inválida
        Clave de API no válida
        Token inválido
        API Key tidak valid
        API Key Salah!
        Invalid API key
        API key is incorrect
        API key invalid
        API is Disable for this user or User Not Found! Contact the Support
        Your account has been suspended.
        Your account is inactive
        account_banned
        Unauthenticated.
        Неверный API ключ
        Неверный ключ
        Geçersiz API anahtarı
        API anahtarı hatalı
        مفتاح API غير صحيح
        مفتاح API غير صالح
        Chave de API inválida
        Clave API incorrecta
        Chave inválida
        No autorizado
        API key salah
        Kunci API tidak valid
        अमान्य API कुंजी
        अमान्य एपीआई कुंजी
        Wrong API key
        Invalid key
        Invalid token
        Unauthorized
        Access denied
        User is blocked
        Account suspended
        """,
    "service": """
        Service ID is invalid
        This service is not available
        Service disabled
        Service is not enabled
        Service closed
        Inactive service
        Disabled service
        Service is no longer available
        The service you selected doesn't exist
        Unknown service
        No service found
        Service not exists
        Service with this ID does not exist
        Service is deactivated
        service_not_found
        Invalid service ID
        Invalid product
        Product not found
        Service is currently disabled
        Service is inactive
        This service has been disabled by admin
        Selected service is not active
        Неверный сервис
        Услуга не активна
        Услуга не существует
        Сервис отключен
        Данная услуга временно отключена
        Geçersiz servis ID
        Servis kapalı
        Hizmet aktif değil
        Servis mevcut değil
        Bu servis şu anda aktif değil
        الخدمة غير متوفرة
        Serviço não existe
        Serviço indisponível
        El servicio no existe
        Servicio desactivado
        Serviço inativo
        Layanan tidak valid
        Layanan sedang tidak aktif
        Layanan nonaktif
        सेवा निष्क्रिय है
        सेवा मौजूद नहीं है
        Invalid service
        Service not available
        Incorrect service
        Service is disabled
        Incorrect service ID
        Disabled service ID
        Service ID does not exists
        Service is inactive or not found
        error.incorrect_service_id
        neworder.error.incorrect_service_id
        Услуга не найдена
        Неверный ID услуги
        Сервис не найден
        Услуга отключена
        Услуга недоступна
        Geçersiz servis
        Servis bulunamadı
        Servis aktif değil
        Servis pasif
        الخدمة غير موجودة
        الخدمة غير متاحة
        الخدمة معطلة
        Serviço inválido
        Serviço não encontrado
        Serviço desativado
        Servicio no encontrado
        Servicio no válido
        ID de servicio incorrecto
        Layanan tidak ditemukan
        Layanan tidak tersedia
        Layanan tidak aktif
        अमान्य सेवा
        सेवा उपलब्ध नहीं है
        Service does not exist
        Service not found
        service is not active
        This service is disabled
        The selected service is invalid
        The selected service id is invalid.
        Service inactive
        No such service
        Wrong service
        Service has been removed
        This service is unavailable
        """,
    "quantity": """
        Quantity must be between 10 and 1000
        Quantity min 10
        Amount is less than minimum
        Minimum quantity is 100
        Quantity can not be less than 10
        Quantity not in range
        Incorrect quantity
        Quantity is more than max
        Min is 10
        Too few: the minimum is 100
        order quantity must be multiple of 10
        Please check minimum and maximum quantity
        Minimum order quantity 100
        Max quantity exceeded
        invalid_quantity
        Слишком маленькое количество
        Количество должно быть от 10 до 1000
        Минимальный заказ 100
        Превышено максимальное количество
        Minimum sipariş miktarı 100
        Miktar minimumdan az
        الكمية أكبر من الحد الأقصى
        A quantidade mínima é 100
        La cantidad mínima es 100
        Quantidade acima do máximo
        Cantidad no válida
        Jumlah minimal pemesanan 100
        Jumlah pesanan tidak sesuai
        Minimal order adalah 100
        न्यूनतम मात्रा 100 है
        Please follow the limit
        Quantity less than minimal 10
        Quantity must to be greater than or equal to minimum amount 10
        You did not meet the minimum number.
        Enter a value above the minimum number.
        neworder.error.min_quantity
        Quantity more than maximum 1000
        The maximum number has been exceeded.
        Количество меньше минимального
        Неверное количество
        Минимальное количество 100
        Minimum miktar 100
        Miktar en az 100 olmalıdır
        Geçersiz miktar
        الكمية أقل من الحد الأدنى
        Quantidade inválida
        Quantidade menor que o mínimo
        Cantidad menor que el mínimo
        Jumlah kurang dari minimal
        Minimal pemesanan 100
        मात्रा न्यूनतम से कम है
        Invalid quantity
        Minimum order is 100
        Min quantity is 50
        Quantity should be between 10 and 500
        Quantity is too small
        The quantity must be at least 100.
        Quantity exceeds the maximum
        """,
    "link": """
        Link is required
        Wrong link format
        Please enter a valid link
        Invalid username
        Invalid link format
        Please provide a valid URL
        Link not valid
        invalid_link
        Account is private
        The link is not correct
        Ссылка неверная
        Ссылка недействительна
        Неправильный формат ссылки
        Link geçersiz
        Lütfen geçerli bir link girin
        الرابط غير صالح
        O link é inválido
        Enlace inválido
        URL no válida
        Bad link
        neworder.error.link
        Неверная ссылка
        Некорректная ссылка
        Geçersiz link
        Hatalı bağlantı
        رابط غير صالح
        الرابط غير صحيح
        Link inválido
        Enlace no válido
        Link tidak valid
        Target tidak sesuai
        अमान्य लिंक
        गलत लिंक
        Invalid link
        Invalid URL
        Link is not valid
        Incorrect link
        The link field must be a valid URL.
        """,
    "request": """
        Invalid comments
        Comments is empty
        Comments are required
        Missing parameters
        Incorrect parameters
        Wrong action
        Invalid action.
        Comments field is required
        There are missing required parameters. Please check your API Manual
        This services does not support Dripfeed feature!
        This action is Invalid
        x is not a number
        Incorrect request
        The action field is required.
        Неверный запрос
        Поле link обязательно
        Geçersiz istek
        Requisição inválida
        Solicitud incorrecta
        Permintaan tidak valid
        Parameter tidak lengkap
        अमान्य अनुरोध
        Bad request
        Invalid parameters
        """,
    "": """
        Order has been received
        Your order is in queue
        We could not verify your order
        Failed to place order
        Order could not be placed
        Request failed
        Error while placing order
        Unable to process request
        Please try again
        Something is wrong
        Server busy
        Transaction failed
        Payment processing
        Order quantity 100 placed
        Balance deducted; order pending
        Order 55 created, min quantity warning
        not found
        null
        undefined
        Too many redirects
        Your order with link x was added
        Limit
        Operation timed out
        cURL error 28
        SQLSTATE[HY000]: General error
        Order accepted for service 5 with invalid link check pending
        Insufficient permissions
        Trying to get property of non-object
        Undefined index: quantity
        Undefined variable service
        Service response invalid
        Bad gateway: invalid service response
        Order already placed with same link
        Order already exists
        Please wait
        Your order is being processed by the service
        Something went wrong
        Something went wrong, try again later
        Internal server error
        Service Unavailable
        Service temporarily unavailable
        timeout
        Provider error: not enough funds at upstream
        Order placed
        Order placed, but balance is low
        Your order was created; not enough funds for the next one
        Error
        Unknown error
        Bad gateway
        Connection refused
        Order failed
        Could not create order
        Failed to create order
        An error has occurred
        Thank you for your order
        Invalid response from service
        Duplicate request
        Service is currently not available, try again later
        DB error
        Order is being processed, please wait 30 seconds
        Сервис временно недоступен
        Что-то пошло не так, попробуйте позже
        Внутренняя ошибка сервера
        Заказ успешно создан
        Bir hata oluştu
        Sipariş başarıyla oluşturuldu
        حدث خطأ ما
        Ocorreu um erro inesperado
        Algo salió mal
        Terjadi kesalahan sistem
        Pesanan berhasil dibuat
        कुछ गलत हो गया
        """,
}
REFUSALS = {
    "early": """
        Refill will be available in 20 hours
        Refill already in progress
        Refill already requested
        The order was completed or refill was requested less than 24 hours ago
        You can request a refill after 24 hours
        Please wait 24 hours before next refill
        Too early
        A refill is in progress
        Refill is already pending
        Рефилл уже запрошен
        Telafi talebi zaten devam ediyor
        """,
    "final": """
        Refill days are over
        Refill period expired
        Order not eligible for refill.
        Refill not allowed
        Non-refillable
        The order is not completed
        Order already completed and cannot be canceled
        Order cannot be cancelled
        cannot be cancelled
        Can't be cancelled
        The order cannot be canceled
        Order already canceled
        Отмена невозможна
        Заказ уже выполнен
        İptal edilemez
        لا يمكن إلغاء الطلب
        No se puede cancelar
        Não pode ser cancelado
        Tidak dapat dibatalkan
        """,
    "service": """
        Refill is disabled for this service
        Refill not available
        """,
    "order": """
        Incorrect order ID
        Order not found
        Unauthorized access to order
        """,
    "busy": """
        Too many requests, try again later
        """,
    "key": """
        Invalid API key
        """,
    "other": """
        Something odd
        Server error
        Something went wrong, try again later
        error
        true
        """,
}
FOREIGN = """
    Incorrect order ID
    Order not found.
    Order ID salah/Tidak ditemukan!
    Invalid order ID
    Wrong order id
    order_not_found
    Unauthorized access to order status
    Order does not exist
    The order 77 does not exist
    No order found
    Заказ не найден
    Неверный ID заказа
    Sipariş bulunamadı
    Geçersiz sipariş ID
    الطلب غير موجود
    Pedido não encontrado
    Pedido no encontrado
    Pesanan tidak ditemukan
    ऑर्डर नहीं मिला
    """
#: Nothing of this proves that a number is no order of ours.
NOT_FOREIGN = """
    Invalid API key
    Not found
    Page not found
    Service not found
    Refill not found
    Method not found
    does not exist
    Unauthorized
    Server error
    Order not found, try again later
    Order not found: database timeout
    Too many requests
    Canceled
    """


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


def table(texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(line, reason) for reason, block in texts.items() for line in lines_of(block)]


@pytest.mark.parametrize(("text", "reason"), table(REJECTIONS))
def test_a_rejection_is_recognized_by_its_text(text: str, reason: str) -> None:
    for spelling in (text, text.upper(), f"  {text} !!", text.replace(" ", "  "), f"<p>{text}</p>"):
        assert rejection_reason(spelling) == reason, normalize(spelling)


@pytest.mark.parametrize(("text", "reason"), table(REFUSALS))
def test_the_rejection_of_a_request_is_recognized_by_its_text(text: str, reason: str) -> None:
    assert refusal_reason(text) == reason


@pytest.mark.parametrize("text", lines_of(FOREIGN))
def test_a_number_that_is_no_order_of_ours_is_recognized_by_the_text(text: str) -> None:
    assert is_foreign(text)


@pytest.mark.parametrize("text", lines_of(NOT_FOREIGN))
def test_other_texts_prove_nothing_about_a_number(text: str) -> None:
    """The search for lost orders sends an order again on the strength of these texts."""
    assert not is_foreign(text)


def test_faults_of_the_panel_are_distinguished_from_its_answers() -> None:
    assert all(
        is_fault(text) for text in ("Server error", "Something went wrong", "Try again later", "Bir hata oluştu")
    )
    assert not any(is_fault(text) for text in ("Order not found", "Invalid API key", "Low balance", "In progress"))


def test_texts_are_compared_without_case_accents_and_marks() -> None:
    assert normalize("Ge&ccedil;ersiz&nbsp;<b>API</b>\n anahtarı!") == "gecersiz api anahtari"
    assert normalize("NotEnoughFunds, don’t ask") == "not enough funds dont ask"
    assert normalize("neworder.error.link_duplicate") == "neworder error link duplicate"
    assert normalize("غير كافٍ") == normalize("غير كاف")
    assert normalize("Отменён") == "отменен"


def test_every_phrase_can_be_found() -> None:
    """A phrase with a letter that normalizing takes away would never match; each finds at least itself."""
    by_reason = [*error_phrases.REJECTIONS.values(), *error_phrases.REQUEST_REFUSALS.values()]
    plain = [error_phrases.MAYBE_DONE, error_phrases.FAULTS, error_phrases.PASSING_TROUBLE, error_phrases.FOREIGN_ORDER]
    for phrase in [phrase for phrases in (*by_reason, *plain, error_phrases.UNDER_WAY) for phrase in phrases]:
        words = [
            word.split("|")[0].replace("_", " ").rstrip("*")
            for word in phrase.split()
            if word not in ("~", "...", "^", "$") and not word.startswith("?")
        ]
        assert compile_phrases([phrase]).search(normalize(" ".join(words))), phrase


@given(st.text(max_size=700))
def test_any_text_is_classified(text: str) -> None:
    assert rejection_reason(text) in {"", *error_phrases.REJECTIONS} - {"availability"}
    assert refusal_reason(text)
    assert is_foreign(text) in (True, False)


def test_classifying_is_quick_however_odd_the_text() -> None:
    words = ["order", "service", "not", "invalid", "quantity", "wait", "link", "active", "key", "balance", "is", "no"]
    started = time.process_time()
    for seed in range(50):
        text = " ".join(random.Random(seed).choices(words, k=150))
        rejection_reason(text)
        refusal_reason(text)
    for word in words:
        rejection_reason(f"{word} " * 100_000)
    assert time.process_time() - started < 10
