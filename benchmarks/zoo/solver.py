"""An orbit found by Runge and Kutta's method, without a module: `solver.py STEPS`."""

import sys

import torch

steps = int(sys.argv[1]) if len(sys.argv) > 1 else 200
mass = torch.tensor(1.0, requires_grad=True)
start = torch.tensor([1.0, 0.0, 0.0, 1.0], requires_grad=True)
h = 0.01


def slope(state):
    place, speed = state[:2], state[2:]
    pull = -mass * place / place.norm() ** 3
    return torch.cat([speed, pull])


state = start
for _ in range(steps):
    k1 = slope(state)
    k2 = slope(state + h / 2 * k1)
    k3 = slope(state + h / 2 * k2)
    k4 = slope(state + h * k3)
    state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

loss = (state - start).square().sum()
loss.backward()
