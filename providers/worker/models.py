"""Models of the worker: turns, queued tasks, and heartbeats."""

from __future__ import annotations

from django.db import models


class Turn(models.Model):
    """The process that currently does a named piece of work. Only ``turns`` writes it."""

    name = models.CharField(max_length=100, primary_key=True)
    holder = models.CharField(max_length=32, blank=True)
    #: By the clock of the database.
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} until {self.until:%H:%M:%S}"


class QueuedTask(models.Model):
    """The last message that queued a task with certain arguments. Only ``queue`` writes it."""

    name = models.CharField(max_length=300, primary_key=True)
    #: How the broker identifies it: the primary key of its row, or with Redis the message itself.
    message = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """When a kind of process was last seen alive. Only ``heartbeat`` writes it."""

    name = models.CharField(max_length=32, primary_key=True)
    #: By the clock of the database.
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} at {self.at:%H:%M:%S}"
