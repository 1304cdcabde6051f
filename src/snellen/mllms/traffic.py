"""How an endpoint is treated: how long to wait before another try, how many tries a minute, and what may be spent."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

from snellen.errors import UsageError
from snellen.mllms.base import Traffic

BASE: Final = 1.0
"""Seconds that the first wait takes at most; each further one can be twice as long."""

LONGEST: Final = 60.0
"""Seconds that any wait of our own takes at most."""

LONGEST_ASKED: Final = 120.0
"""Seconds that we wait at most where the endpoint says how long (`Retry-After`)."""

MINUTE: Final = 60.5
"""Seconds of the window of the rate limit: a minute, and what the way to the endpoint may vary by."""

IMAGE_TOKENS: Final = 2_000
"""What an image is taken to cost in tokens before any answer has told."""


def checked(traffic: Traffic) -> Traffic:
    """Return what was given.

    Raises:
        UsageError: a number is out of range, or a price is missing.
    """
    if (
        traffic.concurrency < 1
        or traffic.retries < 0
        or not traffic.timeout > 0
        or (traffic.per_minute is not None and traffic.per_minute < 1)
    ):
        raise UsageError("Concurrency, questions a minute and the time-out must be above 0, and retries 0 or more.")
    money = (traffic.price_in, traffic.price_out, traffic.budget_usd)
    if any(value is not None and not (isfinite(value) and value >= 0) for value in money):
        raise UsageError("Prices and the budget must be 0 or more US dollars.")
    prices = [traffic.price_in, traffic.price_out].count(None)
    if prices == 1:
        raise UsageError("Only one price is given: give both --price-in and --price-out, or neither.")
    if prices and traffic.budget_usd is not None:
        raise UsageError("A budget needs prices: give --price-in and --price-out, in US dollars for a million tokens.")
    return traffic


def patience(tries: int, asked: float | None) -> float:
    """Return how many seconds to wait after so many failed tries: exponential backoff with full jitter.

    Args:
        tries: Failed tries so far, at least 1.
        asked: What the endpoint asks for in seconds, if it does; that is honoured up to `LONGEST_ASKED`.
    """
    if asked is not None and asked > 0:
        return min(asked, LONGEST_ASKED) * random.uniform(1.0, 1.1)  # noqa: S311 - no secret hangs on it
    return random.uniform(0, min(LONGEST, BASE * 2 ** min(tries - 1, 30)))  # noqa: S311


def retry_after(value: str | None) -> float | None:
    """Read a `Retry-After` header: seconds, or the date of which it gives the seconds from now; None: neither."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(0.0, seconds) if isfinite(seconds) else None


class Pace:
    """Lets at most so many begin in any minute; None: any number."""

    def __init__(self, per_minute: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._clock = clock
        self._begun: deque[float] = deque()

    def turn(self) -> float:
        """Return 0.0, and count one as begun; or the seconds after which to ask again."""
        if self._limit is None:
            return 0.0
        now = self._clock()
        while self._begun and now - self._begun[0] >= MINUTE:
            self._begun.popleft()
        if len(self._begun) >= self._limit:
            return max(0.001, MINUTE - (now - self._begun[0]))
        self._begun.append(now)
        return 0.0


class Meter:
    """Counts what is spent in US dollars, and says whether another try fits into the budget.

    A try is taken to cost as many tokens as the dearest so far, or those of its prompt, an image and the longest
    answer, whichever are more. Until one cost is known only one is under way. A try whose answer was lost (time-out,
    body cut short) may have been charged: it counts in full against the budget, and is never reported as a cost.
    """

    def __init__(self, traffic: Traffic, max_tokens: int) -> None:
        self.spent = 0.0
        self.lost = 0.0
        self.under_way = 0
        self._reserved = 0.0
        self._budget = traffic.budget_usd
        self._prices = (traffic.price_in or 0.0, traffic.price_out or 0.0)
        self._priced = traffic.price_in is not None
        self._most_in = 0
        self._most_out = max_tokens
        self._known = False

    def cost(self, tokens_in: int | None, tokens_out: int | None, reported: float | None) -> float | None:
        """Return what an answer cost; what the endpoint itself reports counts only where no price was given."""
        if not self._priced:
            return reported
        return None if tokens_in is None or tokens_out is None else self._at_price(tokens_in, tokens_out)

    def estimate(self, prompt: str, image: bool) -> float:
        """Return what a try may cost."""
        guess = len(prompt.encode("utf-8", "replace")) + IMAGE_TOKENS * image
        return self._at_price(max(guess, self._most_in), self._most_out)

    def fits(self, estimate: float) -> bool:
        """Tell whether a try may begin now."""
        if self._budget is None:
            return True
        if not self._known and self.under_way:
            return False
        return self.spent + self.lost + self._reserved + estimate <= self._budget

    def begin(self, estimate: float) -> None:
        """Count a try as under way."""
        self.under_way += 1
        self._reserved += estimate

    def end(self, estimate: float) -> None:
        """Count a try as no longer under way."""
        self.under_way -= 1
        self._reserved = self._reserved - estimate if self.under_way else 0.0

    def pay(self, cost: float | None, estimate: float, tokens_in: int | None, tokens_out: int | None) -> None:
        """Count an answer; one whose cost cannot be told counts as lost."""
        self._known = True
        self._most_in = max(self._most_in, tokens_in or 0)
        self._most_out = max(self._most_out, tokens_out or 0)
        if cost is None:
            self.lost += estimate
        else:
            self.spent += cost

    def exhausted(self, estimate: float) -> str:
        """Say why nothing more is begun."""
        lost = f", and up to {self.lost:,.4f} for answers that were lost or came without their tokens" * (self.lost > 0)
        return (
            f"the budget of {self._budget:,.4f} USD does not cover another question, which may cost up to "
            f"{estimate:,.4f} (spent: {self.spent:,.4f} USD{lost}): raise --budget, or lower --max-tokens"
        )

    def _at_price(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self._prices[0] + tokens_out * self._prices[1]) / 1e6
