"""Add a customer on behalf of the operator, from the command line or by a program."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from orders.ledger import transfers
from storefront.accounts.models import User


class EmailTaken(Exception):
    """There is a user with this email address."""


def add(email: str, *, password: str | None = None, name: str = "") -> User:
    """Create a customer with an open wallet. The address counts as unconfirmed.

    Args:
        password: Without one, the customer sets it with a reset link.

    Raises:
        ValidationError: By field, ``email`` or ``password``: this is not an address, or the password is too weak.
        EmailTaken: There is a user with this address, in any case of letters.
    """
    email = email.strip().lower()
    user = User(email=email, name=name)
    _check(user, password)
    if User.objects.filter(email=email).exists():
        raise EmailTaken
    user.set_password(password or None)
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            transfers.open_wallet(user)
    except IntegrityError:
        # Another request added the same address at the same moment.
        raise EmailTaken from None
    return user


def _check(user: User, password: str | None) -> None:
    problems: dict[str, list[str]] = {}
    try:
        validate_email(user.email)
    except ValidationError as problem:
        problems["email"] = problem.messages
    try:
        if password:
            validate_password(password, user)
    except ValidationError as problem:
        problems["password"] = problem.messages
    if problems:
        raise ValidationError(problems)
