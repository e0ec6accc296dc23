"""Export of trained networks to int8 TFLite and ONNX, with verification; requires TensorFlow."""
