"""Multimodal LLMs in this process: whatever transformers' `AutoModelForImageTextToText` can load.

    transformers/llava-hf/llava-1.5-7b-hf     transformers/org/model@revision     transformers/./folder

A name on the hub is brought into a local folder first, so that both are loaded by the same code: strictly (no weight
missing, left over or of another shape), from safetensors, and never with code that came along.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from snellen.encoders.devices import resolve_device
from snellen.encoders.quiet import quiet_libraries
from snellen.errors import ModelError
from snellen.images.decode import Limits, decode
from snellen.mllms.base import Compute, Decoding, Supports, Traffic, respond
from snellen.mllms.checkpoint import Checkpoint, open_checkpoint
from snellen.mllms.letters import Letters
from snellen.records import Ask, Finish, Response
from snellen.study import software

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from snellen.mllms.hidden import Stops

BATCH_ELSEWHERE: Final = 8
"""Questions that are computed together on a GPU, unless told otherwise; on a CPU it is one."""


def load(
    name: str, model: str, weights: str | None, *, decoding: Decoding, compute: Compute, traffic: Traffic
) -> TransformersModel:
    """Load `transformers/<folder or hub name>[@revision]`.

    Raises:
        UsageError: a path in the name leads nowhere, or there is no such device.
        ModelError: the model cannot be had.
    """
    device = resolve_device(compute.device)
    return TransformersModel(name, open_checkpoint(name, model, weights, compute.dtype), decoding, compute, device)


class TransformersModel:
    """A model and its processor, answering in batches; see `MultimodalModel`.

    Above temperature 0 questions are computed one at a time, each from a seed of its own, so that an answer does not
    depend on what else was asked.
    """

    def __init__(self, name: str, checkpoint: Checkpoint, decoding: Decoding, compute: Compute, device: str) -> None:
        self.name = checkpoint.name
        self.fingerprint = checkpoint.fingerprint
        self.decoding = decoding
        self.supports = Supports(logprobs=True, hidden=True)
        self.software: Mapping[str, str] = {
            package: version
            for package, version in software("pillow", "tokenizers", "torch", "transformers").items()
            if package != "snellen"
        }
        self._checkpoint = checkpoint
        self._processor = checkpoint.processor
        self._device = device
        batch = compute.batch_size or (1 if device == "cpu" else BATCH_ELSEWHERE)
        self._batch = batch if decoding.temperature == 0 else 1
        self._tokenizer = self._processor.tokenizer
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        template = self._processor.chat_template
        if not template:
            raise ModelError(f"{name} has no chat template: put one into its folder, as chat_template.jinja.")
        self.template: str | None = sha256(str(template).encode()).hexdigest()
        self._letters = Letters(self._tokenizer)

    @cached_property
    def _model(self) -> Any:  # noqa: ANN401 - transformers is untyped
        return self._checkpoint.load().to(self._device).eval()

    @cached_property
    def _ends(self) -> set[int | None]:
        ends = self._model.generation_config.eos_token_id
        return set(ends if isinstance(ends, list) else [ends])

    def answer(self, asks: Iterable[Ask]) -> Iterator[Response]:
        """Answer every question; see `MultimodalModel.answer`.

        Raises:
            ModelError: the weights do not fit their configuration, a batch does not fit into memory, or an image cannot
                be decoded.
        """
        drawn = iter(asks)
        while batch := list(islice(drawn, self._batch)):
            # Some processors refuse a batch in which only some prompts have an image.
            for part in ([ask for ask in batch if ask.image is not None], [ask for ask in batch if ask.image is None]):
                if part:
                    yield from self._answer(part)

    def hidden(self, asks: Sequence[Ask], stops: Sequence[str]) -> list[dict[str, NDArray[np.float32]]]:
        """Return what the model holds at the stops while it reads each question: float32 [tokens, width] each.

        Pictures go through the encoder together, as many as answers are computed together; where a stop inside the
        language model is wanted, or the model mixes pictures' tokens, one at a time.

        Stops are named in `snellen.mllms.hidden`.

        Raises:
            Unsupported: the architecture's parts are not known, or a stop has nothing.
            UsageError: there is no such stop.
            ModelError: see `answer`; or the question has no image.
        """
        for ask in asks:
            if ask.image is None:
                raise ModelError(f"{ask.question_id} has no image, and hidden states are those of a picture: give one.")
        together = 1 if any(stop.startswith("language.") for stop in stops) else self._batch
        found: list[dict[str, NDArray[np.float32]]] = []
        for start in range(0, len(asks), together):
            part = asks[start : start + together]
            seen = self._watched(part, stops)
            for ask in part if seen is None else ():
                found += self._watched([ask], stops) or []
            found += seen or []
        return found

    def _watched(self, asks: Sequence[Ask], stops: Sequence[str]) -> list[dict[str, NDArray[np.float32]]] | None:
        import torch

        with torch.inference_mode(), quiet_libraries():
            inputs = self._inputs([self._prompt(ask) for ask in asks], asks)
            return self._stops.watch(stops, lambda: self._model(**inputs), len(asks))

    @property
    def stops(self) -> tuple[str, ...]:
        """The stops that there are, in the order of the way; none where the architecture is not known."""
        return self._stops.names

    @contextmanager
    def random_encoder(self, seed: int) -> Iterator[None]:
        """Have an encoder of the same architecture with random weights, for as long as this lasts.

        Raises:
            Unsupported: the architecture's parts are not known.
        """
        from snellen.mllms.hidden import Stops, random_towers

        stops = self._stops
        with random_towers(self._model, self.name, seed):
            self.__dict__["_stops"] = Stops(self._model, self.name)  # hooks are set on the modules that are there
            try:
                yield
            finally:
                self.__dict__["_stops"] = stops

    @cached_property
    def _stops(self) -> Stops:
        from snellen.mllms.hidden import Stops

        return Stops(self._model, self.name)

    def _answer(self, asks: Sequence[Ask]) -> Iterator[Response]:
        import torch

        began = time.monotonic()
        prompts = [self._prompt(ask) for ask in asks]
        try:
            with torch.inference_mode(), quiet_libraries():
                inputs = self._inputs(prompts, asks)
                sequences, first = self._generate(inputs, asks)
                logprobs = [self._letter_logprobs(*each) for each in zip(prompts, asks, first, strict=True)]
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"{self.name} with {len(asks)} questions at a time does not fit into the memory of {self._device}: "
                "give a smaller --batch-size, or --dtype bfloat16."
            ) from error
        read = inputs["attention_mask"].sum(1).tolist()
        seconds = (time.monotonic() - began) / len(asks)
        for row, ask in enumerate(asks):
            tokens = sequences[row, inputs["input_ids"].shape[1] :].tolist()
            stop = next((at for at, token in enumerate(tokens) if token in self._ends), None)
            finish: Finish = "length" if stop is None else "stop"
            yield respond(
                ask,
                began=began,
                text=self._tokenizer.decode(
                    tokens[:stop], skip_special_tokens=True, clean_up_tokenization_spaces=False
                ),
                finish=finish,
                prompt=prompts[row],
                logprobs=logprobs[row],
                tokens_in=int(read[row]),
                tokens_out=len(tokens) if stop is None else stop + 1,
                seconds=seconds,
            )

    def _prompt(self, ask: Ask) -> str:
        content = [{"type": "image"}] * (ask.image is not None) + [{"type": "text", "text": ask.prompt}]
        text: str = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        return text

    def _inputs(self, prompts: Sequence[str], asks: Sequence[Ask]) -> dict[str, Tensor]:
        begins = self._tokenizer.bos_token is not None and prompts[0].startswith(self._tokenizer.bos_token)
        images = [[self._picture(ask)] for ask in asks if ask.image is not None]
        inputs = self._processor(
            text=list(prompts),
            images=images or None,
            padding=True,
            return_tensors="pt",
            add_special_tokens=not begins,  # most templates write the first token themselves
        )
        dtype = self._model.dtype
        return {
            key: value.to(self._device, dtype) if value.is_floating_point() else value.to(self._device)
            for key, value in inputs.items()
        }

    def _picture(self, ask: Ask) -> Image.Image:
        assert ask.image is not None
        decoded = decode(ask.image, Limits(min_side=1))
        if decoded.image is None:
            raise ModelError(
                f"The image of question {ask.question_id} cannot be decoded ({decoded.status}): take its pair out."
            )
        return decoded.image

    def _generate(self, inputs: Mapping[str, Tensor], asks: Sequence[Ask]) -> tuple[Tensor, Tensor]:
        """Return the sequences, and the logits of the first token, float32 [n, vocabulary], before any penalty."""
        import torch

        seen: list[Tensor] = []

        def keep(_module: object, _given: object, logits: Tensor) -> None:
            if not seen:
                seen.append(logits[:, -1].float().cpu())

        sampling: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        if self.decoding.temperature > 0:
            sampling = {"do_sample": True, "temperature": self.decoding.temperature, "top_p": 1.0, "top_k": 0}
            text = f"{self.decoding.seed}/{'/'.join(map(str, asks[0].key))}"
            torch.manual_seed(int.from_bytes(sha256(text.encode()).digest()[:8], "big"))
        hook = self._model.get_output_embeddings().register_forward_hook(keep)
        try:
            sequences = self._model.generate(
                **inputs,
                **sampling,
                num_beams=1,
                max_new_tokens=self.decoding.max_tokens,
                pad_token_id=self._tokenizer.pad_token_id,
            )
        finally:
            hook.remove()
        return sequences.cpu(), seen[0]

    def _letter_logprobs(self, prompt: str, ask: Ask, first: Tensor) -> dict[str, float] | None:
        """Return the log-probability of each letter as the beginning of the answer."""
        if ask.letters is None:
            return None
        forms = self._letters.forms(prompt, ask.letters)
        if forms is None:
            return None
        logits, before = first, 0.0
        if forms.prefix:
            # "(a)" in several tokens: the letter itself stands behind an opening bracket.
            inputs = self._inputs([prompt + forms.text], [ask])
            scores = self._model(**inputs, logits_to_keep=len(forms.prefix) + 1).logits[0].float().cpu()
            logits = scores[-1]
            each = scores[:-1].log_softmax(-1)
            before = sum(each[at, token].item() for at, token in enumerate(forms.prefix))
        logs = logits.log_softmax(-1)
        return {
            letter: before + logs[list(tokens)].logsumexp(0).item()
            for letter, tokens in zip("ab", (forms.first, forms.second), strict=True)
        }
