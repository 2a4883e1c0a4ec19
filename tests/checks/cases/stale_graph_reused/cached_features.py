import torch
from torch import nn


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.text = nn.Linear(4, 3), nn.Linear(5, 3)
        self.words, self.cached = torch.rand(2, 5), None

    @property
    def classes(self):
        if self.cached is None:
            self.cached = self.text(self.words).tanh()[:, :3]
        return self.cached

    def forward(self, x):
        return self.image(x) @ self.classes.t()  # <<


model = Model()
for _ in range(2):
    model(torch.rand(6, 4)).square().mean().backward()
