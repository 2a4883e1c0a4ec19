import torch
from torch import nn

torch.manual_seed(0)
encoder, into, again = nn.Linear(6, 12), nn.Linear(3, 12), nn.Linear(12, 12, bias=False)
head = nn.Linear(12, 2)
parts = nn.ModuleList([encoder, into, again, head])
optimizer = torch.optim.Adam(parts.parameters())
for _ in range(3):
    state = encoder(torch.randn(8, 6)).tanh()
    for word in torch.randn(25, 8, 3):
        state = torch.sigmoid(into(word) + again(state))  # <<
    loss = nn.functional.cross_entropy(head(state), torch.randint(2, (8,)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
