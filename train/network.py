"""The recogniser: a fully convolutional network over a strip, with a CTC head or a glyph head.

Owns:   `NetworkConfig`, `Network`, its parameter and MAC counts.
Needs:  torch.
Words:  a *stage* works at one resolution; height is pooled away before the last, which sees a line
        of frames. Convolutions only, so that it quantises statically and takes any width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Widths and depths.

    Args:
        stem: Channels at full and at half resolution.
        channels: Of the three two-dimensional stages (1/2 x 1/2, 1/4 x 1/4, 1/8 x 1/4).
        blocks: Residual blocks of each of them.
        line_channels: Of the last, one-dimensional stage.
        line_blocks: Its residual blocks.
        line_kernel: Its kernel along the line, frames.
        dropout: Before the head.
        head: "ctc" (a label a frame) or "glyph" (a label a strip).
    """

    stem: int = 16
    channels: tuple[int, int, int] = (32, 64, 112)
    blocks: tuple[int, int, int] = (1, 2, 2)
    line_channels: int = 224
    line_blocks: int = 2
    line_kernel: int = 5
    dropout: float = 0.1
    head: str = "ctc"


def _conv(
    cin: int, cout: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
) -> nn.Sequential:
    padding = ((kernel[0] - 1) // 2, (kernel[1] - 1) // 2)
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, padding, bias=False), nn.BatchNorm2d(cout)
    )


class Bounded(nn.Module):
    """ReLU under a ceiling: the level that all but a few values of training stay below.

    int8 divides an activation's range into 255 steps. Without a ceiling a thousandth of the values
    takes up half of the range, and all others are rounded twice as coarsely.
    """

    ceiling: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("ceiling", torch.tensor([_OPEN]))
        self._calls = 0

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            if self._calls % _MEASURED_EVERY == 0:
                self._measure(x.detach())
            self._calls += 1
        return F.hardtanh(x, 0.0, self.ceiling.item())

    def _measure(self, x: Tensor) -> None:
        some = x.flatten()[:: max(1, x.numel() // _MEASURED_ON)].float()
        level = torch.quantile(some, _BELOW).clamp(min=_LEAST)
        fresh = self.ceiling >= _OPEN
        self.ceiling.copy_(torch.where(fresh, level, self.ceiling.lerp(level, _PACE)))


_OPEN = 1e4  # before the first measurement
_BELOW, _LEAST = 0.997, 0.1  # of the values; a silent layer keeps room to wake up
_MEASURED_EVERY, _MEASURED_ON, _PACE = 32, 20_000, 0.02  # calls, values, part of the way


class Block(nn.Module):
    """Two convolutions and the way around them."""

    def __init__(self, channels: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        self.first = _conv(channels, channels, kernel)
        self.second = _conv(channels, channels, kernel)
        self.inner, self.outer = Bounded(), Bounded()
        # The second normalisation starts at nought, so that a block starts as the way around it.
        nn.init.zeros_(self.second[1].weight)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.outer(x + self.second(self.inner(self.first(x)))))


class Network(nn.Module):
    """float32 (n, 1, 32, w) to log-probabilities float32 (n, w / 4, labels), glyphs (n, labels)."""

    def __init__(self, config: NetworkConfig, n_labels: int, *, height_px: int = 32) -> None:
        super().__init__()
        self.config = config
        c1, c2, c3 = config.channels
        b1, b2, b3 = config.blocks
        square = (3, 3)
        self.stem = _conv(1, config.stem, square)
        self.to_half = _conv(config.stem, c1, square, (2, 2))
        self.stage1 = nn.Sequential(*(Block(c1, square) for _ in range(b1)))
        self.to_quarter = _conv(c1, c2, square, (2, 2))
        self.stage2 = nn.Sequential(*(Block(c2, square) for _ in range(b2)))
        self.to_eighth = _conv(c2, c3, square, (2, 1))
        self.stage3 = nn.Sequential(*(Block(c3, square) for _ in range(b3)))
        rows = height_px // 8
        self.flatten = nn.Sequential(
            nn.Conv2d(c3, config.line_channels, (rows, 3), 1, (0, 1), bias=False),
            nn.BatchNorm2d(config.line_channels),
        )
        line = (1, config.line_kernel)
        self.line = nn.Sequential(
            *(Block(config.line_channels, line) for _ in range(config.line_blocks))
        )
        self.bounds = nn.ModuleList(Bounded() for _ in range(5))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Conv2d(config.line_channels, n_labels, 1)

    def forward(self, strips: Tensor) -> Tensor:
        stem, half, quarter, eighth, line = self.bounds
        x = half(self.to_half(stem(self.stem(strips))))
        x = quarter(self.to_quarter(self.stage1(x)))
        x = eighth(self.to_eighth(self.stage2(x)))
        x = line(self.flatten(self.stage3(x)))
        x = self.head(self.dropout(self.line(x)))  # (n, labels, 1, frames)
        if self.config.head == "glyph":
            return F.log_softmax(x.mean(dim=(2, 3)).float(), dim=1)
        return F.log_softmax(x.squeeze(2).permute(0, 2, 1).float(), dim=2)


def n_parameters(network: nn.Module) -> int:
    return sum(one.numel() for one in network.parameters())


def n_macs(network: Network, *, height_px: int, width_px: int) -> int:
    """Multiply-accumulates of the convolutions for one strip."""
    total = 0

    def count(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        assert isinstance(module, nn.Conv2d)
        total += module.weight[0].numel() * output[0].numel()

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        network.eval()(torch.zeros(1, 1, height_px, width_px))
    for hook in hooks:
        hook.remove()
    return total
