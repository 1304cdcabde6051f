"""Image-text encoders of open_clip.

    open_clip/ViT-L-14-quickgelu@openai     open_clip/ViT-B-32@weights.pt
    open_clip/./folder                      open_clip/hf-hub:org/model

Pooled as CLIP does (arXiv 2103.00020, section 2.4) unless the architecture's own configuration says otherwise:
`encode_image` and `encode_text`, scaled to unit length. Weights are always required, and always loaded strictly.

OpenAI's weights, and some others, were trained with QuickGELU. open_clip builds the plain names with GELU, loads such
weights into them with a warning, and gives slightly wrong vectors. Here that is an error, both ways round, that names
the right model before anything is downloaded. For a bare file the trained activation is not written anywhere: there
the architecture's name decides. Nor is its preprocessing: it gets that of the architecture's published weights, and is
refused where these differ among themselves. A checkpoint trained at another resolution than its configuration asks for
gets its position embeddings resized by open_clip; the fingerprint is that of the resized weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from snellen.encoders import hub
from snellen.encoders.base import FloatArray, IntArray, unit_rows
from snellen.encoders.choices import closest
from snellen.encoders.paths import local_path
from snellen.encoders.pixels import FILTERS, Pixels, ResizeRule, pair, three
from snellen.encoders.quiet import quiet_libraries
from snellen.encoders.torch_encoder import TorchEncoder, block_index, set_threads
from snellen.errors import EncoderError, Unsupported, UsageError

if TYPE_CHECKING:
    from torch import Tensor

OPEN_CLIP_VERSION = 1
"""Goes into the fingerprints; raise it when the same checkpoint starts to give other rows."""

QUICK = "-quickgelu"

TAG_PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
"""What published weights may have of their own."""


class OpenClipEncoder(TorchEncoder):
    """A CLIP, CoCa or SigLIP model of open_clip."""

    def __init__(
        self,
        *,
        name: str,
        model: Any,  # noqa: ANN401 - open_clip is untyped
        identifier: str,
        config: Mapping[str, Any],
        device: str,
        dtype: str,
    ) -> None:
        """Wrap a loaded model; `identifier` is open_clip's name for it, with that `config`. See `TorchEncoder`."""
        import open_clip

        self._network = model
        self._identifier = identifier
        text: Mapping[str, Any] = config.get("text_cfg", {})
        self._tokenizer_source: str | None = text.get("hf_tokenizer_name") or None
        self._tokenizer: Any = None
        super().__init__(
            name=name,
            model=model,
            preprocess=translate(open_clip.get_model_preprocess_cfg(model)),
            recipe={"open_clip": OPEN_CLIP_VERSION, "config": dict(config)},
            device=device,
            dtype=dtype,
        )

    def embed_text(self, texts: list[str]) -> FloatArray:
        """Embed texts to unit rows float32 [n, dim]; longer ones are cut by the model's own tokenizer.

        Raises:
            EncoderError: the tokenizer cannot be had.
        """
        import torch

        tokens = self._tokens(texts).to(self._device)
        with torch.inference_mode():
            return unit_rows(self._array(self._network.encode_text(tokens)))

    def token_ids(self, texts: list[str]) -> IntArray:
        """Return what `embed_text` gives to the network: int64 [n, length]. Raises as it does."""
        ids: IntArray = self._tokens(texts).numpy()
        return ids

    def _tokens(self, texts: list[str]) -> Tensor:
        import open_clip

        if self._tokenizer is None:
            with quiet_libraries():
                try:
                    self._tokenizer = hub.fetch(
                        self.name,
                        lambda: open_clip.get_tokenizer(self._identifier),
                        repository=self._tokenizer_source,
                    )
                except (OSError, ValueError) as error:
                    raise EncoderError(f"{self.name} cannot embed texts: its tokenizer cannot be loaded") from error
        tokens: Tensor = self._tokenizer(texts)
        return tokens

    def _pool(self, pixels: Tensor) -> Tensor:
        pooled: Tensor = self._network.encode_image(pixels)
        return pooled

    def _patches(self, pixels: Tensor, layer: int) -> tuple[Tensor, int, int]:
        tower = self._network.visual
        blocks = getattr(getattr(tower, "transformer", None), "resblocks", None)
        if blocks is None:
            blocks = getattr(getattr(tower, "trunk", None), "blocks", None)
        if blocks is None:
            raise Unsupported(f"{self.name} has no patch tokens: its image tower is a {type(tower).__name__}")
        index = block_index(layer, len(blocks), self.name)
        # Towers with attention pooling, or with a norm behind the pooling, show the head tokens without a norm.
        bare = getattr(tower, "attn_pool", None) is not None or getattr(tower, "final_ln_after_pool", False)
        features: Tensor = tower.forward_intermediates(
            pixels,
            indices=[index],
            normalize_intermediates=index == len(blocks) - 1 and not bare,
            intermediates_only=True,
            output_fmt="NCHW",
        )["image_intermediates"][0]
        return features.flatten(2).transpose(1, 2), features.shape[2], features.shape[3]


def translate(config: Mapping[str, Any]) -> Pixels:
    """Return the recipe of open_clip's evaluation transform (`image_transform_v2`).

    Raises:
        EncoderError: a setting is not known here.
    """
    known = ("size", "mode", "mean", "std", "interpolation", "resize_mode", "fill_color")
    unknown = [key for key in config if key not in known]
    if unknown or config.get("mode", "RGB") != "RGB":
        raise EncoderError(f"open_clip's preprocessing has {unknown or config['mode']}, which is not known here")
    size = pair(config["size"], "open_clip's image size")
    name = config.get("interpolation", "bicubic")
    if name not in FILTERS or name not in ("bicubic", "bilinear"):
        raise EncoderError(f"open_clip's interpolation {name!r} is not known here; known: bicubic, bilinear")
    mode = config.get("resize_mode", "shortest")
    rules: dict[str, ResizeRule] = {"shortest": "shortest", "longest": "contain", "squash": "exact"}
    if mode not in rules:
        raise EncoderError(f"open_clip's resize_mode {mode!r} is not known here; known: {', '.join(rules)}")
    rule = rules[mode]
    if mode == "shortest" and size[0] != size[1]:
        rule, name = "cover", "bicubic"  # open_clip passes no interpolation on here
    fill = int(config.get("fill_color") or 0)
    return Pixels(
        resize=rule,
        resize_to=size,
        filter=name,
        crop="none" if rule == "exact" else "torchvision",
        size=size,
        mean=three(config["mean"], "open_clip's mean"),
        std=three(config["std"], "open_clip's std"),
        fill=(fill, fill, fill) if mode == "longest" else (0, 0, 0),
    )


def load(
    name: str, model: str, weights: str | None, *, device: str, dtype: str, threads: int | None
) -> OpenClipEncoder:
    """Load `open_clip/<architecture>@<tag or file>`, `open_clip/<folder>` or `open_clip/hf-hub:<repository>`.

    Raises:
        UsageError: the architecture, the tag or a path is unknown; the message names the nearest ones.
        EncoderError: the weights cannot be had, do not fit, or were trained with the other GELU.
    """
    import open_clip
    from safetensors import SafetensorError

    set_threads(threads)
    repository, url, pretrained, preprocessing = None, None, None, None
    path = local_path(model, name)
    if path is not None:
        if not (path / "open_clip_config.json").is_file():
            raise EncoderError(f"{path} holds no open_clip_config.json: it must be a folder that open_clip saved")
        identifier = f"local-dir:{path.resolve()}"
    elif model.startswith("hf-hub:"):
        identifier, repository = model, model.removeprefix("hf-hub:")
    else:
        identifier = model.replace("/", "-")
        pretrained = _check_weights(name, identifier, weights)
        tag = open_clip.get_pretrained_cfg(identifier, pretrained)
        preprocessing = None if tag else _preprocessing_of_a_file(name, identifier)
        repository, url = tag.get("hf_hub", "").rstrip("/") or None, tag.get("url")
        repository = "/".join(repository.split("/")[:2]) if repository else None

    def create() -> tuple[Any, dict[str, Any]]:
        network = open_clip.create_model(
            identifier,
            pretrained=pretrained,
            require_pretrained=True,
            precision="fp32",
            weights_only=True,
            force_preprocess_cfg=preprocessing,
        )
        return network, open_clip.get_model_config(identifier)

    try:
        with quiet_libraries():
            # Where open_clip keeps what comes from plain addresses.
            url_file = Path.home() / ".cache" / "clip" / Path(url).name if url else None
            network, config = hub.fetch(name, create, repository=repository, url=url, url_file=url_file)
            return OpenClipEncoder(
                name=name, model=network, identifier=identifier, config=config, device=device, dtype=dtype
            )
    except (RuntimeError, ValueError, OSError, SafetensorError, UnpicklingError, KeyError) as error:
        raise EncoderError(f"the weights of {name} cannot be loaded: {' '.join(str(error).split())[:300]}") from error


def _check_weights(name: str, architecture: str, weights: str | None) -> str:
    """Return the tag or file to load, after checking all that can be checked without it."""
    import open_clip

    known = open_clip.list_models()
    if architecture not in known:
        raise UsageError(f"unknown model {name!r}: open_clip has {closest(architecture, known, prefix='open_clip/')}")
    tags = open_clip.list_pretrained_tags_by_model(architecture)
    fitting = [tag for tag in tags if _trained_quick(architecture, tag) == _built_quick(architecture)]
    offered = closest(weights or "", fitting, prefix=f"open_clip/{architecture}@") or "no published weights"
    if weights is None:
        raise UsageError(f"{name!r} names no weights: choose {offered}, or give a file, {name}@weights.safetensors")
    if open_clip.is_pretrained_cfg(architecture, weights):
        _check_quick_gelu(name, architecture, weights)
        return weights
    if Path(weights).expanduser().is_file():
        return str(Path(weights).expanduser())
    trained_quick = f"{architecture}{QUICK}"
    plain = architecture.removesuffix(QUICK)
    for other in (trained_quick, plain):
        if other in known and open_clip.is_pretrained_cfg(other, weights):
            _check_quick_gelu(name, architecture, weights, listed_as=other)
    raise UsageError(f"unknown weights {weights!r} in {name!r}, and no such file: open_clip has {offered}")


def _preprocessing_of_a_file(name: str, architecture: str) -> dict[str, Any] | None:
    """Return the preprocessing of the architecture's published weights, for a file that says nothing of its own.

    None where nothing is published: open_clip's default, which is OpenAI's, is then all there is.

    Raises:
        EncoderError: weights of this architecture were published with different preprocessing.
    """
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(architecture)
    configs = [open_clip.get_pretrained_cfg(architecture, tag) for tag in tags]
    found = [{key: config[key] for key in TAG_PREPROCESSING if config.get(key) is not None} for config in configs]
    if any(other != found[0] for other in found):
        raise EncoderError(
            f"{name} does not say how to prepare images, and weights of {architecture} were trained with different "
            "preprocessing: put the file as open_clip_model.safetensors or open_clip_pytorch_model.bin into a folder "
            "with an open_clip_config.json that says it (preprocess_cfg), and use open_clip/./folder"
        )
    return found[0] if found else None


def _check_quick_gelu(name: str, architecture: str, tag: str, listed_as: str | None = None) -> None:
    """Refuse an architecture with the other GELU than the weights were trained with."""
    import open_clip

    trained, built = _trained_quick(listed_as or architecture, tag), _built_quick(architecture)
    if trained == built:
        return
    candidates = [architecture.removesuffix(QUICK), architecture.removesuffix(QUICK) + QUICK]
    right = [
        candidate
        for candidate in candidates
        if candidate in open_clip.list_models()
        and _built_quick(candidate) == trained
        and open_clip.is_pretrained_cfg(candidate, tag)
    ]
    gelu = {True: "QuickGELU", False: "GELU"}
    repository = open_clip.get_pretrained_cfg(listed_as or architecture, tag).get("hf_hub", "").rstrip("/")
    alternative = f"hf-hub:{repository}, whose own configuration decides" if repository else f"{architecture}@file"
    advice = f"use open_clip/{right[0]}@{tag}" if right else f"use open_clip/{alternative}"
    raise EncoderError(
        f"{name} would be wrong without a word: the weights {tag} were trained with {gelu[trained]}, and the "
        f"architecture {architecture} is built with {gelu[built]}; {advice}"
    )


def _trained_quick(architecture: str, tag: str) -> bool:
    import open_clip

    return bool(open_clip.get_pretrained_cfg(architecture, tag).get("quick_gelu", False))


def _built_quick(architecture: str) -> bool:
    import open_clip

    return bool((open_clip.get_model_config(architecture) or {}).get("quick_gelu", False))
