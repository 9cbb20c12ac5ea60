"""Which code runs a recurrent layer: compiled kernels, cuDNN or the plain loop; and why."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad
from torch.nn import functional
from torch.nn.utils import parametrize

from daneo.layers.gru_cell import GRUCell
from daneo.layers.looked_up import LookedUp
from daneo.layers.lstm_cell import LSTMCell
from daneo.layers.recurrences.recurrent_calls import ACTIVATIONS
from daneo.layers.recurrent_operator import Plan
from daneo.layers.simple_rnn_cell import SimpleRNNCell

NAMES: dict[Any, str] = {
    torch.tanh: "tanh",
    torch.sigmoid: "sigmoid",
    torch.relu: "relu",
    functional.tanh: "tanh",
    functional.sigmoid: "sigmoid",
    functional.relu: "relu",
}
COMPUTED = (torch.float32, torch.float64)
CAST = (torch.bfloat16, torch.float16)  # computed in float32 on the CPU


class Path(NamedTuple):
    """The code that runs a layer.

    Attributes
    ----------
    name : str
        "compiled", "cudnn" or "plain".
    reason : str
        Why this one, in words.
    """

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


COMPILED = {dtype: Path("compiled", f"kernels for the CPU, in {_name(dtype)}") for dtype in COMPUTED}


def settings_plan(layer: Any) -> Plan | str:
    """Return how the kernels run a layer with such settings, or why they do not."""
    cell: Any = layer.cell
    kind = {SimpleRNNCell: 0, GRUCell: 1, LSTMCell: 2}.get(parametrize.type_before_parametrizations(cell))
    if kind is None:
        return f"{type(cell).__name__} is not one of daneo's cells"
    config = cell.config
    names = [NAMES.get(one, one) for one in (config.activation, getattr(config, "recurrent_activation", "sigmoid"))]
    for name in names:
        if name is not None and name not in ACTIVATIONS:
            return f"activation {name if isinstance(name, str) else 'function'} has no kernel"
    for option in ("projection_size", "cell_clip", "projection_clip", "layer_norm", "zoneout"):
        value = getattr(config, option, None)
        if value and value != (0, 0):
            return f"{option} has no kernel"
    activation, recurrent_activation = (ACTIVATIONS.index(name or "linear") for name in names)
    return Plan(
        kind,
        activation,
        recurrent_activation,
        variant=bool(getattr(config, "reset_after", False) or getattr(config, "coupled", False)),
        reverse=layer.config.go_backwards,
        sequences=layer.config.return_sequences,
        zero_output=layer.config.zero_output_for_mask,
    )


def path_of(plan: Plan | str, x: Tensor | LookedUp, masked: bool, dropped: bool, peephole: bool) -> Path:
    """Say which code runs a plan on inputs such as x, under a mask, and with dropout between the steps."""
    if isinstance(plan, str):
        return Path("plain", plan)
    if not x.shape[0]:
        return Path("plain", "there are no sequences")
    if _transformed(x):
        return Path("plain", "torch.func, forward derivatives and tensors of other classes need PyTorch's operations")
    if x.device.type == "cuda":
        return _path_on_gpu(plan, masked, dropped, peephole)
    if x.device.type != "cpu":
        return Path("plain", f"there are no kernels for device {x.device.type}")
    if x.dtype not in COMPUTED and x.dtype not in CAST:
        return Path("plain", f"there are no kernels for {_name(x.dtype)}")
    if torch.is_autocast_enabled("cpu"):
        return Path("plain", "autocast chooses the precision of every operation by itself")
    if x.dtype in CAST:
        return Path("compiled", f"kernels for the CPU, in float32, from and to {_name(x.dtype)}")
    return COMPILED[x.dtype]


def _transformed(x: Tensor | LookedUp) -> bool:
    kind = type(x.rows if isinstance(x, LookedUp) else x)
    if kind is not Tensor and kind is not torch.nn.Parameter and not torch.compiler.is_compiling():
        return True
    # Of what tells about transforms, this is what a compiler understands.
    in_transform = torch._C._functorch.get_dynamic_layer_stack_depth() > 0 or forward_ad._current_level >= 0
    return in_transform or torch._C._get_tracing_state() is not None


def _path_on_gpu(plan: Plan, masked: bool, dropped: bool, peephole: bool) -> Path:
    if masked:
        return Path("plain", "cuDNN knows no masks such as these")
    if dropped:
        return Path("plain", "cuDNN knows no dropout between steps")
    if peephole:
        return Path("plain", "cuDNN knows no peepholes")
    if plan.activation != 0 or (plan.kind and plan.recurrent_activation != 1):
        return Path("plain", "cuDNN knows no other activations than tanh and sigmoid")
    if plan.kind == 1 and not plan.variant:
        return Path("plain", "cuDNN knows no reset_after=False")
    if plan.kind == 2 and plan.variant:
        return Path("plain", "cuDNN knows no coupled gates")
    return Path("cudnn", "settings that cuDNN knows, and no mask")
