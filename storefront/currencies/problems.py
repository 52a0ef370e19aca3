"""Why exchange rates could not be fetched, as stored codes and their texts for operators."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class FetchProblem(models.TextChoices):
    """Why a source could not be read."""

    UNREACHABLE = "unreachable", _("The source gave no complete answer.")
    NOT_ALLOWED = "not_allowed", _("The URL is not allowed. It must start with https:// and be on the public internet.")
    STATUS = "status", _("The source answered with an error.")
    REDIRECT = "redirect", _("The source redirects to another URL. Enter that URL.")
    NOT_JSON = "not_json", _("The answer is not JSON.")
    NOT_XML = "not_xml", _("The answer is not in the ECB's XML format.")
    NOTHING_FOUND = "nothing_found", _("The answer has no rate at the path.")
    NO_STORE_CURRENCY = "no_store_currency", _("The answer has no usable rate for the store currency.")
    OLD = "old", _("The rates are more than a week old.")
    KEY_UNREADABLE = "key_unreadable", _("The API key cannot be decrypted. Enter it again.")


class QuoteProblem(models.TextChoices):
    """Why the rate of one currency in the answer of a source cannot be used."""

    MISSING = "missing", _("The source has no rate for this currency.")
    UNREADABLE = "unreadable", _("The source's rate is not a number.")
    NOT_POSITIVE = "not_positive", _("The source's rate is zero or negative.")
    OUT_OF_RANGE = "out_of_range", _("The source's rate is too small or too large.")
