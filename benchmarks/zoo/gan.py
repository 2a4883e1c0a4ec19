"""A GAN: `gan.py WHOSE`, the loss of the `discriminator`, of the `generator`, or `both` in one."""

import sys

import torch
from torch import nn


def layers(widths, activation):
    for before, after in zip(widths, widths[1:], strict=False):
        yield nn.Linear(before, after)
        yield activation


torch.manual_seed(0)
whose = sys.argv[1] if len(sys.argv) > 1 else "both"
generator = nn.Sequential(*layers([8, 32, 32, 32], nn.ReLU()), nn.Linear(32, 16), nn.Tanh())
discriminator = nn.Sequential(*layers([16, 32, 32, 32], nn.LeakyReLU(0.2)), nn.Linear(32, 1))
judge = nn.BCEWithLogitsLoss()
real, ones, zeros = torch.randn(4, 16), torch.ones(4, 1), torch.zeros(4, 1)
fake = generator(torch.randn(4, 8))

loss_real = judge(discriminator(real), ones)
loss_fake = judge(discriminator(fake.detach()), zeros)
loss_discriminator = loss_real + loss_fake
loss_generator = judge(discriminator(fake), ones)
if whose == "discriminator":
    loss = loss_discriminator
elif whose == "generator":
    loss = loss_generator
else:
    loss = loss_discriminator + loss_generator
loss.backward()
