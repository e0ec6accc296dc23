"""Export of the trained classifier to int8 TFLite and ONNX, and the proof that they agree."""
