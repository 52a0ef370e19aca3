"""What customers see of their top-ups: a new one, the list, and one with the part of it that follows the payment."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import HttpResponseClientRefresh

from storefront.topups import choosing, crediting, gateways, history, proving, starting
from storefront.topups.gateway import Unreachable
from storefront.topups.models import Status, TopUp


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    is_sent = request.method == "POST"
    asked = choosing.read({name: str(text) for name, text in (request.POST if is_sent else request.GET).items()})
    if is_sent and not asked.problem:
        return _start(request, asked)
    problem = asked.problem if is_sent else ""
    context = {"asked": asked, "problem": problem, "amount": asked.text if is_sent else choosing.prefilled(asked)}
    response = render(request, "topups/new.html", context)
    # The form's answer leads to the gateway's host, which browsers count as a place that the form is sent to.
    hosts = [f"https://{host}" for choice in asked.choices for host in choice.gateway.hosts]
    response._csp_update = {"form-action": hosts}  # type: ignore[attr-defined]  # as csp's decorator does it
    return response


def _start(request: HttpRequest, asked: choosing.Asked) -> HttpResponse:
    assert asked.choice is not None
    chosen = asked.choice
    try:
        topup = starting.start(
            request.user, gateway=chosen.gateway, way=chosen.way, amount=asked.amount, return_to=asked.return_to
        )
    except crediting.TooMany:
        told = _("You have %d payments that are not finished. Finish one of them, or wait until they end.")
        messages.error(request, told % crediting.OPEN_MAX)
        return redirect("topups:list")
    except Unreachable:
        messages.error(request, _("This way of paying does not answer. Nothing was paid; try again or take another."))
        return redirect("topups:new")
    return redirect(topup.address)


@require_safe
@login_required
def top_ups(request: HttpRequest) -> HttpResponse:
    return render(request, "topups/list.html", {"page": history.page(request.user, request.GET)})


@never_cache
@require_safe
@login_required
def top_up(request: HttpRequest, reference: str) -> HttpResponse:
    return render(request, "topups/topup.html", shown(own(request, reference)))


@never_cache
@require_safe
def live(request: HttpRequest, reference: str) -> HttpResponse:
    """The page without its frame, if anything changed; 204 leaves it as it is."""
    if not request.user.is_authenticated:
        return HttpResponseClientRefresh()
    topup = own(request, reference)
    if topup.mark == request.GET.get("seen"):
        return HttpResponse(status=204)
    return render(request, "topups/_topup.html", {**shown(topup), "is_live": True})


def own(request: HttpRequest, reference: str) -> TopUp:
    """The customer's own. Another's is not found, as if it did not exist."""
    return get_object_or_404(TopUp.objects.of(request.user), reference=reference)


def shown(topup: TopUp, *, problem: str = "", comment: str = "") -> dict[str, Any]:
    gateway = gateways.find(topup.gateway)
    is_unpaid = topup.is_open and topup.paid_amount is None
    proofs = list(topup.proofs.all()) if gateway is None or gateway.takes_proofs else []
    return {
        "topup": topup,
        "instructions": gateway.instructions(topup) if gateway and is_unpaid else None,
        "proofs": proofs,
        "takes_proofs": bool(gateway and gateway.takes_proofs and topup.is_open and len(proofs) < crediting.PROOFS_MAX),
        "pay_at": topup.address if gateway and is_unpaid and not gateway.takes_proofs else "",
        "is_checked": topup.is_open and topup.is_in_review,
        "is_credited": topup.status == Status.CREDITED,
        "problem": problem,
        "comment": comment,
        "megabytes": proving.SIZE_MAX // 1024**2,
        "most_proofs": crediting.PROOFS_MAX,
    }
