"""Back office page for the shop's accent color and logo."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from storefront.brand import logos, theme
from storefront.brand.models import ONLY, Brand


class BrandForm(forms.ModelForm):  # type: ignore[type-arg]
    upload = forms.FileField(
        label=_("logo"),
        required=False,
        help_text=_("PNG or WebP, up to 100 kB. Shown 28 pixels high, on light and dark backgrounds."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/webp"}),
    )
    is_without_logo = forms.BooleanField(label=_("Remove logo"), required=False)

    class Meta:
        model = Brand
        fields = ("accent",)
        widgets = {"accent": forms.TextInput(attrs={"placeholder": "#0b6b78", "size": 9})}

    def clean_upload(self) -> tuple[bytes, str] | None:
        upload = self.cleaned_data["upload"]
        return logos.read(upload) if isinstance(upload, UploadedFile) else None


@admin.register(Brand)
class BrandAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = BrandForm
    fields = ("accent", "upload", "is_without_logo")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the only row instead of showing a list."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        Brand.objects.get_or_create(pk=ONLY)
        return redirect(reverse("admin:brand_brand_change", args=[ONLY]))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        if form.cleaned_data["is_without_logo"]:
            obj.logo, obj.logo_type = b"", ""
        elif form.cleaned_data["upload"]:
            obj.logo, obj.logo_type = form.cleaned_data["upload"]
        super().save_model(request, obj, form, change)
        theme.clear_cache()
