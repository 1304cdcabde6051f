"""How items are worded; named and versioned as the profiles of questions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from snellen.errors import UsageError
from snellen.itemsets import Item
from snellen.itemsets.nouns import Kind


@dataclass(frozen=True, slots=True)
class ItemProfile:
    """A wording with the field `{text}`, for item sets of one kind."""

    name: str
    version: int
    kind: Kind
    wording: str
    max_tokens: int

    @property
    def label(self) -> str:
        """What `run.json` records: `yes-no@1`."""
        return f"{self.name}@{self.version}"


ITEM_PROFILES: Final[dict[str, ItemProfile]] = {
    profile.name: profile
    for profile in (
        ItemProfile("yes-no", 1, "yes_no", "{text}\nAnswer with yes or no, and nothing else.", 1024),
        ItemProfile("yes-no-bare", 1, "yes_no", "{text}", 1024),
        ItemProfile("free", 1, "free", "{text}", 2048),
    )
}
"""By name; the first one of a kind is its default."""


def item_profile(name: str | None, kind: Kind) -> ItemProfile:
    """Find a profile for item sets of a kind; None: the kind's default.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    fitting = {one.name: one for one in ITEM_PROFILES.values() if one.kind == kind}
    if name is None:
        return next(iter(fitting.values()))
    if name.partition("@")[0] not in fitting:
        raise UsageError(f"There is no prompt profile {name!r} for such items: choose one of {', '.join(fitting)}.")
    return fitting[name.partition("@")[0]]


def item_prompt(profile: ItemProfile, item: Item) -> str:
    """Word an item."""
    return profile.wording.format(text=item.text)
