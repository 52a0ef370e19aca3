"""URLs of the shop's accent color and logo."""

from django.urls import path

from storefront.brand import views

app_name = "brand"
urlpatterns = [
    path("brand/<int:version>.css", views.sheet, name="sheet"),
    path("brand/<int:version>/logo", views.logo, name="logo"),
]
