"""Keras, the oracle of many tests here, must be told before it is imported that it runs on PyTorch."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"
