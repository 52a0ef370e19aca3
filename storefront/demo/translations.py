"""Translations of the simulated panels' services and categories into the shop's other languages."""

from __future__ import annotations

from collections.abc import Mapping

from orders.models import Category, CategoryText, Service, ServiceText

LANGUAGES = ("ru", "tr", "ar")
#: Names by language, in the order of ``LANGUAGES``.
Names = Mapping[str, tuple[str, str, str]]

CATEGORIES: Names = {
    "Photo network": ("Фотосеть", "Fotoğraf ağı", "شبكة الصور"),
    "Video platform": ("Видеосеть", "Video ağı", "شبكة الفيديو"),
    "Messenger": ("Мессенджер", "Mesajlaşma", "المراسلة"),
    "Websites": ("Сайт", "Web sitesi", "موقع الويب"),
    "Channels": ("Каналы", "Kanallar", "القنوات"),
    "Posts": ("Публикации", "Gönderiler", "المنشورات"),
    "Polls": ("Опросы", "Anketler", "الاستطلاعات"),
    "Comments": ("Комментарии", "Yorumlar", "التعليقات"),
    "Bots": ("Боты", "Botlar", "البوتات"),
    "Licenses": ("Лицензии", "Lisanslar", "التراخيص"),
    "Plugins": ("Плагины", "Eklentiler", "الإضافات"),
    "Votes": ("Голоса", "Oylar", "الأصوات"),
}
SERVICES: Names = {
    "Photo followers, worldwide": (
        "Подписчики фотосети, весь мир",
        "Fotoğraf takipçileri, dünya geneli",
        "متابعو الصور، من كل العالم",
    ),
    "Photo comments, your text": (
        "Комментарии к фото, ваш текст",
        "Fotoğraf yorumları, sizin metniniz",
        "تعليقات على الصور، بنصك",
    ),
    "Photo likes, fast": ("Лайки фото, быстро", "Fotoğraf beğenileri, hızlı", "إعجابات الصور، سريعة"),
    "Photo likes, monthly bundle": (
        "Лайки фото, пакет на месяц",
        "Fotoğraf beğenileri, aylık paket",
        "إعجابات الصور، باقة شهرية",
    ),
    "Photo story views": ("Просмотры историй", "Hikâye görüntülemeleri", "مشاهدات القصص"),
    "Photo mentions, your users": (
        "Упоминания, ваши пользователи",
        "Bahsetmeler, sizin kullanıcılarınız",
        "إشارات، إلى مستخدميك",
    ),
    "Photo mentions with tags": ("Упоминания с хештегами", "Etiketli bahsetmeler", "إشارات مع وسوم"),
    "Photo mentions, your list": ("Упоминания по вашему списку", "Bahsetmeler, sizin listeniz", "إشارات، من قائمتك"),
    "Photo mentions by one tag": ("Упоминания по одному хештегу", "Tek etikete göre bahsetmeler", "إشارات بوسم واحد"),
    "Photo mentions, followers of a profile": (
        "Упоминания подписчиков профиля",
        "Bir kullanıcının takipçilerinden bahsetmeler",
        "إشارات إلى متابعي مستخدم",
    ),
    "Photo mentions, likers of a post": (
        "Упоминания тех, кто лайкнул пост",
        "Bir gönderiyi beğenenlerden bahsetmeler",
        "إشارات إلى المعجبين بمنشور",
    ),
    "Profile launch, complete": ("Запуск профиля, полный", "Profil başlangıcı, tam paket", "إطلاق ملف شخصي، كامل"),
    "Likes on new posts": ("Лайки на новые публикации", "Yeni gönderilere beğeni", "إعجابات على المنشورات الجديدة"),
    "Video views": ("Просмотры видео", "Video görüntülemeleri", "مشاهدات الفيديو"),
    "Video views, high retention": (
        "Просмотры видео, высокое удержание",
        "Video görüntülemeleri, uzun izleme",
        "مشاهدات فيديو، مدة طويلة",
    ),
    "Video subscribers": ("Подписчики видеоканала", "Video aboneleri", "مشتركو قناة الفيديو"),
    "Video comments, starter set": (
        "Комментарии к видео, стартовый набор",
        "Video yorumları, başlangıç seti",
        "تعليقات على الفيديو، مجموعة أولى",
    ),
    "Video comment likes": ("Лайки комментариев к видео", "Video yorumu beğenileri", "إعجابات على تعليقات الفيديو"),
    "Video comment replies, your text": (
        "Ответы на комментарии, ваш текст",
        "Video yorumlarına yanıtlar, sizin metniniz",
        "ردود على تعليقات الفيديو، بنصك",
    ),
    "Channel members": ("Участники канала", "Kanal üyeleri", "أعضاء القناة"),
    "Channel members, premium": ("Участники канала, премиум", "Kanal üyeleri, premium", "أعضاء القناة، مميزون"),
    "Channel members, economy": ("Участники канала, эконом", "Kanal üyeleri, ekonomik", "أعضاء القناة، اقتصادي"),
    "Channel post views": ("Просмотры постов канала", "Kanal gönderisi görüntülemeleri", "مشاهدات منشورات القناة"),
    "Channel poll votes": ("Голоса в опросе канала", "Kanal anketi oyları", "أصوات في استطلاع القناة"),
    "Group members by invitation": ("Участники группы по приглашению", "Davetle grup üyeleri", "أعضاء مجموعة بدعوة"),
    "Post views, last five": (
        "Просмотры, последние пять постов",
        "Son beş gönderi görüntülemesi",
        "مشاهدات آخر خمسة منشورات",
    ),
    "Post reactions, positive": (
        "Реакции на пост, позитивные",
        "Gönderi tepkileri, olumlu",
        "تفاعلات إيجابية على المنشور",
    ),
    "Contest votes": ("Голоса в конкурсе", "Yarışma oyları", "أصوات في مسابقة"),
    "Contest votes, one country": (
        "Голоса в конкурсе, одна страна",
        "Yarışma oyları, tek ülke",
        "أصوات في مسابقة، من بلد واحد",
    ),
    "Comments, your text": ("Комментарии, ваш текст", "Yorumlar, sizin metniniz", "تعليقات، بنصك"),
    "Bot starts": ("Запуски бота", "Bot başlatmaları", "تشغيلات البوت"),
    "Search visits by keyword": (
        "Переходы из поиска по запросу",
        "Anahtar kelimeyle arama ziyaretleri",
        "زيارات من البحث بكلمة",
    ),
    "Website visits, by country": (
        "Визиты на сайт, по странам",
        "Site ziyaretleri, ülkeye göre",
        "زيارات الموقع، حسب البلد",
    ),
    "Office license, monthly": ("Офисная лицензия, на месяц", "Ofis lisansı, aylık", "ترخيص مكتبي، شهري"),
    "Office license, yearly": ("Офисная лицензия, на год", "Ofis lisansı, yıllık", "ترخيص مكتبي، سنوي"),
    "Payment plugin, monthly": ("Платёжный плагин, на месяц", "Ödeme eklentisi, aylık", "إضافة دفع، شهرية"),
    "Payment plugin, lifetime": ("Платёжный плагин, навсегда", "Ödeme eklentisi, ömür boyu", "إضافة دفع، مدى الحياة"),
    "Server list votes": ("Голоса в списке серверов", "Sunucu listesi oyları", "أصوات في قائمة الخوادم"),
    "Server list votes, slow and steady": (
        "Голоса в списке серверов, равномерно",
        "Sunucu listesi oyları, yavaş ve düzenli",
        "أصوات في قائمة الخوادم، بانتظام",
    ),
}


def create() -> None:
    """Store the translations of services and categories, unless any translation exists."""
    if ServiceText.objects.exists() or CategoryText.objects.exists():
        return
    ServiceText.objects.bulk_create(
        ServiceText(service_id=pk, language=language, name=translated_name)
        for pk, name in Service.objects.order_by("pk").values_list("pk", "name")
        for language, translated_name in zip(LANGUAGES, SERVICES.get(name, ()), strict=False)
    )
    CategoryText.objects.bulk_create(
        CategoryText(category_id=pk, language=language, name=translated_name)
        for pk, name in Category.objects.order_by("pk").values_list("pk", "name")
        for language, translated_name in zip(LANGUAGES, CATEGORIES.get(name, ()), strict=False)
    )
