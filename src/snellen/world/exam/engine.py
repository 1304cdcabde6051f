"""The stand-in's engine: one local folder, loaded strictly, answering in batches. The real exam deletes it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from PIL import Image

from snellen.benchmarks import Benchmark
from snellen.encoders.quiet import quiet_libraries
from snellen.errors import EncoderError, StudyError
from snellen.images.decode import Limits, decode
from snellen.records import Question

DECODING: Final = {"do_sample": False, "num_beams": 1, "max_new_tokens": 4}


class Engine:
    """A model and its processor; float32, on the CPU.

    Raises:
        EncoderError: the folder cannot be loaded, or weights are missing, left over, or of another shape.
    """

    def __init__(self, folder: Path) -> None:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForImageTextToText, AutoProcessor

        import snellen.world.nets  # noqa: F401 - makes the world's own models known to the Auto classes

        try:
            with quiet_libraries():
                self._model, info = AutoModelForImageTextToText.from_pretrained(
                    folder,
                    local_files_only=True,
                    dtype=torch.float32,
                    output_loading_info=True,
                    ignore_mismatched_sizes=True,  # so that they are listed, and refused below
                )
                self._processor = AutoProcessor.from_pretrained(folder, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise EncoderError(f"{folder} cannot be loaded ({reason}): make the model again.") from error
        kinds = ("missing_keys", "unexpected_keys", "mismatched_keys")
        wrong = [f"{kind.replace('_', ' ')}: {min(map(_key, info[kind]))}" for kind in kinds if info[kind]]
        if wrong:
            raise EncoderError(f"{folder} has weights that do not fit ({'; '.join(wrong)}): make the model again.")
        self._model.eval()
        self._tokenizer = self._processor.tokenizer
        self._tokenizer.padding_side = "left"
        ids = {letter: self._tokenizer.encode(f"({letter})", add_special_tokens=False) for letter in "ab"}
        single = all(len(found) == 1 and found[0] != self._tokenizer.unk_token_id for found in ids.values())
        self._letters = {letter: found[0] for letter, found in ids.items()} if single else None

    def answers(
        self, benchmark: Benchmark, questions: Sequence[Question], batch_size: int
    ) -> Iterator[list[dict[str, Any]]]:
        """Yield the lines of `responses.jsonl`, a batch at a time, in the order of the questions.

        Raises:
            StudyError: an image is gone, changed or cannot be decoded.
        """
        for start in range(0, len(questions), batch_size):
            batch = questions[start : start + batch_size]
            began = time.monotonic()
            prompts = [self._prompt(question) for question in batch]
            answers = list(self._generate(prompts, [_picture(benchmark, question) for question in batch]))
            seconds = round((time.monotonic() - began) / len(batch), 6)
            at = datetime.now(UTC).isoformat(timespec="seconds")
            yield [
                {
                    "question_id": question.question_id,
                    "order": "ab",
                    "repeat": 0,
                    "control": "none",
                    "variant": "",
                    "prompt": prompt,
                    **answer,
                    "seconds": seconds,
                    "at": at,
                }
                for question, prompt, answer in zip(batch, prompts, answers, strict=True)
            ]

    def _prompt(self, question: Question) -> str:
        assert question.options is not None
        text = f"{question.text} (a) {question.options[0]} (b) {question.options[1]}"
        chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}]
        prompt: str = self._processor.apply_chat_template(chat, add_generation_prompt=True)
        return prompt

    def _generate(self, prompts: list[str], pictures: list[Image.Image]) -> Iterator[dict[str, Any]]:
        import torch

        begins = self._tokenizer.bos_token is not None and prompts[0].startswith(self._tokenizer.bos_token)
        inputs = self._processor(
            text=prompts, images=pictures, padding=True, return_tensors="pt", add_special_tokens=not begins
        )
        with torch.inference_mode():
            made = self._model.generate(**inputs, **DECODING, return_dict_in_generate=True, output_logits=True)
        ends = self._model.generation_config.eos_token_id
        stops = set(ends if isinstance(ends, list) else [ends])
        first = made.logits[0].float().log_softmax(-1)
        for row, tokens in enumerate(made.sequences[:, inputs["input_ids"].shape[1] :].tolist()):
            stop = next((at for at, token in enumerate(tokens) if token in stops), None)
            logprobs = {letter: first[row, token].item() for letter, token in (self._letters or {}).items()}
            yield {
                "text": self._tokenizer.decode(tokens[:stop], skip_special_tokens=True),
                "finish": "length" if stop is None else "stop",
                "logprobs": logprobs or None,
                "tokens_in": int(inputs["attention_mask"][row].sum()),
                "tokens_out": len(tokens) if stop is None else stop + 1,
            }


def _picture(benchmark: Benchmark, question: Question) -> Image.Image:
    decoded = decode(benchmark.image(question), Limits(min_side=1))
    if decoded.image is None:
        raise StudyError(f"{benchmark.folder / question.image} cannot be decoded ({decoded.status}): take it out.")
    return decoded.image


def _key(found: str | tuple[Any, ...]) -> str:
    """Return the weight's name; of a mismatch, the library gives both shapes too."""
    return found if isinstance(found, str) else str(found[0])
