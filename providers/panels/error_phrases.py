"""Known error texts of panels, as data: what they say, in the languages that panels are written in.

A phrase is compared with a text that ``error_texts.normalize`` has reduced to lower case, without accents, apostrophes
and punctuation; the phrases here are reduced the same way. In a phrase

    word        matches this word, ``wor*`` any word that begins so
    a|b_c       matches one of several; ``_`` stands for a blank within one of them
    ?word       matches this word or nothing
    ~           up to three words
    ...         any words
    ^ and $     the beginning and the end of the text
    ,           ends a phrase

Only texts that plainly say that nothing was done belong into REJECTIONS: a text taken for a rejection although the
order was placed buys it twice. "Something went wrong" and "Service temporarily unavailable" say nothing about that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Phrases = tuple[str, ...]


def _split(text: str) -> Phrases:
    """Return the phrases in ``text``; a line may also break after a ``|``."""
    return tuple(" ".join(phrase.split()) for phrase in re.sub(r"\|\s+", "|", text).split(",") if phrase.strip())


#: Why nothing was bought. The first reason with a phrase that fits counts, so the order matters.
REJECTIONS: Mapping[str, Phrases] = {
    # Another order with this link is under way at the panel.
    "duplicate": _split(
        """
        link* ... devam_eden ~ siparis*, devam eden ~ siparis* ... link*,
        active order ... link, link duplicate*, duplicate* link, same link, wait until ~ order, already ~ active
        order, order ... this|the link ... in_progress|processing|active,
        активн* заказ* ... ссылк*, заказ* ~ этой|эту|данной|данную|такой|той ссылк*, дождитесь ~ заверш*|
        выполн*,
        ayni link*|baglanti*, aktif ~ siparis* ... link*|baglanti*, link*|baglanti* ... aktif ~ siparis*, siparis*
        ~ tamamlanmasini ~ bekle*,
        طلب نشط ... الرابط|رابط, نفس الرابط, الرابط ... طلب ~ نشط|قيد_التنفيذ, انتظر ~ حتى ~ الطلب,
        pedido|ordem|encomenda ~ ativo|ativa ... link, mesmo link, aguarde ~ pedido ~ conclu*, pedido|orden ~
        activo|activa ... enlace|link, mismo enlace|link, espere ~ pedido|orden ~ complet*, masih ada|memiliki ~
        pesanan|order|orderan, link|target|tautan yang sama, pesanan|order ~ aktif ... link|target|tautan,
        सक्रिय ऑर्डर ... लिंक, इस|इसी|समान लिंक ... ऑर्डर,
        """
    ),
    # Our balance there is too low.
    "funds": _split(
        """
        need* ~ more balance|fund*|money|credit*, баланс* недостаточен,
        not|no|without|isnt|hasnt|havent|dont_have|doesnt_have ~ enough|sufficient ~ fund*|balance|money|
        credit*|amount|cash|points|wallet, enough|sufficient fund*|balance|money|credit*, insufficient ~
        fund*|balance|money|credit*|wallet|amount|cash, fund*|balance|money|credit*|wallet|points ~
        insufficient|low|lower|empty|zero|negative|exhausted, fund*|balance|credit*|wallet ~ not ~ enough|
        sufficient|cover, balance|credit*|wallet ~ less_than|too_low, low|zero|negative|no|poor balance|
        fund*|credit*, out_of|lack_of|run_out_of ~ fund*|balance|money|credit*, exceed* ~ your ~ balance|
        credit*, add|deposit ~ fund*|balance|money ... account|wallet|balance|first|continue, please|must|
        need_to ~ add|deposit|recharge|top_up|topup|refill ~ fund*|balance|money|account|wallet,
        недостаточн* ~ средств|денег|баланс*|кредит*, средств|денег|баланс* ~ недостаточно, не хватает ~ средств|
        денег|баланс*, нехватает|нехватка ~ средств|денег, низкий|нулевой|отрицательный баланс, нет ~ средств|
        денег ~ балансе|счете|счету, ^ нет средств|денег, пополните ~ баланс|счет|кошелек, мало ~ средств|денег,
        yetersiz ~ bakiye*|kredi*|fon*, bakiye*|kredi* ~ yetersiz*|yetmiyor|yetmemektedir|dusuk, yeterli ~
        bakiye*|kredi* ~ yok*|degil*|bulunm*|mevcut_degil, bakiye* ~ yeterli ~ degil*, bakiye* ~ yok*, bakiye ~
        yukle*|ekle*,
        رصيد*|الرصيد|الاموال|المبلغ ~ غير ~ كاف*, رصيد*|الرصيد ~ لا ~ يكفي|تكفي, لا يكفي|تكفي ~ رصيد*|الرصيد,
        لا يوجد|توجد|تملك|تمتلك|لديك ~ رصيد*, ليس لديك ~ رصيد*|اموال, رصيد*|الرصيد ~ منخفض|غير_كافي|قليل, عدم
        كفايه ~ الرصيد|رصيد*,
        saldo|fundo*|credito*|fondo*|balance ~ insuficiente*, insuficiente* ~ saldo|fundo*|credito*|fondo*|
        balance, sem|sin ~ saldo|fundos|fondos|creditos, nao|no ~ tem|possui|ha|tiene*|hay|dispone*|
        cuenta_con ~ saldo|fundos|fondos|creditos|balance|suficiente*|saldo_suficiente|fondos_suficientes,
        saldo|fundos|fondos|creditos|balance ~ nao|no ~ e|es|sao|son ~ suficiente*, saldo ~ baixo|bajo,
        recargue|recarregue|adicione ~ saldo|fondos|fundos, saldo|dana|deposit ~ tidak|tdk|kurang|belum ~
        cukup|mencukupi|memadai|mencukup, saldo ~ kurang|habis|kosong, tidak memiliki ~ saldo|dana, kekurangan
        saldo|dana, isi ~ saldo|deposit,
        अपर्याप्त ~ शेष*|बैलेंस*|राशि|धनराशि|धन|फंड|निधि|क्रेडिट|पैसे, पर्याप्त ~ शेष*|बैलेंस*|राशि|धनराशि|
        धन|फंड|पैसे|क्रेडिट ~ नहीं, शेष*|बैलेंस*|राशि|धनराशि ~ अपर्याप्त|कम, शेष*|बैलेंस*|राशि ~ पर्याप्त ~
        नहीं, बैलेंस*|पैसे|फंड ~ नहीं,
        balance ~ kam|nahi|nahin,
        """
    ),
    # Too often, or not now: the same request may be sent again soon.
    "busy": _split(
        """
        too many ~ request*|attempt*|calls|orders_per|tries, rate limit*, request* limit*|quota, api limit*,
        limit ~ request*, throttl*, maintenance, slow down, too frequent*, request* ~ too_often|too_fast, wait ~
        second*|sec|minute*|min, flood wait|control,
        слишком|очень ~ много|часто|частые ~ запрос*|попыт*, лимит* ~ запрос*, превышен* ~ лимит* ~ запрос*,
        технически* ~ работ*|обслуживани*, ведутся ~ работы, подождите ~ секунд*|минут*,
        cok fazla ~ istek|deneme|talep, istek ~ limit*|sinir*, bakim ~ modu*|calisma*, bakimda*, bakimdayiz,
        طلبات كثيره|كثيره_جدا, الكثير|كثير|العديد ~ من ~ الطلبات|المحاولات, تجاوزت|تجاوز ~ الحد|حد ~ الطلبات,
        صيانه|الصيانه,
        demasiad*|muchas ~ solicitud*|peticion*|intentos, muitas|demais|excesso ~ requisic*|solicitac*|
        tentativas|pedidos_por, limite ~ requisic*|solicitac*|solicitud*|peticion*, mantenimiento|manutencao,
        terlalu banyak ~ permintaan|request|percobaan, batas ~ permintaan|request, pemeliharaan|perawatan_sistem,
        बहुत ~ अनुरोध, अनुरोध ~ सीमा, रखरखाव,
        """
    ),
    # The key or our account there.
    "key": _split(
        """
        ^ invalid|wrong|incorrect api $,
        api key*|keys, apikey*, api token*, api ~ disable*|deactivated|blocked, api access ~ denied|disable*,
        invalid|incorrect|wrong|bad|unknown|expired|missing|no ~ key|token|credential*|secret|access_key,
        key|token|credential* ~ invalid|incorrect|wrong|expired|missing|required|not_valid|not_found|
        not_correct|revoked|disabled|does_not_exist|not_exist, unauthori*, unauthenticated, not ~ authori*|
        authenticated|logged_in, authentication|authorization ~ fail*|error|required|denied|invalid|
        has_been_denied, login|log_in|sign_in required, access ~ denied|forbidden, permission denied, ^ forbidden,
        your|api|user|reseller|client ~ account ~ suspended|banned|blocked|inactive|disabled|locked|
        deactivated|closed|not_active, ^ account ~ suspended|banned|blocked|inactive|disabled|locked|
        deactivated|not_active, you|user ~ are|is|been|was ~ banned|blocked|suspended|deactivated|inactive, ^
        user not_found|does_not_exist, or user not_found, ip ~ not_allowed|not_whitelisted|blocked|banned|denied|
        not_authori*|blacklisted, not ~ whitelist*,
        неверн*|неправильн*|некорректн*|недействительн*|ошибочн*|неизвестн* ~ ключ*|токен*|api|апи, ключ*|
        токен* ~ неверн*|неправильн*|некорректн*|недействител*|не_найден*|не_существует|отсутствует|
        заблокирован*|не_указан*|просрочен*, api ~ ключ*, не авторизован*, ошибка ~ авторизации|аутентификации,
        доступ* ~ запрещен*|закрыт*|ограничен*, доступ к api, аккаунт*|пользовател*|учетная_запись ~
        заблокирован*|неактивен|неактивна|не_активен|отключен*|приостановлен*, ^ пользователь ~ не_найден,
        gecersiz|hatali|yanlis|bilinmeyen ~ api*|anahtar*|token*|kimlik, api ~ anahtar*|anahtari*|gecersiz|
        hatali|yanlis, anahtar*|token* ~ gecersiz|hatali|yanlis|bulunamadi, yetkisiz*, yetki* ~ yok*, erisim ~
        engel*|reddedil*|yasak*, hesab* ~ askiya*|engel*|yasak*|pasif|kapatil*|kapali|dondurul*|aktif_degil,
        kimlik dogrulama*,
        مفتاح|المفتاح|التوكن|الرمز_المميز ~ غير ~ صحيح*|صالح*|موجود|صالحه|معروف, مفتاح|المفتاح ~ خاطي|خاطيء|
        خطا, مفتاح ~ api|الapi|ال_api, غير ~ مصرح|مخول|مسموح|مصرح_به, الوصول ~ مرفوض|ممنوع, حساب*|الحساب ~
        موقوف|معلق|محظور|معطل|مقفل|غير_نشط|غير_مفعل|موقف, رفض الوصول, تم ~ تعليق|حظر|ايقاف ~ حساب*|الحساب,
        chave|clave|token|llave ~ invalid*|incorret*|incorrect*|no_valid*|nao_valid*|errad*|expirad*|
        nao_encontrad*|no_encontrad*, chave|clave ~ api, invalid*|incorret*|incorrect* ~ chave|clave|token, nao|
        no ~ autorizad*|autenticad*, acesso|acceso ~ negado|denegado|proibido|prohibido, conta|cuenta ~
        suspens*|suspend*|bloquead*|inativ*|inactiv*|desativad*|desactivad*|deshabilitad*|banid*|cancelad*,
        kunci|key|token ~ salah|tidak_valid|tidak_ditemukan|tidak_sesuai|tidak_cocok|invalid, kunci api, akses
        ~ ditolak|dilarang, akun* ~ dinonaktifkan|diblokir|nonaktif|tidak_aktif|ditangguhkan|suspend*|
        dibekukan|banned, tidak ~ terautentikasi|diotorisasi|berwenang, ^ pengguna|user tidak_ditemukan, ip ~
        tidak_diizinkan|tidak_terdaftar|salah,
        अमान्य|गलत|अवैध ~ api|एपीआई|कुंजी|टोकन, api|एपीआई ~ कुंजी|key, कुंजी|टोकन ~ अमान्य|गलत|अवैध,
        अनधिकृत, अधिकृत नहीं, खाता|अकाउंट ~ निलंबित|बंद|निष्क्रिय|ब्लॉक|अवरुद्ध, पहुंच|एक्सेस ~ अस्वीकृत|
        अस्वीकार|निषिद्ध,
        """
    ),
    # The service is not one that can be ordered there.
    "service": _split(
        """
        incorrect|invalid|wrong|unknown|disabled|disable|inactive|bad|no_such|nonexistent ?the|selected|
        requested service*|product|package, service* id|number ~ incorrect|invalid|wrong|not_found|not_exist*|
        disabled|inactive|required|missing|not_valid, service*|product|package ~ not ~ found|exist*|active|
        valid|enabled|offered|allowed|supported|sold, service*|product|package ~ doesnt|dont|does_not|
        do_not|didnt ~ exist*, service*|product|package ~ inactive|disabled|deactivated|deleted|removed|
        discontinued|closed|stopped|paused|invalid|incorrect|out_of_stock|suspended|unknown, no ~ service ~
        found, cannot|cant|could_not ~ find ~ service, service* id ... exist*, service* ~ no longer, ^ out of stock,
        неверн*|неправильн*|некорректн*|неизвестн*|недействительн*|несуществующ* ~ услуг*|сервис*|id_услуг*|
        id_сервис*, услуг* ~ не ~ найден*|существует|актив*, услуг* ~ отключен*|неактивн*|удален*|остановлен*|
        приостановлен*|закрыта, сервис* ~ не ~ найден*|существует|активен, сервис* ~ отключен*|неактив*|удален*,
        нет ~ такой ~ услуги, нет ~ такого ~ сервиса,
        gecersiz|hatali|yanlis|bilinmeyen|pasif ~ servis*|hizmet*|paket*|urun*, servis*|hizmet*|paket*|urun*
        ~ bulunamadi|bulunmuyor|bulunamiyor|pasif*|gecersiz*|hatali|kapali*|kapatil*|kaldiril*|yok|
        mevcut_degil*|aktif_degil*|gecerli_degil*|devre_disi*, boyle bir ~ servis*|hizmet* ~ yok,
        خدمه|الخدمه ~ غير ~ موجود*|صحيح*|صالح*|فعال*|مفعل*|نشط*|معروف*, خدمه|الخدمه ~ معطل*|متوقف*|محذوف*|
        مغلق*|موقوف*|خاطي*, معرف|رقم ~ الخدمه ~ غير|خاطي*|خطا, لا توجد|يوجد ~ خدمه|الخدمه, لم يتم العثور على ~
        الخدمه,
        servic* ~ invalid*|incorrect*|incorret*|inativ*|inactiv*|desativad*|desactivad*|deshabilitad*|
        desabilitad*|eliminad*|removid*|errad*, servic* ~ nao|no ~ encontrad*|existe|valid*|ativo|activo|
        esta_ativo|esta_activo|e_valid*|es_valid*, ^ invalid*|incorret*|incorrect* ~ servic*, id ~ servic* ~
        invalid*|incorret*|incorrect*|no_valid*|nao_encontrad*|no_existe|nao_existe, layanan*|servis|service|
        produk|id_layanan ~ tidak ~ ditemukan|aktif|valid|ada|terdaftar|sesuai, layanan*|id_layanan ~ salah|
        nonaktif|dinonaktifkan|ditutup|invalid,
        अमान्य|गलत|अवैध|अज्ञात ~ सेवा|सर्विस, सेवा|सर्विस ~ मौजूद|सक्रिय ~ नहीं, सेवा|सर्विस ~ नहीं ~ मिली|
        मिला|है, सेवा|सर्विस ~ अक्षम|निष्क्रिय|बंद|अमान्य,
        """
    ),
    # The same, unless the text also says "temporarily" or "try again later" (PASSING_TROUBLE): then the service may be
    # the panel's API. "Service unavailable" is the name of HTTP 503 and is not here at all.
    "availability": _split(
        """
        service*|product|package ~ not ~ available, this|selected|that|chosen|requested service|product|
        package ~ unavailable,
        услуг* ~ недоступн*, услуг* ~ не ~ доступн*,
        servis*|hizmet*|paket* ~ kullanilamiyor|kullanim_disi|musait_degil*,
        خدمه|الخدمه ~ غير ~ متاح*|متوفر*,
        servico|servicio ~ nao|no ~ disponivel|disponible, este servico|servicio ~ indisponivel, servico ~
        indisponivel, layanan*|produk ~ tidak ~ tersedia,
        सेवा|सर्विस ~ उपलब्ध ~ नहीं, सेवा|सर्विस ~ अनुपलब्ध,
        """
    ),
    # More or less than the service takes.
    "quantity": _split(
        """
        quantity|amount ~ not_in|not_within|out_of range, ^ min|minimum|max|maximum is, the minimum|maximum is,
        слишком ~ маленьк*|больш*|мал* ~ количеств*,
        quantity|amount ~ less|more|greater|lower|higher|smaller|larger|minim*|maxim*|min|max|invalid|
        incorrect|wrong|below|above|exceed*|between|too_small|too_large|too_low|too_high|too_big|required|
        missing|not_valid|not_a_number|not_allowed|must|should|is_not|out_of, invalid|incorrect|wrong|bad|
        minim*|maxim*|min|max|missing ~ quantity|amount, minim*|maxim*|min|max ~ order|number|limit|qty,
        qty ~ min*|max*|invalid|less|more|must, order ~ minim*|maxim*, follow|respect|check ~ limit*, less|
        lower|smaller|fewer than|then ~ minim*|min, more|greater|higher|larger than|then ~ maxim*|max, below|
        under ~ minim*|min, above|over ~ maxim*|max, exceed* ~ maxim*|max|limit, multiple of, quantity ...
        minim*|maxim*|min|max,
        количеств* ~ меньше|больше|минимал*|максимал*|неверн*|некорректн*|неправильн*|превыша*|должн*|менее|
        более|не_указано|обязательн*, неверн*|некорректн*|неправильн*|минимальн*|максимальн* ~ количеств*|
        заказ*|объем*, меньше|больше|ниже|выше ~ минимал*|максимал*|минимум*|максимум*, минимум*|максимум* ~
        заказ*|количеств*,
        miktar*|adet*|sayi* ~ az*|fazla*|gecersiz*|hatali*|kucuk*|buyuk*|dusuk*|yuksek*|aras*|minimum*|
        maksimum*|min|max|gerekli*|en_az*|en_fazla*|asiyor|olmali*, gecersiz|hatali|yanlis|minimum|
        maksimum|min|max|en_az|en_fazla ~ miktar*|adet*|siparis*|sayi*|limit*, minimum*|maksimum* ~ altinda*|
        ustunde*|asiyor,
        كميه|الكميه ~ اقل|اكبر|اكثر|غير_صحيحه|غير_صالحه|خاطيه|يجب|مطلوبه|تتجاوز|بين|اصغر|ادني, اقل|ادني|
        اقصي|اكبر|اكثر ~ كميه|الكميه|الحد_الادني|الحد_الاقصي, الحد ~ الادني|الاقصي,
        cantidad|quantidade ~ minim*|maxim*|menor|mayor|maior|inferior|superior|invalid*|incorret*|
        incorrect*|deve|debe|no_valid*|nao_valid*|obrigatori*|obligatori*|abaixo|acima|fora|requerid*,
        minim*|maxim*|invalid*|incorret*|incorrect* ~ cantidad|quantidade|pedido|de_pedido, menor|inferior|
        mayor|maior|superior ~ minim*|maxim*, jumlah|kuantitas|quantity ~ minim*|maks*|kurang|lebih|
        tidak_valid|tidak_sesuai|salah|melebihi|harus|wajib, minim*|maks*|min|max ~ pemesanan|pesanan|
        pembelian|jumlah|order*, kurang_dari|di_bawah|melebihi|lebih_dari ~ minim*|maks*|batas,
        मात्रा ~ कम|अधिक|ज्यादा|न्यूनतम|अधिकतम|अमान्य|गलत|आवश्यक|होनी|बीच, न्यूनतम|अधिकतम|अमान्य|गलत ~
        मात्रा|ऑर्डर|सीमा,
        """
    ),
    # The link is not one that this service takes.
    "link": _split(
        """
        enter|provide|use|specify|need ~ valid|correct|public ~ link|url, gecerli ~ link*|baglanti* ~ gir*,
        bad|invalid|incorrect|wrong|broken|unsupported|missing|empty ~ link*|url|username|profile|
        post_link, link*|url|username ~ invalid|incorrect|wrong|bad|broken|private|required|missing|empty|
        not_valid|not_correct|not_found|not_supported|not_allowed|not_exist*|does_not_exist|doesnt_exist|must|
        should|format|is_not|blacklisted|cannot_be|unsupported|not_public, neworder error link, error link $,
        profile|account|user|page|channel|post|video|media|target ~ private|not_public|does_not_exist|
        doesnt_exist|not_found|deleted, private ~ profile|account|page,
        неверн*|некорректн*|неправильн*|плох*|недействительн*|недопустим*|битая ~ ссылк*|url|адрес*, ссылк*|
        url ~ неверн*|некорректн*|неправильн*|недействит*|обязательн*|не_подходит|не_указана|не_работает|
        недопустим*|не_найдена|должна, профил*|аккаунт* ~ закрыт*|приватн*|не_найден*,
        gecersiz|hatali|yanlis|bozuk ~ link*|baglanti*|url*|kullanici_ad*, link*|baglanti*|url* ~ gecersiz*|
        hatali*|yanlis*|gerekli*|bos|bozuk*|zorunlu*|gecerli_degil*|dogru_degil*, hesap|profil* ~ gizli*,
        رابط|الرابط ~ غير ~ صحيح|صالح|صحيحه|مدعوم|موجود|مقبول, رابط|الرابط ~ خاطي*|خطا|مطلوب|فارغ, حساب|
        الحساب ~ خاص,
        enlace|link|url|ligacao ~ invalid*|incorrect*|incorret*|no_valid*|nao_valid*|no_es_valid*|
        nao_e_valid*|errad*|obrigatori*|obligatori*|roto|quebrad*|requerid*, invalid*|incorrect*|incorret* ~
        enlace|link|url, perfil|cuenta|conta ~ privad*, link|target|tautan|url|username ~ tidak ~ valid|
        sesuai|benar|ditemukan|sah, link|target|tautan|url ~ salah|wajib|kosong, akun|profil ~ private|
        privat|pribadi,
        अमान्य|गलत|अवैध ~ लिंक|यूआरएल|url, लिंक|यूआरएल ~ अमान्य|गलत|अवैध|आवश्यक|मान्य_नहीं|सही_नहीं,
        """
    ),
    # The request itself; the same one would be refused again.
    "request": _split(
        """
        incorrect|invalid|wrong|bad|malformed|unknown ~ request|action|method|parameter*|argument*|params|
        command|input|data|json|format|field*|value|runs|interval|comment*|type, action|method|parameter*|
        argument*|field* ~ invalid|incorrect|wrong|missing|unknown|required|not_supported|not_allowed|
        not_found|empty, missing ~ parameter*|field*|argument*|value*|required, required ~ parameter*|field*|
        argument*|missing, is|are required, field* required, does not support, doesnt support, not supported for,
        method not_allowed, must be ~ number|integer|numeric|string|valid|url|array, not a number, is not a
        valid, validation ~ error*|fail*, data was invalid, comment* ~ empty|invalid|required|missing|not_enough|
        less|minim*, drip feed|dripfeed ~ not|disabled|unavailable|invalid,
        неверн*|некорректн*|неправильн*|ошибочн*|плохой ~ запрос*|действ*|метод*|параметр*|формат*|данны*|
        комментари*, неизвестн* ~ действ*|метод*|команд*|запрос*, обязательн* ~ пол*|параметр*, пол*|параметр* ~
        обязательн*|не_заполнен*|не_указан*|отсутству*, не указан*|передан* ~ параметр*|пол*, не поддерживает*,
        gecersiz|hatali|yanlis|bilinmeyen ~ istek*|islem*|parametre*|talep*|format*|eylem*|metod*|yorum*,
        eksik ~ parametre*|alan*|bilgi*, zorunlu ~ alan*|parametre*, alan* ~ zorunlu*|gerekli*|bos*, parametre* ~
        eksik|gecersiz|hatali|zorunlu*, desteklemiyor|desteklenmiyor,
        طلب|الطلب ~ غير ~ صحيح|صالح|معروف ~ $, ^ طلب|الطلب خاطي*, حقل|الحقل ~ مطلوب, معلمات|المعلمات|البيانات ~
        غير|ناقصه|مفقوده, اجراء|الاجراء|عمليه|العمليه ~ غير ~ صالح*|صحيح*|معروف*|مدعوم*, لا يدعم|تدعم,
        solicitud|peticion|requisicao|solicitacao|accion|acao|parametro*|metodo|campo*|dados|datos ~
        invalid*|incorrect*|incorret*|no_valid*|nao_valid*|desconocid*|desconhecid*|faltante*|ausente*|
        no_es_valid*, campo*|parametro* ~ obrigatori*|obligatori*|requerid*|faltan*|necesari*, falta|faltan|
        faltando ~ campo*|parametro*|dados|datos, no admite|soporta, nao suporta, permintaan|request|parameter*|
        data|input|aksi ~ salah|tidak ~ valid|sesuai|benar|lengkap|sah|dikenal|diketahui, permintaan|
        parameter*|aksi|action ~ salah|invalid|kurang, wajib|harus|belum diisi, tidak mendukung,
        अमान्य|गलत|अवैध ~ अनुरोध|क्रिया|कार्रवाई|पैरामीटर|पैरामीटर्स|डेटा, अनुरोध ~ अमान्य|गलत|अवैध, फ़ील्ड|
        फील्ड|पैरामीटर ~ आवश्यक|अनिवार्य, समर्थन नहीं,
        """
    ),
}

#: The order may be there, whatever else the text says: it is never taken for a rejection.
MAYBE_DONE: Phrases = _split(
    """
    order*|request*|purchase* ~ placed|created|accepted|submitted|received|added|successful*|saved|
    confirmed|sent|recorded|registered|executed, success*, thank*, charged, deducted, debited, already ~ placed|
    created|submitted|received|processed|exists|exist, duplicate ~ request|order|transaction,
    заказ* ~ создан*|принят*|размещен*|оформлен*|добавлен*|отправлен*, успешн*, списан*, уже ~ создан*|принят*|
    существует,
    siparis* ~ olusturuldu|alindi|verildi|eklendi|gonderildi|onaylandi, basariyla|basarili, zaten ~ mevcut|var,
    تم ~ انشاء|استلام|تنفيذ|قبول|ارسال|اضافه|خصم ..., بنجاح, طلب*|الطلب ~ موجود ~ بالفعل|مسبقا,
    pedido|orden|ordem|solicitud ~ creado|creada|criado|criada|realizad*|recibid*|recebid*|aceptad*|aceit*|
    enviad*|registrad*|procesad*|processad*, con exito, exitos*, com sucesso, sucesso, ya existe, ja existe,
    pesanan|order|orderan ~ berhasil|dibuat|diterima|diproses|terkirim|sukses, berhasil|sukses, sudah ada,
    सफल*, ऑर्डर ~ हो_गया|बन_गया|स्वीकार|प्राप्त, पहले ~ मौजूद,
    """
)

#: The order may be under way. This is also what panels say about an earlier order with the same link.
UNDER_WAY: Phrases = _split(
    """
    being processed, is processing, under review, manual* review, in queue, queued, pending approval|confirmation|
    review,
    """
)

#: The panel itself is at fault. Nobody knows how far it got; about an order that was asked for it says nothing.
FAULTS: Phrases = _split(
    """
    service ~ response|error|exception|timeout,
    something ~ wrong, went wrong, internal ~ error, server ~ error, server ~ down|busy|overloaded|unavailable,
    error ~ occurred|occured, unknown error, unexpected error, unexpected ~ response|result, system ~ error|busy,
    technical ~ error|problem*|issue*|difficult*, time out|timed_out, timeout*, upstream, gateway, curl,
    connection, could not connect, network ~ error, database, sql*, deadlock, exception, undefined, fatal error, stack
    trace, provider ~ error|response|not|did|failed|timeout|unavailable, from ~ provider, response from, ^
    service unavailable $, bad gateway,
    что то ~ не ~ так, внутренняя ошибка, ошибка ~ сервер*|соединени*|базы|подключени*, неизвестная ошибка,
    произошла ошибка, техническая ошибка, таймаут, время ожидания,
    bir ~ hata ~ olustu, bir seyler ~ ters|yanlis, sunucu ~ hata*, sistem ~ hata*, bilinmeyen ~ hata, zaman asimi*,
    baglanti ~ hata*|kurulamadi|koptu,
    حدث خطا, حصل خطا, خطا ~ غير ~ معروف|متوقع, خطا ~ الخادم|السيرفر|النظام|داخلي, انتهت المهله,
    algo ~ mal|errado, ocurrio ~ error, ocorreu ~ erro, error|erro ~ interno|desconocido|desconhecido|inesperado|
    servidor|conexion|conexao, tiempo de espera, tempo esgotado|limite_excedido, terjadi ~ kesalahan, kesalahan ~
    sistem|server|internal|tidak_diketahui, gangguan,
    कुछ ~ गलत, त्रुटि हुई, सर्वर ~ त्रुटि, आंतरिक त्रुटि,
    """
)

#: The trouble may pass: alone, this says neither why nor whether anything was done.
PASSING_TROUBLE: Phrases = _split(
    """
    temporar*, try ~ again, try ~ later, again later, at the moment, at this time|moment, right now, currently, for
    now,
    попробуйте|повторите ~ позже|позднее|снова, временно, в данный момент, сейчас,
    daha sonra, gecici*, su anda|an, tekrar deneyin*,
    حاول ~ لاحقا|مره_اخري, موقتا|موقت|حاليا,
    intente*|intentalo|tente ~ tarde|novamente|nuevo, mas|mais tarde, temporal*, temporari*, en|no momento, en
    este momento, neste momento, coba ~ lagi|nanti, sementara, saat ini, sedang,
    बाद में, फिर से, अस्थायी*, अभी,
    """
)

#: The number that was asked about is no order of ours. The search for lost orders rests on these texts.
FOREIGN_ORDER: Phrases = _split(
    """
    incorrect|invalid|wrong|unknown|bad|no_such order*, order* ~ incorrect|invalid|wrong, order* ~ not ~ found|
    exist*, order* ~ doesnt|dont|does_not|do_not|didnt ~ exist*, order* ... not_exist*, no order* ~ found|with|
    exist*, no ~ such order*, cannot|cant|could_not|couldnt ~ find ~ order*, unauthorized access to ~ order*,
    order* ~ not ~ yours|belong*, order* ~ belong* ~ another|other|someone|different, incorrect|invalid|wrong ~
    order id*,
    заказ* ~ не ~ найден*|существует, неверн*|неправильн*|некорректн*|неизвестн* ~ заказ*|номер_заказ*|
    id_заказ*, нет ~ такого ~ заказа,
    siparis* ~ bulunamadi|bulunamiyor|yok|mevcut_degil*|gecersiz*|hatali, gecersiz|hatali|yanlis|bilinmeyen ~
    siparis*,
    طلب|الطلب ~ غير ~ موجود|صحيح, رقم|معرف ~ الطلب ~ غير|خاطي*|خطا, لم يتم العثور على ~ الطلب|طلب,
    pedido|orden|ordem ~ nao|no ~ encontrad*|existe, pedido|orden|ordem ~ invalid*|incorrect*|incorret*|
    inexistente, invalid*|incorret*|incorrect* ~ pedido|orden|ordem, no se encontro ~ pedido|orden, pesanan|
    order|orderan|id_pesanan ~ tidak ~ ditemukan|ada|valid|terdaftar, order|pesanan|orderan ~ salah,
    ऑर्डर|आदेश ~ नहीं ~ मिला|है|मौजूद, ऑर्डर|आदेश ~ मौजूद ~ नहीं, अमान्य|गलत|अवैध ~ ऑर्डर|आदेश,
    """
)

#: Why a refill or a cancellation was refused. "early" may be asked again, "final" is the answer to the customer's
#: request, "service" and "order" are for an operator.
REQUEST_REFUSALS: Mapping[str, Phrases] = {
    "early": _split(
        """
        less than 24|48|12 hours, less than ~ hour*|day*, too early|soon, try again, try ~ later, available ~ in|
        after ~ hour*|day*|minute*, available ... in ~ hour*|day*|minute*|h|d, wait ~ hour*|day*|h, not yet,
        within ~ hour*|day* ... again, every ~ hour*|day*, once ~ per|every|a|in, refill* ~ in_progress|
        inprogress|pending|processing|active|running|ongoing|queued, already ~ in_progress|requested|pending|
        processing|refilling|exists|has_a_refill|being_refilled|submitted|sent, already ~ refill* ~ request*|
        task, active|pending|open|running|previous ~ refill*, last refill*, after ~ hour*|day* ~ complet*, again|
        refill*|request* ~ after ~ hour*|day*,
        слишком рано, еще рано, через ~ час*|дн*|сут*, повторите|попробуйте ~ позже|через, раз в ~ час*|сут*|
        дн*|24, менее ~ час*|сут*, докрут*|восстановл*|рефил* ~ уже ~ запрошен*|выполняется|запущен*|
        в_процессе, уже ~ запрошен*|в_процессе|выполняется|запущен*|подан*,
        cok erken, henuz ~ erken, saat* ~ sonra, gun* ~ sonra, tekrar ~ deneyin|deneyiniz, zaten ~ talep*|istenmis|
        devam*|telafi*, telafi* ~ devam*|isleniyor|zaten, 24 saat*,
        مبكر*, بعد ~ ساع*|يوم|ايام, ساعه|ساعات ~ للمحاوله|لاحقا, حاول ~ لاحقا|مره_اخري, قيد ~ التعويض, تم ~ طلب ~
        بالفعل|مسبقا,
        muito cedo, demasiado pronto, em|en ~ hora*|dia*, despues|apos|depois ~ hora*|dia*, ja ~ solicitad*|
        andamento|em_andamento, ya ~ solicitad*|curso|en_curso|progreso, intente*|tente ~ tarde|novamente|
        nuevo, terlalu cepat|dini, coba ~ lagi|nanti, setelah|dalam ~ jam|hari, sudah ~ diajukan|diminta|
        diproses, sedang ~ proses|diproses|refill,
        बहुत जल्दी, घंटे|घंटों|दिन|दिनों ~ बाद|में, पहले से ~ अनुरोध|प्रगति|चल,
        """
    ),
    "final": _split(
        """
        refill* ~ days|day|period|time|guarantee|warranty ~ over|expired|ended|passed|finished|is_over|
        are_over|exceeded, refill* ~ days|period, refill* ~ expired|ended|over, not ~ eligible, ineligible, not ~
        allowed|possible|permitted, not ~ complet*|finished|delivered, incomplete, cannot|cant|can_not|couldnt|
        could_not|unable_to|not ~ cancel*|refill*, cancel* ~ impossible|failed|rejected|denied|refused|
        disabled|not|unavailable, refill* ~ impossible|rejected|denied|refused|not_needed, already ~ complet*|
        cancel*|refunded|partial|finished|delivered|started|processed, order* ~ is|was|has_been|already ~
        cancel*|refunded|partial|complet*, not cancel*able|cancelable|cancellable|refillable, no ~ refill*|
        cancel*|guarantee|drop*, non refill*, has ~ not ~ dropped|drop*, not ~ dropped, no drop*, without refill*|
        guarantee, does|do not ~ have ~ refill*|guarantee|warranty, doesnt|dont ~ have ~ refill*|guarantee, too
        late, start* ~ cannot|cant,
        отмена ~ невозможна|недоступна|запрещена|не, невозможно ~ отмен*|восстанов*, нельзя ~ отмен*|восстанов*,
        не ~ может ~ отменен*|быть, заказ* ~ уже ~ выполнен*|отменен*|завершен*, уже ~ выполнен*|отменен*|
        завершен*, не ~ завершен*|выполнен*, срок ~ гаранти*|восстанов*|докрут* ~ истек*|закончил*|вышел,
        гаранти* ~ истек*|закончил*|нет, без гарантии, нет гарантии|списаний, докрут*|восстановлен*|рефил* ~
        невозмож*|недоступ*|не_предусмотрен*,
        iptal ~ edilemez|edilemiyor|edilemedi|mumkun_degil|yapilamaz, zaten ~ iptal*|tamamlan*, tamamlanmamis|
        tamamlanmadi, telafi ~ suresi*|edilemez|yok*|yapilamaz|mumkun_degil|edilemiyor, garanti* ~ suresi|yok*|
        bitti|doldu, dusus ~ yok,
        لا يمكن ~ الغاء*|تعويض*|اعاده, لا يمكن الغاء, غير ~ قابل*|مسموح|ممكن|موهل, تم ~ الغاء|الغاوه|اكتمال|
        اكتماله, انتهت ~ مده|فتره|الضمان, بدون ضمان, لم يكتمل, مكتمل ~ بالفعل,
        no|nao ~ puede*|pode*|es_posible|e_possivel ~ cancel*|recarg*|repo*|repuesto|reabastec*, no|nao ~
        elegible|elegivel|permitid*|complet*|concluid*|cancelable|cancelavel, ya ~ complet*|cancel*, ja ~
        conclu*|cancel*|complet*, garantia ~ expir*|vencid*|termin*, sin|sem ~ garantia|reposicion|reposicao|
        refil*, periodo ~ expir*|termin*, tidak ~ dapat|bisa ~ dibatalkan|batal*|cancel*|refill*|direfill, sudah
        ~ selesai|dibatalkan|dikembalikan, masa ~ garansi|refill ~ habis|berakhir, tidak ~ bergaransi|memenuhi|
        bergaransi|ada_garansi, belum ~ selesai, tanpa garansi,
        रद्द नहीं, रद्द ~ नहीं ~ सकता|जा, रिफिल नहीं, पहले ही|से ~ पूरा|पूर्ण|रद्द, पात्र नहीं, अनुमति नहीं, पूरा
        नहीं,
        """
    ),
    "service": _split(
        """
        is|are disabled, not available|supported|offered|provided, unavailable, refill* ~ disabled|not_available|
        off,
        недоступн*|не_поддерж*|отключен*,
        devre disi, desteklenm*,
        غير ~ متاح*|متوفر*|مدعوم*,
        no|nao ~ disponib*|disponiv*|soportad*|suportad*, indisponivel, tidak ~ tersedia|didukung,
        उपलब्ध नहीं,
        """
    ),
}
