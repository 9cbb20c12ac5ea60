"""An ONNX graph as it grows: inputs, constants, nodes and outputs, each under a name of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from daneo.extras import require

# GatherND with batch_dims and Where on every type came with 12 and 16; onnxruntime has run 17 since 1.12.
OPSET = 17
IR_VERSION = 8

Shape = tuple[int | str, ...]


class OnnxGraph:
    """Inputs, constants, nodes and outputs that become an ONNX model; values are spoken of by their names.

    Parameters
    ----------
    dtype : NumPy floating type
        The type of the model's numbers: float16, float32 or float64.

    Examples
    --------
    >>> graph = OnnxGraph(np.dtype(np.float32))
    >>> x = graph.input("x", np.float32, ("batch", 3))
    >>> graph.output(graph.node("Relu", x), "y", np.float32, ("batch", 3))
    >>> [node.op_type for node in graph.model("positive part").graph.node]
    ['Relu', 'Identity']
    """

    def __init__(self, dtype: npt.DTypeLike) -> None:
        self.onnx = require("onnx", extra="onnx", purpose="Exporting to ONNX")
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self._inputs: list[Any] = []
        self._outputs: list[Any] = []
        self._constants: dict[str, Any] = {}
        self._nodes: list[Any] = []
        self._uses: Counter[str] = Counter()

    def input(self, name: str, dtype: npt.DTypeLike, shape: Shape, default: npt.ArrayLike | None = None) -> str:
        """Add an input of the model; one with a default may be left out by who runs the model."""
        self._inputs.append(self._value(name, dtype, shape))
        if default is not None:
            self._constants[name] = self.onnx.numpy_helper.from_array(np.asarray(default, dtype), name)
        return name

    def output(self, value: str, name: str, dtype: npt.DTypeLike, shape: Shape) -> None:
        """Make `value` an output of the model, under `name`."""
        self._nodes.append(self.onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._value(name, dtype, shape))

    def constant(self, array: npt.ArrayLike, name: str, dtype: npt.DTypeLike | None = None) -> str:
        """Store an array in the model, by default as one of its numbers, under `name` or that with a number behind."""
        name = self._unique(name)
        contiguous = np.ascontiguousarray(np.asarray(array, dtype or self.dtype)).reshape(np.shape(array))
        self._constants[name] = self.onnx.numpy_helper.from_array(contiguous, name)
        return name

    def integers(self, *values: int) -> str:
        """Store a list of int64, once however often it is asked for."""
        name = "_".join(["integers", *map(str, values)]).replace("-", "minus_")
        if name not in self._constants:
            self._constants[name] = self.onnx.numpy_helper.from_array(np.array(values, np.int64), name)
        return name

    def scalar(self, value: int) -> str:
        """Store a single int64, once however often it is asked for."""
        name = f"integer_{value}".replace("-", "minus_")
        if name not in self._constants:
            self._constants[name] = self.onnx.numpy_helper.from_array(np.array(value, np.int64), name)
        return name

    def zero(self) -> str:
        """Store a zero of the model's numbers, once however often it is asked for."""
        if "zero" not in self._constants:
            self._constants["zero"] = self.onnx.numpy_helper.from_array(np.zeros(1, self.dtype), "zero")
        return "zero"

    def nodes(self, operator: str, *inputs: str, num_outputs: int, unused: int = 0, **attributes: Any) -> list[str]:
        """Add a node with several outputs, of which the first `unused` are not computed, and return their names.

        An input or output that is left out is the empty name.
        """
        name = self._unique(operator)
        outputs = ["" if k < unused else f"{name}.{k}" if k else name for k in range(num_outputs)]
        self._nodes.append(self.onnx.helper.make_node(operator, list(inputs), outputs, name=name, **attributes))
        return outputs

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output and return its name."""
        return self.nodes(operator, *inputs, num_outputs=1, **attributes)[0]

    def cast(self, value: str, dtype: npt.DTypeLike) -> str:
        """Change the type of a value."""
        return self.node("Cast", value, to=self._tensor_type(dtype))

    def size(self, value: str, axis: int) -> str:
        """The length of one axis when the model runs, as a list of one int64."""
        return self.node("Shape", value, start=axis, end=axis + 1)

    def model(self, name: str) -> Any:
        """Return the ``onnx.ModelProto``, checked."""
        from daneo import __version__

        helper = self.onnx.helper
        graph = helper.make_graph(self._nodes, name, self._inputs, self._outputs, list(self._constants.values()))
        model = helper.make_model(
            graph,
            producer_name="daneo",
            producer_version=__version__,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        self.onnx.checker.check_model(model, full_check=True)
        return model

    def _unique(self, name: str) -> str:
        self._uses[name] += 1
        return name if self._uses[name] == 1 else f"{name}_{self._uses[name]}"

    def _value(self, name: str, dtype: npt.DTypeLike, shape: Shape) -> Any:
        return self.onnx.helper.make_tensor_value_info(name, self._tensor_type(dtype), list(shape))

    def _tensor_type(self, dtype: npt.DTypeLike) -> int:
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
