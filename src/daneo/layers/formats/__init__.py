"""Files and modules of other tools: PyTorch, Keras, ONNX; to and from."""
