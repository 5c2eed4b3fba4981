"""Arrays of any library as arrays of NumPy."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tellapart._tellapart import DataError


def as_numpy(name: str, values: Any) -> npt.NDArray[Any]:
    """Return an array of NumPy that is contiguous and of this machine's byte order.

    Shares memory where it can: arrays of NumPy, tensors of PyTorch on the CPU, and whatever has
    ``__array__`` or ``__dlpack__``. Tensors with gradients are detached, those on a device copied.
    """
    if hasattr(values, "detach") and hasattr(values, "cpu"):
        values = values.detach().cpu()
        if str(getattr(values, "dtype", "")) == "torch.bfloat16":
            # NumPy has no bfloat16; float32 holds all of its values.
            values = values.float()
        values = values.numpy()
    elif not hasattr(values, "__array__") and hasattr(values, "__dlpack__"):
        values = np.from_dlpack(values)
    array = np.asarray(values)
    if array.dtype == object or array.dtype.kind not in "biuf":
        raise DataError(
            f"{name}: an array of numbers or bools is expected, not of {array.dtype}"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return np.ascontiguousarray(array) if array.ndim else array


def as_latents(latents: Any) -> npt.NDArray[Any]:
    """Return latents ``[rows, dimensions]`` in float32 or float64."""
    array = as_numpy("latents", latents)
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    if array.dtype not in (np.float32, np.float64):
        raise DataError(
            f"latents: float16, bfloat16, float32 or float64 is expected, not {array.dtype}; "
            'convert them, as with .astype("float32")'
        )
    if array.ndim != 2:
        advice = "for one number each, use .reshape(-1, 1)" if array.ndim < 2 else (
            "flatten or pool each row, as with .reshape(len(z), -1) or .mean(axis=1)"
        )
        raise DataError(
            f"latents: the shape [rows, dimensions] is expected, not {list(array.shape)}; {advice}"
        )
    return array
