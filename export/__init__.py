"""From a checkpoint to the shipped model: ONNX, int8, gates, calibration, card. Not in the wheel."""
