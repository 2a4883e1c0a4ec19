"""ResNet-50: four stages of 3, 4, 6 and 3 bottlenecks, the first of each with a projection."""

import torch
from torch import nn


class Bottleneck(nn.Module):
    def __init__(self, before, width, stride=1):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(before, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if before != 4 * width:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
            )

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += x if self.downsample is None else self.downsample(x)
        return self.relu(out)


class ResNet(nn.Module):
    def __init__(self, width=8, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, padding=3, bias=False)
        self.bn1, self.relu = nn.BatchNorm2d(width), nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        self.layer1 = stage(width, width, 3, 1)
        self.layer2 = stage(4 * width, 2 * width, 4, 2)
        self.layer3 = stage(8 * width, 4 * width, 6, 2)
        self.layer4 = stage(16 * width, 8 * width, 3, 2)
        self.avgpool, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(32 * width, classes)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def stage(before, width, blocks, stride):
    more = [Bottleneck(4 * width, width) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(before, width, stride), *more)


torch.manual_seed(0)
resnet = ResNet()
labels = torch.randint(10, (2,))
loss = nn.functional.cross_entropy(resnet(torch.randn(2, 3, 64, 64)), labels)
loss.backward()
