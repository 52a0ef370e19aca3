"""Read the edits that a how-to page asks for, and apply them to a copy of the project.

Each edit is a sentence followed by a block of code: "Create `path`:", "In `path`, add at the end:", "In `path`, add
above `text`:" or "In `path`, add below `text`:". The text is part of one line of the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_EDIT = re.compile(
    r"^(?:Create|In) `(?P<path>[^`]+)`(?:, add (?P<place>at the end|above|below)(?: `(?P<anchor>[^`]+)`)?)?:\n\n"
    r"```\w*\n(?P<code>.*?)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of a file. ``place`` is "" for a new file; ``anchor`` is part of the line to add above or below."""

    path: str
    place: str
    anchor: str
    code: str

    def apply(self, root: Path) -> None:
        """Make the edit in the project at ``root``; it fails unless exactly one line has the anchor."""
        file = root / self.path
        if not self.place:
            assert not file.exists(), f"{self.path} is there already"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.code)
            return
        lines = file.read_text().splitlines(keepends=True)
        if self.place == "at the end":
            lines += ["\n", "\n", self.code]
        else:
            (at,) = (number for number, line in enumerate(lines) if self.anchor in line)
            above = self.place == "above"
            added = [self.code, "\n", "\n"] if above else [self.code]
            at += 0 if above else 1
            lines[at:at] = added
        file.write_text("".join(lines))


def edits_of(page: Path) -> list[Edit]:
    """Return the edits of a how-to page in their order."""
    found = [
        Edit(match["path"], match["place"] or "", match["anchor"] or "", match["code"])
        for match in _EDIT.finditer(page.read_text())
    ]
    blocks = len(re.findall(r"^```\w+$", page.read_text(), re.MULTILINE))
    assert len(found) == blocks, f"{page.name}: a block of code has no sentence that says where it goes"
    return found
