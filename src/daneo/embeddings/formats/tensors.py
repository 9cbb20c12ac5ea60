"""Named arrays in a safetensors file: written whole, read as a memory map without a copy."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

# The dtypes of safetensors that NumPy has too; the 8-bit floats and bfloat16 have no array to be mapped to.
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "|i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "|u1",
    "BOOL": "|b1",
}


def write_tensors(path: str | os.PathLike[str], tensors: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write named arrays to a new safetensors file, without a copy of those that are contiguous.

    The file is written in place: call this inside `daneo.files.replaced_directory`, or rename the file afterwards.

    Parameters
    ----------
    path : path
        The file to make; an existing one is overwritten.
    tensors : mapping of str to array
        Any shapes; numbers or booleans.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_tensors(f"{folder}/x.safetensors", {"norms": np.array([3.0, 4.0])})
    ...     map_tensors(f"{folder}/x.safetensors")["norms"].tolist()
    [3.0, 4.0]
    """
    from safetensors.numpy import save_file

    Path(path).write_bytes(b"")
    mode = os.stat(path).st_mode
    # The library writes the buffer as it lies in memory: a transposed view would come out scrambled.
    save_file({name: np.asarray(array, order="C") for name, array in tensors.items()}, os.fspath(path))
    os.chmod(path, mode)  # the library makes files that only their owner can read


def map_tensors(path: str | os.PathLike[str]) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of a safetensors file as read-only memory maps: nothing is read until it is looked at.

    The safetensors library checks the header first: sizes, shapes and offsets against the length of the file,
    no overlaps and no holes.

    Raises
    ------
    ValueError
        The file is not a sound safetensors file, or holds a dtype that NumPy lacks.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        with safe_open(os.fspath(path), framework="numpy"):
            pass
    except SafetensorError as error:
        raise ValueError(f"{path} is not a sound safetensors file: {error}") from error
    with path.open("rb") as file:
        header_length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(header_length))
    header.pop("__metadata__", None)
    return {name: _mapped(path, name, entry, 8 + header_length) for name, entry in header.items()}


def _mapped(path: Path, name: str, entry: dict[str, Any], start: int) -> np.ndarray[Any, Any]:
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"{path}: tensor {name!r} has dtype {entry['dtype']}; expected one of {', '.join(_DTYPES)}.")
    shape, dtype = tuple(entry["shape"]), np.dtype(_DTYPES[entry["dtype"]])
    if math.prod(filter(None, shape)) > sys.maxsize // 8:  # possible if one of them is 0
        raise ValueError(f"{path}: tensor {name!r} has shape {shape}, which is beyond what an array can have.")
    if 0 in shape:  # an empty map is an error to the operating system
        return np.zeros(shape, dtype)
    mapped = np.memmap(path, dtype, mode="r", offset=start + entry["data_offsets"][0], shape=shape)
    # A plain array over the map: slices of a np.memmap are slower, and every one of them is a np.memmap again.
    array = mapped.view(np.ndarray).reshape(shape)
    # Writers that do not pad their header leave the data unaligned, which compiled code does not take.
    return array if array.flags.aligned else array.copy()
