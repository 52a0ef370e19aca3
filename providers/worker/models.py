"""The tables of the worker: turns, what is waiting in the task queue, and when it was last seen."""

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


class Heartbeat(models.Model):
    """When a kind of process was last seen alive. Written by ``heartbeat`` alone."""

    name = models.CharField(max_length=32, primary_key=True)
    #: By the clock of the database.
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
