"""What is to be asked: every question in every sitting, and one `Ask` for each that has no answer yet.

A sitting is one way of putting all questions: order of options, repeat, control, variant of the image. The plain one
is always among them, since the scores that people compare are taken from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from snellen import variants
from snellen.benchmarks import Benchmark
from snellen.errors import StudyError, UsageError
from snellen.profiles import Profile, prompt
from snellen.records import Ask, Control, Key, Order
from snellen.runs.files import PLAIN, Sitting


def sittings(
    *,
    both_orders: bool = False,
    repeats: int = 1,
    image_variants: Sequence[str] = (),
    controls: Sequence[Control] = (),
) -> tuple[Sitting, ...]:
    """List the sittings that the options of `ask` mean, the plain one first.

    Both orders hold for every repeat, variant and control. Variants and controls are asked once.

    Raises:
        UsageError: there is no such variant, or something is given twice.
    """
    orders: tuple[Order, ...] = ("ab", "ba") if both_orders else ("ab",)
    found: list[Sitting] = [(order, repeat, "none", "") for repeat in range(repeats) for order in orders]
    found += [(order, 0, "none", variants.check(name)) for name in image_variants for order in orders]
    found += [(order, 0, control, "") for control in controls for order in orders]
    if repeats < 1 or len(set(found)) < len(found):
        raise UsageError("A variant or control is given twice, or repeats is below 1: name each once.")
    return tuple(found)


def merged(old: Iterable[Sitting], new: Iterable[Sitting]) -> tuple[Sitting, ...]:
    """Put the sittings of a run together with more of them; the plain one is always first."""
    return (PLAIN, *sorted({*old, *new} - {PLAIN}, key=lambda one: (one[2], one[3], one[1], one[0])))


class Asks:
    """The questions that are still to be asked, one `Ask` at a time, as the engine draws them.

    An image that is gone must not cost the answers that are under way: iteration then ends, `failed` holds what was
    wrong, and whoever asks says so once the engine has handed out the rest.
    """

    def __init__(self, keys: Sequence[Key], make: Callable[[Key], Ask]) -> None:
        self.failed: StudyError | None = None
        self._keys = keys
        self._make = make

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Ask]:
        for key in self._keys:
            try:
                ask = self._make(key)
            except StudyError as error:
                self.failed = error
                return
            yield ask


def question_ask(benchmark: Benchmark, profile: Profile) -> Callable[[Key], Ask]:
    """Return what makes the `Ask` of a key: wording, image, variant or control.

    What it returns raises StudyError where the image is gone, changed or cannot be decoded.
    """
    questions = {question.question_id: question for question in benchmark.questions}

    def make(key: Key) -> Ask:
        question_id, order, repeat, control, variant = key
        question = questions[question_id]
        image = None
        if control != "no_image":
            image = benchmark.image(question)
            if control == "blank_image":
                image = variants.blank(image, question.image)
            elif variant:
                image = variants.variant(image, variant, question.image_id)
        return Ask(
            question_id=question_id,
            prompt=prompt(profile, question, order),
            image=image,
            order=order,
            repeat=repeat,
            control=control,
            variant=variant,
            letters=profile.letters,
        )

    return make
