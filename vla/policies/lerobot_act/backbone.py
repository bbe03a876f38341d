"""ResNet up to its last feature map (He et al. 2015, arXiv 1512.03385), with frozen batch norm.

Names and shapes of the weights are those of torchvision's `resnet18` and `resnet34` with
`FrozenBatchNorm2d`, without their last layer: LeRobot's checkpoints hold these.
"""

import torch
from torch import Tensor, nn

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}  # of each of the four layers
WIDTHS = (64, 128, 256, 512)


class FrozenNorm(nn.Module):
    """Batch norm with statistics and weights that never learn: buffers, all of them."""

    def __init__(self, channels: int, eps: float = 1e-5):
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(channels))
        self.register_buffer("bias", torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, features: Tensor) -> Tensor:
        scale = self.weight * (self.running_var + self.eps).rsqrt()
        shift = self.bias - self.running_mean * scale
        return features * scale[:, None, None] + shift[:, None, None]


class Block(nn.Module):
    """Two 3x3 convolutions beside a short cut."""

    def __init__(self, before: int, channels: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, padding=1, bias=False)
        self.bn1 = FrozenNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = FrozenNorm(channels)
        self.downsample = nn.Identity()
        if stride > 1 or before != channels:
            convolution = nn.Conv2d(before, channels, 1, stride, bias=False)
            self.downsample = nn.Sequential(convolution, FrozenNorm(channels))

    def forward(self, features: Tensor) -> Tensor:
        inner = self.bn1(self.conv1(features)).relu()
        return (self.bn2(self.conv2(inner)) + self.downsample(features)).relu()


class ResNet(nn.Module):
    """float (batch, 3, height, width) -> (batch, 512, height / 32, width / 32), rounded up."""

    def __init__(self, name: str):
        super().__init__()
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, 2, padding=3, bias=False)
        self.bn1 = FrozenNorm(WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        before = WIDTHS[0]
        for number, (channels, count) in enumerate(zip(WIDTHS, BLOCKS[name], strict=True)):
            blocks = [Block(before, channels, stride=2 if number else 1)]
            blocks += [Block(channels, channels, stride=1) for _ in range(count - 1)]
            self.add_module(f"layer{number + 1}", nn.Sequential(*blocks))
            before = channels

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.maxpool(self.bn1(self.conv1(pictures)).relu())
        return self.layer4(self.layer3(self.layer2(self.layer1(features))))
