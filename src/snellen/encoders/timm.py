"""Models of timm, pooled as timm does for features: everything but the classifier.

    timm/vit_large_patch14_dinov2.lvd142m     timm/./folder     timm/resnet50@weights.safetensors

The pooling is each architecture's own (class token, attention or mean; `global_pool` in its configuration), followed
by what comes before the classifier (`forward_head(..., pre_logits=True)`), which equals timm's `num_classes=0`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import floor
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from snellen.encoders import hub
from snellen.encoders.choices import closest
from snellen.encoders.paths import local_path
from snellen.encoders.pixels import FILTERS, Filter, Pixels, ResizeRule, three
from snellen.encoders.quiet import quiet_libraries
from snellen.encoders.torch_encoder import TorchEncoder, block_index, set_threads
from snellen.errors import EncoderError, Unsupported, UsageError

if TYPE_CHECKING:
    from torch import Tensor

TIMM_VERSION = 1
"""Goes into the fingerprints; raise it when the same checkpoint starts to give other rows."""


class TimmEncoder(TorchEncoder):
    """A timm model without its classifier; patch tokens for the ViT family."""

    def __init__(self, *, name: str, model: Any, architecture: str, device: str, dtype: str) -> None:  # noqa: ANN401
        """Wrap a loaded model; see `TorchEncoder`."""
        import timm

        model.reset_classifier(0)
        arguments = getattr(model, "_model_args", {})
        self._network = model
        super().__init__(
            name=name,
            model=model,
            preprocess=translate(timm.data.resolve_model_data_config(model)),
            recipe={
                "timm": TIMM_VERSION,
                "architecture": architecture,
                "arguments": {key: str(value) for key, value in arguments.items() if key != "num_classes"},
                "pooling": str(getattr(model, "global_pool", "")),
            },
            device=device,
            dtype=dtype,
        )

    def _pool(self, pixels: Tensor) -> Tensor:
        pooled: Tensor = self._network.forward_head(self._network.forward_features(pixels), pre_logits=True)
        return pooled

    def _patches(self, pixels: Tensor, layer: int) -> tuple[Tensor, int, int]:
        blocks = getattr(self._network, "blocks", None)
        if blocks is None or not hasattr(self._network, "patch_embed"):
            raise Unsupported(
                f"{self.name} has no patch tokens: {type(self._network).__name__} is not of the ViT family"
            )
        index = block_index(layer, len(blocks), self.name)
        features: Tensor = self._network.forward_intermediates(
            pixels, indices=[index], norm=index == len(blocks) - 1, output_fmt="NCHW", intermediates_only=True
        )[0]
        return features.flatten(2).transpose(1, 2), features.shape[2], features.shape[3]


def translate(config: Mapping[str, Any]) -> Pixels:
    """Return the recipe of timm's evaluation transform for a resolved data configuration.

    Raises:
        EncoderError: a setting is not known here.
    """
    channels, height, width = config["input_size"]
    if channels != 3:
        raise EncoderError(f"timm's input_size {config['input_size']} is not for RGB pictures")
    mode, filter_name = config["crop_mode"], config["interpolation"]
    if filter_name not in FILTERS:
        raise EncoderError(f"timm's interpolation {filter_name!r} is not known here; known: {', '.join(FILTERS)}")
    scaled = (floor(height / config["crop_pct"]), floor(width / config["crop_pct"]))
    mean = three(config["mean"], "timm's mean")
    rules: dict[str, ResizeRule] = {
        "squash": "exact",
        "border": "contain",
        # timm scales to the shorter side where the target is square, and to cover it where it is not.
        "center": "shortest" if scaled[0] == scaled[1] else "cover",
    }
    if mode not in rules:
        raise EncoderError(f"timm's crop_mode {mode!r} is not known here; known: {', '.join(rules)}")
    red, green, blue = (round(255 * level) for level in mean)
    chosen: Filter = filter_name
    return Pixels(
        resize=rules[mode],
        resize_to=scaled,
        filter=chosen,
        crop="torchvision",
        size=(height, width),
        mean=mean,
        std=three(config["std"], "timm's std"),
        fill=(red, green, blue) if mode == "border" else (0, 0, 0),
    )


def load(name: str, model: str, weights: str | None, *, device: str, dtype: str, threads: int | None) -> TimmEncoder:
    """Load `timm/<name>`, `timm/<folder>`, `timm/<architecture>@<file>` or `timm/hf-hub:<repository>`.

    Raises:
        UsageError: the architecture, its tag, or a path is unknown; the message names the nearest ones.
        EncoderError: the weights cannot be had, or do not fit the architecture.
    """
    import timm
    from safetensors import SafetensorError

    set_threads(threads)
    path = local_path(model, name)
    try:
        with quiet_libraries():
            if path is not None:
                network = _from_folder(path)
            elif weights is not None:
                network = _from_file(name, model, weights)
            else:
                network = _from_hub(name, model)
    except (RuntimeError, OSError, ValueError, SafetensorError, UnpicklingError, KeyError) as error:
        # timm loads strictly, because the classifier is asked for with its published size and taken off afterwards.
        raise EncoderError(f"the weights of {name} cannot be loaded: {' '.join(str(error).split())[:300]}") from error
    architecture = str(network.pretrained_cfg.get("architecture") or timm.models.split_model_name_tag(model)[0])
    with quiet_libraries():
        return TimmEncoder(name=name, model=network, architecture=architecture, device=device, dtype=dtype)


def _from_folder(path: Path) -> Any:  # noqa: ANN401 - timm is untyped here
    import timm

    if not (path / "config.json").is_file():
        raise EncoderError(f"{path} holds no config.json: it must be a folder that timm's save_for_hf wrote")
    return timm.create_model(f"local-dir:{path.resolve()}", pretrained=True)


def _from_file(name: str, model: str, weights: str) -> Any:  # noqa: ANN401
    import timm

    _check_architecture(name, model)
    file = Path(weights).expanduser()
    if not file.is_file():
        raise UsageError(f"no file {weights!r} (in the model name {name!r}): it must be provider/architecture@file")
    config = timm.get_pretrained_cfg(model)
    classifier = config.classifier if config is not None else None
    first = classifier[0] if isinstance(classifier, list | tuple) else classifier
    held = timm.models.load_state_dict(str(file), use_ema=False, weights_only=True)
    head = held.get(f"{first}.weight")
    classes = 0 if head is None else int(head.shape[0])
    overlay = {"file": str(file.resolve()), "num_classes": classes, "custom_load": False, "label_offset": 0}
    return timm.create_model(model, pretrained=True, pretrained_cfg_overlay=overlay, num_classes=classes)


def _from_hub(name: str, model: str) -> Any:  # noqa: ANN401
    import timm

    if model.startswith("hf-hub:"):
        repository, url = model.removeprefix("hf-hub:"), None
    else:
        _check_architecture(name, model)
        config = timm.get_pretrained_cfg(model)
        if config is None or not config.has_weights:
            tags = [tag for tag in timm.list_pretrained() if tag.startswith(model.partition(".")[0] + ".")]
            offered = f"choose {closest(model, tags, prefix='timm/')}, or give" if tags else "give"
            raise UsageError(
                f"timm has no weights for {model!r}: {offered} a file, "
                f"timm/{model.partition('.')[0]}@weights.safetensors"
            )
        repository, url = config.hf_hub_id, config.url
        # timm writes `timm/` for "the repository of the same name".
        repository = f"{repository}{model}" if repository and repository.endswith("/") else repository
    return hub.fetch(name, lambda: timm.create_model(model, pretrained=True), repository=repository, url=url)


def _check_architecture(name: str, model: str) -> None:
    import timm

    architecture, tag = timm.models.split_model_name_tag(model)
    if not timm.is_model(architecture):
        near = closest(architecture, timm.list_models(), prefix="timm/")
        raise UsageError(f"unknown model {name!r}: timm has {near}")
    tags = [known.partition(".")[2] for known in timm.list_pretrained() if known.partition(".")[0] == architecture]
    if tag and tag not in tags:
        raise UsageError(f"unknown model {name!r}: {architecture} has {closest(tag, tags, prefix=f'{architecture}.')}")
