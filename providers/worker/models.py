"""The table of turns."""

from __future__ import annotations

from django.db import models


class Turn(models.Model):
    """Which process does a named piece of work now. Written by ``turns`` alone."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=32, blank=True)
    #: By the clock of the database.
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%H:%M:%S}"
