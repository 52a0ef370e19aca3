"""The tables of the worker: turns, and what is waiting in the task queue."""

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


class QueuedTask(models.Model):
    """The last message by which a task with certain arguments was queued. Written by ``queue`` alone."""

    name = models.CharField(max_length=300, primary_key=True)
    #: What the broker knows it by: the key of its row, or with Redis the message itself.
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name
