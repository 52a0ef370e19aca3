"""Matching of the panel's order numbers with our attempts, and what all possible matchings have in common. Pure.

Every number that the panel shows and that we do not know belongs to exactly one of our attempts, and an attempt has at
most one number. ``owners`` lists for each number the attempts it may belong to. Usually several assignments are
possible; only what they all have in common is proven.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Owners = Mapping[int, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One possible assignment, and what the others have in common with it.

    Attributes:
        number_of: The number of each attempt that has one in this assignment.
        unexplained: Numbers with fewer possible owners than there are numbers: not all of them can be ours.
        loose: Attempts that have a number in this assignment but none in another one.
        groups: For each attempt that has a number in every assignment: all attempts it may exchange numbers with,
            itself included. An attempt that is alone in its group has the same number in every assignment.
        rivals: For each attempt: all attempts that depend on the same numbers, directly or through others.
    """

    number_of: dict[int, int]
    unexplained: frozenset[int]
    loose: frozenset[int]
    groups: dict[int, frozenset[int]]
    rivals: dict[int, frozenset[int]]


def assign(owners: Owners) -> Assignment:
    """Match numbers with attempts, and find out what does not depend on the choice.

    Numbers without enough possible owners are left out first. Their possible owners may still own other numbers.
    """
    matched, unexplained = _match(owners)
    explained = {number: owners[number] for number in owners if number not in unexplained}
    number_of = {attempt: number for attempt, number in matched.items() if number in explained}
    takes_from = _takes_from(explained, number_of)
    free = (attempt for attempt in takes_from if attempt not in number_of)
    loose = frozenset(_reach(free, takes_from)) & number_of.keys()
    reach = {attempt: _reach([attempt], takes_from) for attempt in number_of if attempt not in loose}
    groups = {
        attempt: frozenset({other for other in found if attempt in reach.get(other, ())} | {attempt})
        for attempt, found in reach.items()
    }
    return Assignment(number_of, frozenset(unexplained), loose, groups, _components(explained))


def _match(owners: Owners) -> tuple[dict[int, int], set[int]]:
    """Return the number of each attempt in a largest matching, and the numbers that have too few owners."""
    owner_of: dict[int, int] = {}
    number_of: dict[int, int] = {}
    unexplained: set[int] = set()
    for number in sorted(owners):
        unexplained |= _augment(number, owners, owner_of, number_of)
    return number_of, unexplained


def _augment(number: int, owners: Owners, owner_of: dict[int, int], number_of: dict[int, int]) -> set[int]:
    """Give ``number`` an owner; for that, the owners of other numbers may change.

    Returns:
        If that is not possible, the numbers that compete for too few owners, including ``number``; otherwise an empty
        set. Later calls cannot change this result, because there is no other owner for these numbers.
    """
    reached_from: dict[int, int] = {}
    queue = deque([number])
    while queue:
        current = queue.popleft()
        for attempt in owners[current]:
            if attempt in reached_from:
                continue
            reached_from[attempt] = current
            if attempt in number_of:
                queue.append(number_of[attempt])
                continue
            while True:  # pass the numbers on along the path
                source = reached_from[attempt]
                previous = owner_of.get(source)
                owner_of[source], number_of[attempt] = attempt, source
                if previous is None:
                    return set()
                attempt = previous
    return {number, *(number_of[attempt] for attempt in reached_from)}


def _takes_from(owners: Owners, number_of: Mapping[int, int]) -> dict[int, set[int]]:
    """Return for each attempt the attempts whose number it may have instead of them."""
    holder = {number: attempt for attempt, number in number_of.items()}
    found: dict[int, set[int]] = {}
    for number, attempts in owners.items():
        for attempt in attempts:
            found.setdefault(attempt, set()).update({holder[number]} - {attempt})
    return found


def _reach(starts: Iterable[int], edges: Mapping[int, set[int]]) -> set[int]:
    """Return everything that can be reached from ``starts`` in one or more steps."""
    found: set[int] = set()
    queue = deque(starts)
    while queue:
        for following in edges.get(queue.popleft(), ()):
            if following not in found:
                found.add(following)
                queue.append(following)
    return found


def _components(owners: Owners) -> dict[int, frozenset[int]]:
    neighbors: dict[int, set[int]] = {}
    for attempts in owners.values():
        for attempt in attempts:
            neighbors.setdefault(attempt, set()).update(attempts)
    found: dict[int, frozenset[int]] = {}
    for attempt in neighbors:
        if attempt not in found:
            component = frozenset(_reach([attempt], neighbors) | {attempt})
            found |= dict.fromkeys(component, component)
    return found
