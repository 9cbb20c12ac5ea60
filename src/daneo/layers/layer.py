"""What every layer shares: weights made at the first call, Keras's vocabulary, a text that shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from daneo.layers.initializers import Initializer, initialized
from daneo.layers.unbuilt_parameter import UnbuiltParameter

Shape = Sequence[int | None]


class Layer(nn.Module):
    """The base of daneo's layers: a ``torch.nn.Module`` that is built when it first sees an input.

    A layer that is not built has its weights already, but without shapes: an optimizer may be given them, and
    ``layer.to(...)`` decides their precision and their device. :meth:`build`, the first call and ``load_state_dict``
    give them shapes.

    Parameters
    ----------
    config : dataclass
        The layer's settings. Each of them is also an attribute: ``layer.units``.

    Attributes
    ----------
    takes_mask : bool
        Whether the layer is called as ``layer(x, mask=mask)``.

    Notes
    -----
    A subclass names its weights with :meth:`declare_weight`, in the order in which Keras lists them, and gives them
    their shapes in :meth:`make_weights`.

    Examples
    --------
    >>> from daneo.layers import GRU
    >>> layer = GRU(4)
    >>> layer.built, layer(torch.ones(1, 2, 3)).shape, layer.built
    (False, torch.Size([1, 4]), True)
    """

    takes_mask: ClassVar[bool] = False
    config: Any = None

    def __init__(self, config: Any = None) -> None:
        super().__init__()
        self.config = config
        self._built = False

    # ------------------------------------------------------------------------------------------------------ building

    @property
    def built(self) -> bool:
        """Whether the weights have their shapes."""
        return self._built

    def build(self, input_shape: Shape) -> None:
        """Make the weights, if they are not there yet.

        Parameters
        ----------
        input_shape : sequence of int or None
            The shape of an input, as ``(None, None, 100)``; only what the weights depend on must be known.

        Raises
        ------
        ValueError
            What the weights depend on is None.
        """
        if self.built:
            return
        # Weights made while only predictions are wanted must still be good for training.
        with torch.inference_mode(False), torch.no_grad():
            self.make_weights(tuple(input_shape))
        self._built = True

    def make_weights(self, input_shape: Shape) -> None:
        """Give every declared weight its shape and its first values; subclasses write this."""

    def declare_weight(
        self, name: str, *, dtype: torch.dtype | str | None = None, device: torch.device | str | None = None
    ) -> None:
        """Register a weight whose shape is not known yet."""
        unbuilt: Any = UnbuiltParameter  # whose constructor PyTorch's annotations misstate
        self.register_parameter(name, unbuilt(dtype=dtype_of(dtype), device=device))

    def make_weight(self, name: str, shape: tuple[int, ...], initializer: str | Initializer) -> None:
        """Give a declared weight its shape, and let `initializer` fill it."""
        weight = self._parameters[name]
        assert weight is not None
        values = initialized(shape, initializer, dtype=weight.dtype, device=weight.device)
        if isinstance(weight, UnbuiltParameter):
            weight.materialize(shape)
            weight.copy_(values)
        else:  # PyTorch puts an ordinary, empty parameter in its place when the layer is moved to the device "meta"
            self._parameters[name] = nn.Parameter(values, weight.requires_grad)

    def input_shape_of(self, weights: Mapping[str, Tensor]) -> Shape | None:
        """Tell from loaded weights what inputs they are for; None if the layer cannot tell."""
        return None

    # ------------------------------------------------------------------------------------------------------- weights

    @property
    def weights(self) -> list[nn.Parameter]:
        """All weights, in Keras's order.

        Raises
        ------
        RuntimeError
            The layer is not built.
        """
        self.require_built("weights")
        return list(self.parameters())

    def count_params(self) -> int:
        """Count the numbers in all weights.

        Raises
        ------
        RuntimeError
            The layer is not built.
        """
        self.require_built("count_params")
        return sum(weight.numel() for weight in self.parameters())

    def get_weights(self) -> list[npt.NDArray[Any]]:
        """Copy all weights into arrays, in Keras's order and shapes.

        Returns
        -------
        list of array
            What ``get_weights()`` of the same layer returns in Keras. An ``nn.Linear`` in a Sequential gives what a
            Dense layer has, a kernel (D, U) and a bias; peepholes are three vectors (U,), of the input, forget and
            output gate, as TensorFlow Addons has them.

        Raises
        ------
        RuntimeError
            The layer is not built.
        TypeError
            The weights are in bfloat16, which NumPy lacks, or a layer within has weights that Keras has no like of.

        Examples
        --------
        >>> from daneo.layers import LSTM
        >>> layer = LSTM(4, peephole=True)
        >>> layer.set_weights([[[0.5] * 16], [[0.25] * 16] * 4, [0.0] * 16, [1.0] * 4, [2.0] * 4, [3.0] * 4])
        >>> [array.shape for array in layer.get_weights()]
        [(1, 16), (4, 16), (16,), (4,), (4,), (4,)]
        """
        from daneo.layers.formats import keras_weights

        self.require_built("get_weights")
        return keras_weights.get_weights(self)

    def set_weights(self, weights: Sequence[npt.ArrayLike]) -> None:
        """Replace all weights by arrays in the order of :meth:`get_weights`; a layer that is not built is built.

        Raises
        ------
        ValueError
            There are too many or too few, or one has the wrong shape or no real numbers. No weight is changed then.
        """
        from daneo.layers.formats import keras_weights

        keras_weights.set_weights(self, weights)

    def require_built(self, what: str) -> None:
        """Raise a RuntimeError that names `what` was asked for, if the layer is not built."""
        if not self.built:
            name = type(self).__name__
            raise RuntimeError(
                f"{name}.{what}: this {name} is not built, so its weights have no shapes yet. "
                "Call it on an input, or build((None, None, features))."
            )

    @property
    def _initialize_hook(self) -> Any:
        """While this is there, torch.compile calls :meth:`_infer_parameters` before it traces the layer."""
        if self.built:
            raise AttributeError("built")
        return self._infer_parameters

    def _infer_parameters(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.build(np.shape([*args, *kwargs.values()][0]))

    # -------------------------------------------------------------------------------------------------- as in Keras

    def get_config(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them; :meth:`from_config` makes a layer of the same kind from them.

        Raises
        ------
        TypeError
            A setting is a function: only those given by name can be written down.
        """
        settings = {field.name: getattr(self.config, field.name) for field in dataclasses.fields(self.config)}
        settings.pop("device", None)
        for name, value in settings.items():
            if callable(value):
                raise TypeError(
                    f"{type(self).__name__}.get_config cannot write down {name}={value!r}: give it by its name."
                )
        if "dtype" in settings:
            weight = next(self.parameters(), None)
            settings["dtype"] = None if weight is None else str(weight.dtype).removeprefix("torch.")
        return {name: list(value) if isinstance(value, tuple) else value for name, value in settings.items()}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make a layer, with fresh weights, from what :meth:`get_config` returned."""
        return cls(**config)

    def compute_mask(self, inputs: Any, mask: Tensor | None = None) -> Tensor | None:
        """Return the mask (B, T) that goes with the layer's output: by default the one that came."""
        return mask

    def compute_output_shape(self, input_shape: Shape) -> tuple[int | None, ...]:
        """Return the output's shape for an input of `input_shape`, without computing anything."""
        raise NotImplementedError(f"{type(self).__name__} does not say what shape its output has.")

    # ------------------------------------------------------------------------------------------- to and from PyTorch

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        own = {name: state_dict[prefix + name] for name in self._parameters if prefix + name in state_dict}
        if not self.built and own and (shape := self.input_shape_of(own)) is not None:
            self.build(shape)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        if not self.built:
            self.require_built("state_dict")
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def __getattr__(self, name: str) -> Any:
        # For what is no plain attribute: weights, which are asked for at every step, settings, layers within.
        weights = self.__dict__.get("_parameters")
        if weights is not None and name in weights:
            return weights[name]
        config = self.__dict__.get("config")
        if config is not None and name in config.__dataclass_fields__:
            return getattr(config, name)
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.config is not None and name in self.config.__dataclass_fields__:
            kind = type(self).__name__
            raise AttributeError(f"{kind}.{name} is settled when the layer is made: {kind}(..., {name}={value!r}).")
        super().__setattr__(name, value)

    # ------------------------------------------------------------------------------------------------------- a text

    def __repr__(self) -> str:
        head = f"{type(self).__name__}({self.settings_text()})"
        if not self.built:
            return f"{head}, not built"
        shapes = [f"{name.rpartition('.')[2]} {tuple(weight.shape)}" for name, weight in self.named_parameters()]
        return f"{head}{self.sizes_text()}, {self.count_params():,} parameters: {', '.join(shapes)}"

    def settings_text(self) -> str:
        """Return the settings that differ from their defaults, as ``units=64, return_sequences=True``."""
        if self.config is None:
            return ""
        values = ((field, getattr(self.config, field.name)) for field in dataclasses.fields(self.config))
        return ", ".join(
            f"{field.name}={value!r}"
            for field, value in values
            if value != field.default and field.name not in ("dtype", "device")
        )

    def sizes_text(self) -> str:
        """Return what goes in and comes out, as ``" 100 -> 64"``."""
        return ""


def dtype_of(dtype: torch.dtype | str | None) -> torch.dtype:
    """Return the floating-point type of that name; None is PyTorch's default.

    Raises
    ------
    ValueError
        There is no floating-point type of that name.

    Examples
    --------
    >>> dtype_of("float64")
    torch.float64
    """
    found = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype or torch.get_default_dtype()
    if not isinstance(found, torch.dtype) or not found.is_floating_point:
        raise ValueError(f"Weights are floating-point numbers: expected a dtype such as 'float32', got {dtype!r}.")
    return found
