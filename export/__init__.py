"""From a checkpoint to the shipped model: ONNX, int8, gates, calibration, card. Repository only."""
